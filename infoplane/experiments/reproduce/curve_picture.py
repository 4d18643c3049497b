"""Curves of arms over epochs: the test error, or the rate and the label bound of a site."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt

from infoplane.experiments.reproduce.curves import has_control, mean_curve
from infoplane.plots.caption import as_is, caption_below
from infoplane.plots.save import save
from infoplane.plots.theme import COLUMN, PAGE, theme
from infoplane.plots.ticks import plain_log, whole_numbers
from infoplane.site_marks import COLORS


def error_curves(
    runs: Mapping[str, Sequence[Path]], printed: Mapping[str, float], path: Path, caption: str = ""
) -> None:
    """Draw the mean test error of every arm over the epochs, with the paper's last one dotted.

    Parameters
    ----------
    runs : mapping of str to sequence of pathlib.Path
        By arm.
    printed : mapping of str to float
        Per cent, by arm.
    path : pathlib.Path
        Where.
    caption : str
        Below.
    """
    with theme():
        figure, ax = plt.subplots(figsize=(1.3 * COLUMN, COLUMN), layout="constrained")
        for color, (name, paths) in zip(COLORS * len(runs), runs.items(), strict=False):
            if paths:
                curve = mean_curve(paths, "error")
                ax.plot(curve.epoch, curve.mean, color=color, marker=".", label=as_is(name))
            if name in printed:
                ax.axhline(printed[name], color=color, linewidth=0.8, linestyle=":")
        ax.set(xlabel="epoch", ylabel="test error [%]")
        plain_log(ax)
        whole_numbers(ax.xaxis)
        ax.legend()
        if caption:
            caption_below(ax, caption)
        del figure
    save(ax, path)


def bound_curves(
    runs: Mapping[str, Mapping[str, Sequence[Path]]],
    site_of: Mapping[str, Sequence[str]],
    printed: Sequence[float],
    path: Path,
) -> None:
    """Draw the mean rate, I(Z;X) from above, over the epochs: one panel per group and site, one line per arm.

    The control, the same probes on the untrained network, is that of the first arm.

    Parameters
    ----------
    runs : mapping of str to mapping of str to sequence of pathlib.Path
        By group and arm.
    site_of : mapping of str to sequence of str
        The sites of a group.
    printed : sequence of float
        The paper's numbers in bit, dotted.
    path : pathlib.Path
        Where.
    """
    panels = [(group, site) for group in runs for site in site_of[group]]
    with theme():
        figure, axes = plt.subplots(
            1, len(panels), figsize=(PAGE * max(1, len(panels) / 3), 0.36 * PAGE), layout="constrained", squeeze=False
        )
        for ax, (group, site) in zip(axes[0], panels, strict=True):
            for color, (name, paths) in zip(COLORS, runs[group].items(), strict=False):
                if paths:
                    curve = mean_curve(paths, "i_zx", site)
                    ax.plot(curve.epoch, curve.mean, color=color, marker=".", label=as_is(name))
            first = next((paths for paths in runs[group].values() if paths), ())
            told = "no control"
            if has_control(first):
                curve = mean_curve(first, "i_zx", site, host="untrained")
                ax.plot(
                    curve.epoch, curve.mean, color="#555555", linestyle="--", marker="x", markersize=3, linewidth=0.9
                )
                told = "dashed: control"
            said = f"paper: {' and '.join(f'{value:g}' for value in printed)} bit"
            for value in printed:
                ax.axhline(value, color="#555555", linewidth=0.8, linestyle=":", label=said)
                said = "_"  # one entry for both
            ax.set(
                title=as_is(f"{group}: {site} ({told})"),
                xlabel="epoch",
                ylabel="rate (I(Z;X) from above) [bit]",
            )
            plain_log(ax)
            whole_numbers(ax.xaxis)
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    save(axes, path)
