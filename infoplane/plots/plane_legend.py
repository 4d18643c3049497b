"""What stands beside information planes: the legend's entries, and the sentences that are never left out."""

from collections.abc import Mapping
from typing import Any

from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D

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


def legend_entries(styles: Mapping[str, tuple[str, str]], *, control: bool) -> tuple[list[Any], list[str]]:
    """Return handles and labels: three shades per site, and the control's hollow line."""
    handles: list[Any] = [
        tuple(
            Line2D([], [], linestyle="", marker=marker, markersize=3.6, mew=0.3, color=color, mfc=tint)
            for tint in shades(color)([0.0, 0.5, 1.0])
        )
        for color, marker in styles.values()
    ]
    labels = list(styles)
    if control:
        handles.append(Line2D([], [], color=QUIET, linewidth=0.5, marker="o", markersize=2.6, mew=0.5, mfc="white"))
        labels.append(CONTROL_LABEL)
    return handles, labels


def notes(run: RunPaths, *, control: bool, errors: bool) -> list[str]:
    """Return the sentences that stand under the axes whatever was asked for."""
    drawn = [path for path in run.paths if path.host == "trained" or control]
    lost = sum(int((~path.finite).sum()) for path in drawn)
    said = []
    if not run.has_control:
        said.append(NO_CONTROL)
    elif not control:
        said.append("The control is not drawn.")
    if errors:
        said.append("Bars: one standard error over the inputs, without seeds and the probes' training.")
    if lost:
        said.append(f"{lost} point{'s are' if lost > 1 else ' is'} not finite and left out.")
    return said
