"""What each pass of synaptic scaling was predicted to change of a layer's mean activity, and what it did change.

The prediction is of first order: the gradient of the mean activity with respect to the weights times the change of the
weights that the rule (Eq. 14 of Hofmann & Maeder 2022) asks for. Points on the diagonal kept it. Bars are one standard
error over the rows of the change that was found; passes that led away from the target are ringed.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, legend_below, name_as_is, title_of
from infoplane.plots.common_looks import LEGEND, RING
from infoplane.plots.own_axes import on_axes
from infoplane.plots.passes import read_passes
from infoplane.plots.theme import QUIET, site_styles
from infoplane.printable import printable
from infoplane.runfile.reader import Run


def scaling_change(
    run: Run | str | PathLike[str],
    layers: Sequence[str] | None = None,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the found over the predicted change of the mean activity, a point per pass and layer.

    Parameters
    ----------
    run : Run or path-like
        An open run, which stays open, or a run file, with the stream ``scaling``.
    layers : sequence of str, optional
        Layers that were scaled; all of them if left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    title : str, optional
        The name of the file if left out.
    legend, caption : bool
        Below the axes. Points that are not finite are counted there in any case.

    Returns
    -------
    matplotlib.axes.Axes
        Changes in the unit of the activations.

    Raises
    ------
    InputError
        When there was no pass, none has finite numbers, or a layer is not there.
    RunFileError
        When it is no run file, or has no stream ``scaling``.
    """
    passes = read_passes(run, layers)
    predicted = passes.values["predicted_change"]
    found = passes.values["zbar_after"] - passes.values["zbar_before"]
    error = np.nan_to_num(passes.values["change_error"])
    finite = np.isfinite(predicted) & np.isfinite(found)
    if not finite.any():
        raise InputError(f"{passes.name}: no pass has a finite change to draw")

    def draw(ax: Axes) -> Axes:
        styles = site_styles(passes.layers)
        handles, labels = [], []
        for k, layer in enumerate(passes.layers):
            color, marker = styles[layer]
            keep, gid = finite[:, k], printable(layer)
            x, y = predicted[keep, k], found[keep, k]
            ax.errorbar(x, y, yerr=error[keep, k], linestyle="", ecolor=color, elinewidth=0.6, alpha=0.7, zorder=2)
            style: dict[str, Any] = {
                "color": color,
                "marker": marker,
                "markersize": 2.6,
                "markeredgewidth": 0.2,
                "linestyle": "",
            }
            handles += ax.plot(x, y, gid=gid, mec="white", zorder=3, **style)
            labels.append(name_as_is(layer))
        if (ringed := passes.away & finite).any():
            (ring,) = ax.plot(predicted[ringed], found[ringed], gid="away", zorder=4, **RING)
            handles.append(ring)
            labels.append("away from its target")
        _same_limits(ax, np.concatenate([predicted[finite], (found - error)[finite], (found + error)[finite]]))
        ax.axline((0, 0), slope=1, color=QUIET, linewidth=0.7, linestyle=(0, (5, 2)), zorder=1, gid="as predicted")
        handles.append(Line2D([], [], color=QUIET, linewidth=0.7, linestyle=(0, (5, 2))))
        labels.append("found = predicted")
        ax.ticklabel_format(scilimits=(-2, 3), useMathText=True)
        ax.set_xlabel("predicted change of mean activity")
        ax.set_ylabel("change found of mean activity")
        ax.set_title(title_of(ax, passes.name) if title is None else title)
        under = legend_below(ax, handles, labels, **LEGEND) if legend else None
        said = list(passes.told) if caption else []
        if caption:
            said.append("Both in the unit of the activations; bars: one standard error over rows.")
        if lost := int((~finite).sum()):
            said.append(f"{lost} point{'s are' if lost > 1 else ' is'} not finite and left out.")
        if said:
            caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw)


def _same_limits(ax: Axes, changes: NDArray[np.float64]) -> None:
    """Set both axes to the limits of all the changes, so that the diagonal runs from corner to corner."""
    low, high = float(changes.min()), float(changes.max())
    room = 0.06 * ((high - low) or abs(high) or 1.0)
    ax.set_xlim(low - room, high + room)
    ax.set_ylim(low - room, high + room)
