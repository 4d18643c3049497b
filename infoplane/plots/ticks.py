"""Ticks that are read as they stand: plain numbers on a logarithmic axis, whole numbers where things are counted."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogFormatter, MaxNLocator

_DECADES = (2.0, 0.5)  # an axis shorter than the first also has labels between powers of ten


class _Plain(LogFormatter):
    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def plain_log(ax: Axes) -> None:
    """Make the vertical axis logarithmic, with 0.5, 2 and 40 as labels and no powers of ten."""
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(_Plain())
    ax.yaxis.set_minor_formatter(_Plain(labelOnlyBase=False, minor_thresholds=_DECADES))


class _Whole(MaxNLocator):
    def tick_values(self, vmin: float, vmax: float) -> Any:
        ticks = np.asarray(super().tick_values(vmin, vmax))
        # Less than one epoch may hold no whole number: then it has parts of it.
        return ticks if ((ticks >= vmin) & (ticks <= vmax)).any() else MaxNLocator(5).tick_values(vmin, vmax)


def whole_numbers(axis: Axis) -> None:
    """Let an axis that counts have ticks at whole numbers alone, unless there is none between its ends."""
    axis.set_major_locator(_Whole(integer=True, min_n_ticks=1))
