"""Histograms of the layers of several runs on shared axes: a row per run, a column per layer."""

from collections.abc import Sequence
from contextlib import ExitStack
from os import PathLike

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.analysis.sketch import SketchSummary
from infoplane.errors import InputError
from infoplane.plots.caption import name_as_is, small, wrapped
from infoplane.plots.histogram import LINE_LABEL, Y_LABEL, Scale, histogram, x_label
from infoplane.plots.theme import QUIET, own_figure
from infoplane.runfile.reader import Run, open_run

NARROWEST = 55 / 25.4


def histograms(
    runs: Sequence[Run | str | PathLike[str]],
    names: Sequence[str] | None = None,
    *,
    stream: str = "weights",
    row: int = -1,
    sign: int = 1,
    scale: Scale = "log",
    titles: Sequence[str] | None = None,
    figure: Figure | None = None,
) -> NDArray[np.object_]:
    """Draw a histogram with its log-normal fit for every run and layer, on shared axes.

    Parameters
    ----------
    runs : sequence of Run or path-like
        Open runs, which stay open, or run files; one row of panels each.
    names : sequence of str, optional
        Parameters (or sites, with `stream` ``activations``); one column each. All of the first run's if left out.
    stream : {"weights", "activations"}
        What was sketched.
    row : int
        Which measurement, counted from the end where negative.
    sign : {1, -1, 0}
    scale : {"log", "linear", "semilogy"}
        Both as in `infoplane.plots.histogram`.
    titles : sequence of str, optional
        One per run; the names of the files if left out.
    figure : matplotlib.figure.Figure, optional
        Where to draw; it is given the constrained layout if it has no layout. A new figure under
        `infoplane.plots.theme`, of a page's width (180 mm) or 55 mm per layer where that is more, if left out.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Shape (runs, layers). A layer that a run lacks, or that holds no value of this sign, is an empty panel that
        says so.

    Raises
    ------
    RunFileError
        When a file is no run file or has no such stream.
    InputError
        When there is no run, no run has a layer of a given name, the titles are not one per run, or there is no such
        row.
    """
    if isinstance(runs, str | PathLike | Run) or not len(runs):
        raise InputError(f"runs is {runs!r}, but histograms() takes a sequence of at least one run")
    if titles is not None and len(titles) != len(runs):
        raise InputError(f"there are {len(titles)} titles for {len(runs)} runs, but each run needs one")
    with ExitStack() as stack:
        opened = [run if isinstance(run, Run) else stack.enter_context(open_run(run)) for run in runs]
        known = list(dict.fromkeys(name for run in opened for name in run.sketch_names(stream)))
        layers = list(opened[0].sketch_names(stream)) if names is None else list(names)
        for name in layers:
            if name not in known:
                raise InputError(
                    f"no run has {stream} of {name!r}{near_names(name, known)}; there are {', '.join(known)}"
                )
        if not layers:
            raise InputError("names is empty, but histograms() needs at least one layer")
        sketches = [
            [run.sketch(stream, name, row) if name in run.sketch_names(stream) else None for name in layers]
            for run in opened
        ]
        steps = [int(run.stream(stream).row_values[row]) for run in opened]
        heads = [name_as_is(run.path.stem) for run in opened] if titles is None else list(titles)
    heads = [f"{head}, step {step}" for head, step in zip(heads, steps, strict=True)]
    if figure is not None:
        return _draw(figure, sketches, heads, layers, stream, sign, scale)
    with own_figure() as paper:
        width = max(paper.page, paper.scale * NARROWEST * len(layers))
        figure = plt.figure(figsize=(width, paper.scale * (0.4 + 1.75 * len(runs))), layout="constrained")
        return _draw(figure, sketches, heads, layers, stream, sign, scale)


def _draw(
    figure: Figure,
    sketches: list[list[SketchSummary | None]],
    heads: list[str],
    layers: list[str],
    stream: str,
    sign: int,
    scale: Scale,
) -> NDArray[np.object_]:
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    grid: NDArray[np.object_] = figure.subplots(len(heads), len(layers), sharex=True, sharey=True, squeeze=False)
    limits = []
    for axes, line in zip(grid, sketches, strict=True):
        for ax, sketch in zip(axes, line, strict=True):
            if sketch is not None and sketch.magnitudes(sign).count:
                histogram(sketch, ax=ax, sign=sign, scale=scale)
                limits.append((*ax.get_xlim(), *ax.get_ylim()))
            else:
                text = "not recorded" if sketch is None else "no such value"
                ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", fontsize=small(), color=QUIET)
            ax.set(xlabel="", ylabel="")
    if limits:
        left, right, bottom, top = np.array(limits).T
        grid[0, 0].set_xlim(left.min(), right.max())
        grid[0, 0].set_ylim(bottom.min(), top.max())
    for ax, name in zip(grid[0], layers, strict=True):
        ax.set_title(name_as_is(name))
    for ax, head in zip(grid[:, 0], heads, strict=True):
        ax.set_ylabel(f"{head}\n{Y_LABEL[scale]}")
    size = FontProperties(size=plt.rcParams["axes.labelsize"]).get_size_in_points()
    text = wrapped(f"{x_label(sign, stream)}; line: {LINE_LABEL}", 0.94 * figure.get_figwidth() * 72, size=size)
    figure.supxlabel(text, fontsize=size)
    return grid
