"""A whole plane on given axes: points, lines, title, legend and caption."""

from matplotlib.axes import Axes

from infoplane.plots.caption import caption_below, legend_below, title_of
from infoplane.plots.ellipses import cut_sentence, draw_ellipses, with_ellipses
from infoplane.plots.path import Clock, RunPaths
from infoplane.plots.plane_legend import LEGEND, legend_entries, notes
from infoplane.plots.plane_lines import draw_lines, limits_of
from infoplane.plots.plane_marks import draw_marks
from infoplane.plots.theme import site_styles


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
) -> Axes:
    """Draw one plane; arguments as of `infoplane.plots.plane` and `infoplane.plots.mean_plane`."""
    styles, clock = site_styles(run.sites), Clock.of([run])
    draw_marks(ax, run, styles=styles, clock=clock, control=control, errors=errors, style=style)
    colors = {site: color for site, (color, _) in styles.items()}
    draw_ellipses(ax, run, colors, share=clock.share(run), region=region, level=level)
    draw_lines(ax, [run], control=control, limits=with_ellipses(ax, limits_of(ax, [run], control=control)))
    ax.set_title(title_of(ax, run.name) if title is None else title)
    under = None
    if legend:
        handles, labels = legend_entries(styles, [run], control=control, style=style)
        under = legend_below(ax, handles, labels, title=str(clock), **LEGEND)
    sentences = [run.settings] * caption + notes(run, control=control, errors=errors, region=region, level=level)
    sentences += [cut] if (cut := cut_sentence(ax)) else []
    if sentences:
        caption_below(ax, " ".join(sentences), under=under)
    return ax
