"""Estimates of one information by several estimators, side by side, with how far each moves under its own settings.

A row per estimator. The marker says what the number is: a dot an estimate, a triangle that points right a lower bound
(the truth lies to its right, in expectation), one that points left an upper bound. The thin bar is one standard error,
where the estimator has one. A row of `infoplane.stability` has a marker for every setting and a broad band from the
least to the largest: what is chosen by the setting and not by the data.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from infoplane.analysis.estimate import Estimate
from infoplane.analysis.estimators.method import MUTUAL_INFORMATION
from infoplane.analysis.stability import Stability
from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, in_words, legend_below, name_as_is
from infoplane.plots.common_looks import LEGEND, RING
from infoplane.plots.own_axes import on_axes
from infoplane.plots.theme import QUIET
from infoplane.site_marks import COLORS

_MARKERS = {"estimate": "o", "lower_bound": ">", "upper_bound": "<"}
_COLORS = {"estimate": COLORS[0], "lower_bound": COLORS[2], "upper_bound": COLORS[1]}
_LABELS = {"estimate": "estimate", "lower_bound": "lower bound", "upper_bound": "upper bound"}
_ROW = 0.077  # of the height of one panel

Found = Estimate | Stability


def estimators(
    found: Mapping[str, Found] | Sequence[Found] | Found,
    *,
    truth: float | None = None,
    time: int = -1,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw a row per estimate or sweep, the first on top.

    Parameters
    ----------
    found : Estimate, Stability, sequence or mapping of them
        Results of `infoplane.estimate` and `infoplane.stability`, all in one unit. Rows are named by the keys of a
        mapping, else by the method; of a sweep over several layers each has a row of its own, named behind it.
    truth : float, optional
        The exact information where it is known, in the same unit: a vertical line.
    time : int
        Of a sweep over several times, the one that is drawn, counted from the end where negative.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    title : str, optional
        Above the axes.
    legend, caption : bool
        Below the axes. Values that are not finite and findings are said in any case.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        When there is nothing finite to draw, something else is given, or the units differ.
    """
    rows = _rows(found, time)
    reads = [read for row in rows for read in row.reads]
    units = sorted({read.unit for read in reads})
    if len(units) > 1:
        raise InputError(f"the estimates are in {' and '.join(units)}, but rows beside each other need one unit")
    if not any(math.isfinite(read.value) for read in reads):
        raise InputError("no estimate is finite, so that there is nothing to draw")

    def draw(ax: Axes) -> Axes:
        for k, row in enumerate(rows):
            _draw_row(ax, row, -k)
        if truth is not None:
            ax.axvline(truth, color=QUIET, linewidth=0.8, linestyle=(0, (5, 2)), zorder=1, gid="truth")
        ax.set_yticks([-k for k in range(len(rows))], [name_as_is(row.name) for row in rows])
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(-len(rows) + 0.4, 0.6)
        ax.margins(x=0.08)
        same = all(read.quantity == MUTUAL_INFORMATION for read in reads)
        ax.set_xlabel(f"{'mutual information' if same else 'information'} [{units[0]}]")
        if title is not None:
            ax.set_title(title)
        under = _legend(ax, rows, truth) if legend else None
        said = _sentences(rows, caption)
        if said:
            caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw, height=max(0.23, _ROW * (len(rows) + 1)))


@dataclass(frozen=True)
class _Row:
    name: str
    reads: tuple[Estimate, ...]
    sweep: str = ""
    swept: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()

    @property
    def finite(self) -> list[Estimate]:
        return [read for read in self.reads if math.isfinite(read.value)]


def _rows(found: Mapping[str, Found] | Sequence[Found] | Found, time: int) -> list[_Row]:
    if isinstance(found, Estimate | Stability):
        found = [found]
    named = list(found.items()) if isinstance(found, Mapping) else [(None, one) for one in found]
    if not named:
        raise InputError("there is no estimate to draw")
    rows = []
    for name, one in named:
        if isinstance(one, Estimate):
            other = "" if one.quantity == MUTUAL_INFORMATION else f" ({one.quantity})"
            rows.append(_Row(one.method + other if name is None else str(name), (one,)))
        elif isinstance(one, Stability):
            rows += _rows_of_sweep(one.method if name is None else str(name), one, time)
        else:
            raise InputError(f"{type(one).__name__} is no result of infoplane.estimate or infoplane.stability")
    return rows


def _rows_of_sweep(name: str, sweep: Stability, time: int) -> list[_Row]:
    times = sorted({at for at, _, _, _ in sweep.estimates})
    if not -len(times) <= time < len(times):
        raise InputError(f"time is {time}, but the sweep has {len(times)} times")
    of: dict[str, list[Estimate]] = {}
    swept: dict[str, None] = {}
    for at, layer, setting, read in sweep.estimates:
        if at == times[time]:
            of.setdefault(layer, []).append(read)
            swept |= dict.fromkeys(setting)
    codes = tuple(finding.code for finding in sweep.findings)
    names = {layer: f"{name}, {layer}" if len(of) > 1 else name for layer in of}
    return [_Row(names[layer], tuple(reads), name, tuple(swept), codes) for layer, reads in of.items()]


def _draw_row(ax: Axes, row: _Row, y: float) -> None:
    reads = row.finite
    if not reads:
        return
    values = [read.value for read in reads]
    if len(row.reads) > 1:
        (band,) = ax.plot(
            [min(values), max(values)], [y, y], color="#C9D6E2", linewidth=7, solid_capstyle="butt", zorder=1.5
        )
        band.set_gid(f"{row.name} band")
    for read in reads:
        color = _COLORS[read.kind]
        if math.isfinite(read.standard_error):
            ax.errorbar(read.value, y, xerr=read.standard_error, ecolor=color, elinewidth=0.9, fmt="none", zorder=2)
        size = 4.5 if len(row.reads) == 1 else 3.2
        ax.plot(read.value, y, marker=_MARKERS[read.kind], color=color, markersize=size, mew=0, zorder=3, gid=row.name)
    ringed = values if row.verdicts else [read.value for read in reads if read.findings]
    if ringed:
        ax.plot(ringed, [y] * len(ringed), zorder=4, gid=f"{row.name} finding", **RING)


def _legend(ax: Axes, rows: Sequence[_Row], truth: float | None) -> Any:
    kinds = [kind for kind in _MARKERS if any(read.kind == kind for row in rows for read in row.finite)]
    handles: list[Any] = [
        Line2D([], [], linestyle="", marker=_MARKERS[k], color=_COLORS[k], markersize=4) for k in kinds
    ]
    labels = [_LABELS[kind] for kind in kinds]
    if any(len(row.reads) > 1 for row in rows):
        handles.append(Patch(facecolor="#C9D6E2"))
        labels.append("range over settings")
    if any(row.verdicts or read.findings for row in rows for read in row.finite):
        handles.append(Line2D([], [], **RING))
        labels.append("finding")
    if truth is not None:
        handles.append(Line2D([], [], color=QUIET, linewidth=0.8, linestyle=(0, (5, 2))))
        labels.append(f"truth, {truth:.4g}")
    return legend_below(ax, handles, labels, **LEGEND)


def _sentences(rows: Sequence[_Row], caption: bool) -> list[str]:
    said = []
    reads = [read for row in rows for read in row.reads]
    if caption:
        counts = sorted({read.n for read in reads})
        many = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
        said.append(f"n = {many}.")
        if any(math.isfinite(read.standard_error) for read in reads):
            over = sorted({read.error_over for read in reads if math.isfinite(read.standard_error)})
            said.append(f"Bars: one standard error over {' or '.join(over)}.")
        if bare := sum(not math.isfinite(row.reads[0].standard_error) for row in rows):
            said.append(f"No standard errors for {bare} of {len(rows)} rows.")
        swept: dict[str, dict[str, None]] = {}
        for row in rows:
            if row.swept:
                swept.setdefault(", ".join(row.swept), {})[name_as_is(row.sweep)] = None
        if swept:
            said.append(f"Swept: {'; '.join(f'{names} ({_list(of)})' for names, of in swept.items())}.")
    for row in rows:
        if lost := len(row.reads) - len(row.finite):
            said.append(
                f"{name_as_is(row.name)}: {lost} value{'s are' if lost > 1 else ' is'} not finite and left out."
            )
    codes: dict[str, dict[str, None]] = {}
    for row in rows:
        for code in (finding.code for read in row.reads for finding in read.findings):
            codes.setdefault(code, {})[name_as_is(row.name)] = None
        for code in row.verdicts:
            codes.setdefault(code, {})[name_as_is(row.sweep)] = None
    if codes:
        said.append(f"Findings: {'; '.join(f'{in_words(code)} ({_list(of)})' for code, of in codes.items())}.")
    return said


def _list(names: Mapping[str, None]) -> str:
    return ", ".join(names)
