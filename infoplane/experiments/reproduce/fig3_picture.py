"""The picture of `reproduce fig3`: densities of positive weights on a logarithmic axis, with the log-normal line."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from infoplane.plots.caption import title_of
from infoplane.plots.histogram import BARS, LINE, LINE_LABEL
from infoplane.plots.save import save
from infoplane.plots.theme import PAGE, theme

if TYPE_CHECKING:
    from infoplane.experiments.reproduce.fig3 import Weights

_BINS = 60


def picture(networks: "Sequence[Weights]", path: Path) -> None:
    """Draw one panel per network into a file."""
    columns = min(3, len(networks))
    rows = math.ceil(len(networks) / columns)
    with theme():
        size = (PAGE if columns > 1 else PAGE / 2, 0.34 * PAGE * rows)
        figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
        for ax, one in zip(axes.flat, networks, strict=False):
            edges = np.linspace(0, one.values.max(), _BINS + 1)
            density, _ = np.histogram(one.values, edges, density=True)
            ax.stairs(density, edges, fill=True, color=BARS)
            x = np.linspace(edges[-1] / 2000, edges[-1], 2000)
            mu, sigma = one.pooled.mu, one.pooled.sigma
            law = np.exp(-((np.log(x) - mu) ** 2) / (2 * sigma**2)) / (x * sigma * math.sqrt(2 * math.pi))
            ax.plot(x, law, color=LINE, linewidth=1.0, label=LINE_LABEL)
            ax.set_yscale("log")
            # From one weight in a bar of its own to the line's top.
            ax.set_ylim(0.5 / (len(one.values) * (edges[1] - edges[0])), 3 * max(density.max(), law.max()))
            ax.set_xlim(0, edges[-1])
            ax.set(title=title_of(ax, one.name), xlabel="positive weight", ylabel="density")
            ax.text(
                0.97,
                0.97,
                f"JSD {one.pooled.divergence:.3f} bit\nn = {one.pooled.n:,}",
                transform=ax.transAxes,
                ha="right",
                va="top",
                fontsize=6.5,
            )
        for ax in axes.flat[len(networks) :]:
            ax.set_axis_off()
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center")
    save(axes, path)
