"""The ΔI surface in three dimensions, over weight and mean activity, with its contours on the floor.

The same array and colours as `infoplane.plots.surface`, whose heat map is the one to read numbers from: a view in
perspective hides what lies behind. The formula is that of `infoplane.analysis.delta_information`.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm

from infoplane.analysis.delta_information import DeltaInformationSurface, delta_information_surface
from infoplane.errors import InputError
from infoplane.plots.caption import caption_below
from infoplane.plots.own_axes import on_axes
from infoplane.plots.surface import describe
from infoplane.plots.theme import pt


def surface3d(
    surface: DeltaInformationSurface | None = None,
    *,
    ax: Axes | None = None,
    elevation: float = 25.0,
    azimuth: float = -60.0,
    colorbar: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the ΔI surface in perspective, white at no change.

    Parameters
    ----------
    surface : DeltaInformationSurface, optional
        From `infoplane.delta_information_surface`; the grid of the paper's Fig. 4 if left out.
    ax : matplotlib.axes.Axes, optional
        Three-dimensional axes, as ``figure.add_subplot(projection="3d")`` makes them; those of a new figure of one
        column's width, under `infoplane.plots.theme`, if left out.
    elevation, azimuth : float
        From where it is seen, in degrees.
    colorbar : bool
        Draw the colour bar, beside the axes in their figure.
    caption : bool
        State formula and parameters under the axes.

    Returns
    -------
    matplotlib.axes.Axes
        Three-dimensional ones.

    Raises
    ------
    InputError
        When `ax` is two-dimensional.
    """
    grid = delta_information_surface() if surface is None else surface
    if ax is not None and ax.name != "3d":
        raise InputError(
            "ax is two-dimensional, but surface3d() needs axes as figure.add_subplot(projection='3d') makes them; "
            "surface() draws the heat map"
        )

    def draw(axes: Axes) -> Axes:
        return _draw(axes, grid, (elevation, azimuth), colorbar, caption)

    return on_axes(ax, draw, height=0.9, projection="3d")


def _draw(axes: Axes, grid: DeltaInformationSurface, view: tuple[float, float], colorbar: bool, caption: bool) -> Axes:
    ax: Any = axes  # matplotlib has no types for its three-dimensional axes
    values = grid.values
    most = float(np.abs(values).max()) or 1.0
    w, zbar = np.meshgrid(grid.w, grid.zbar)
    look = {"cmap": "RdBu_r", "norm": CenteredNorm(0, most)}
    drawn = ax.plot_surface(w, zbar, values, rcount=40, ccount=40, edgecolor="#333333", linewidth=pt(0.1), **look)
    floor = float(values.min()) - 0.35 * float(np.ptp(values) or 1.0)
    if np.ptp(values) > 0:
        ax.contour(w, zbar, values, 10, zdir="z", offset=floor, linewidths=pt(0.5), colors="#333333")
    ax.set_zlim(floor, float(values.max()) or 1.0)
    ax.view_init(elev=view[0], azim=view[1])
    ax.set_xticks([-1, -0.5, 0, 0.5, 1])
    ax.set_yticks([0, 0.5, 1])
    ax.set_xlabel("weight w")
    ax.set_ylabel("mean activity")
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_tick_params(pad=-pt(1.5))
        axis.labelpad = -pt(2.0)
        axis.set_pane_color("#F7F7F7")
    ax.zaxis.set_tick_params(pad=pt(1.0))  # signs would stand on the axis
    ax.set_box_aspect((1, 1, 0.75), zoom=1.05)
    # The bar beside the axis is of the same quantity, and names it for both.
    if colorbar:
        ax.figure.colorbar(drawn, ax=ax, label=f"ΔI [{grid.unit}]", shrink=0.7, pad=0.12)
    else:
        # A label along the axis would leave the figure: constrained layout does not know of its place.
        ax.text2D(1.0, 0.83, f"ΔI [{grid.unit}]", transform=ax.transAxes, ha="right")
    if caption:
        note, cell = caption_below(ax, describe(grid), share=0.85), ax.get_subplotspec()
        if cell is None or cell.get_gridspec().ncols == 1:
            # Axes in perspective stand in the middle of what is wider than high; the caption has all its width.
            note.xy, note.xycoords = (0.06, 0), ("figure fraction", ax.xaxis.label)
    return axes
