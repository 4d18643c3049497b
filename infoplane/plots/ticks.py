"""Ticks that are read as they stand: plain numbers on a logarithmic axis, whole numbers where things are counted."""

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


def whole_numbers(axis: Axis) -> None:
    """Let an axis that counts have ticks at whole numbers alone."""
    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
