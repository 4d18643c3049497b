"""The information plane: what each probe reads out about the label over the rate of its code, as training goes on.

The abscissa is the mean divergence of the probe's code from its prior (an upper bound on I(Z;X), Eq. 11), the ordinate
H(Y) less the cross-entropy (a lower bound on I(Z;Y), Eqs. 8-10), both in bit and both of the probe's own noisy code Z.
The lines stand at H(Y), which no ordinate exceeds, and at log2 n: a rate beyond it says nothing about those n inputs,
and that side is shaded. Points of which another finding says that they cannot be used as they stand are ringed.
"""

from os import PathLike

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from infoplane.plots.caption import caption_below, height_of, height_outside, legend_below, name_as_is, small
from infoplane.plots.path import Clock, ProbePath, RunPaths, read_paths
from infoplane.plots.plane_legend import BEYOND, CONTROL_LABEL, LEGEND, RING, legend_entries, notes
from infoplane.plots.theme import COLUMN, QUIET, shades, site_styles, theme
from infoplane.printable import printable
from infoplane.runfile.reader import Run

X_LABEL = "rate of the probe's code,\nupper bound on I(Z;X) [bit]"
Y_LABEL = "lower bound on I(Z;Y) [bit]"
HEIGHT = 0.65 * COLUMN
ROWS = 300


def plane(
    run: Run | str | PathLike[str],
    *,
    ax: Axes | None = None,
    control: bool = True,
    errors: bool = False,
    rows: int | None = ROWS,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the information plane of one run: a dot per site and measured row, from light (early) to dark (late).

    Nothing but the rows drawn and the findings is read.

    Parameters
    ----------
    run : Run or path-like
        An open run, which stays open, or a run file.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out: as high as
        legend and caption need it, which stand below the axes. A figure of yours needs ``layout="constrained"`` to
        make room for them, and height enough: some 3 mm for every row of the legend and line of the caption.
    control : bool
        Also draw the probes on the frozen untrained host, hollow, where the run has them. Only the difference from
        these paths is the host's doing.
    errors : bool
        Draw bars of one standard error over the inputs. They leave out seeds and the probes' training.
    rows : int or None
        Draw at most so many rows: evenly spaced from the first on, and the last. All of them for None.
    title : str, optional
        The name of the file if left out.
    legend, caption : bool
        The legend, and the sentence that states N, beta, probe steps, split and n. What is missing (a control, rows,
        points that are not finite) and what was found is said in any case.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    RunFileError
        When the file is no run file, or has no plane.
    InputError
        When the run has not measured yet, or `rows` is no whole number from 2 on.
    """
    paths = read_paths(run, rows=rows)
    if ax is None:
        with theme():
            # Of the subplot's default share of the figure's height, so that the axes start as high as they will end.
            figure, ax = plt.subplots(figsize=(COLUMN, HEIGHT / 0.77), layout="constrained")
            _draw(ax, paths, control, errors, title, legend, caption)
            pads = 2 * mpl.rcParams["figure.constrained_layout.h_pad"]
            figure.set_figheight(HEIGHT + height_outside(ax) / 72 + pads)
            return ax
    return _draw(ax, paths, control, errors, title, legend, caption)


def _draw(ax: Axes, run: RunPaths, control: bool, errors: bool, title: str | None, legend: bool, caption: bool) -> Axes:
    styles, clock = site_styles(run.sites), Clock.of([run])
    draw_paths(ax, run, styles=styles, clock=clock, control=control, errors=errors)
    ax.set_title(name_as_is(run.name) if title is None else title)
    under = None
    if legend:
        handles, labels = legend_entries(styles, [run], control=control)
        under = legend_below(ax, handles, labels, title=str(clock), **LEGEND)
    sentences = [run.settings] * caption + notes(run, control=control, errors=errors)
    if sentences:
        caption_below(ax, " ".join(sentences), under=under)
    return ax


def draw_paths(
    ax: Axes, run: RunPaths, *, styles: dict[str, tuple[str, str]], clock: Clock, control: bool, errors: bool
) -> None:
    """Draw the paths of one run, the two lines, and the labels of the axes."""
    for path in run.paths:
        if path.host == "trained":
            if errors:
                _bars(ax, path, styles[path.site][0])
            _dots(ax, path, styles[path.site], clock.share(run))
        elif control:
            _hollow(ax, path, styles[path.site])
    _rings(ax, run, control)
    _limits_and_lines(ax, run, control)
    ax.set_xlabel(X_LABEL)
    ax.set_ylabel(Y_LABEL)


def _dots(ax: Axes, path: ProbePath, style: tuple[str, str], share: NDArray[np.float64]) -> None:
    color, marker = style
    keep = np.flatnonzero(path.finite)
    ax.plot(
        path.i_zx[keep],
        path.i_zy[keep],
        color=color,
        linewidth=0.6,
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
        s=np.where(last, 18, 13),
        linewidths=[0.8 if end else 0.3 for end in last],
        edgecolors=["black" if end else color for end in last],
        zorder=3,
        label=name_as_is(path.site),
        gid=printable(path.probe),
    )


def _hollow(ax: Axes, path: ProbePath, style: tuple[str, str]) -> None:
    color, marker = style
    keep = path.finite
    ax.plot(
        path.i_zx[keep],
        path.i_zy[keep],
        color=color,
        linewidth=0.5,
        marker=marker,
        markersize=2.6,
        markerfacecolor="white",
        markeredgewidth=0.5,
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
            markersize=3.2,
            markerfacecolor="white",
            markeredgecolor="black",
            markeredgewidth=0.8,
            zorder=4,
            gid=f"{printable(path.probe)} last",
        )


def _bars(ax: Axes, path: ProbePath, color: str) -> None:
    keep = path.finite
    ax.errorbar(
        path.i_zx[keep],
        path.i_zy[keep],
        xerr=path.se_i_zx[keep],
        yerr=path.se_i_zy[keep],
        linestyle="",
        ecolor=color,
        elinewidth=0.5,
        alpha=0.7,
        zorder=1.5,
    )


def _rings(ax: Axes, run: RunPaths, control: bool) -> None:
    for path in run.drawn(control=control):
        ringed = path.doubtful & path.finite
        if ringed.any():
            ax.plot(path.i_zx[ringed], path.i_zy[ringed], zorder=5, gid=f"{printable(path.probe)} findings", **RING)


def _limits_and_lines(ax: Axes, run: RunPaths, control: bool) -> None:
    drawn = run.drawn(control=control)
    log_n = float(np.log2(run.n))
    x = np.concatenate([[0.0, log_n], *(path.i_zx[path.finite] for path in drawn)])
    y = np.concatenate([[0.0, run.h_y], *(path.i_zy[path.finite] for path in drawn)])
    left, right = float(x.min()), max(float(x.max()), float(x.min()) + 1e-3)
    bottom, top = float(y.min()), max(float(y.max()), float(y.min()) + 1e-3)
    # Both labels stand above H(Y), where no dot can be.
    room = min(0.4, 3.2 * small() * 1.25 / height_of(ax))
    ax.set_xlim(left - 0.02 * (right - left), right + 0.04 * (right - left))
    ax.set_ylim(bottom - 0.05 * (top - bottom), top + (top - bottom) * room / (1 - room))
    if run.beyond(control=control):
        ax.axvspan(log_n, right + 9 * (right - left), facecolor=BEYOND, linewidth=0, zorder=0, gid="beyond_log2_n")
    side = -1 if log_n > np.mean(ax.get_xlim()) else 1  # the two labels stand apart, whatever the height left to them
    ax.axhline(run.h_y, color=QUIET, linewidth=0.7, linestyle=(0, (5, 2)), zorder=1, gid="h_y")
    ax.axvline(log_n, color=QUIET, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1, gid="log2_n")
    ax.annotate(
        f"H(Y) = {run.h_y:.3g} bit",
        (1 if side > 0 else 0, run.h_y),
        xycoords=("axes fraction", "data"),
        xytext=(-side, 1.5),
        textcoords="offset points",
        ha="right" if side > 0 else "left",
        va="bottom",
        fontsize=small(),
        color=QUIET,
    )
    ax.annotate(
        f"log$_2$ n = {log_n:.3g} bit",
        (log_n, 1),
        xycoords=("data", "axes fraction"),
        xytext=(2.5 * side, -1),
        textcoords="offset points",
        ha="right" if side < 0 else "left",
        va="top",
        fontsize=small(),
        color=QUIET,
    )
