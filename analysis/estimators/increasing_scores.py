"""Normal scores as a strictly increasing map, fitted on some samples and applied to others.

A column is mapped through its fitted mid-ranks to a standard normal law, linearly between fitted values and
logarithmically beyond them. Mutual information does not change under a strictly increasing map of a column, so samples
that took no part in the fit keep every bound; heavy tails, skewed columns and scales no longer disturb a network.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from infoplane.analysis.estimators.method import Floats

_TAIL = 100  # the slope beyond the fitted values is that of the outermost hundredth of them
_FAR = 1e6  # in fitted deviations, beyond which all is equally far


@dataclass(frozen=True, eq=False)
class IncreasingScores:
    """The map of each column.

    Attributes
    ----------
    knots : tuple of (numpy.ndarray, numpy.ndarray)
        Per column the fitted values, ascending and different, and their scores.
    """

    knots: tuple[tuple[Floats, Floats], ...]

    @classmethod
    def fitted(cls, side: Floats) -> "IncreasingScores":
        """Return the map for samples of shape (n, d)."""
        knots = []
        for column in side.T:
            values, counts = np.unique(column, return_counts=True)
            middle = np.cumsum(counts) - counts / 2
            knots.append((values, ndtri(middle / len(column))))
        return cls(tuple(knots))

    def __call__(self, side: Floats) -> Floats:
        """Return the scores of samples of shape (m, d), of the same shape."""
        return np.column_stack([_scores(column, *knots) for column, knots in zip(side.T, self.knots, strict=True)])


def _scores(column: Floats, values: Floats, scores: Floats) -> Floats:
    found: Floats = np.interp(column, values, scores)
    for sign, (ends, heights) in ((-1, (values, scores)), (1, (values[::-1], scores[::-1]))):
        beyond = sign * (column - ends[0]) > 0
        inner = min(len(ends) - 1, 1 + len(ends) // _TAIL)
        with np.errstate(over="ignore", divide="ignore"):
            slope = (heights[inner] - heights[0]) / (ends[inner] - ends[0]) if inner else 1.0
            distance = np.minimum(np.abs(column[beyond] - ends[0]) * slope, _FAR)
        found[beyond] = heights[0] + sign * np.log1p(distance)
    return found
