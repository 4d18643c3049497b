"""The information-bottleneck curve of a joint table, with the probes of a run beneath it.

No code of a layer that sees X alone tells more about Y at its rate than the curve (Tishby, Pereira & Bialek 1999;
`infoplane.analysis.bottleneck_curve`); the side beyond it is shaded. The dots of a run are an upper bound on I(Z;X) and
a lower bound on I(Z;Y): the truth lies to their left and above, so that a dot below the curve shows how much a probe
may be short of it, and a dot above it cannot be true beyond its errors.
"""

from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from infoplane.analysis.bottleneck_curve import BottleneckCurve, bottleneck_curve
from infoplane.analysis.units import nats_per_unit, unit_name
from infoplane.errors import InputError
from infoplane.plane_probes import check_quantities, plane_probes, plane_values
from infoplane.plots.caption import caption_below, in_words, legend_below, name_as_is, small
from infoplane.plots.common_looks import BEYOND, LEGEND
from infoplane.plots.own_axes import on_axes
from infoplane.plots.theme import QUIET, shades, site_styles
from infoplane.printable import printable
from infoplane.runfile.reader import Run, open_run


def bottleneck(
    curve: BottleneckCurve | ArrayLike,
    run: Run | str | PathLike[str] | None = None,
    *,
    control: bool = True,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the curve in bit, its ends at I(X;Y) and H(X), and the probes of a run of the same X and Y.

    Parameters
    ----------
    curve : BottleneckCurve or array_like
        From `infoplane.analysis.bottleneck_curve.bottleneck_curve`, or the joint table p(x, y) of shape (values of X,
        values of Y).
    run : Run or path-like, optional
        An open run, which stays open, or a run file: the rate and label bound of every site at every row.
    control : bool
        Also draw the probes on the frozen untrained network, hollow, where the run has them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    title : str, optional
        Above the axes.
    legend, caption : bool
        Below the axes. Dots above the curve, points that are not finite, and a curve that is not certified are said in
        any case.

    Returns
    -------
    matplotlib.axes.Axes
        Both axes in bit.

    Raises
    ------
    InputError
        When it is no joint table, or the run has not measured yet.
    RunFileError
        When the file is no run file, or has no plane.
    """
    known = curve if isinstance(curve, BottleneckCurve) else bottleneck_curve(curve)
    unit = nats_per_unit(known.base) / nats_per_unit(2)
    x, y = known.envelope_i_xt * unit, known.envelope_i_ty * unit
    h_x, h_y, i_xy = (value * unit for value in (known.h_x, known.h_y, known.i_xy))
    dots = [] if run is None else _read(run, control)

    def draw(ax: Axes) -> Axes:
        right = max([h_x, *(float(dot.x.max()) for dot in dots if dot.x.size)]) * 1.04 or 1.0
        top = max(h_y, *(float(dot.y.max()) for dot in dots if dot.y.size), 1e-3) if dots else max(h_y, 1e-3)
        low = min([0.0, *(float(dot.y.min()) for dot in dots if dot.y.size)])
        ends = np.append(x, right), np.append(y, i_xy)
        ax.fill_between(*ends, 9 * top, facecolor=BEYOND, linewidth=0, zorder=0, gid="above the curve")
        ax.plot(*ends, color="black", linewidth=1.2, zorder=2, gid="curve")
        ax.axvline(h_x, color=QUIET, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1, gid="h_x")
        ax.axhline(i_xy, color=QUIET, linewidth=0.7, linestyle=(0, (5, 2)), zorder=1, gid="i_xy")
        note: dict[str, Any] = {"textcoords": "offset points", "fontsize": small(), "color": QUIET}
        ax.annotate(
            f"I(X;Y) = {i_xy:.3g} bit",
            (1, i_xy),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 1.5),
            ha="right",
            va="bottom",
            **note,
        )
        ax.annotate(
            f"H(X) = {h_x:.3g} bit",
            (h_x, 0.45),
            xycoords=("data", "axes fraction"),
            xytext=(-1.5, 0),
            ha="right",
            va="center",
            rotation=90,
            **note,
        )
        handles = [Line2D([], [], color="black", linewidth=1.2)]
        labels = ["bottleneck curve (no code lies above)"]
        styles = site_styles(list(dict.fromkeys(dot.site for dot in dots)))
        for dot in dots:
            _draw_dots(ax, dot, styles[dot.site])
        for site, (color, marker) in styles.items():
            handles.append(Line2D([], [], color=color, marker=marker, markersize=3.6, linestyle=""))
            labels.append(name_as_is(site))
        if any(dot.untrained for dot in dots):
            handles.append(Line2D([], [], color=QUIET, marker="o", markersize=3, mfc="white", mew=0.6, linestyle=""))
            labels.append("frozen untrained network (control)")
        ax.set_xlim(0, right)
        ax.set_ylim(low - 0.03 * (top - low), top * 1.15)
        ax.set_xlabel("I(X;T) [bit]; dots: rate, upper bound" if dots else "I(X;T) [bit]")
        ax.set_ylabel("I(T;Y) [bit]; dots: lower bound" if dots else "I(T;Y) [bit]")
        if title is not None:
            ax.set_title(title)
        under = legend_below(ax, handles, labels, **LEGEND) if legend else None
        said = _sentences(known, dots, x, y, caption)
        if said:
            caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw)


@dataclass(frozen=True, eq=False)
class _Dots:
    """One probe: finite points in bit, with standard errors, and how many were not finite."""

    probe: str
    site: str
    untrained: bool
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error_x: NDArray[np.float64]
    error_y: NDArray[np.float64]
    lost: int
    settings: str


def _read(run: Run | str | PathLike[str], control: bool) -> list[_Dots]:
    if not isinstance(run, Run):
        with open_run(run) as opened:
            return _read(opened, control)
    plane = run.plane()
    if not len(plane):
        raise InputError(f"{run.path}: nothing has been measured yet")
    check_quantities(plane, ("i_zx", "i_zy"))
    values = plane_values(plane, None, ("i_zx", "i_zy", "se_i_zx", "se_i_zy"))
    n = int(plane.read("n", -1))
    found = []
    for probe in plane_probes(plane):
        if not probe.is_plain or (probe.is_control and not control):
            continue
        x, y, error_x, error_y = values[:, probe.at].T
        keep = np.isfinite(x) & np.isfinite(y)
        told = f"N = {probe.latent}, beta = {probe.beta:g}, n = {n:,}"
        found.append(
            _Dots(
                probe=probe.probe,
                site=probe.site,
                untrained=probe.is_control,
                x=x[keep],
                y=y[keep],
                error_x=error_x[keep],
                error_y=error_y[keep],
                lost=int((~keep).sum()),
                settings=f"{told}, {printable(str(plane.attrs.get('split', 'unnamed')))} split",
            )
        )
    return found


def _draw_dots(ax: Axes, dot: _Dots, style: tuple[str, str]) -> None:
    color, marker = style
    gid = printable(dot.probe)
    if dot.untrained:
        ax.plot(dot.x, dot.y, color=color, linewidth=0.4, marker=marker, markersize=2.4, mfc="white", mew=0.5, gid=gid)
        return
    shade = np.linspace(0, 1, len(dot.x)) if len(dot.x) > 1 else np.ones(len(dot.x))
    points: dict[str, Any] = {"marker": marker, "s": 13, "linewidths": 0.3, "edgecolors": color, "zorder": 3}
    ax.scatter(dot.x, dot.y, c=shade, cmap=shades(color), vmin=0, vmax=1, gid=gid, **points)


def _sentences(
    curve: BottleneckCurve, dots: list[_Dots], x: NDArray[np.float64], y: NDArray[np.float64], caption: bool
) -> list[str]:
    said = []
    if caption:
        said.append(f"Curve within {curve.error:.1g} {unit_name(curve.base)}.")
        if dots:
            said.append(f"Dots, light to dark with time: {dots[0].settings}; the truth lies to their left and above.")
    above = 0
    for dot in dots:
        # Where the curve stands at the largest rate that the error leaves, against the lowest label bound it leaves.
        least = dot.y - 3 * np.nan_to_num(dot.error_y)
        above += int((least > np.interp(dot.x + 3 * np.nan_to_num(dot.error_x), x, y) + 1e-9).sum())
    if above:
        dots_are = "dots lie" if above > 1 else "dot lies"
        said.append(f"{above} {dots_are} above the curve by more than three standard errors: not of this X and Y.")
    if lost := sum(dot.lost for dot in dots):
        said.append(f"{lost} point{'s are' if lost > 1 else ' is'} not finite and left out.")
    if curve.findings:
        said.append(f"Findings: {', '.join(in_words(finding.code) for finding in curve.findings)}.")
    return said
