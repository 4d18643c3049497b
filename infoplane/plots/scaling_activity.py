"""The mean activity of layers before and after each pass of synaptic scaling, beside its target.

The activity is that of Eq. 15 of Hofmann & Maeder (2022), the mean of phi(W u + b) over rows and neurons, the target
that of Eq. 16. From a hollow marker (before) to the filled one above or below it (after) goes the pass; from a filled
one to the next hollow one the training in between.
"""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from infoplane.plots.caption import caption_below, legend_below, name_as_is, title_of
from infoplane.plots.common_looks import LEGEND
from infoplane.plots.own_axes import on_axes
from infoplane.plots.passes import Passes, read_passes
from infoplane.plots.theme import QUIET, site_styles
from infoplane.plots.ticks import whole_numbers
from infoplane.printable import printable
from infoplane.runfile.reader import Run

_MOST_MARKED = 60


def scaling_activity(
    run: Run | str | PathLike[str],
    layers: Sequence[str] | None = None,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw every layer's mean activity before and after each pass, and its target.

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
        Below the axes. How many passes moved a layer away from its target is said in any case.

    Returns
    -------
    matplotlib.axes.Axes
        Activities in the unit of the activations.

    Raises
    ------
    InputError
        When there was no pass, or a layer is not there.
    RunFileError
        When it is no run file, or has no stream ``scaling``.
    """
    passes = read_passes(run, layers)

    def draw(ax: Axes) -> Axes:
        styles = site_styles(passes.layers)
        for k, layer in enumerate(passes.layers):
            _layer(ax, passes, k, styles[layer])
        shared = _targets(ax, passes, styles)
        ax.set_xlabel(f"{passes.counts} of the pass")
        ax.set_ylabel("mean activity [unit of activations]")
        whole_numbers(ax.xaxis)
        ax.set_title(title_of(ax, passes.name) if title is None else title)
        under = None
        if legend:
            handles = [Line2D([], [], color=c, marker=m, markersize=3.2) for c, m in styles.values()]
            labels = [name_as_is(layer) for layer in passes.layers]
            if len(passes.place) <= _MOST_MARKED:
                handles.append(Line2D([], [], color=QUIET, marker="o", markersize=4.8, mfc="white", linestyle=""))
                labels.append("before the pass")
            handles.append(Line2D([], [], color=QUIET, linestyle=(0, (5, 2)), linewidth=0.8))
            labels.append("target (grey: of several layers)" if shared else "target")
            under = legend_below(ax, handles, labels, **LEGEND)
        said = [_away(passes), *(passes.told if caption else ())]
        caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw)


def _layer(ax: Axes, passes: Passes, k: int, style: tuple[str, str]) -> None:
    color, marker = style
    before, after = passes.values["zbar_before"][:, k], passes.values["zbar_after"][:, k]
    gid = printable(passes.layers[k])
    ax.plot(np.repeat(passes.place, 2), np.ravel(np.column_stack([before, after])), color=color, linewidth=0.8, gid=gid)
    if len(before) <= _MOST_MARKED:
        rest: dict[str, Any] = {"color": color, "marker": marker, "linestyle": "", "markeredgewidth": 0.7}
        ax.plot(passes.place, before, markersize=4.8, mfc="white", gid=f"{gid} before", zorder=2.1, **rest)
        ax.plot(passes.place, after, markersize=2.8, gid=f"{gid} after", zorder=2.2, **rest)


def _targets(ax: Axes, passes: Passes, styles: dict[str, tuple[str, str]]) -> bool:
    """Draw every target once, and return whether one of them, which is grey then, is that of several layers."""
    of: dict[bytes, list[int]] = {}
    for k in range(len(passes.layers)):
        of.setdefault(passes.values["target"][:, k].tobytes(), []).append(k)
    for columns in of.values():
        layers = [passes.layers[k] for k in columns]
        color = styles[layers[0]][0] if len(layers) == 1 else QUIET
        gid = f"{printable(', '.join(layers))} target"
        target = passes.values["target"][:, columns[0]]
        ax.plot(passes.place, target, color=color, linestyle=(0, (5, 2)), linewidth=0.8, gid=gid)
    return len(of) < len(passes.layers)


def _away(passes: Passes) -> str:
    count, of = int(passes.away.sum()), passes.away.size
    if not count:
        return f"None of {of} passes over a layer moved it away from its target beyond two standard errors."
    return f"{count} of {of} passes over a layer moved it away from its target, beyond two standard errors."
