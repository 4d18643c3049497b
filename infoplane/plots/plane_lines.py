"""What every plane has beside its points: limits, the lines at H(Y) and log2 n, and what the axes are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import NDArray

from infoplane.plots.caption import height_of, small
from infoplane.plots.common_looks import BEYOND
from infoplane.plots.path import RunPaths
from infoplane.plots.theme import QUIET, pt

X_LABEL = "rate of the probe's code,\nupper bound on I(Z;X) [bit]"
Y_LABELS = {"lower_bound": "lower bound on I(Z;Y) [bit]", "estimate": "estimate of I(Z;Y) [bit]"}


Limits = tuple[float, float, float, float]
"""Left, right, bottom, top."""


def limits_of(ax: Axes, runs: Sequence[RunPaths], *, control: bool) -> Limits:
    """Return limits that hold every point of these runs, 0, H(Y) and log2 n, with room for labels above H(Y)."""
    drawn = [path for run in runs for path in run.drawn(control=control)]
    log_n = float(np.log2(max(run.n for run in runs)))
    known = [run.h_y for run in runs if np.isfinite(run.h_y)]
    x = np.concatenate([[0.0, log_n], *(path.i_zx[path.finite] for path in drawn)])
    y = np.concatenate([[0.0, *known], *(path.i_zy[path.finite] for path in drawn)])
    left, right = _ends(x)
    bottom, top = _ends(y)
    # Both labels stand above H(Y), where no dot can be.
    room = min(0.4, 3.2 * small() * 1.25 / height_of(ax))
    wide, high = right - left, top - bottom
    return left - 0.02 * wide, right + 0.04 * wide, bottom - 0.05 * high, top + high * room / (1 - room)


def draw_lines(ax: Axes, runs: Sequence[RunPaths], *, control: bool, limits: Limits | None = None) -> None:
    """Set the limits, those of these runs if left out, and draw lines and labels of the axes."""
    left, right, bottom, top = limits_of(ax, runs, control=control) if limits is None else limits
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    log_n = float(np.log2(max(run.n for run in runs)))
    known = [run.h_y for run in runs if np.isfinite(run.h_y)]
    if any(run.beyond(control=control) for run in runs):
        ax.axvspan(log_n, right + 9 * (right - left), facecolor=BEYOND, linewidth=0, zorder=0, gid="beyond_log2_n")
    side = -1 if log_n > np.mean(ax.get_xlim()) else 1  # the two labels stand apart, whatever the height left to them
    if known:
        _h_y(ax, max(known), side)
    ax.axvline(log_n, color=QUIET, linewidth=pt(0.7), linestyle=(0, (1, 1.5)), zorder=1, gid="log2_n")
    ax.annotate(
        f"log$_2$ n = {log_n:.3g} bit",
        (log_n, 1),
        xycoords=("data", "axes fraction"),
        xytext=(pt(2.5) * side, -1),
        textcoords="offset points",
        ha="right" if side < 0 else "left",
        va="top",
        fontsize=small(),
        color=QUIET,
        bbox=_plate(ax),
    )
    ax.set_xlabel(X_LABEL)
    ax.set_ylabel(y_label(runs[0]))


def y_label(run: RunPaths) -> str:
    """Return what the ordinate is: a lower bound, or an estimate where the entropy of the labels is not known."""
    return Y_LABELS.get(run.label_kind, Y_LABELS["estimate"])


def _h_y(ax: Axes, h_y: float, side: int) -> None:
    ax.axhline(h_y, color=QUIET, linewidth=pt(0.7), linestyle=(0, (5, 2)), zorder=1, gid="h_y")
    ax.annotate(
        f"H(Y) = {h_y:.3g} bit",
        (1 if side > 0 else 0, h_y),
        xycoords=("axes fraction", "data"),
        xytext=(-side, 1.5),
        textcoords="offset points",
        ha="right" if side > 0 else "left",
        va="bottom",
        fontsize=small(),
        color=QUIET,
        bbox=_plate(ax),
    )


def _plate(ax: Axes) -> Any:
    """Return what keeps an ellipse from striking a label through, where there is one."""
    ellipses = any(isinstance(patch, Ellipse) for patch in ax.patches)
    return {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5} if ellipses else None


def _ends(points: NDArray[np.float64]) -> tuple[float, float]:
    return float(points.min()), max(float(points.max()), float(points.min()) + 1e-3)
