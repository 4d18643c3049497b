"""Mean and deviation of the gradients of each weight over the steps, and where the second overtakes the first.

Norms over the entries of a weight, divided by the norm of the weight, as Shwartz-Ziv & Tishby (2017, Fig. 4) draw them:
|m| / |w| solid, |s| / |w| dashed, each over the optimizer's steps between two measurements. The dotted line, |s| / |w|
over the root of the number of steps, is what |m| / |w| would be of gradients that have no mean at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.analysis.phase_change import PhaseChange, phase_change
from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, legend_below, name_as_is, title_of
from infoplane.plots.common_looks import LEGEND
from infoplane.plots.own_axes import on_axes
from infoplane.plots.theme import QUIET, site_styles
from infoplane.plots.ticks import plain_log
from infoplane.printable import printable
from infoplane.runfile.reader import Run, open_run

_CHANGE = (6, 1.5, 1, 1.5)


def gradients(
    run: Run | str | PathLike[str],
    parameters: Sequence[str] | None = None,
    *,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the norms of the gradients' mean and deviation, with the step where their ratio falls below 1 for good.

    Parameters
    ----------
    run : Run or path-like
        An open run, which stays open, or a run file, with the stream ``gradients``.
    parameters : sequence of str, optional
        Weights; all of them if left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    title : str, optional
        The name of the file if left out.
    legend, caption : bool
        Below the axes. Where the ratio falls below 1, or that it does not, is said in any case.

    Returns
    -------
    matplotlib.axes.Axes
        Both axes logarithmic. The lines that mark a crossing, as `infoplane.analysis.phase_change` defines it, stand at
        the first row behind it: it lies between this row and the one before.

    Raises
    ------
    InputError
        When the run has no such weight, or no row with two steps and more.
    RunFileError
        When it is no run file, or has no stream ``gradients``.
    """
    read = _read(run, parameters)

    def draw(ax: Axes) -> Axes:
        styles = site_styles(read.names)
        marks = max(1, len(read.step) // 12)
        for k, name in enumerate(read.names):
            color, marker = styles[name]
            gid, keep = printable(name), read.drawn[:, k]
            step, w = read.step[keep], read.weight[keep, k]
            mean, deviation, n = read.mean[keep, k] / w, read.deviation[keep, k] / w, read.steps[keep, k]
            every: dict[str, Any] = {"marker": marker, "markersize": 2.8, "markevery": marks, "color": color}
            ax.plot(step, mean, gid=f"{gid} mean", **every)
            ax.plot(step, deviation, linestyle=(0, (4, 1.5)), mfc="white", mew=0.7, gid=f"{gid} deviation", **every)
            ax.plot(step, deviation / np.sqrt(n), linestyle=":", linewidth=0.7, color=color, gid=f"{gid} floor")
        _draw_changes(ax, read, styles)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
        plain_log(ax)
        ax.set_xlabel("training step")
        ax.set_ylabel("norm over that of the weight")
        ax.set_title(title_of(ax, read.name) if title is None else title)
        under = None
        if legend:
            handles = [Line2D([], [], color=c, marker=m, markersize=2.8) for c, m in styles.values()]
            handles += [Line2D([], [], color=QUIET, linestyle=line) for line in ("-", (0, (4, 1.5)), ":")]
            labels = [name_as_is(name) for name in read.names]
            labels += ["mean of gradients", "their deviation", "mean if pure noise"]
            if any(read.changes):
                handles.append(Line2D([], [], color=QUIET, linestyle=(0, _CHANGE), linewidth=0.9))
                labels.append("phase change (ratio below 1)")
            under = legend_below(ax, handles, labels, **LEGEND)
        said = [_crossings(read), *([read.told] if caption else [])]
        caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw)


@dataclass(frozen=True, eq=False)
class _Gradients:
    name: str
    names: tuple[str, ...]
    step: NDArray[np.int64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    weight: NDArray[np.float64]
    steps: NDArray[np.float64]
    drawn: NDArray[np.bool_]
    changes: tuple[PhaseChange | None, ...]
    highest: tuple[float, ...]
    told: str


def _read(run: Run | str | PathLike[str], parameters: Sequence[str] | None) -> _Gradients:
    if not isinstance(run, Run):
        with open_run(run) as opened:
            return _read(opened, parameters)
    view = run.gradients()
    known = view["parameter"].tolist()
    chosen = known if parameters is None else [parameters] if isinstance(parameters, str) else list(parameters)
    for name in chosen:
        if name not in known:
            raise InputError(f"{run.path}: has no gradients of {name!r}{near_names(name, known)}; there are {known}")
    columns, quantity = [known.index(name) for name in chosen], view["quantity"].tolist()
    values = view["values"][:, columns]
    mean, deviation, weight, steps = (
        values[..., quantity.index(name)] for name in ("mean_norm", "sd_norm", "weight_norm", "steps")
    )
    # A logarithmic axis has no place for zeros.
    positive = (mean > 0) & (deviation > 0) & (weight > 0)
    drawn = positive & np.isfinite(mean) & np.isfinite(deviation) & np.isfinite(weight)
    if not drawn.any():
        raise InputError(f"{run.path}: no row has gradients of two steps and more to draw")
    with np.errstate(invalid="ignore", divide="ignore"):
        snr = np.where(drawn, mean / deviation, np.nan)
    counts = sorted({int(n) for n in steps[drawn]})
    many = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    lost = int((~drawn).sum())
    told = f"Each row is over {many} steps since the row before, with the training batches."
    told += f" {lost} value{'s' * (lost > 1)} not finite or 0, left out." if lost else ""
    return _Gradients(
        name=run.path.stem,
        names=tuple(chosen),
        step=view.row_values,
        mean=mean,
        deviation=deviation,
        weight=weight,
        steps=steps,
        drawn=drawn,
        changes=tuple(phase_change(column) for column in snr.T),
        highest=tuple(float(np.nanmax(column, initial=-np.inf)) for column in snr.T),
        told=told,
    )


def _draw_changes(ax: Axes, read: _Gradients, styles: dict[str, tuple[str, str]]) -> None:
    """Draw a line for each phase change in the colour of its weight, or in grey where it is that of several."""
    at: dict[int, list[str]] = {}
    for name, change in zip(read.names, read.changes, strict=True):
        if change is not None:
            at.setdefault(int(read.step[change.after]), []).append(name)
    for step, names in at.items():
        color, gid = styles[names[0]][0] if len(names) == 1 else QUIET, f"{printable(', '.join(names))} change"
        ax.axvline(step, color=color, linestyle=(0, _CHANGE), linewidth=0.9, gid=gid, zorder=1)


def _crossings(read: _Gradients) -> str:
    """Return what is to be said of the crossing of each weight, equal ones together."""
    said: dict[str, list[str]] = {}
    for name, change, highest in zip(read.names, read.changes, read.highest, strict=True):
        shown = name_as_is(name)
        if change is not None:
            text = f"falls below 1 between steps {read.step[change.before]:,} and {read.step[change.after]:,}"
            shown += f" ({change.crossings} crossings in all)" if change.crossings > 1 else ""
        elif highest >= 1:
            text = "is not below 1 at the end (no phase change)"
        elif np.isfinite(highest):
            text = "is below 1 from the first row on (no phase change to be seen)"
        else:
            text = "is unknown"
        said.setdefault(text, []).append(shown)
    parts = [f"{text}: {', '.join(names)}" for text, names in said.items()]
    return f"Mean over deviation {'; '.join(parts)}."
