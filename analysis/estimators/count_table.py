"""Counts of two discrete variables and of their pairs, and what they alone give reason to say.

Only the pairs that occur are kept, so 4096 x 4096 symbols take no more room than their samples. The estimators of
entropies share the one step from entropies to information, I(X;Y) = H(X) + H(Y) - H(X,Y).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.estimators.method import Floats, Labels
from infoplane.analysis.finding import Finding

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CountTable:
    """How often symbols occur, zeros left out.

    Attributes
    ----------
    n : int
        Samples.
    x, y : numpy.ndarray
        Shapes (K_x,) and (K_y,): counts of the symbols of each variable.
    joint : numpy.ndarray
        Shape (K_xy,): counts of the pairs.
    joint_x, joint_y : numpy.ndarray
        Shape (K_xy,): the position of each pair's symbols in `x` and `y`.
    """

    n: int
    x: Counts
    y: Counts
    joint: Counts
    joint_x: Labels
    joint_y: Labels

    @property
    def log_ratio(self) -> Floats:
        """Shape (K_xy,): log p(x, y) / (p(x) p(y)) of each pair, from shares, in nats."""
        ratio: Floats = np.log(self.joint * (self.n / self.x[self.joint_x] / self.y[self.joint_y]))
        return ratio

    def information(self, entropy: Callable[[Counts], float]) -> float:
        """Return H(X) + H(Y) - H(X,Y), each by `entropy` from its counts."""
        return entropy(self.x) + entropy(self.y) - entropy(self.joint)

    def findings(self, *, value: str = "is near min(H(X), H(Y), log n)") -> tuple[Finding, ...]:
        """Return ``undersampled`` when more than half of the samples are the only ones of their pair.

        Their share is the probability, after Good (1953), that the next pair is one never seen.

        Parameters
        ----------
        value : str
            What becomes of the estimator's value then, after the words "the value".
        """
        once = np.count_nonzero(self.joint == 1)
        if 2 * once <= self.n:
            return ()
        text = f"{once} of {self.n} pairs were seen once, so the value {value} whatever the truth"
        advice = "take more samples or coarser symbols; compare with shuffled labels (a permutation null)"
        return (Finding("undersampled", "x, y", text, advice=advice),)


def count_table(x: Labels, y: Labels) -> CountTable:
    """Return the counts of paired labels.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shape (n,), integers from 0; numbers without a sample are no symbols.

    Returns
    -------
    CountTable
        In ascending order of the labels.
    """
    (of_x, x_counts), (of_y, y_counts) = (
        np.unique(side, return_inverse=True, return_counts=True)[1:] for side in (x, y)
    )
    cells, joint = np.unique(of_x.astype(np.int64) * y_counts.size + of_y, return_counts=True)
    joint_x, joint_y = np.divmod(cells, y_counts.size)
    return CountTable(len(x), x_counts, y_counts, joint, joint_x, joint_y)


def plugin_entropy(counts: Counts) -> float:
    """Return the entropy of the shares of `counts`, shape (K,) and positive, in nats."""
    n = counts.sum()
    return float(math.log(n) - (counts @ np.log(counts)) / n)
