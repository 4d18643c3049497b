"""The information that a log-ratio explains on samples it was not fitted to: how candidates are compared.

A critic T(x, y) stands for log p(x, y) / [p(x) p(y)] up to a constant. On m held-out pairs its score is the mean of

    s_i = T(x_i, y_i) - 1/2 log [1/m sum_j exp T(x_i, y_j)] - 1/2 log [1/m sum_j exp T(x_j, y_i)]

in nats: in expectation a lower bound on I(X;Y) for *any* T (van den Oord et al. 2018; Poole et al. 2019, Eq. 10; both
directions averaged). It nears I for the true ratio and large m, and cannot exceed log m. So the scores of a normal law,
a copula and a network mean the same thing, and the largest belongs to the best fit.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.generator import own_generator
from infoplane.analysis.log_sum_exp import log_sum_exp

BLOCK = 1000
"""Held-out pairs contrasted at once, about: bounds the memory (8 MB a matrix) and the score (log 1000 = 6.9 nats)."""


class Critic(Protocol):
    """A fitted log-ratio."""

    def log_ratios(self, x: Floats, y: Floats) -> Floats:
        """Return T(x_i, y_j), shape (m, m), in nats up to one constant."""


def contrast(log_ratios: Floats) -> Floats:
    """Return s_i of each pair, shape (m,), from the matrix T(x_i, y_j)."""
    rows, columns = log_sum_exp(log_ratios), log_sum_exp(log_ratios.T)
    scores: Floats = np.diag(log_ratios) - (rows + columns) / 2 + np.log(len(log_ratios))
    return scores


def held_out_scores(critic: Critic, x: Floats, y: Floats) -> Floats:
    """Return s_i of each held-out pair, shape (m,), contrasted within blocks of about `BLOCK`."""
    parts = np.array_split(np.arange(len(x)), max(1, round(len(x) / BLOCK)))
    return np.concatenate([contrast(critic.log_ratios(x[part], y[part])) for part in parts])


def random_parts(n: int, count: int, seed: int) -> list[NDArray[np.int64]]:
    """Return `count` parts of 0 .. n - 1 at random, of equal size within one."""
    return np.array_split(own_generator(seed).permutation(n), count)
