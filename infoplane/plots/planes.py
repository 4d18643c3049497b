"""Information planes of several runs side by side, on shared axes and with one legend."""

from collections.abc import Sequence
from os import PathLike

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.caption import (
    as_is,
    caption_below,
    head_as_is,
    height_outside,
    legend_on_top,
    shortened,
    small,
    width_of,
    wrapped,
)
from infoplane.plots.path import Clock, RunPaths
from infoplane.plots.plane import ROWS
from infoplane.plots.plane_legend import LEGEND, legend_entries, notes
from infoplane.plots.plane_lines import draw_lines, limits_of, y_label
from infoplane.plots.plane_marks import check_style, draw_marks
from infoplane.plots.read_paths import read_paths
from infoplane.plots.theme import PAGE, QUIET, own_figure, pt, site_styles
from infoplane.runfile.reader import Run

NARROWEST = 55 / 25.4
HEIGHT = 0.36 * PAGE


def planes(
    runs: Sequence[Run | str | PathLike[str]],
    *,
    titles: Sequence[str] | None = None,
    figure: Figure | None = None,
    style: str = "dots",
    control: bool = True,
    errors: bool = False,
    rows: int | None = ROWS,
    window: int = 1,
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
        under `infoplane.plots.theme` and as high as legend and captions need it, if left out. Panels stand below each
        other where the figure is too narrow for 55 mm each.
    style, control, errors, rows, window
        As in `infoplane.plots.plane`; rows are those of each run.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Shape (runs,).

    Raises
    ------
    RunFileError
        When a file is no run file, or has no plane.
    InputError
        When there is no run, the titles are not one per run, a run has not measured yet, or `style`, `rows` or
        `window` cannot be used.
    """
    if isinstance(runs, str | PathLike | Run) or not len(runs):
        raise InputError(
            f"runs is {runs!r}, but planes() takes a sequence of at least one run; for one, plane() is enough"
        )
    if titles is not None and len(titles) != len(runs):
        raise InputError(f"there are {len(titles)} titles for {len(runs)} runs, but each run needs one")
    check_style(style)
    read = [read_paths(run, rows=rows, window=window) for run in runs]
    names = [head_as_is(run.name) for run in read] if titles is None else list(titles)
    if figure is not None:
        return panels(figure, read, names, style=style, control=control, errors=errors)
    with own_figure() as paper:
        columns, height = columns_of(paper.page, len(read)), HEIGHT / PAGE * paper.page
        lines = -(-len(read) // columns)
        # The subplots' default share of the figure's height, so that the panels start as high as they will end.
        figure = plt.figure(figsize=(paper.page, height * (1.2 * lines - 0.2) / 0.77), layout="constrained")
        axes = panels(figure, read, names, style=style, control=control, errors=errors)
        figure.set_figheight(lines * height + height_beside(figure, axes, columns))
        return axes


def height_beside(figure: Figure, axes: NDArray[np.object_], columns: int) -> float:
    """Return how many inches legend, labels, captions and pads take of the height of a figure with one legend."""
    rows = [axes[first : first + columns] for first in range(0, len(axes), columns)]
    labels = sum(max(height_outside(ax) for ax in row) for row in rows) / 72
    texts = [*figure.legends, *figure.texts]
    common = sum(artist.get_window_extent().height for artist in texts) / figure.dpi
    pad: float = mpl.rcParams["figure.constrained_layout.h_pad"]
    return float(labels + common + 2 * pad * (len(rows) + len(texts)))


def columns_of(width: float, panels: int, *, narrowest: float = NARROWEST) -> int:
    """Return how many panels of `narrowest` or more stand beside each other in a width in inches, at most all."""
    return max(1, min(panels, int(width // pt(narrowest))))


def panels(
    figure: Figure,
    runs: list[RunPaths],
    titles: list[str],
    *,
    style: str,
    control: bool,
    errors: bool,
    caption: bool = True,
) -> NDArray[np.object_]:
    """Draw a panel per run into a figure: arguments as of `planes`; the style ``none`` leaves the points out."""
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    columns = columns_of(figure.get_figwidth(), len(runs))
    rows = -(-len(runs) // columns)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes: NDArray[np.object_] = grid.ravel()[: len(runs)]
    for spare in grid.ravel()[len(runs) :]:
        spare.remove()
    styles, clock = site_styles(list(dict.fromkeys(site for run in runs for site in run.sites))), Clock.of(runs)
    said = [[*[run.settings] * caption, *notes(run, control=control, errors=errors)] for run in runs]
    common = [sentence for sentence in said[0] if all(sentence in others for others in said)]
    left, right, bottom, top = np.transpose(
        [limits_of(ax, [run], control=control) for ax, run in zip(axes, runs, strict=True)]
    )
    shared = float(left.min()), float(right.max()), float(bottom.min()), float(top.max())
    for ax, run in zip(axes, runs, strict=True):
        if style != "none":
            draw_marks(ax, run, styles=styles, clock=clock, control=control, errors=errors, style=style)
        draw_lines(ax, [run], control=control, limits=shared)
    _outer_labels(axes, columns, [y_label(run) for run in runs])
    for ax, title, sentences in zip(axes, titles, said, strict=True):
        ax.set_title(shortened(title, width_of(ax), float(ax.title.get_fontsize())))
        own = [sentence for sentence in sentences if sentence not in common]
        if own:
            caption_below(ax, " ".join(own))
    handles, labels = legend_entries(styles, runs, control=control, style=style)
    legend_on_top(figure, handles, labels, title=str(clock), **LEGEND)
    if common:
        text = as_is(wrapped(" ".join(common), 0.94 * figure.get_figwidth() * 72))
        figure.supxlabel(text, x=0.03, ha="left", fontsize=small(), color=QUIET)
    return axes


def _outer_labels(axes: NDArray[np.object_], columns: int, labels: list[str]) -> None:
    """Label the first panel of every row and the last of every column, and all where their ordinates differ."""
    for i, ax in enumerate(axes):
        if i % columns and len(set(labels)) == 1:
            ax.set_ylabel("")
        if i + columns < len(axes):
            ax.set_xlabel("")
        else:
            ax.tick_params(labelbottom=True)
