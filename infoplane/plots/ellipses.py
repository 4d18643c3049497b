"""Ellipses around the mean of a pair of bounds over seeds, by the law of Hotelling (1931).

With m the mean of n runs, S their covariance (divisor n - 1) and p = 2, the ellipse is all points u for which

    (u - m)' S^-1 (u - m) <= f,    T^2 = p (n - 1) / (n - p) F(level; p, n - p)

    region     f               what it encloses with probability `level`
    mean       T^2 / n         the mean of all possible seeds
    seed       T^2 (1 + 1/n)   one further seed
    deviation  1               one standard deviation of the seeds along every direction; no level

Exact for runs that are independent draws from one normal law, and that from three runs on. As n grows, T^2 tends to
-2 ln(1 - level), the chi-square quantile with 2 degrees of freedom, which is too small for few runs: at 95 % it is
5.99, while T^2 of five runs is 25.5 and of three 798.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Ellipse
from numpy.typing import NDArray
from scipy.stats import f as fisher

from infoplane.analysis.errors import whole_number
from infoplane.errors import InputError
from infoplane.plots.path import RunPaths
from infoplane.plots.theme import pt, shades
from infoplane.printable import printable

REGIONS = ("mean", "seed", "deviation", "none")


def ellipse_factor(runs: int, region: str, level: float) -> float:
    """Return f of the module's table: squared half axes over the eigenvalues of the covariance.

    Parameters
    ----------
    runs : int
        n, from 2 on.
    region : {"mean", "seed", "deviation"}
        Of what.
    level : float
        Probability, between 0 and 1.

    Returns
    -------
    float
        NaN where there are two runs and the region has a level: two points are no ellipse.
    """
    whole_number("runs", runs, least=2)
    check_region(region, level)
    if region == "deviation":
        return 1.0
    if runs < 3:
        return float("nan")
    squared = 2 * (runs - 1) / (runs - 2) * float(fisher.ppf(level, 2, runs - 2))
    return squared / runs if region == "mean" else squared * (1 + 1 / runs)


def check_region(region: str, level: float) -> None:
    """Raise `InputError` where there is no such region, or the level is no probability."""
    if region not in REGIONS:
        raise InputError(f"region is {region!r}, but it must be one of {', '.join(map(repr, REGIONS))}")
    if not 0 < level < 1:
        raise InputError(f"level is {level!r}, but it must lie between 0 and 1, such as 0.95")


def draw_ellipses(
    ax: Axes,
    run: RunPaths,
    colors: dict[str, str],
    *,
    share: NDArray[np.float64],
    region: str,
    level: float,
    linestyle: Any = "-",
) -> None:
    """Draw the ellipse of the last point of each of the trained host's paths, in the shade of its site.

    One per path: those of more rows hide each other and the points.
    """
    if region == "none" or run.runs < 3:
        return
    factor = ellipse_factor(run.runs, region, level)
    for path in run.paths:
        if path.host != "trained" or path.covariance is None:
            continue
        covariance = path.covariance[-1]
        if not np.isfinite(covariance).all():
            continue
        values, vectors = np.linalg.eigh(covariance)
        width, height = 2 * np.sqrt(factor * np.clip(values[::-1], 0, None))
        angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
        ax.add_patch(
            Ellipse(
                (float(path.i_zx[-1]), float(path.i_zy[-1])),
                float(width),
                float(height),
                angle=angle,
                facecolor="none",
                edgecolor=shades(colors[path.site])(0.25 + 0.75 * share[-1]),
                linewidth=pt(0.7),
                linestyle=linestyle,
                zorder=1.8,
                gid=f"{printable(path.probe)} ellipse",
            )
        )


def with_ellipses(ax: Axes, limits: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Return limits that also hold the ellipses drawn, as far as each side moves by a quarter of the width at most."""
    left, right, bottom, top = limits
    wide, high = right - left, top - bottom
    for edge in map(_extents, _ellipses(ax)):
        if edge.x0 > limits[0] - wide / 4:
            left = min(left, edge.x0 - 0.02 * wide)
        if edge.x1 < limits[1] + wide / 4:
            right = max(right, edge.x1 + 0.02 * wide)
        if edge.y0 > limits[2] - high / 4:
            bottom = min(bottom, edge.y0 - 0.02 * high)
    return left, right, bottom, top


def cut_sentence(ax: Axes) -> str:
    """Return how many of the ellipses reach beyond the limits of the axes, which the points make; empty for none."""
    ellipses = _ellipses(ax)
    (left, bottom), (right, top) = ax.viewLim.min, ax.viewLim.max
    edges = map(_extents, ellipses)
    cut = sum(bool(edge.x0 < left or edge.x1 > right or edge.y0 < bottom or edge.y1 > top) for edge in edges)
    if not cut:
        return ""
    many = len(ellipses)
    return f"{cut} of {many} ellipses reach beyond the frame." if many > 1 else "The ellipse reaches beyond the frame."


def _ellipses(ax: Axes) -> list[Ellipse]:
    return [patch for patch in ax.patches if isinstance(patch, Ellipse)]


def _extents(ellipse: Ellipse) -> Any:
    return ellipse.get_patch_transform().transform_path(ellipse.get_path()).get_extents()


def ellipse_sentence(run: RunPaths, *, region: str, level: float) -> str:
    """Return what the ellipses of a mean are, or why there are none; empty for one run."""
    if run.runs < 2 or region == "none":
        return ""
    if run.runs < 3:
        return "No ellipses: they need three runs."
    if region == "deviation":
        return f"Ellipses at the last points: one standard deviation of {run.runs} seeds."
    what = "of the mean over seeds" if region == "mean" else "for one further seed"
    law = f"Hotelling, {run.runs} runs, inputs not resampled"
    return f"Ellipses at the last points: {100 * level:g} % region {what} ({law})."
