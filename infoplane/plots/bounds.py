"""Bounds over training: the rate above, the label bound below, with bands of one standard error.

The rate (mean divergence from the prior, Eq. 11) bounds I(Z;X) of the probe's code from above, and loosely. Where it
was recorded, the sandwich is a pale area between the bounds on the same information of the known code: below
E log p(z|x) / (1/n sum_j p(z|x_j)) and above its leave-one-out form (Poole et al. 2019). They are narrower once the
probe is trained; before that the upper one can lie above the rate. All in bit.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, height_outside, legend_below, name_as_is, small, title_of
from infoplane.plots.path import Clock, ProbePath, RunPaths
from infoplane.plots.plane import ROWS
from infoplane.plots.plane_legend import CONTROL_LABEL, LEGEND, control_notes, notes
from infoplane.plots.plane_lines import y_label
from infoplane.plots.seeds import Runs, read_arm
from infoplane.plots.sites import chosen, site_colors
from infoplane.plots.theme import QUIET, own_figure, pt
from infoplane.plots.ticks import plain_log, whole_numbers
from infoplane.printable import printable

SCALES = ("log", "linear")
RATE_LABEL = "upper bound\non I(Z;X) [bit]"
BOTH_LABEL = "rate (upper bound) and\nsandwich of I(Z;X) [bit]"
_CONTROL: Any = (0, (1, 1.2))
_DASHES: tuple[Any, ...] = ((0, (4, 1.5)), (0, (5, 1.2, 1, 1.2)), (0, (8, 2)), (0, (2, 3)))


def bounds(
    runs: Runs,
    *,
    figure: Figure | None = None,
    sites: Sequence[str] | None = None,
    probes: str = "plain",
    scale: str = "log",
    control: bool = True,
    rows: int | None = ROWS,
    window: int = 1,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> NDArray[np.object_]:
    """Draw the bounds of every probe over training, with bands of one standard error.

    Parameters
    ----------
    runs : Run, path-like, Study, or sequence of Run or path-like
        One run, with bands over the inputs; or several that differ in their seeds, of which the mean is drawn with
        bands over the seeds. Which of the two is said. Open runs stay open.
    figure : matplotlib.figure.Figure, optional
        Where to draw; it is given the constrained layout if it has no layout. A new figure of one column's width, under
        `infoplane.plots.theme`, if left out.
    sites : sequence of str, optional
        Those to draw, at most 7; all if left out.
    probes : {"plain", "all"}
        One probe per site and network, or also those at other betas and on scaled activations.
    scale : {"log", "linear"}
        Of the rates.
    control : bool
        Also draw the probes on the frozen untrained host, dotted, where the run has them.
    rows, window, title, legend, caption
        As in `infoplane.plots.plane`.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        Shape (2,): the rates, the label bounds.

    Raises
    ------
    RunFileError
        When a file is no run file, or has no plane.
    InputError
        When a run has not measured yet, there is no such site or more than 7, the runs cannot be averaged, or an option
        cannot be used.
    """
    if scale not in SCALES:
        raise InputError(f"scale is {scale!r}, but it must be one of {', '.join(map(repr, SCALES))}")
    run = chosen(read_arm(runs, rows=rows, window=window, probes=probes), sites)
    colors = site_colors([run])
    if figure is not None:
        return _draw(figure, run, colors, scale, control, title, legend, caption)
    with own_figure() as paper:
        height = 1.5 * paper.height
        figure = plt.figure(figsize=(paper.column, height / 0.77), layout="constrained")
        axes = _draw(figure, run, colors, scale, control, title, legend, caption)
        pads = 4 * mpl.rcParams["figure.constrained_layout.h_pad"]
        figure.set_figheight(height + (height_outside(axes[0]) + height_outside(axes[1])) / 72 + pads)
        return axes


def _draw(
    figure: Figure,
    run: RunPaths,
    colors: dict[str, str],
    scale: str,
    control: bool,
    title: str | None,
    legend: bool,
    caption: bool,
) -> NDArray[np.object_]:
    if figure.get_layout_engine() is None:
        figure.set_layout_engine("constrained")
    axes: NDArray[np.object_] = figure.subplots(2, 1, sharex=True)
    rate, label = axes
    clock = Clock.of([run])
    times = getattr(run, clock.name)
    kinds = _kinds(run)
    for path in run.drawn(control=control):
        look = {"color": colors[path.site], "linestyle": _dashes(path, kinds)}
        _line(rate, times, path, "i_zx", look)
        _line(label, times, path, "i_zy", look)
        if path.host == "trained" and _kind(path, run) == "":
            _sandwich(rate, times, path, colors[path.site])
    if scale == "log":
        plain_log(rate)
    log_n = float(np.log2(run.n))
    _level(rate, log_n, f"log$_2$ n = {log_n:.3g} bit", "log2_n")
    if np.isfinite(run.h_y):
        _level(label, run.h_y, f"H(Y) = {run.h_y:.3g} bit", "h_y")
    label.margins(y=0.12)
    rate.set_ylabel(BOTH_LABEL if _has_sandwich(run) else RATE_LABEL)
    label.set_ylabel(y_label(run).replace(" on ", "\non ").replace(" of ", "\nof "))
    label.set_xlabel(clock.name)
    whole_numbers(label.xaxis)
    rate.set_title(title_of(rate, run.name) if title is None else title)
    under = None
    if legend:
        handles, labels = _entries(run, colors, kinds, control)
        under = legend_below(label, handles, labels, **LEGEND)
    caption_below(label, " ".join(_sentences(run, control, caption)), under=under)
    return axes


def _line(ax: Axes, times: NDArray[np.float64], path: ProbePath, name: str, look: dict[str, Any]) -> None:
    mean, error = getattr(path, name), getattr(path, f"se_{name}")
    trained, gid = path.host == "trained", printable(path.probe)
    marks: dict[str, Any] = {"marker": "o", "markersize": pt(2.4)} if times.size == 1 else {}
    ax.plot(times, mean, linewidth=pt(1.1 if trained else 0.8), zorder=3, gid=gid, **look, **marks)
    known = np.isfinite(mean) & np.isfinite(error)
    if known.any():
        low, high = mean - error, mean + error
        ax.fill_between(
            times, low, high, where=known, color=look["color"], alpha=0.3, linewidth=0, zorder=2, gid=f"{gid} band"
        )


def _sandwich(ax: Axes, times: NDArray[np.float64], path: ProbePath, color: str) -> None:
    low, high = path.i_zx_lower, path.i_zx_upper
    known = np.isfinite(low) & np.isfinite(high)
    if known.any():
        gid = f"{printable(path.probe)} sandwich"
        ax.fill_between(times, low, high, where=known, color=color, alpha=0.13, linewidth=0, zorder=1, gid=gid)
        for edge in (low, high):
            ax.plot(times, edge, color=color, linewidth=pt(0.5), alpha=0.7, zorder=1.5)


def _has_sandwich(run: RunPaths) -> bool:
    return any(np.isfinite(path.i_zx_lower + path.i_zx_upper).any() for path in run.paths)


def _level(ax: Axes, value: float, text: str, gid: str) -> None:
    ax.axhline(value, color=QUIET, linewidth=pt(0.7), linestyle=(0, (5, 2)), zorder=1, gid=gid)
    ax.annotate(
        text,
        (1, value),
        xycoords=("axes fraction", "data"),
        xytext=(-1, 1.5),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=small(),
        color=QUIET,
    )


def _kind(path: ProbePath, run: RunPaths) -> str:
    """Return in what a probe differs from the first of its site: ``beta 0.01``, ``activation x 10``; else nothing."""
    first = next(other for other in run.paths if other.site == path.site)
    scaled = f"activation \u00d7 {path.scale:g}" if path.scale != 1 else ""
    return ", ".join(part for part in (f"beta {path.beta:g}" if path.beta != first.beta else "", scaled) if part)


def _kinds(run: RunPaths) -> dict[str, str]:
    return {path.probe: _kind(path, run) for path in run.paths}


def _dashes(path: ProbePath, kinds: dict[str, str]) -> Any:
    others = [kind for kind in dict.fromkeys(kinds.values()) if kind]
    kind = kinds[path.probe]
    if path.host == "untrained":
        return _CONTROL
    return _DASHES[others.index(kind) % len(_DASHES)] if kind else "-"


def _entries(
    run: RunPaths, colors: dict[str, str], kinds: dict[str, str], control: bool
) -> tuple[list[Any], list[str]]:
    handles: list[Any] = [Line2D([], [], color=color, linewidth=pt(1.6)) for color in colors.values()]
    labels = [name_as_is(site) for site in colors]
    line: dict[str, Any] = {"color": QUIET, "linewidth": pt(1.1)}
    for path in run.paths:
        kind = kinds[path.probe]
        if kind and kind not in labels and path.host == "trained":
            handles.append(Line2D([], [], linestyle=_dashes(path, kinds), **line))
            labels.append(kind)
    if _has_sandwich(run):
        handles.append(Patch(facecolor=QUIET, alpha=0.25))
        labels.append("sandwich of I(Z;X)")
    if control and run.has_control:
        handles.append(Line2D([], [], linestyle=_CONTROL, **line))
        labels.append(CONTROL_LABEL)
    return handles, labels


def _sentences(run: RunPaths, control: bool, caption: bool) -> list[str]:
    said = [run.settings] * caption
    over = "over the inputs, without seeds and the probes' training"
    if run.runs > 1:
        over = f"over {run.runs} seeds, without the inputs that they share"
    known = any(np.isfinite(path.se_i_zx).any() for path in run.paths)
    at_most = "at most " if run.runs == 1 and run.said else ""
    said.append(f"Bands: {at_most}one standard error {over}." if known else "No bands: no standard errors are known.")
    if _has_sandwich(run):
        mean = ", mean of the runs" if run.runs > 1 else ""
        said.append(f"Sandwich: bounds on I(Z;X) below and above, on {run.n_sandwich} inputs{mean}.")
    rest = notes(run, control=control)
    return (
        said
        + [sentence for sentence in rest if sentence not in control_notes(run, control=True)]
        + control_notes(run, control=True)
    )
