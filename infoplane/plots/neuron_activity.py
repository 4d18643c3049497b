"""The mean activity of every neuron on held-out inputs at two measured rows: before and after what lies between them.

A point per neuron, its mean at the later row over that at the earlier one; on the diagonal nothing changed. The large
marker is the mean over a site's neurons. Where the run has passes of synaptic scaling, lines stand at the targets of
the layers (Eq. 16 of Hofmann & Maeder 2022), and the number of passes between the rows is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, legend_below, name_as_is, title_of
from infoplane.plots.common_looks import LEGEND
from infoplane.plots.own_axes import on_axes
from infoplane.plots.theme import QUIET, site_styles
from infoplane.printable import printable
from infoplane.runfile.reader import Run, open_run


def neuron_activity(
    run: Run | str | PathLike[str],
    sites: Sequence[str] | None = None,
    *,
    rows: tuple[int, int] = (0, -1),
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw each neuron's mean activity at one row over that at another.

    Parameters
    ----------
    run : Run or path-like
        An open run, which stays open, or a run file, with the stream ``neurons``.
    sites : sequence of str, optional
        All recorded sites if left out.
    rows : tuple of int
        The earlier and the later row of the stream, counted from the end where negative.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    title : str, optional
        The name of the file if left out.
    legend, caption : bool
        Below the axes. Neurons that are not finite are counted there in any case.

    Returns
    -------
    matplotlib.axes.Axes
        Activities in the unit of the activations.

    Raises
    ------
    InputError
        When the run has no such site or row, or no neuron has finite means.
    RunFileError
        When it is no run file, or has no stream ``neurons``.
    """
    two = _read(run, sites, rows)
    finite = np.isfinite(two.before) & np.isfinite(two.after)
    if not finite.any():
        raise InputError(f"{two.name}: no neuron has a finite mean at both rows")

    def draw(ax: Axes) -> Axes:
        styles = site_styles(two.sites)
        handles, labels = [], []
        for site, (color, marker) in styles.items():
            here = finite & (two.site == site)
            x, y, gid = two.before[here], two.after[here], printable(site)
            ax.scatter(x, y, s=9, color=color, marker=marker, linewidths=0, alpha=0.55, zorder=2, gid=gid)
            if here.any():
                mean: dict[str, Any] = {"color": color, "marker": marker, "markersize": 6.5, "mec": "black", "mew": 0.9}
                ax.plot([x.mean()], [y.mean()], linestyle="", zorder=4, gid=f"{gid} mean", **mean)
            handles.append(Line2D([], [], color=color, marker=marker, markersize=3.2, linestyle=""))
            labels.append(f"{name_as_is(site)} ({int(here.sum()):,} neurons)")
        handles.append(Line2D([], [], color=QUIET, marker="o", markersize=6, mec="black", mew=0.9, linestyle=""))
        labels.append("mean over a site's neurons")
        ax.axline((0, 0), slope=1, color=QUIET, linewidth=0.7, zorder=1, gid="unchanged")
        handles.append(Line2D([], [], color=QUIET, linewidth=0.7))
        labels.append("unchanged")
        for target in dict.fromkeys(two.targets):
            for line in (ax.axhline, ax.axvline):
                line(target, color=QUIET, linewidth=0.7, linestyle=(0, (5, 2)), zorder=1, gid="target")
        if two.targets:
            handles.append(Line2D([], [], color=QUIET, linewidth=0.7, linestyle=(0, (5, 2))))
            labels.append("target of the scaling")
        ax.set_xlabel(f"mean activity at step {two.steps[0]:,}")
        ax.set_ylabel(f"mean activity at step {two.steps[1]:,}")
        ax.set_title(title_of(ax, two.name) if title is None else title)
        under = legend_below(ax, handles, labels, **LEGEND) if legend else None
        said = [two.told] if caption else []
        if lost := int((~finite).sum()):
            said.append(f"{lost} neuron{'s are' if lost > 1 else ' is'} not finite and left out.")
        if said:
            caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw, height=1.15)


@dataclass(frozen=True, eq=False)
class _TwoRows:
    name: str
    sites: tuple[str, ...]
    site: NDArray[np.str_]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    steps: tuple[int, int]
    targets: tuple[float, ...]
    told: str


def _read(run: Run | str | PathLike[str], sites: Sequence[str] | None, rows: tuple[int, int]) -> _TwoRows:
    if not isinstance(run, Run):
        with open_run(run) as opened:
            return _read(opened, sites, rows)
    view = run.neurons()
    known = list(dict.fromkeys(view["site"].tolist()))
    chosen = known if sites is None else [sites] if isinstance(sites, str) else list(sites)
    for site in chosen:
        if site not in known:
            raise InputError(f"{run.path}: has no neurons of {site!r}{near_names(site, known)}; there are {known}")
    if not chosen:
        raise InputError("sites is empty, but at least one site is drawn")
    if len(rows) != 2:
        raise InputError(f"rows is {rows!r}, but it must be two rows, the earlier and the later one")
    keep = np.isin(view["site"], chosen)
    before, after = (view.read("values", row, "mean")[keep].astype(np.float64) for row in rows)
    steps = (int(view.row_values[rows[0]]), int(view.row_values[rows[1]]))
    n = int(view["n"][rows[1]])
    told = f"Means over {n:,} inputs of the {printable(str(view.attrs.get('split', 'unnamed')))} split."
    targets: tuple[float, ...] = ()
    if "scaling" in run.streams and len(passes := run.scaling()):
        between = (passes.row_values > steps[0]) & (passes.row_values <= steps[1])
        first = int((passes.row_values <= steps[0]).sum())
        told += f" Passes of scaling up to the first row: {first}, between the two: {int(between.sum())}; training too."
        last = passes.read("values", -1, "target")
        of = dict(zip(passes["layer"].tolist(), last.tolist(), strict=True))
        targets = tuple(value for layer, value in of.items() if any(_belongs(layer, site) for site in chosen))
        told += " The target is one of the activity on the rows of the passes."
    else:
        told += " No pass of scaling was recorded."
    return _TwoRows(run.path.stem, tuple(chosen), view["site"][keep], before, after, steps, targets, told)


def _belongs(layer: str, site: str) -> bool:
    """Whether a site is the layer, holds it, or lies within it."""
    return layer == site or layer.startswith(f"{site}.") or site.startswith(f"{layer}.")
