"""What stands for the points of a probe: shaded dots or trajectories, hollow marks of the control, bars, and rings."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.caption import name_as_is
from infoplane.plots.path import Clock, ProbePath, RunPaths
from infoplane.plots.plane_legend import CONTROL_LABEL, ring
from infoplane.plots.theme import pt, shades
from infoplane.printable import printable

STYLES = ("dots", "trajectories")


def check_style(style: str) -> None:
    """Raise `InputError` where there is no such style."""
    if style not in STYLES:
        raise InputError(f"style is {style!r}, but it must be one of {', '.join(map(repr, STYLES))}")


def draw_marks(
    ax: Axes,
    run: RunPaths,
    *,
    styles: dict[str, tuple[str, str]],
    clock: Clock,
    control: bool,
    errors: bool,
    style: str = "dots",
) -> None:
    """Draw the paths of one run, nothing else."""
    for path in run.paths:
        if path.host == "trained":
            if errors:
                _bars(ax, path, styles[path.site][0])
            (_dots if style == "dots" else _trajectory)(ax, path, styles[path.site], clock.share(run))
        elif control:
            _hollow(ax, path, styles[path.site], every=style == "dots")
    draw_rings(ax, run, control=control)


def draw_rings(ax: Axes, run: RunPaths, *, control: bool) -> None:
    """Ring the points of which a finding says that they cannot be used as they stand."""
    for path in run.drawn(control=control):
        ringed = path.doubtful & path.finite
        if ringed.any():
            ax.plot(path.i_zx[ringed], path.i_zy[ringed], zorder=5, gid=f"{printable(path.probe)} findings", **ring())


def _dots(ax: Axes, path: ProbePath, style: tuple[str, str], share: NDArray[np.float64]) -> None:
    color, marker = style
    keep = np.flatnonzero(path.finite)
    ax.plot(
        path.i_zx[keep],
        path.i_zy[keep],
        color=color,
        linewidth=pt(0.6),
        alpha=0.35,
        zorder=2.5,
        gid=f"{printable(path.probe)} path",
    )
    last = np.arange(path.i_zx.size)[keep] == path.i_zx.size - 1
    ax.scatter(
        path.i_zx[keep],
        path.i_zy[keep],
        c=share[keep],
        cmap=shades(color),
        vmin=0,
        vmax=1,
        marker=marker,
        s=np.where(last, 18, 13) * pt(1) ** 2,
        linewidths=[pt(0.8 if end else 0.3) for end in last],
        edgecolors=["black" if end else color for end in last],
        zorder=3,
        label=name_as_is(path.site),
        gid=printable(path.probe),
    )


def _trajectory(ax: Axes, path: ProbePath, style: tuple[str, str], share: NDArray[np.float64]) -> None:
    color, marker = style
    keep = np.flatnonzero(path.finite)
    points = np.column_stack([path.i_zx[keep], path.i_zy[keep]])
    shade = shades(color)
    line = LineCollection(
        list(np.stack([points[:-1], points[1:]], axis=1)),
        array=(share[keep][:-1] + share[keep][1:]) / 2,
        cmap=shade,
        clim=(0, 1),
        linewidths=pt(1.5),
        capstyle="round",
        zorder=2.5,
        gid=f"{printable(path.probe)} path",
    )
    ax.add_collection(line, autolim=True)
    ends = [(keep[:1], pt(2.6), pt(0.6), color), (keep[keep == path.i_zx.size - 1], pt(4.2), pt(0.8), "black")]
    for (at, size, width, edge), name in zip(ends, ("first", "last"), strict=True):
        if at.size:
            ax.plot(
                path.i_zx[at],
                path.i_zy[at],
                linestyle="",
                marker=marker,
                markersize=size,
                markerfacecolor=mpl.colors.to_hex(shade(float(share[at[0]]))),
                markeredgecolor=edge,
                markeredgewidth=width,
                zorder=3,
                gid=f"{printable(path.probe)} {name}",
            )


def _hollow(ax: Axes, path: ProbePath, style: tuple[str, str], *, every: bool) -> None:
    color, marker = style
    keep = path.finite
    ax.plot(
        path.i_zx[keep],
        path.i_zy[keep],
        color=color,
        linewidth=pt(0.5),
        marker=marker if every else "",
        markersize=pt(2.6),
        markerfacecolor="white",
        markeredgewidth=pt(0.5),
        zorder=2,
        label=f"{name_as_is(path.site)}, {CONTROL_LABEL}",
        gid=printable(path.probe),
    )
    if keep[-1]:
        # On top of the dots: where host and control end is what is compared.
        ax.plot(
            path.i_zx[-1:],
            path.i_zy[-1:],
            linestyle="",
            marker=marker,
            markersize=pt(3.2),
            markerfacecolor="white",
            markeredgecolor="black",
            markeredgewidth=pt(0.8),
            zorder=4,
            gid=f"{printable(path.probe)} last",
        )


def _bars(ax: Axes, path: ProbePath, color: str) -> None:
    keep = path.finite & np.isfinite(path.se_i_zx) & np.isfinite(path.se_i_zy)
    if keep.any():
        ax.errorbar(
            path.i_zx[keep],
            path.i_zy[keep],
            xerr=path.se_i_zx[keep],
            yerr=path.se_i_zy[keep],
            linestyle="",
            ecolor=color,
            elinewidth=pt(0.5),
            alpha=0.7,
            zorder=1.5,
        )
