"""The information plane: what each probe reads out about the label over the rate of its code, as training goes on.

The abscissa is the mean divergence of the probe's code from its prior (an upper bound on I(Z;X), Eq. 11), the ordinate
H(Y) less the cross-entropy (a lower bound on I(Z;Y), Eqs. 8-10), both in bit and both of the probe's own noisy code Z.
The lines stand at H(Y), which no ordinate exceeds, and at log2 n: a rate beyond it says nothing about those n inputs,
and that side is shaded. Points of which another finding says that they cannot be used as they stand are ringed.
"""

from collections.abc import Sequence
from os import PathLike

from matplotlib.axes import Axes

from infoplane.plots.own_axes import on_axes
from infoplane.plots.plane_drawing import draw_plane
from infoplane.plots.plane_marks import check_style
from infoplane.plots.read_paths import read_paths
from infoplane.plots.sites import chosen
from infoplane.runfile.reader import Run

ROWS = 300


def plane(
    run: Run | str | PathLike[str],
    *,
    ax: Axes | None = None,
    sites: Sequence[str] | None = None,
    style: str = "dots",
    control: bool = True,
    errors: bool = False,
    rows: int | None = ROWS,
    window: int = 1,
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
    sites : sequence of str, optional
        Those to draw; all if left out. Of more than 12 the legend names the first and the last few alone where it
        would be much higher than the axes, and says so.
    style : {"dots", "trajectories"}
        A dot per row on a pale line, or a shaded line with marks at its first and its last row alone.
    control : bool
        Also draw the probes on the frozen untrained host, hollow, where the run has them. Only the difference from
        these paths is the host's doing.
    errors : bool
        Draw bars of one standard error over the inputs. They leave out seeds and the probes' training.
    rows : int or None
        Draw at most so many rows: evenly spaced from the first on, and the last. All of them for None.
    window : int
        Draw the mean of every so many consecutive rows, before rows are left out. The paper's Fig. 5 has 10 epochs.
    title : str, optional
        The name of the file if left out.
    legend, caption : bool
        The legend, and the sentence that states N, beta, probe steps, split and n. What is missing (a control, rows,
        points that are not finite, a line at H(Y)) and what was found is said in any case.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    RunFileError
        When the file is no run file, or has no plane.
    InputError
        When the run has not measured yet, there is no such site, `rows` is no whole number from 2 on, `window` is none
        from 1 to the rows of the run, or there is no such style.
    """
    check_style(style)
    every = read_paths(run, rows=rows, window=window)
    paths = chosen(every, sites)

    def draw(axes: Axes) -> Axes:
        return draw_plane(
            axes,
            paths,
            control=control,
            errors=errors,
            style=style,
            title=title,
            legend=legend,
            caption=caption,
            left_out=len(every.sites) - len(paths.sites),
        )

    return on_axes(ax, draw)
