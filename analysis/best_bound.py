"""The best of several lower bounds on one information, without the bias of a maximum.

    I(T;Y) >= H(Y) - CE_k    for every decoder k whose input is made from T alone

so also for the best of them. But the largest of several *measured* values lies above the largest true one on average:
noise is chosen too. Therefore the inputs are two folds; the decoder is chosen on one and read on the other, both ways,
and the mean is returned. In expectation it is a mixture of the true bounds, and at most the best of them.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.moments import Floats


class Fold(NamedTuple):
    """What K decoders cost on the inputs of one fold; arrays of shape (K,).

    Attributes
    ----------
    n : int
        Inputs.
    ce : numpy.ndarray
        Mean cross-entropies. A decoder that is not finite on both folds is never chosen: it bounds nothing.
    variance : numpy.ndarray
        Variances of the means of u_n - ce_n, as `LabelCosts.gains` has them: of what an input adds to H(Y) - CE.
    """

    n: int
    ce: Floats
    variance: Floats


class BestBound(NamedTuple):
    """The bound, in the unit of what it was made of.

    Attributes
    ----------
    value : float
        NaN where a fold has no input, or no decoder can be chosen.
    standard_error : float
        Over inputs, given the choice; some 8 % too small where twenty decoders are equally good.
    best : int
        Index of the decoder that is best on both folds together; -1 where there is none. On one fold alone another
        one may have been chosen.
    """

    value: float
    standard_error: float
    best: int


def best_lower_bound(h_y: float, folds: Sequence[Fold], candidates: NDArray[np.bool_]) -> BestBound:
    """Return the largest of the lower bounds H(Y) - CE_k of some decoders.

    Parameters
    ----------
    h_y : float
        H(Y).
    folds : sequence of Fold
        Two, of the same K decoders.
    candidates : numpy.ndarray
        Shape (K,), booleans: the decoders to choose from.
    """
    usable = candidates & np.isfinite([fold.ce for fold in folds]).all(axis=0)
    if not usable.any() or not all(fold.n for fold in folds):
        return BestBound(math.nan, math.nan, -1)
    costs = np.stack([np.where(usable, fold.ce, np.inf) for fold in folds])
    shares = np.array([fold.n for fold in folds]) / sum(fold.n for fold in folds)
    chosen = costs[::-1].argmin(axis=1)  # of each fold on the other
    value = h_y - sum(share * fold.ce[k] for share, fold, k in zip(shares, folds, chosen, strict=True))
    variance = sum(share**2 * fold.variance[k] for share, fold, k in zip(shares, folds, chosen, strict=True))
    return BestBound(float(value), float(np.sqrt(np.maximum(variance, 0))), int((shares @ costs).argmin()))
