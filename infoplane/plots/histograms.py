"""Histograms of the layers of several runs on shared axes: a row per run, or several where its layers are many."""

from collections.abc import Sequence
from contextlib import ExitStack
from os import PathLike

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.analysis.sketch import SketchSummary
from infoplane.errors import InputError
from infoplane.plots.caption import both_ends, head_as_is, height_of, shortened, small, width_of, wrapped
from infoplane.plots.histogram import LINE_LABEL, Y_LABEL, Scale, histogram, x_label
from infoplane.plots.planes import columns_of
from infoplane.plots.theme import QUIET, own_figure
from infoplane.runfile.reader import Run, open_run

HEIGHT = 1.75
NARROWEST = 42 / 25.4
"""Inches of a panel: the longest of the numbers beside a histogram fits in one line."""
_NAMED = 0.25  # of a row that has names of layers above it, in inches


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
        Open runs, which stay open, or run files; one row of panels each, or as many rows as the width asks for.
    names : sequence of str, optional
        Parameters (or sites, with `stream` ``activations``); one panel each. All of the first run's if left out.
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
        `infoplane.plots.theme`, of a page's width (180 mm), if left out. Layers for which the figure is too narrow,
        at 42 mm each, stand in rows below each other; it needs some 35 mm of height for each row of panels.

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
        for run in opened:
            if not len(run.stream(stream)):
                raise InputError(f"{run.path}: has no row of {stream} yet, so that there is no histogram to draw")
        sketches = [
            [run.sketch(stream, name, row) if name in run.sketch_names(stream) else None for name in layers]
            for run in opened
        ]
        steps = [int(run.stream(stream).row_values[row]) for run in opened]
        heads = [head_as_is(run.path.stem) for run in opened] if titles is None else list(titles)
    if figure is not None:
        return _draw(figure, sketches, heads, steps, layers, stream, sign, scale)
    with own_figure() as paper:
        lines, columns = _lines(paper.page, len(layers))
        named = _NAMED * (len(runs) * lines - 1) * (lines > 1)
        height = paper.scale * (0.4 + HEIGHT * len(runs) * lines + named)
        figure = plt.figure(figsize=(paper.page, height), layout="constrained")
        grid = _draw(figure, sketches, heads, steps, layers, stream, sign, scale)
        # What names of several lines need beyond the one that there is room for.
        size = float(grid[0, 0].title.get_fontsize()) / 72
        rows = [run[first : first + columns] for run in grid for first in range(0, len(layers), columns)]
        broken = sum(max(ax.get_title().count("\n") for ax in row) for row in rows)
        figure.set_figheight(height + 1.2 * size * broken)
        return grid


def _lines(width: float, layers: int) -> tuple[int, int]:
    """Return in how many rows, and columns, the layers of a run stand: rows as long as each other, or nearly."""
    lines = -(-layers // columns_of(width, layers, narrowest=NARROWEST))
    return lines, -(-layers // lines)


def _draw(
    figure: Figure,
    sketches: list[list[SketchSummary | None]],
    heads: list[str],
    steps: list[int],
    layers: list[str],
    stream: str,
    sign: int,
    scale: Scale,
) -> NDArray[np.object_]:
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    lines, columns = _lines(figure.get_figwidth(), len(layers))
    panels = figure.subplots(len(heads) * lines, columns, sharex=True, sharey=True, squeeze=False)
    blocks = panels.reshape(len(heads), lines * columns)
    grid: NDArray[np.object_] = blocks[:, : len(layers)]
    for spare in blocks[:, len(layers) :].flat:
        spare.remove()
    for ax in blocks[-1, max(0, len(layers) - columns) : len(layers)]:
        ax.tick_params(labelbottom=True)
    limits = []
    for axes, line in zip(grid, sketches, strict=True):
        for ax, sketch in zip(axes, line, strict=True):
            if sketch is not None and sketch.magnitudes(sign).count:
                histogram(sketch, ax=ax, sign=sign, scale=scale, legend=False)
                limits.append((*ax.get_xlim(), *ax.get_ylim()))
            else:
                text = "not recorded" if sketch is None else "no such value"
                ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", fontsize=small(), color=QUIET)
            ax.set(xlabel="", ylabel="")
    if limits:
        left, right, bottom, top = np.array(limits).T
        grid[0, 0].set_xlim(left.min(), right.max())
        grid[0, 0].set_ylim(bottom.min(), top.max())
    for line in grid[: 1 if lines == 1 else len(grid)]:
        for ax, name in zip(line, layers, strict=True):
            size = float(ax.title.get_fontsize())
            ax.set_title(wrapped(both_ends(name), 0.98 * width_of(ax), size=size))
    for line, head, step in zip(grid, heads, steps, strict=True):
        for ax in line[::columns]:
            ax.set_ylabel(_head(ax, head, f"step {step:,}"))
    size = FontProperties(size=plt.rcParams["axes.labelsize"]).get_size_in_points()
    text = wrapped(f"{x_label(sign, stream)}; line: {LINE_LABEL}", 0.94 * figure.get_figwidth() * 72, size=size)
    figure.supxlabel(text, fontsize=size)
    figure.supylabel(Y_LABEL[scale], fontsize=size)
    return grid


def _head(ax: Axes, name: str, step: str) -> str:
    """Return a run's name and step as they fit beside a panel: in one line, or below each other.

    The name takes two lines at most. What is more is left out of its middle, never of the step.
    """
    size, room = float(ax.yaxis.label.get_fontsize()), 0.95 * height_of(ax)
    together = f"{name}, {step}"
    if "\n" in name or wrapped(together, room, size=size) == together:
        return together
    for share in (2.0, 1.8, 1.6):
        broken = wrapped(shortened(name, share * room, size), room, size=size)
        if broken.count("\n") < 2:
            break
    else:
        broken = shortened(name, room, size)
    return f"{broken},\n{step}"
