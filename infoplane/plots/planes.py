"""Information planes of several runs side by side, on shared axes and with one legend."""

from collections.abc import Sequence
from os import PathLike

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, legend_on_top, small, wrapped
from infoplane.plots.path import Clock, RunPaths, read_paths
from infoplane.plots.plane import draw_paths
from infoplane.plots.plane_legend import LEGEND, legend_entries, notes
from infoplane.plots.theme import PAGE, QUIET, site_styles, theme
from infoplane.runfile.reader import Run

NARROWEST = 55 / 25.4


def planes(
    runs: Sequence[Run | str | PathLike[str]],
    *,
    titles: Sequence[str] | None = None,
    figure: Figure | None = None,
    control: bool = True,
    errors: bool = False,
) -> NDArray[np.object_]:
    """Draw the information planes of several runs on shared axes; equal shades mean equal times.

    Parameters
    ----------
    runs : sequence of Run or path-like
        Open runs, which stay open, or run files.
    titles : sequence of str, optional
        One per run; the names of the files if left out.
    figure : matplotlib.figure.Figure, optional
        Where to draw; it is given the constrained layout if it has no layout. A new figure of a page's width (180 mm),
        under `infoplane.plots.theme`, if left out. Panels stand below each other where the figure is too narrow for
        55 mm each.
    control, errors : bool
        As in `infoplane.plots.plane`.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Shape (runs,).

    Raises
    ------
    RunFileError
        When a file is no run file, or has no plane.
    InputError
        When there is no run, the titles are not one per run, or a run has not measured yet.
    """
    if isinstance(runs, str | PathLike | Run) or not len(runs):
        raise InputError(
            f"runs is {runs!r}, but planes() takes a sequence of at least one run; for one, plane() is enough"
        )
    if titles is not None and len(titles) != len(runs):
        raise InputError(f"there are {len(titles)} titles for {len(runs)} runs, but each run needs one")
    read = [read_paths(run) for run in runs]
    names = [run.name for run in read] if titles is None else list(titles)
    if figure is not None:
        return _draw(figure, read, names, control, errors)
    with theme():
        rows = -(-len(read) // _columns(PAGE, len(read)))
        figure = plt.figure(figsize=(PAGE, (0.3 + 0.36 * rows) * PAGE), layout="constrained")
        return _draw(figure, read, names, control, errors)


def _columns(width: float, panels: int) -> int:
    return max(1, min(panels, int(width // NARROWEST)))


def _draw(figure: Figure, runs: list[RunPaths], titles: list[str], control: bool, errors: bool) -> NDArray[np.object_]:
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    columns = _columns(figure.get_figwidth(), len(runs))
    rows = -(-len(runs) // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes: NDArray[np.object_] = grid.ravel()[: len(runs)]
    for spare in grid.ravel()[len(runs) :]:
        spare.remove()
    styles, clock = site_styles(list(dict.fromkeys(site for run in runs for site in run.sites))), Clock.of(runs)
    said = [[run.settings, *notes(run, control=control, errors=errors)] for run in runs]
    common = [sentence for sentence in said[0] if all(sentence in others for others in said)]
    limits = []
    for ax, run, title, sentences in zip(axes, runs, titles, said, strict=True):
        draw_paths(ax, run, styles=styles, clock=clock, control=control, errors=errors)
        limits.append((*ax.get_xlim(), *ax.get_ylim()))
        ax.set_title(title)
        own = [sentence for sentence in sentences if sentence not in common]
        if own:
            caption_below(ax, " ".join(own))
    left, right, bottom, top = np.array(limits).T
    axes[0].set_xlim(left.min(), right.max())
    axes[0].set_ylim(bottom.min(), top.max())
    _outer_labels(axes, columns)
    handles, labels = legend_entries(styles, runs, control=control)
    legend_on_top(figure, handles, labels, title=str(clock), **LEGEND)
    if common:
        text = wrapped(" ".join(common), 0.94 * figure.get_figwidth() * 72)
        figure.supxlabel(text, x=0.03, ha="left", fontsize=small(), color=QUIET)
    return axes


def _outer_labels(axes: NDArray[np.object_], columns: int) -> None:
    """Label the first panel of every row and the last of every column."""
    for i, ax in enumerate(axes):
        if i % columns:
            ax.set_ylabel("")
        if i + columns < len(axes):
            ax.set_xlabel("")
        else:
            ax.tick_params(labelbottom=True)
