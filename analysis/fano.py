"""Fano's inequality: what the share of wrong answers says about information, and the other way round.

    I(T;Y) >= H(Y) - h(e) - e log(C - 1)        (Cover & Thomas 2006, section 2.10)

for any classifier that reads T alone and errs with probability e on Y of C classes, h the entropy of (e, 1 - e). The
right side falls with e from H(Y) at e = 0 to H(Y) - log C at e = 1 - 1/C, the error of guessing. Beyond that it rises
again, for who errs more often than by guessing knows something too; here it stays. Read from the other side it is a
ceiling: with I(T;Y) given, no classifier errs less.
"""

import math
import numbers

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.units import nats_per_unit

_HALVINGS = 60


def fano_bound(error: ArrayLike, *, classes: int, entropy: float, base: float = 2) -> NDArray[np.float64]:
    """Return the least I(T;Y) with which a classifier that reads T can err as rarely as this.

    Parameters
    ----------
    error : array_like
        Any shape: probabilities of a wrong answer. A share measured on n inputs is an estimate of one.
    classes : int
        C, at least 2.
    entropy : float
        H(Y), in units of `base`, at most log C.
    base : float
        Base of the logarithm: 2 for bits.

    Returns
    -------
    numpy.ndarray
        In units of `base`; below 0, where it proves nothing, it is not clipped. From 1 - 1/C on it is H(Y) - log C.

    Raises
    ------
    InputError
        When an error is no probability, or the other arguments cannot be used.

    Examples
    --------
    >>> fano_bound([0.0, 0.9], classes=10, entropy=3.0).round(3).tolist()
    [3.0, -0.322]
    """
    nats, most = _checked(classes, entropy, base)
    wrong = np.asarray(error, np.float64)
    if not ((wrong >= 0) & (wrong <= 1)).all():
        raise InputError(f"error is {error!r}, but errors are probabilities, 0 to 1")
    return (entropy * nats - _lost(np.minimum(wrong, most), classes)) / nats


def fano_ceiling(information: ArrayLike, *, classes: int, entropy: float, base: float = 2) -> NDArray[np.float64]:
    """Return the largest share of right answers that a classifier can have that reads T with this I(T;Y).

    Parameters
    ----------
    information : array_like
        Any shape: I(T;Y), in units of `base`. Of a lower bound the result is no ceiling: the truth may be higher.
    classes, entropy, base
        As in `fano_bound`.

    Returns
    -------
    numpy.ndarray
        Of the shape of `information`: 1 from H(Y) on, and 1/C where the inequality says nothing more (H(Y) - log C and
        below). NaN for NaN.

    Raises
    ------
    InputError
        When the arguments cannot be used.

    Examples
    --------
    0.13 bit on ten equally frequent classes:

    >>> round(float(fano_ceiling(0.13, classes=10, entropy=np.log2(10))), 3)
    0.248
    """
    nats, most = _checked(classes, entropy, base)
    missing = np.asarray((entropy - np.asarray(information, np.float64)) * nats)
    low, high = np.zeros_like(missing), np.full_like(missing, most)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        enough = _lost(middle, classes) >= missing
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(np.isnan(missing), np.nan, 1 - np.where(missing <= 0, 0.0, high))


def _lost(error: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Return h(e) + e log(C - 1) in nats, the most that H(Y|T) can be."""
    lost: NDArray[np.float64] = entr(error) + entr(1 - error) + error * math.log(classes - 1)
    return lost


def _checked(classes: int, entropy: float, base: float) -> tuple[float, float]:
    """Return nats per unit, and the error of guessing among equally frequent classes."""
    nats = nats_per_unit(base)
    classes = whole_number("classes", classes, least=2)
    usable = isinstance(entropy, numbers.Real) and not isinstance(entropy, bool)
    if not usable or not 0 <= entropy * nats <= math.log(classes) + 1e-6:
        raise InputError(f"entropy is {entropy!r}, but that of {classes} classes is from 0 to their logarithm")
    return nats, 1 - 1 / classes
