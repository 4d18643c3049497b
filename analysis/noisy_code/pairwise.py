"""Bounds from the distances of codes by pairs (Kolchinsky and Tracey 2017): closed form, without draws of z.

    - 1/n sum_i ln 1/n sum_j exp(-D_ij)

with D the Bhattacharyya distance of p(z|x_i) and p(z|x_j) is a lower, with D = KL(p(z|x_i) || p(z|x_j)) an upper bound
on the information of a code whose input is **uniform on these n inputs**. Neither exceeds log n, so the upper one is no
bound for the law that the inputs come from; the lower one is, in expectation. Both are exact for codes in clusters that
lie far apart and within which codes are alike.

Reference: Kolchinsky, Tracey, "Estimating mixture entropy with pairwise distances", Entropy 19(7):361, 2017, sections
3 and 4: the entropy of the mixture, less the mean entropy of its components.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.estimate import Estimate
from infoplane.analysis.estimators.method import Kind
from infoplane.analysis.log_sum_exp import log_sum_exp
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.code_estimate import code_estimate
from infoplane.analysis.noisy_code.scaled_squares import scaled_squares, small_blocks

Floats = NDArray[np.float64]
_IN_CACHE = 64  # times smaller blocks, passed over once per dimension
Blocks = Iterator[tuple[slice, Floats]]


def pairwise_upper(code: GaussianCode, *, base: float = 2) -> Estimate:
    """Return the bound from divergences: an upper bound on I(Z;X) for X uniform on the n inputs.

    Parameters
    ----------
    code : GaussianCode
        Of the n inputs.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    Estimate
        At most log n. Time O(n^2 N) as a matrix product, memory O(n * block). The standard error is that of n inputs
        drawn independently; for these very inputs the value is exact.
    """
    return _estimate(code, divergences(code), kind="upper_bound", method="pairwise divergence", base=base)


def pairwise_lower(code: GaussianCode, *, base: float = 2) -> Estimate:
    """Return the bound from Bhattacharyya distances: a lower bound on I(Z;X).

    For X uniform on the n inputs always, and in expectation for the law that they are independent draws of.

    Parameters
    ----------
    code : GaussianCode
        Of the n inputs.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    Estimate
        At most log n. The distance of two normals with different deviations is no matrix product: time O(n^2 N) entry
        by entry (a minute for n = 5,000 and N = 256), memory O(n * block). Standard error as in `pairwise_upper`.
    """
    return _estimate(
        code, bhattacharyya_distances(code), kind="lower_bound", method="pairwise Bhattacharyya", base=base
    )


def divergences(code: GaussianCode) -> Blocks:
    """Yield KL(p(z|x_i) || p(z|x_j)) in nats in blocks: rows i, and an array of shape (rows, n)."""
    log_scale = code.log_std.sum(axis=1)
    for rows, q in scaled_squares(code.mean, code, widths=np.exp(code.log_std)):
        yield rows, 0.5 * (q - code.dimensions) + log_scale - log_scale[rows, None]


def bhattacharyya_distances(code: GaussianCode) -> Blocks:
    """Yield the Bhattacharyya distances of p(z|x_i) and p(z|x_j) in nats in blocks of rows i."""
    mean, variance = (np.ascontiguousarray(side.T) for side in (code.mean, np.exp(2 * code.log_std)))
    log_scale = code.log_std.sum(axis=1) + 0.5 * code.dimensions * math.log(2)
    for rows in small_blocks(code.n, _IN_CACHE * code.n):
        distance = -0.5 * (log_scale + log_scale[rows, None])
        for m, v in zip(mean, variance, strict=True):
            both = np.add.outer(v[rows], v)
            gap = np.subtract.outer(m[rows], m)
            gap *= gap
            gap /= both
            gap *= 0.25
            distance += gap
            np.log(both, out=both)
            both *= 0.5
            distance += both
        yield rows, distance


def _estimate(
    code: GaussianCode, blocks: Iterable[tuple[slice, Floats]], *, kind: Kind, method: str, base: float
) -> Estimate:
    n = code.n
    terms, shares = np.empty(n), np.zeros(n)
    for rows, distance in blocks:
        totals = log_sum_exp(-distance)
        terms[rows] = math.log(n) - totals
        shares += np.exp(-distance - totals[:, None]).sum(axis=0)
    # Input j adds its own term, and enters the sums of all inputs: to first order terms_j - shares_j.
    return code_estimate(
        terms, code, kind=kind, method=method, base=base, ceiling=math.log(n), influence=terms - shares
    )
