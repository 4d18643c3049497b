"""Information planes of several arms on the same axes: a colour per site, a marker and a kind of line per arm.

An arm is one run, or several that differ in their seeds, of which the mean is drawn. Markers stand at equal times of
all arms, so that what an arm did by then can be compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, legend_below, name_as_is
from infoplane.plots.ellipses import check_region, cut_sentence, draw_ellipses, with_ellipses
from infoplane.plots.own_axes import on_axes
from infoplane.plots.path import Clock, ProbePath, RunPaths
from infoplane.plots.plane import ROWS
from infoplane.plots.plane_legend import LEGEND, common_entries, notes
from infoplane.plots.plane_lines import draw_lines, limits_of
from infoplane.plots.plane_marks import draw_rings
from infoplane.plots.seeds import Runs, read_arm
from infoplane.plots.sites import chosen, site_colors
from infoplane.plots.theme import QUIET, pt, shades
from infoplane.printable import NAME, printable
from infoplane.reports.decimals import time_text


@dataclass(frozen=True)
class ArmStyle:
    """How one arm looks, whatever the site: marker, its area and the line's width in points, dashes, share of shade."""

    marker: str
    area: float
    dashes: Any
    width: float
    shade: float


# Wide and pale, then thin and dark, then smaller markers: arms that coincide are seen as several.
ARM_STYLES = (
    ArmStyle("o", 34, "-", 2.4, 0.2),
    ArmStyle("s", 13, (0, (4, 1.5)), 1.0, 0.6),
    ArmStyle("^", 11, (0, (1, 1.2)), 1.2, 1.0),
    ArmStyle("D", 8, (0, (5, 1.2, 1, 1.2)), 1.0, 0.6),
    ArmStyle("v", 11, (0, (8, 2)), 1.0, 0.6),
    ArmStyle("P", 11, (0, (2, 3)), 1.0, 0.6),
)
TIMES = 6
"""Markers per path."""


def overlay(
    arms: Mapping[str, Runs],
    *,
    ax: Axes | None = None,
    sites: Sequence[str] | None = None,
    region: str = "none",
    level: float = 0.95,
    control: bool = True,
    rows: int | None = ROWS,
    window: int = 1,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the information planes of several arms over each other.

    Parameters
    ----------
    arms : mapping of str to Run, path-like, Study, or sequence of them
        At most 6 arms by their names: of each one run, or several that differ in their seeds, of which the mean is
        drawn. Open runs stay open.
    ax : matplotlib.axes.Axes, optional
        As in `infoplane.plots.plane`.
    sites : sequence of str, optional
        Those to draw, at most 7; all if left out.
    region, level
        As in `infoplane.plots.mean_plane`, for arms of several runs.
    control, rows, window, title, legend, caption
        As in `infoplane.plots.plane`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    RunFileError
        When a file is no run file, or has no plane.
    InputError
        When there is no arm or more than 6, more than 7 sites, no such site, an arm's runs cannot be averaged, or an
        option cannot be used.

    Examples
    --------
    >>> overlay({"baseline": "baseline.h5", "SynScaW": "synscaw.h5"})  # doctest: +SKIP
    """
    if not isinstance(arms, Mapping) or not 0 < len(arms) <= len(ARM_STYLES):
        what = f"has {len(arms)} arms" if isinstance(arms, Mapping) else f"is {printable(repr(arms), NAME)}"
        raise InputError(
            f"arms {what}, but overlay() takes a mapping of 1 to {len(ARM_STYLES)} names to runs, such as "
            "{'baseline': 'baseline.h5'}"
        )
    check_region(region, level)
    read = {name: chosen(read_arm(runs, rows=rows, window=window), sites) for name, runs in arms.items()}

    def draw(axes: Axes) -> Axes:
        return _draw(axes, read, region, level, control, title, legend, caption)

    return on_axes(ax, draw)


def _draw(
    ax: Axes,
    arms: dict[str, RunPaths],
    region: str,
    level: float,
    control: bool,
    title: str | None,
    legend: bool,
    caption: bool,
) -> Axes:
    runs = list(arms.values())
    colors, clock = site_colors(runs), Clock.of(runs)
    times = np.linspace(clock.first, clock.last, TIMES)
    for rank, (run, look) in enumerate(zip(runs, ARM_STYLES, strict=False)):
        at = _nearest(getattr(run, clock.name), times)
        for path in run.drawn(control=control):
            _draw_path(ax, path, colors[path.site], look, clock.share(run), at, 0.01 * rank)
        draw_ellipses(ax, run, colors, share=clock.share(run), region=region, level=level, linestyle=look.dashes)
        draw_rings(ax, run, control=control)
    draw_lines(ax, runs, control=control, limits=with_ellipses(ax, limits_of(ax, runs, control=control)))
    if title is not None:
        ax.set_title(title)
    under = None
    if legend:
        handles, labels = _entries(arms, colors, control)
        under = legend_below(ax, handles, labels, title=str(clock), **LEGEND)
    sentences = _sentences(arms, clock, control, region, level, caption)
    sentences += [cut] if (cut := cut_sentence(ax)) else []
    caption_below(ax, " ".join(sentences), under=under)
    return ax


def _draw_path(
    ax: Axes,
    path: ProbePath,
    color: str,
    look: ArmStyle,
    share: NDArray[np.float64],
    at: NDArray[np.intp],
    above: float,
) -> None:
    trained, keep, gid = path.host == "trained", path.finite, printable(path.probe)
    ax.plot(
        path.i_zx[keep],
        path.i_zy[keep],
        color=shades(color)(look.shade),
        linestyle=look.dashes,
        linewidth=pt(look.width if trained else 0.5 * look.width),
        zorder=(2.5 if trained else 2) + above,
        gid=f"{gid} path",
    )
    marked = at[keep[at]] if trained else np.flatnonzero(keep)[-1:]
    last = marked == path.i_zx.size - 1
    # White alone marks the control: its shade says nothing, for it stands at the end.
    faces: list[Any] = list(shades(color)(share[marked])) if trained else ["white"] * marked.size
    ax.scatter(
        path.i_zx[marked],
        path.i_zy[marked],
        c=faces,
        marker=look.marker,
        s=look.area * pt(1) ** 2,
        linewidths=[pt(0.8 if end else 0.5) for end in last],
        edgecolors=["black" if end else color for end in last],
        zorder=(4 if trained else 3.5) + above,
        gid=gid,
    )


def _nearest(times: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the rows nearest to the times wanted, each once; an arm that ended before has its last row among them."""
    return np.unique(np.abs(times[:, None] - wanted[None]).argmin(axis=0))


def _entries(arms: dict[str, RunPaths], colors: dict[str, str], control: bool) -> tuple[list[Any], list[str]]:
    handles: list[Any] = [Line2D([], [], color=color, linewidth=pt(2.5)) for color in colors.values()]
    labels = [name_as_is(site) for site in colors]
    for (name, run), look in zip(arms.items(), ARM_STYLES, strict=False):
        line: dict[str, Any] = {"color": shades(QUIET)(look.shade), "linewidth": pt(look.width)}
        mark: dict[str, Any] = {"markersize": pt(look.area**0.5), "mfc": QUIET, "mec": QUIET}
        handles.append(Line2D([], [], marker=look.marker, linestyle=look.dashes, **line, **mark))
        labels.append(name_as_is(name) + (f", mean of {run.runs} runs" if run.runs > 1 else ""))
    more, said = common_entries(list(arms.values()), control=control)
    return handles + more, labels + said


def _sentences(
    arms: dict[str, RunPaths], clock: Clock, control: bool, region: str, level: float, caption: bool
) -> list[str]:
    said = {
        name: [run.settings] * caption + notes(run, control=control, region=region, level=level)
        for name, run in arms.items()
    }
    common = [sentence for sentence in next(iter(said.values())) if all(sentence in own for own in said.values())]
    times = np.unique(np.round(np.linspace(clock.first, clock.last, TIMES)))
    if clock.first < clock.last:
        common.append(f"Markers at {clock.name} {', '.join(map(time_text, times))}, or the row nearest to it.")
    own = [
        f"{name_as_is(name)}: {sentence}"
        for name, sentences in said.items()
        for sentence in sentences
        if sentence not in common
    ]
    return common + own
