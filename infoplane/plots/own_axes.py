"""Axes that a plot makes for itself: as wide as the theme says, and as high as what stands below them asks for."""

from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from infoplane.plots.caption import height_outside
from infoplane.plots.theme import own_figure


def on_axes(ax: Axes | None, draw: Callable[[Axes], Axes], *, height: float = 1.0, **subplot: Any) -> Axes:
    """Draw on `ax`, or on the axes of a new figure under the theme, and return them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        Of the caller, whose figure stays as it is.
    draw : callable
        Draws on the axes it is given, legend and caption too, and returns them.
    height : float
        Of new axes, over that of one panel in the theme.
    **subplot
        Of new axes, as ``projection``.
    """
    if ax is not None:
        return draw(ax)
    with own_figure() as paper:
        inches = height * paper.height
        # Of the subplot's default share of the figure's height, so that the axes start as high as they will end.
        size = (paper.column, inches / 0.77)
        figure, ax = plt.subplots(figsize=size, layout="constrained", subplot_kw=subplot)
        draw(ax)
        pads = 2 * mpl.rcParams["figure.constrained_layout.h_pad"]
        figure.set_figheight(inches + height_outside(ax) / 72 + pads)
        return ax
