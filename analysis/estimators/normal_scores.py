"""Normal scores: samples mapped column by column to a standard normal law through their ranks.

    s_ij = Phi^{-1}(r_ij / (n + 1))

with r_ij the rank of x_ij in its column. An increasing map of a column changes nothing, and mutual information is
not changed by it either. Tied values share the mean of their ranks (mid-ranks).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.finding import Finding

_TIED = 0.01  # share of a column on one value, above which it is no longer a continuous variable to n samples


def ranks(side: Floats) -> Floats:
    """Return the ranks of each column as numbers in (0, 1), shape (n, d): mid-ranks divided by n + 1."""
    shares: Floats = rankdata(side, axis=0) / (len(side) + 1)
    return shares


def normal_scores(side: Floats) -> Floats:
    """Return the normal scores of each column.

    Parameters
    ----------
    side : numpy.ndarray
        Shape (n, d).

    Returns
    -------
    numpy.ndarray
        Shape (n, d), without unit.
    """
    scores: Floats = ndtri(ranks(side))
    return scores


@dataclass(frozen=True, eq=False)
class Ranking:
    """The ranks of fitted samples as a map for others: where a new value would stand among the fitted.

    Attributes
    ----------
    ascending : numpy.ndarray
        Shape (n, d): the fitted samples, each column sorted.
    """

    ascending: Floats

    @classmethod
    def of(cls, side: Floats) -> "Ranking":
        """Return the ranking among the samples of shape (n, d)."""
        return cls(np.sort(side, axis=0))

    def shares(self, side: Floats) -> Floats:
        """Return ranks as numbers in (0, 1), shape (m, d): the middle of the places where a value could stand."""
        n = len(self.ascending)
        pairs = list(zip(self.ascending.T, side.T, strict=True))
        places = [np.searchsorted(column, values, "left") for column, values in pairs]
        beyond = [np.searchsorted(column, values, "right") for column, values in pairs]
        found: Floats = ((np.column_stack(places) + np.column_stack(beyond)) / 2 + 0.5) / (n + 1)
        return found


def tie_share(side: Floats) -> float:
    """Return the largest share of a column's samples that lie on one and the same value."""
    return max(float(np.unique(column, return_counts=True)[1].max()) for column in side.T) / len(side)


def tie_findings(x: Floats, y: Floats) -> tuple[Finding, ...]:
    """Return a finding ``ties`` for each variable with a column of which more than 1 % lie on one value."""
    found = []
    for name, side in (("x", x), ("y", y)):
        share = tie_share(side)
        if share > _TIED and share * len(side) > 2:
            text = "a column has this share of its samples on one value, and mid-ranks give it no normal law"
            found.append(Finding("ties", name, text, share, "1", "use method 'mixed_ksg', made for ties"))
    return tuple(found)
