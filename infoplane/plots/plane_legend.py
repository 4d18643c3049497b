"""What stands beside information planes: the legend's entries, and the sentences that are never left out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from infoplane.plots import common_looks
from infoplane.plots.caption import in_words, name_as_is
from infoplane.plots.ellipses import ellipse_sentence
from infoplane.plots.path import RunPaths
from infoplane.plots.theme import QUIET, pt, shades

CONTROL_LABEL = "frozen untrained network (control)"
NO_CONTROL = "No control was recorded: how much of this path is the probes' own training cannot be told."

_BEYOND = "rate_above_log_n"
LEGEND: dict[str, Any] = common_looks.LEGEND | {"handler_map": {tuple: HandlerTuple(ndivide=None, pad=0.4)}}


def ring() -> dict[str, Any]:
    """Return how a ring around a point looks, in proportion to the text."""
    return common_looks.RING | {"markersize": pt(common_looks.RING["markersize"]), "mew": pt(common_looks.RING["mew"])}


def legend_entries(
    styles: Mapping[str, tuple[str, str]],
    runs: Sequence[RunPaths],
    *,
    control: bool,
    style: str = "dots",
    named: int | None = None,
) -> tuple[list[Any], list[str]]:
    """Return handles and labels: three shades per site, the control's hollow line, and what the runs' findings mark.

    Of more than `named` sites, an even number, the first half and the last half have an entry each, and all between
    them have one.
    """
    line: dict[str, Any] = {"linestyle": "-", "linewidth": pt(1.5)} if style == "trajectories" else {"linestyle": ""}
    handles: list[Any] = [
        tuple(
            Line2D([], [], marker=marker, markersize=pt(3.6), mew=pt(0.3), color=tint, mec=color, mfc=tint, **line)
            for tint in shades(color)([0.0, 0.5, 1.0])
        )
        for color, marker in styles.values()
    ]
    labels = [name_as_is(site) for site in styles]
    if named is not None and named < len(styles):
        first, last = named // 2, len(styles) - named // 2
        # One middle shade each: the entry is of several sites, not of the times of one.
        between = tuple(handles[k][1] for k in range(first, min(first + 3, last)))
        handles[first:last], labels[first:last] = [between], [f"\u2026 {last - first} more sites"]
    more, said = common_entries(runs, control=control)
    return handles + more, labels + said


def legend_sentence(sites: int, named: int | None) -> list[str]:
    """Return the sentence on the sites that the legend does not name."""
    if named is None or named >= sites:
        return []
    return [
        f"The legend names the first {named // 2} and the last {named // 2} of {sites} sites; colours and markers of "
        f"the {sites - named} between follow in the same order."
    ]


def common_entries(runs: Sequence[RunPaths], *, control: bool) -> tuple[list[Any], list[str]]:
    """Return handles and labels of what does not belong to a site."""
    handles: list[Any] = []
    labels: list[str] = []
    if control and any(run.has_control for run in runs):
        sizes: dict[str, Any] = {"linewidth": pt(0.5), "markersize": pt(2.6), "mew": pt(0.5)}
        handles.append(Line2D([], [], color=QUIET, marker="o", mfc="white", **sizes))
        labels.append(CONTROL_LABEL)
    if any(run.beyond(control=control) for run in runs):
        handles.append(Patch(facecolor=common_looks.BEYOND))
        labels.append("beyond log$_2$ n (finding)")
    if any(path.doubtful[path.finite].any() for run in runs for path in run.drawn(control=control)):
        handles.append(Line2D([], [], **ring()))
        labels.append("finding")
    return handles, labels


def notes(
    run: RunPaths, *, control: bool, errors: bool = False, region: str = "none", level: float = 0.95
) -> list[str]:
    """Return the sentences that stand under the axes whatever was asked for."""
    said = [*run.said, *control_notes(run, control=control)]
    if run.every > 1:
        what = "point" if run.said else "row"
        of = f" of {run.of:,}" if not run.said else ""
        said.append(f"Drawn: one {what} in {run.every}{of}, and the last.")
    if run.others:
        count = len(run.others)
        probes = "probe at another beta" if count == 1 else "probes at other betas"
        said.append(f"Not drawn: {count} {probes}, on scaled activations, or refitted.")
    if errors:
        said.append(_bars(run))
    if ellipses := ellipse_sentence(run, region=region, level=level):
        said.append(ellipses)
    return said + lost_notes(run, control=control)


def control_notes(run: RunPaths, *, control: bool) -> list[str]:
    """Return what to know where there is no control to see."""
    if not run.has_control:
        return [NO_CONTROL]
    return [] if control else ["The control is not drawn."]


def lost_notes(run: RunPaths, *, control: bool) -> list[str]:
    """Return the sentences on what cannot be drawn, and on the findings."""
    said = []
    if not np.isfinite(run.h_y):
        why = "the labels are real numbers, whose entropy is no limit" if run.real_labels else "it was not recorded"
        said.append(f"No line at H(Y): {why}.")
    lost = sum(int((~path.finite).sum()) for path in run.drawn(control=control))
    if lost:
        said.append(f"{lost} point{'s are' if lost > 1 else ' is'} not finite and left out.")
    if averaged := sum(path.averaged for path in run.drawn(control=control)):
        said.append(f"{averaged} row{'s that are' if averaged > 1 else ' that is'} not finite left out of the means.")
    return said + _found(run, control)


def _bars(run: RunPaths) -> str:
    if not any(np.isfinite(path.se_i_zx).any() for path in run.paths):
        return "No bars: standard errors were not recorded."
    most = "at most " if run.said else ""
    return f"Bars: {most}one standard error over the inputs, without seeds and the probes' training."


def _found(run: RunPaths, control: bool) -> list[str]:
    """Return the sentence on the findings of what is drawn: which, and how often. Rates beyond log n are counted."""
    if run.found is None:
        return ["The findings of this file cannot be read."]
    parts = []
    if beyond := run.beyond(control=control):
        points = sum(int(path.finite.sum()) for path in run.drawn(control=control))
        drawn = " drawn" if run.every > 1 else ""
        parts.append(f"{in_words(_BEYOND)} ({beyond} of {points} points{drawn})")
    others = [group for group in run.findings(control=control) if group.code != _BEYOND]
    parts += [f"{in_words(group.code)} ({group.extent})" for group in others]
    return [f"Findings: {'; '.join(parts)}."] if parts else []
