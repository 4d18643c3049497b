"""A whole plane on given axes: points, lines, title, legend and caption."""

from matplotlib.axes import Axes
from matplotlib.legend import Legend

from infoplane.plots.caption import caption_below, height_of, legend_below, title_of
from infoplane.plots.ellipses import cut_sentence, draw_ellipses, with_ellipses
from infoplane.plots.path import Clock, RunPaths
from infoplane.plots.plane_legend import LEGEND, legend_entries, legend_sentence, notes
from infoplane.plots.plane_lines import draw_lines, limits_of
from infoplane.plots.plane_marks import draw_marks
from infoplane.plots.theme import site_styles

NAMED = (None, 12, 8, 6)
"""How many sites a legend names: the first of these with which it is not much higher than the axes. All for None."""
NAMED_AT_LEAST = 12
"""So many sites are named whatever the height."""


def draw_plane(
    ax: Axes,
    run: RunPaths,
    *,
    control: bool,
    errors: bool = False,
    style: str = "dots",
    title: str | None,
    legend: bool,
    caption: bool,
    region: str = "none",
    level: float = 0.95,
    left_out: int = 0,
) -> Axes:
    """Draw one plane; arguments as of `infoplane.plots.plane` and `infoplane.plots.mean_plane`.

    `left_out` is the number of sites that the run has and that were not chosen.
    """
    styles, clock = site_styles(run.sites), Clock.of([run])
    draw_marks(ax, run, styles=styles, clock=clock, control=control, errors=errors, style=style)
    colors = {site: color for site, (color, _) in styles.items()}
    draw_ellipses(ax, run, colors, share=clock.share(run), region=region, level=level)
    draw_lines(ax, [run], control=control, limits=with_ellipses(ax, limits_of(ax, [run], control=control)))
    ax.set_title(title_of(ax, run.name) if title is None else title)
    under: Legend | None = None
    unnamed: list[str] = []
    if legend:
        under, unnamed = _legend(ax, run, control=control, style=style)
    sentences = [run.settings] * caption + unnamed
    if left_out:
        sentences.append(f"Not drawn: {left_out} other site{'s' if left_out > 1 else ''}.")
    sentences += notes(run, control=control, errors=errors, region=region, level=level)
    sentences += [cut] if (cut := cut_sentence(ax)) else []
    if sentences:
        caption_below(ax, " ".join(sentences), under=under)
    return ax


def _legend(ax: Axes, run: RunPaths, *, control: bool, style: str) -> tuple[Legend, list[str]]:
    """Draw the legend, and return it with the sentence on the sites for whose names it has no room."""
    styles, title = site_styles(run.sites), str(Clock.of([run]))
    for named in NAMED:
        handles, labels = legend_entries(styles, [run], control=control, style=style, named=named)
        legend = legend_below(ax, handles, labels, title=title, **LEGEND)
        height = legend.get_window_extent().height / ax.figure.dpi * 72
        if len(styles) <= NAMED_AT_LEAST or height <= 1.2 * height_of(ax):
            break
    return legend, legend_sentence(len(styles), named)
