"""What stands beside information planes: the legend's entries, and the sentences that are never left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from infoplane.plots.caption import name_as_is
from infoplane.plots.path import RunPaths
from infoplane.plots.theme import QUIET, shades

CONTROL_LABEL = "frozen untrained network (control)"
NO_CONTROL = "No control was recorded: how much of this path is the probes' own training cannot be told."

LEGEND: dict[str, Any] = {
    "handler_map": {tuple: HandlerTuple(ndivide=None, pad=0.4)},
    "alignment": "left",
    "frameon": False,
    "columnspacing": 1.2,
    "handletextpad": 0.5,
}


RING: dict[str, Any] = {"marker": "o", "markersize": 7.5, "mfc": "none", "mec": "#B2182B", "mew": 0.9, "linestyle": ""}
BEYOND = "#EFEFEF"


def legend_entries(
    styles: Mapping[str, tuple[str, str]], runs: Sequence[RunPaths], *, control: bool
) -> tuple[list[Any], list[str]]:
    """Return handles and labels: three shades per site, the control's hollow line, and what the runs' findings mark."""
    handles: list[Any] = [
        tuple(
            Line2D([], [], linestyle="", marker=marker, markersize=3.6, mew=0.3, color=color, mfc=tint)
            for tint in shades(color)([0.0, 0.5, 1.0])
        )
        for color, marker in styles.values()
    ]
    labels = [name_as_is(site) for site in styles]
    if control and any(run.has_control for run in runs):
        handles.append(Line2D([], [], color=QUIET, linewidth=0.5, marker="o", markersize=2.6, mew=0.5, mfc="white"))
        labels.append(CONTROL_LABEL)
    if any(run.beyond(control=control) for run in runs):
        handles.append(Patch(facecolor=BEYOND))
        labels.append("beyond log$_2$ n (finding)")
    if any(path.doubtful[path.finite].any() for run in runs for path in run.drawn(control=control)):
        handles.append(Line2D([], [], **RING))
        labels.append("finding")
    return handles, labels


def notes(run: RunPaths, *, control: bool, errors: bool) -> list[str]:
    """Return the sentences that stand under the axes whatever was asked for."""
    lost = sum(int((~path.finite).sum()) for path in run.drawn(control=control))
    said = []
    if not run.has_control:
        said.append(NO_CONTROL)
    elif not control:
        said.append("The control is not drawn.")
    if run.every > 1:
        said.append(f"Drawn: one row in {run.every} of {run.of:,}, and the last.")
    if run.others:
        count = len(run.others)
        probes = "probe at another beta" if count == 1 else "probes at other betas"
        said.append(f"Not drawn: {count} {probes}, on scaled activations, or refitted.")
    if errors:
        said.append("Bars: one standard error over the inputs, without seeds and the probes' training.")
    if lost:
        said.append(f"{lost} point{'s are' if lost > 1 else ' is'} not finite and left out.")
    said += _found(run, control)
    return said


def _found(run: RunPaths, control: bool) -> list[str]:
    """Return the sentence on the findings of what is drawn: codes, and how often. Rates beyond log n are counted."""
    if run.found is None:
        return ["The findings of this file cannot be read."]
    parts = []
    if beyond := run.beyond(control=control):
        points = sum(int(path.finite.sum()) for path in run.drawn(control=control))
        drawn = " drawn" if run.every > 1 else ""
        parts.append(f"rate_above_log_n ({beyond} of {points} points{drawn})")
    others = [group for group in run.findings(control=control) if group.code != "rate_above_log_n"]
    parts += [f"{group.code} ({group.extent})" for group in others]
    return [f"Findings: {'; '.join(parts)}."] if parts else []
