"""The picture of `reproduce fig6`: our four panels over the printed curves, errors above and divergences below."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from infoplane.experiments import paper
from infoplane.experiments.reproduce.curves import mean_curve
from infoplane.experiments.reproduce.fig6 import PANELS, RATES, TRAINED_AT, arm_of
from infoplane.plots.save import save
from infoplane.plots.theme import PAGE, theme
from infoplane.plots.ticks import plain_log
from infoplane.reports.run_values import run_value
from infoplane.runfile.reader import open_run
from infoplane.site_marks import COLORS

_BASELINE, _WEIGHTS, _ACTIVATIONS, _ERROR = COLORS[6], COLORS[0], COLORS[3], COLORS[1]
_CURVES = {
    "error baseline": (_BASELINE, "error, baseline"),
    "error": (_ERROR, "error"),
    "JSD weights baseline": (_BASELINE, "weights, baseline"),
    "JSD weights": (_WEIGHTS, "weights"),
    "JSD activations": (_ACTIVATIONS, "activations"),
}
_METRICS = {"error": "error", "JSD weights": "jsd_weights", "JSD activations": "jsd_activations"}


def picture(runs: Mapping[str, Sequence[Path]], path: Path) -> None:
    """Draw runs by arm into a file."""
    with theme():
        figure, axes = plt.subplots(2, 4, figsize=(1.35 * PAGE, 0.72 * PAGE), layout="constrained")
        for column, (method, panel, over_rates) in enumerate(
            (method, panel, k == 1) for method, panels in PANELS.items() for k, panel in enumerate(panels)
        ):
            for ax, is_error in ((axes[0, column], True), (axes[1, column], False)):
                _print(ax, panel, is_error)
                if over_rates:
                    _over_rates(ax, runs, method, is_error)
                else:
                    _over_epochs(ax, runs, method, is_error)
                ax.set_xlabel("scaling rate" if over_rates else "epoch")
                ax.set_ylabel("test error [%]" if is_error else "JS distance (paper: as printed)")
            plain_log(axes[0, column])
            at = "" if over_rates else f", rate {TRAINED_AT[method]:g}"
            axes[0, column].set_title(f"({panel}) {method}{at}")
        found: dict[str, Artist] = {}
        for ax in axes.flat:
            handles, labels = ax.get_legend_handles_labels()
            found |= dict(zip(labels, handles, strict=True))
        figure.legend(list(found.values()), list(found), loc="outside lower center", ncols=5)
    save(axes, path)


def _print(ax: Axes, panel: str, is_error: bool) -> None:
    lines = paper.fig6()
    for curve, (color, label) in _CURVES.items():
        here = lines[(lines["panel"] == panel) & (lines["curve"] == curve)]
        if len(here) and curve.startswith("error") == is_error:
            ax.plot(here["x"], here["y"], color=color, linestyle="--", linewidth=0.9, label=f"paper: {label}")


def _over_epochs(ax: Axes, runs: Mapping[str, Sequence[Path]], method: str, is_error: bool) -> None:
    for curve, (color, label) in _CURVES.items():
        if curve.startswith("error") != is_error:
            continue
        arm = "baseline" if curve.endswith("baseline") else arm_of(method, TRAINED_AT[method])
        if not runs.get(arm):
            continue
        found = mean_curve(runs[arm], _METRICS[curve.removesuffix(" baseline")])
        y = found.mean if is_error else np.sqrt(found.mean)
        # The paper counts epochs from 0, ours are counted when they are done.
        ax.plot(found.epoch - 1, y, color=color, marker=".", label=f"ours: {label}")


def _over_rates(ax: Axes, runs: Mapping[str, Sequence[Path]], method: str, is_error: bool) -> None:
    rates = [rate for rate in (0.0, *RATES[method]) if runs.get(arm_of(method, rate))]
    for curve, metric in _METRICS.items():
        if curve.startswith("error") != is_error:
            continue
        color, label = _CURVES[curve]
        y = [_mean(runs[arm_of(method, rate)], metric, is_error) for rate in rates]
        ax.plot(rates, y, color=color, marker=".", label=f"ours: {label}")


def _mean(paths: Sequence[Path], metric: str, is_error: bool) -> float:
    values = []
    for path in paths:
        with open_run(path) as run:
            value = run_value(run, metric, "" if is_error else "(all)").value
        values.append(value if is_error else math.sqrt(value))
    return float(np.mean(values))
