"""Fano's ceiling: how often a classifier can be right that reads a layer T with this much information on the label.

The curve is Fano's inequality (`infoplane.analysis.fano`) for the run's H(Y) and number of classes, solved for the
share of right answers; above it is impossible. The points of a run are the label bounds of its probes, which are
*lower* bounds on I(T;Y), against the accuracy of the same probes and of the network. A point above the curve is no
contradiction: then the accuracy proves more of I(T;Y) than the bound, namely the abscissa of the curve at its height.
"""

from dataclasses import dataclass
from os import PathLike

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from infoplane.analysis.fano import fano_bound, fano_ceiling
from infoplane.errors import InputError
from infoplane.plane_probes import check_quantities, plane_probes, plane_values
from infoplane.plots.caption import caption_below, legend_below, name_as_is, title_of
from infoplane.plots.common_looks import BEYOND, LEGEND
from infoplane.plots.own_axes import on_axes
from infoplane.plots.theme import QUIET, site_styles
from infoplane.printable import printable
from infoplane.runfile.reader import Run, open_run


def fano(
    run: Run | str | PathLike[str],
    *,
    row: int = -1,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw Fano's ceiling of a run's labels, its probes at one row, and what the network's accuracy proves.

    Parameters
    ----------
    run : Run or path-like
        An open run, which stays open, or a run file, with a plane and labels that are classes.
    row : int
        Of the plane, counted from the end where negative.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    title : str, optional
        The name of the file if left out.
    legend, caption : bool
        Below the axes. Points that are not finite are counted there in any case.

    Returns
    -------
    matplotlib.axes.Axes
        Bit, and per cent.

    Raises
    ------
    InputError
        When the labels are no classes, there is no such row, or it is empty.
    RunFileError
        When it is no run file, or has no plane.
    """
    read = _read(run, row)

    def draw(ax: Axes) -> Axes:
        finite = [one for one in read.points if np.isfinite(one[2]) and np.isfinite(one[3])]
        left = min([0.0, *(one[2] for one in finite)])
        left -= 0.03 * (read.h_y - left)
        right = 1.05 * read.h_y
        x = np.linspace(max(0.0, left), right, 400)
        y = 100 * fano_ceiling(x, classes=read.classes, entropy=read.h_y)
        ax.fill_between(x, y, 101, facecolor=BEYOND, linewidth=0, zorder=0, gid="above the ceiling")
        ax.plot(x, y, color="black", linewidth=1.2, zorder=2, gid="ceiling")
        handles, labels = [Line2D([], [], color="black", linewidth=1.2)], ["Fano's ceiling"]
        ax.axvline(read.h_y, color=QUIET, linewidth=0.7, linestyle=(0, (5, 2)), zorder=1, gid="h_y")
        handles.append(Line2D([], [], color=QUIET, linewidth=0.7, linestyle=(0, (5, 2))))
        labels.append(f"H(Y) = {read.h_y:.3g} bit")
        if np.isfinite(read.network):
            proved = max(0.0, float(fano_bound(read.network, classes=read.classes, entropy=read.h_y)))
            accuracy = 100 * (1 - read.network)
            ax.plot([proved, right], [accuracy] * 2, color=QUIET, linewidth=0.9, linestyle=":", gid="network")
            ax.plot([proved], [accuracy], color="black", marker=">", markersize=4.5, linestyle="", gid="proved")
            handles.append(Line2D([], [], color="black", marker=">", markersize=4.5, linestyle=":", linewidth=0.9))
            labels.append(f"the network's accuracy proves {proved:.3g} bit")
        styles = site_styles(list(dict.fromkeys(site for site, *_ in read.points)))
        for site, host, bound, error in finite:
            color, hollow = styles[site][0], host == "untrained"
            ax.plot(
                [bound],
                [100 * (1 - error)],
                color=color,
                marker=styles[site][1],
                markersize=4.2,
                mfc="white" if hollow else color,
                linestyle="",
                zorder=3,
                gid=printable(f"{site}@untrained" if hollow else site),
            )
        for site, (color, marker) in styles.items():
            handles.append(Line2D([], [], color=color, marker=marker, markersize=4.2, linestyle=""))
            labels.append(name_as_is(site))
        if any(host == "untrained" for _, host, _, _ in finite):
            handles.append(Line2D([], [], color=QUIET, marker="o", markersize=4.2, mfc="white", linestyle=""))
            labels.append("frozen untrained network (control)")
        ax.set_xlim(left, right)
        ax.set_ylim(0, 101)
        ax.set_xlabel("I(T;Y) [bit]; points: lower bounds of probes")
        ax.set_ylabel("right answers [%]")
        ax.set_title(title_of(ax, read.name) if title is None else title)
        under = legend_below(ax, handles, labels, **LEGEND) if legend else None
        said = [read.told] if caption else []
        if lost := len(read.points) - len(finite):
            said.append(f"{lost} point{'s are' if lost > 1 else ' is'} not finite and left out.")
        if said:
            caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw)


@dataclass(frozen=True)
class _Row:
    """One row: (site, host, label bound in bit, error) of every probe, and the network's own error."""

    name: str
    classes: int
    h_y: float
    points: tuple[tuple[str, str, float, float], ...]
    network: float
    told: str


def _read(run: Run | str | PathLike[str], row: int) -> _Row:
    if not isinstance(run, Run):
        with open_run(run) as opened:
            return _read(opened, row)
    probes = run.provenance.get("probes")
    classes = probes.get("classes") if isinstance(probes, dict) else None
    if isinstance(probes, dict) and probes.get("dimensions") is not None:
        raise InputError(f"{run.path}: its labels are real numbers, but Fano's inequality is about classes")
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        said = "does not say how many classes it has" if classes is None else f"states {classes!r} classes"
        raise InputError(f"{run.path}: {said}, but Fano's inequality needs two or more")
    plane = run.plane()
    if not len(plane):
        raise InputError(f"{run.path}: nothing has been measured yet")
    check_quantities(plane, ("i_zy", "error", "h_y"))
    bound, error, h_y = plane_values(plane, row, ("i_zy", "error", "h_y")).T
    shown = [probe for probe in plane_probes(plane) if probe.is_plain]
    step, n = int(plane.read(plane.row, row)), int(plane.read("n", row))
    split = printable(str(plane.attrs.get("split", "unnamed")))
    told = (
        f"Step {step:,}, {split} split, n = {n:,}, {classes} classes. Accuracies are shares of these inputs. A point "
    )
    told += "above the curve: its accuracy proves more than its bound."
    return _Row(
        name=run.path.stem,
        classes=classes,
        h_y=float(h_y[shown[0].at]),
        points=tuple((probe.site, probe.host, bound[probe.at], error[probe.at]) for probe in shown),
        network=_network_error(run, step),
        told=told,
    )


def _network_error(run: Run, step: int) -> float:
    """Return the network's own error at a step, NaN where it was not recorded."""
    if "metrics" not in run.streams:
        return float("nan")
    view = run.metrics()
    at = np.flatnonzero(view.row_values == step)
    if not at.size or "error" not in view["quantity"].tolist():
        return float("nan")
    return float(view.read("values", int(at[0]), "error"))
