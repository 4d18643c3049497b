"""Error and divergence from log-normal laws in one picture, over epochs or over a setting such as the scaling rate.

The paper's Fig. 6. The error stands on the left axis, the Jensen-Shannon divergences of the positive weights and
activations from the log-normal law fitted to them on the right one (the printed caption exchanges the two). Curves are
means over the runs of a group, bands the confidence limits of the mean.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from numbers import Real
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from infoplane.errors import InputError
from infoplane.plots.caption import caption_below, legend_below, name_as_is
from infoplane.plots.courses import CURVES, Course, Runs, read_courses, setting_named
from infoplane.plots.own_axes import on_axes
from infoplane.plots.seed_band import SeedBand
from infoplane.plots.setting_words import setting_words, settings_in_words
from infoplane.plots.ticks import whole_numbers
from infoplane.reports.decimals import time_text
from infoplane.runfile.run_settings import cell, differing, is_seed, setting_key
from infoplane.site_marks import COLORS

# Both curves of the right axis are blue, as it is.
_STYLES = {"error": (COLORS[1], "s"), "jsd_weights": (COLORS[0], "o"), "jsd_activations": (COLORS[5], "^")}
_WHAT = {"error": "error", "jsd_weights": "JS of weights", "jsd_activations": "JS of activations"}
_LINES = ("-", "--", ":", "-.")


def error_and_jsd(
    runs: Runs,
    *,
    over: str = "epoch",
    by: str | None = None,
    absent: float | None = None,
    measure: Literal["divergence", "distance"] = "divergence",
    level: float = 0.95,
    ax: Axes | None = None,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the test error (left axis) and the divergences of weights and activations (right axis).

    Parameters
    ----------
    runs : Study, path-like, Run, or sequence of Run or path-like
        What `infoplane.open_study` returns or takes, or open runs, which stay open.
    over : str
        ``"epoch"``, or the name of a setting with numbers, or the end of that name, as ``"scaling.rate"``: then the
        last row of each run is drawn.
    by : str, optional
        A setting whose values make groups with curves of their own (at most four): solid and filled, then dashed,
        dotted, dash-dotted and hollow. Without it all runs are of one group, and may differ in their seeds and in
        `over` alone.
    absent : float, optional
        Where on the axis `over` the runs stand that lack the setting: 0 for a baseline without scaling. If left out
        they are not drawn, which is said.
    measure : {"divergence", "distance"}
        In bit; or its root, which the printed numbers of this figure seem to be.
    level : float
        Probability with which the limits enclose the mean of all possible seeds.
    ax : matplotlib.axes.Axes, optional
        The left axes; a new figure of one column's width, under `infoplane.plots.theme`, if left out. The right axes
        are added to their figure.
    title : str, optional
        Above the axes.
    legend, caption : bool
        Below the axes.

    Returns
    -------
    matplotlib.axes.Axes
        The left one; ``ax.figure.axes[-1]`` is the right one.

    Raises
    ------
    InputError
        When there is nothing to draw, the runs differ in more than their seeds and no `by` is given, or a setting is
        not there, is no number, or makes more than four groups.
    RunFileError
        When a file is no run file, or is damaged.
    """
    if measure not in ("divergence", "distance"):
        raise InputError(f"measure is {measure!r}, but it must be 'divergence' or 'distance'")
    if isinstance(level, bool) or not isinstance(level, Real) or not 0 < level < 1:
        raise InputError(f"level is {level!r}, but it must be a number between 0 and 1, such as 0.95")
    courses = read_courses(runs, last=over != "epoch")
    places, x_label, told = _places(courses, over, absent)
    courses = [course for course, place in zip(courses, places, strict=True) if place is not None]
    places = [place for place in places if place is not None]
    if not courses:
        raise InputError(f"no run has the setting {over!r}; give absent= to place those without it")
    groups = _groups(courses, over, by)
    if len({course.unit for course in courses}) > 1:
        raise InputError("the runs' errors have different units, shares and unexplained variance, and share no axis")

    def draw(ax: Axes) -> Axes:
        right = ax.twinx()
        right.spines["right"].set_visible(True)
        handles, labels = [], []
        for k, (group, at) in enumerate(groups.items()):
            for curve in CURVES:
                points = [point for i in at for point in _points(courses[i], curve, places[i], measure)]
                band = SeedBand.of(points, level)
                if band.x.size:
                    (color, marker), target = _STYLES[curve], ax if curve == "error" else right
                    gid = f"{curve} {group}".strip()
                    handles.append(
                        band.draw(target, gid=gid, color=color, marker=marker, hollow=k > 0, linestyle=_LINES[k])
                    )
                    labels.append(_label(curve, measure, group))
        ax.set_xlabel(x_label)
        if over == "epoch":
            whole_numbers(ax.xaxis)
        _color_of_axes(ax, right, courses[0], measure)
        if title is not None:
            ax.set_title(title)
        under = _legend(ax, handles, labels) if legend else None
        said = told + (_sentences(courses, places, groups, level) if caption else [])
        if said:
            caption_below(ax, " ".join(said), under=under)
        return ax

    return on_axes(ax, draw)


def _places(courses: Sequence[Course], over: str, absent: float | None) -> tuple[list[float | None], str, list[str]]:
    """Return where each run stands, None for not at all and NaN for its own epochs; the axis' label; what to say."""
    if over == "epoch":
        for course in courses:
            if not any(math.isfinite(epoch) for points in course.points.values() for epoch, _ in points):
                raise InputError(
                    f"{course.settings['path']}: its rows have no epochs, which rec.measure(..., epoch=) keeps; draw "
                    "the runs over a setting instead, such as over='scaling.rate'"
                )
        return [math.nan] * len(courses), "epoch", []
    name = setting_named(over, courses)
    found: list[float | None] = []
    for course in courses:
        value = course.settings.get(name, absent)
        if value is not None and (isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value)):
            raise InputError(f"{name} is {value!r} in {course.settings['path']}, but an axis needs finite numbers")
        found.append(None if value is None else float(value))
    lost = found.count(None)
    told = [f"Not drawn: {lost} run{'s' * (lost > 1)} without this setting."] if lost and lost < len(found) else []
    return found, setting_words(name), told


def _groups(courses: Sequence[Course], over: str, by: str | None) -> dict[str, list[int]]:
    """Return the runs of each group by the text that names it in the legend."""
    if by is None:
        ignored = {setting_named(over, courses)} if over != "epoch" and courses else set()
        names = [n for n in differing([c.settings for c in courses]) if not is_seed(n) and n not in ignored]
        if names and over == "epoch":
            raise InputError(
                f"the runs differ in {', '.join(names[:5])}{', ...' * (len(names) > 5)}, not in their seeds alone; by= "
                "takes a setting whose values make groups"
            )
        return {"": list(range(len(courses)))} if courses else {}
    name = setting_named(by, courses)
    keyed = sorted((setting_key(course.settings, name), k) for k, course in enumerate(courses))
    groups = [[k for _, k in members] for _, members in groupby(keyed, key=lambda pair: pair[0])]
    groups.sort(key=min)
    if len(groups) > len(_LINES):
        raise InputError(f"{name} has {len(groups)} values, but at most {len(_LINES)} groups can be told apart")
    short = name.rpartition(".")[2]
    return {_named(short, courses[members[0]].settings.get(name)): members for members in groups}


def _named(name: str, value: Any) -> str:
    shown = cell(value)
    return f"no {name}" if shown is None else shown if isinstance(shown, str) else f"{name} {shown:g}"


def _points(course: Course, curve: str, place: float | None, measure: str) -> list[tuple[float, float]]:
    rooted = measure == "distance" and curve != "error"
    return [
        (epoch if place is None or math.isnan(place) else place, math.sqrt(value) if rooted else value)
        for epoch, value in course.points.get(curve, [])
    ]


def _label(curve: str, measure: str, group: str) -> str:
    what = "error (left)" if curve == "error" else f"JS {measure} of {curve.removeprefix('jsd_')} (right)"
    return what + (f", {name_as_is(group)}" if group else "")


def _color_of_axes(ax: Axes, right: Axes, first: Course, measure: str) -> None:
    """Label both axes, each in the colour of its curves."""
    ax.set_ylabel(f"{first.split} error [{first.unit}]".strip())
    right.set_ylabel(
        "JS divergence from log-normal [bit]" if measure == "divergence" else "JS distance from log-normal"
    )
    for axes, curve in ((ax, "error"), (right, "jsd_weights")):
        axes.yaxis.label.set_color(_STYLES[curve][0])
        axes.tick_params(axis="y", colors=_STYLES[curve][0])


def _legend(ax: Axes, handles: Sequence[Line2D], labels: Sequence[str]) -> Any:
    return legend_below(ax, handles, labels, frameon=False, alignment="left", columnspacing=1.2, handletextpad=0.5)


def _sentences(
    courses: Sequence[Course], places: Sequence[float | None], groups: Mapping[str, list[int]], level: float
) -> list[str]:
    said = ["JS: of all positive values, pooled, from the log-normal law fitted to them."]
    means: dict[tuple[str, float | None], list[Course]] = {}
    for group, members in groups.items():
        for k in members:
            place = places[k]
            means.setdefault((group, None if place is None or math.isnan(place) else place), []).append(courses[k])
    sizes = [len(mean) for mean in means.values()]
    if max(sizes) > 1:
        many = f"{max(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"
        said.append(f"Means of {many} runs; bands: {100 * level:g} % limits of the mean (Student).")
    else:
        said.append("One run at each point: no bands.")
    mixed = {name for mean in means.values() for name in differing([one.settings for one in mean]) if not is_seed(name)}
    if mixed:
        said.append(f"Averaged runs also differ in {settings_in_words(sorted(mixed))}.")
    if any(place is not None and math.isfinite(place) for place in places):
        known = {point[0] for course in courses for points in course.points.values() for point in points}
        if ends := [time_text(epoch) for epoch in sorted(known) if math.isfinite(epoch)]:
            rows = f"epoch {ends[0]}" if len(ends) == 1 else f"epochs {ends[0]} to {ends[-1]}"
            said.append(f"Last row of each run: {rows}.")
    missing = [curve for curve in CURVES if not all(curve in course.points for course in courses)]
    if missing:
        said.append(f"Not recorded in all runs: {', '.join(_WHAT[curve] for curve in missing)}.")
    return said
