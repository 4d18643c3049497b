"""What an estimate from neighbours cannot resolve, said where it was measured to matter.

Two findings, on the pairs (x, y) with standardised columns:

- ``wide_neighbourhoods``: the k-th neighbour is, on the median, more than `WIDE` standard deviations away. Whatever
  depends on a finer scale is averaged over. Normal laws and uniform noise of 3 to 25 columns a side, n = 500 and 5000,
  all read more than 15 % too low there; what holds on a coarse scale does not: two clusters, four of their
  deviations apart in each of 10 columns, were read to 2 %.
- ``near_ceiling``: no value can exceed psi(n) - psi(k), which equal variables reach. Normal pairs within a tenth of it
  were read 18 to 39 % too low (one column a side, n = 200 and 1000).
"""

import numpy as np
from scipy.special import psi

from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.finding import Finding

WIDE = 0.7
_NEAR = 0.9


def findings_of_neighbours(nats: float, radius: Floats, k: int) -> tuple[Finding, ...]:
    """Return what the distances of the k-th neighbours and the value together give reason to say.

    Parameters
    ----------
    nats : float
        The value.
    radius : numpy.ndarray
        Shape (n,): distance of the k-th neighbour of each pair, in standard deviations.
    k : int
        Neighbours.

    Returns
    -------
    tuple of Finding
        Codes ``wide_neighbourhoods`` (amount in standard deviations) and ``near_ceiling`` (amount in nats).
    """
    found = []
    middle = float(np.median(radius))
    if middle > WIDE:
        text = (
            f"neighbour {k} is so many standard deviations away on the median, and what depends on a finer scale is "
            "not seen: normal laws read 15 to 90 % too low"
        )
        advice = "take more samples, fewer columns, or latent, gaussian_copula or a neural method"
        found.append(Finding("wide_neighbourhoods", "x, y", text, middle, "sd", advice))
    ceiling = float(psi(len(radius)) - psi(k))
    if nats > _NEAR * ceiling:
        text = f"{len(radius)} samples and {k} neighbours never read more than this, and the value is near it"
        found.append(Finding("near_ceiling", "value", text, ceiling, "nat", "take more samples, or lnc"))
    return tuple(found)
