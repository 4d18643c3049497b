"""Whether one linear law holds near the centre and far from it: what a normal dependence implies.

If scores (u, v) are jointly normal, v given u is linear with a constant noise, so least squares on the half of the
samples with the smaller Mahalanobis radius of u and on the other half estimate the same slopes. Chow's F statistic
(Chow 1960) is exact for that, in any number of columns, where a network finds nothing.
"""

import numpy as np
from scipy.stats import f as f_law

from infoplane.analysis.estimators.method import Floats


def change_of_slopes(u: Floats, v: Floats) -> float:
    """Return the probability, under joint normality, of slopes that differ this much from the centre outwards.

    Parameters
    ----------
    u, v : numpy.ndarray
        Shapes (n, du) and (n, dv), normal scores.

    Returns
    -------
    float
        Both directions and all columns at once (Bonferroni); 1 where a half has too few samples.
    """
    return min(1.0, 2 * min(_one_way(u, v), _one_way(v, u)))


def _one_way(u: Floats, v: Floats) -> float:
    n, columns = len(u), u.shape[1] + 1
    spare = n - 2 * columns
    if n // 2 <= columns or spare < columns:
        return 1.0
    white = np.linalg.qr(u - u.mean(axis=0))[0]
    radius = (white**2).sum(axis=1)
    inner = radius <= np.median(radius)
    together = _squares_left(white, v)
    apart = _squares_left(white[inner], v[inner]) + _squares_left(white[~inner], v[~inner])
    statistic: Floats = (together - apart) / columns / (apart / spare)
    chance = float(f_law.sf(statistic.max(), columns, spare))
    return chance * int(v.shape[1])


def _squares_left(u: Floats, v: Floats) -> Floats:
    """Return the sum of squared residuals of each column of v, shape (dv,)."""
    basis = np.linalg.qr(np.column_stack([np.ones(len(u)), u]))[0]
    left: Floats = (v**2).sum(axis=0) - ((basis.T @ v) ** 2).sum(axis=0)
    return left
