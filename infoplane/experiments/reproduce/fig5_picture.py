"""The picture of `reproduce fig5`: the planes of both arms over the printed dots."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt

from infoplane.experiments import paper
from infoplane.experiments.reproduce.curves import has_control, mean_curve
from infoplane.experiments.reproduce.fig5 import SITES
from infoplane.plots.save import save
from infoplane.plots.theme import PAGE, theme
from infoplane.site_marks import COLORS, MARKERS

_RUNS = {"baseline": "baseline", "synscaw": "scaling"}


def picture(runs: Mapping[str, Sequence[Path]], path: Path) -> None:
    """Draw runs by arm into a file."""
    dots = paper.fig5()
    with theme():
        figure, axes = plt.subplots(1, 2, figsize=(PAGE, 0.5 * PAGE), layout="constrained", sharex=True, sharey=True)
        for ax, (arm, printed) in zip(axes, _RUNS.items(), strict=True):
            shown = has_control(runs.get(arm, ()))
            for k, site in enumerate(SITES):
                here = dots[(dots["run"] == printed) & (dots["layer"] == k + 1)]
                ax.scatter(
                    here["i_zx_bit"], here["i_zy"], s=3, alpha=0.25, color=COLORS[k], label=f"paper: layer {k + 1}"
                )
                if runs.get(arm):
                    x, y = (mean_curve(runs[arm], metric, site) for metric in ("i_zx", "i_zy"))
                    ax.plot(x.mean, y.mean, color=COLORS[k], marker=MARKERS[k], markersize=3, label=f"ours: {site}")
                if shown:
                    x, y = (mean_curve(runs[arm], metric, site, host="untrained") for metric in ("i_zx", "i_zy"))
                    ax.plot(
                        x.mean,
                        y.mean,
                        color=COLORS[k],
                        linestyle="--",
                        marker="x",
                        markersize=3,
                        linewidth=0.7,
                        label=f"control: {site}",
                    )
            told = "dashed: control, the untrained network" if shown else "no control was recorded"
            ax.set(title=f"{arm} ({told})", xlabel="rate (I(Z;X) from above) [bit]")
        axes[0].set_ylabel("label bound (I(Z;Y) from below) [bit]")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    save(axes, path)
