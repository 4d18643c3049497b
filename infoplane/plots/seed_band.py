"""A curve over seeds: the mean of several runs at every place, with the confidence limits of that mean.

The limits are mean +- t s / sqrt(n), s the standard deviation of the runs (divisor n - 1) and t Student's quantile
(1 + level) / 2 with n - 1 degrees of freedom, as in `infoplane.runfile.bands`; NaN for one run alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.stats import t as student

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SeedBand:
    """Places in ascending order, and what the runs have there.

    Attributes
    ----------
    x, mean, lower, upper : numpy.ndarray
        Shape (places,).
    n : numpy.ndarray
        Shape (places,), int64: runs with a finite value at each.
    """

    x: Floats
    mean: Floats
    lower: Floats
    upper: Floats
    n: NDArray[np.int64]

    @classmethod
    def of(cls, points: Iterable[tuple[float, float]], level: float) -> "SeedBand":
        """Average the finite values of all runs at equal x; nothing is interpolated."""
        at: dict[float, list[float]] = {}
        for x, value in points:
            if np.isfinite(value):
                at.setdefault(x, []).append(value)
        places = sorted(at)
        n = np.array([len(at[x]) for x in places], np.int64)
        mean = np.array([np.mean(at[x]) for x in places], np.float64)
        spread = np.array([np.std(at[x], ddof=1) if len(at[x]) > 1 else np.nan for x in places], np.float64)
        with np.errstate(invalid="ignore"):
            half = student.ppf((1 + level) / 2, n - 1) * spread / np.sqrt(n)
        return cls(np.array(places, np.float64), mean, mean - half, mean + half, n)

    def draw(self, ax: Axes, *, gid: str, color: str, marker: str, hollow: bool, linestyle: str) -> Line2D:
        """Draw the mean as a line with markers, and the limits as a pale area where there are any."""
        known = np.isfinite(self.lower)
        if known.any():
            area = ax.fill_between(
                self.x[known], self.lower[known], self.upper[known], color=color, alpha=0.18, linewidth=0
            )
            area.set_gid(f"{gid} band")
        (line,) = ax.plot(
            self.x,
            self.mean,
            color=color,
            marker=marker,
            linestyle=linestyle,
            # Hollow ones are larger and lie below, so that equal curves are seen as two.
            markersize=4.8 if hollow else 2.8,
            markerfacecolor="white" if hollow else color,
            markeredgewidth=0.7,
            zorder=2 if hollow else 2.1,
            gid=gid,
        )
        return line
