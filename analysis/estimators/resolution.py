"""What an estimate from neighbours cannot resolve, said where it was measured to matter.

Two findings, on the pairs (x, y) with standardised columns:

- ``wide_neighbourhoods``: the k-th neighbour is, on the median, farther than `WIDE` times exp(-I/d) standard
  deviations, d the fewer columns of x and y. Of normal laws with information I that is how far the d columns vary
  around what the other side says of them, so that by its own value the estimate averages over what it measures.
  Normal laws of 1 to 4 columns a side, or of 1 against 2 to 10, I = 0.1 to 2.5 nat, n = 400 and 2000, read 5 to 72 %
  too low there, and at most 7 % (or 0.02 nat) too low elsewhere. What holds on a coarse scale is read well and said
  all the same: two clusters, four of their deviations apart in each of 10 columns, to 1 % at n = 500.
- ``near_ceiling``: no value can exceed psi(n) - psi(k), which equal variables reach. Normal pairs within a tenth of it
  were read 18 to 39 % too low (one column a side, n = 200 and 1000).
"""

import math

import numpy as np
from scipy.special import psi

from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.finding import Finding

WIDE = 0.85
_NEAR = 0.9


def findings_of_neighbours(nats: float, radius: Floats, k: int, columns: int) -> tuple[Finding, ...]:
    """Return what the distances of the k-th neighbours and the value together give reason to say.

    Parameters
    ----------
    nats : float
        The value.
    radius : numpy.ndarray
        Shape (n,): distance of the k-th neighbour of each pair, in standard deviations.
    k : int
        Neighbours.
    columns : int
        Those of x or of y, whichever has fewer.

    Returns
    -------
    tuple of Finding
        Code ``near_ceiling`` (amount in nats), or else ``wide_neighbourhoods`` (amount in standard deviations).
    """
    ceiling = float(psi(len(radius)) - psi(k))
    if nats > _NEAR * ceiling:
        text = f"the value is near the most that {len(radius)} samples and {k} neighbours can read"
        return (Finding("near_ceiling", "value", text, ceiling, "nat", "take more samples, or lnc"),)
    return wide_neighbourhoods(nats, radius, k, columns)


def wide_neighbourhoods(nats: float, radius: Floats, k: int, columns: int) -> tuple[Finding, ...]:
    """Return the finding ``wide_neighbourhoods``, or nothing; parameters as of `findings_of_neighbours`."""
    middle = float(np.median(radius))
    if middle <= WIDE * math.exp(-max(nats, 0.0) / columns):
        return ()
    text = (
        f"neighbour {k} lies far away on the median, so that what depends on a finer scale is not seen and normal "
        "laws read 5 to 90 % too low"
    )
    advice = "take more samples, fewer columns, or latent, gaussian_copula or a neural method"
    return (Finding("wide_neighbourhoods", "x, y", text, middle, "sd", advice),)
