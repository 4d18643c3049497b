"""The picture of `reproduce fig4`: our surface the right way up, transposed, the printed one, and their difference."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import CenteredNorm

from infoplane.analysis.delta_information import DeltaInformationSurface
from infoplane.analysis.samples import Floats
from infoplane.plots.save import save
from infoplane.plots.theme import PAGE, theme

_PRINTED = {"xlabel": "as labelled: synaptic strength\nin truth: mean activity, 0 to 1"}
_PRINTED |= {"ylabel": "as labelled: $\\hat{z}$, 0 to 1\nin truth: weight, -1 to 1"}


def picture(grid: DeltaInformationSurface, transposed: Floats, printed: Floats, path: Path) -> None:
    """Draw the four panels into a file.

    Parameters
    ----------
    grid : DeltaInformationSurface
        Ours, over weight and activity.
    transposed, printed : numpy.ndarray
        Shape (99, 99), in bit: ours as the paper lays it out, and the paper's own.
    path : pathlib.Path
        Where.
    """
    most = float(np.abs(grid.values).max())
    with theme():
        axes = plt.subplots(2, 2, figsize=(PAGE, 0.86 * PAGE), layout="constrained")[1]
        edges = np.linspace(-1, 1, 100), np.linspace(0, 1, 100)
        mesh = axes[0, 0].pcolormesh(grid.w, grid.zbar, grid.values, norm=CenteredNorm(0, most), cmap="RdBu_r")
        axes[0, 0].axhline(grid.z_target, color="#333333", linewidth=0.8, linestyle=(0, (5, 2)))
        axes[0, 0].set(title="ours, the right way up", xlabel="weight w", ylabel="mean activity (dashed: target)")
        _bar(axes[0, 0], mesh, "ΔI [bit]")
        for ax, values, title in (
            (axes[0, 1], transposed, "ours, transposed"),
            (axes[1, 0], printed, "Fig. 4 as printed"),
        ):
            mesh = ax.pcolormesh(*edges, values, norm=CenteredNorm(0, most), cmap="RdBu_r")
            ax.set(title=title, **_PRINTED)
            _bar(ax, mesh, "ΔI [bit]")
        difference = transposed - printed
        mesh = axes[1, 1].pcolormesh(*edges, difference, norm=CenteredNorm(0), cmap="PuOr")
        rmse = float(np.sqrt(np.mean(difference**2)))
        axes[1, 1].set(title=f"ours, transposed, less the print (RMSE {rmse:.4f} bit)", **_PRINTED)
        _bar(axes[1, 1], mesh, "difference [bit]")
        for ax in axes.flat:
            for collection in ax.collections:
                collection.set_rasterized(True)
    save(axes, path)


def _bar(ax: Axes, mesh: QuadMesh, label: str) -> None:
    ax.figure.colorbar(mesh, ax=ax, label=label)
