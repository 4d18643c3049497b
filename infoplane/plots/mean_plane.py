"""The information plane of several runs that differ in their seeds: their mean, and ellipses of how sure it is.

The points are means over the runs of the two bounds at the same step. What the ellipses are is in
`infoplane.plots.ellipses`.
"""

from matplotlib.axes import Axes

from infoplane.plots.ellipses import check_region
from infoplane.plots.own_axes import on_axes
from infoplane.plots.plane import ROWS
from infoplane.plots.plane_drawing import draw_plane
from infoplane.plots.plane_marks import check_style
from infoplane.plots.seeds import Runs, read_arm


def mean_plane(
    runs: Runs,
    *,
    ax: Axes | None = None,
    region: str = "mean",
    level: float = 0.95,
    style: str = "dots",
    control: bool = True,
    rows: int | None = ROWS,
    window: int = 1,
    title: str | None = None,
    legend: bool = True,
    caption: bool = True,
) -> Axes:
    """Draw the mean information plane of the runs of one arm, with error ellipses over their seeds.

    Parameters
    ----------
    runs : sequence of Run or path-like, Study, or pattern
        Runs that differ in nothing but their seeds, as ``"runs/baseline,seed=*.h5"``; open runs stay open. In what else
        they differ is said.
    ax : matplotlib.axes.Axes, optional
        As in `infoplane.plots.plane`.
    region : {"mean", "seed", "deviation", "none"}
        What an ellipse encloses with probability `level`: the mean over all possible seeds, or one further seed; or one
        standard deviation of the seeds along every direction. The first two need three runs, and are wide with so few.
    level : float
        Between 0 and 1.
    style, control, rows, window, title, legend, caption
        As in `infoplane.plots.plane`; a window is averaged within each run first.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    RunFileError
        When a file is no run file, or has no plane.
    InputError
        When there is no run, one is there twice or has not measured yet, they have no step or no probe in common, their
        probes or numbers of inputs differ, or an option cannot be used.

    Notes
    -----
    Rows that not all runs have at the same step are left out and counted; nothing is interpolated. The ellipses take
    the runs for independent draws from one normal law. They leave out what the runs share, the inputs measured above
    all, and the gap between a bound and what it bounds. They hold at each row by itself.
    """
    check_region(region, level)
    check_style(style)
    paths = read_arm(runs, rows=rows, window=window)

    def draw(axes: Axes) -> Axes:
        return draw_plane(
            axes,
            paths,
            control=control,
            style=style,
            title=title,
            legend=legend,
            caption=caption,
            region=region,
            level=level,
        )

    return on_axes(ax, draw)
