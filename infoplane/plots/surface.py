"""The ΔI surface: the change of "information" by scaling one weight, over that weight and the neuron's mean activity.

This is the paper's Fig. 4 with its axes the right way round; ``as_printed=True`` transposes the array as the paper did.
The formula (Eq. 22 of Hofmann & Maeder 2022 less its Eq. 21) is that of `infoplane.analysis.delta_information`.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm
from matplotlib.contour import QuadContourSet
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from infoplane.analysis.delta_information import DeltaInformationSurface, delta_information_surface
from infoplane.plots.caption import caption_below, height_of, small, width_of
from infoplane.plots.theme import own_figure, pt

AS_PRINTED = (
    "Transposed, as printed in the paper's Fig.\u00a04: in truth the horizontal axis shows the mean activity (0 to 1), "
    "the vertical one the weight (-1 to 1)."
)
READING = {
    "eq22": "Eq.\u00a022",
    "eq25": "Eq.\u00a025 (mean activity for its distance from the target)",
    "eq24": "Eq.\u00a024 (mean activity for its distance from the target, bias inside the bracket)",
    "appendix_delta": "Appendix delta (mean activity for its distance from the target, without p(x|z))",
}


def surface(
    surface: DeltaInformationSurface | None = None,
    *,
    ax: Axes | None = None,
    as_printed: bool = False,
    colorbar: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the ΔI surface with labelled contours, white at no change.

    Parameters
    ----------
    surface : DeltaInformationSurface, optional
        From `infoplane.delta_information_surface`; the grid of the paper's Fig. 4 if left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out. The caption
        stands below the axes: a figure of yours needs ``layout="constrained"`` to make room for it.
    as_printed : bool
        Transpose the array under the paper's own axes and labels, as its Fig. 4 does; the caption says so in any case.
    colorbar : bool
        Draw the colour bar, beside the axes in their figure.
    caption : bool
        State formula and parameters under the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = surface()  # doctest: +SKIP
    """
    grid = delta_information_surface() if surface is None else surface
    if ax is None:
        with own_figure() as paper:
            size = (paper.column, paper.height / 0.65)
            ax = plt.subplots(figsize=size, layout="constrained")[1]
            return _draw(ax, grid, as_printed, colorbar, caption)
    return _draw(ax, grid, as_printed, colorbar, caption)


def _draw(ax: Axes, grid: DeltaInformationSurface, as_printed: bool, colorbar: bool, caption: bool) -> Axes:
    values = grid.values.T if as_printed else grid.values
    most = float(np.abs(values).max())
    mesh = ax.pcolormesh(
        grid.w,
        grid.zbar,
        values,
        norm=CenteredNorm(0, most or 1.0),
        cmap="RdBu_r",
        shading="gouraud",
        rasterized=True,
    )
    # These two are 0 all along the target: its own line stands for that contour.
    at_target = grid.variant in ("eq22", "exact") and not as_printed
    round_levels = MaxNLocator(nbins=13, steps=[1, 2, 5, 10]).tick_values(values.min(), values.max())
    inside = [float(level) for level in round_levels if values.min() < level < values.max()]
    levels = [level for level in inside if abs(level) > 1e-9 * most or not at_target]
    if levels:
        lines = ax.contour(grid.w, grid.zbar, values, levels, colors="#333333", linewidths=pt(0.5))
        _label(ax, lines)
    if at_target:
        ax.axhline(grid.z_target, color="#333333", linewidth=pt(0.8), linestyle=(0, (5, 2)), gid="target")
        ax.annotate(
            f"target {grid.z_target:g}",
            (0.5, grid.z_target),
            xycoords=("axes fraction", "data"),
            xytext=(0, 1.5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=small(),
        )
    ax.set_xlim(grid.w[0], grid.w[-1])
    ax.set_xticks([-1, -0.5, 0, 0.5, 1])
    ax.set_ylim(grid.zbar[0], grid.zbar[-1])
    ax.set_xlabel("synaptic strength (as labelled in print)" if as_printed else "weight w")
    ax.set_ylabel("$\\hat{z}$ (as labelled in print)" if as_printed else "mean activity")
    if colorbar:
        ax.figure.colorbar(mesh, ax=ax, label=f"ΔI [{grid.unit}]")
    sentences = [AS_PRINTED] * as_printed + [describe(grid)] * caption
    if sentences:
        # A colour bar takes its share of the width when the layout runs.
        caption_below(ax, " ".join(sentences), share=0.85 if colorbar else 1.0)
    return ax


def _label(ax: Axes, lines: QuadContourSet) -> None:
    """Label each contour once, at the middle of its longest piece, where there is room for a label."""
    span = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    points = np.array([width_of(ax), height_of(ax)]) / span
    places: list[NDArray[np.float64]] = []
    for pieces in lines.allsegs:
        lengths = [float(np.linalg.norm(np.diff(piece * points, axis=0), axis=1).sum()) for piece in pieces]
        if lengths and max(lengths) > 6 * small():
            piece = pieces[int(np.argmax(lengths))]
            place = piece[len(piece) // 2]
            if all(np.linalg.norm((place - other) * points) > 1.6 * small() for other in places):
                places.append(place)
    if places:
        manual = [(float(x), float(y)) for x, y in places]
        # Signs on both sides and room around them: a lone minus reads as a piece of the line.
        signed = {level: f"{level:+g}".replace("-", "\u2212") if level else "0" for level in map(float, lines.levels)}
        ax.clabel(lines, fmt=signed, fontsize=small(), manual=manual, inline_spacing=7)


def describe(grid: DeltaInformationSurface) -> str:
    """Return the sentence that names formula and parameters."""
    rest = f"gamma = {grid.gamma:g}, b = {grid.b:g}, target = {grid.z_target:g}"
    if grid.variant == "exact":
        return f"Change of the mutual information of the neuron, X uniform on (-{grid.x:g}, {grid.x:g}), {rest}."
    reading, what = READING[grid.variant], "change of log p(z = 1|x), not of a mutual information"
    return f"{reading} with p(x|z) = {grid.x:g}, {rest}: {what}."
