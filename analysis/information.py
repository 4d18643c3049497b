"""Entropy and mutual information of discrete tables of probabilities (Eq. 1 of Hofmann & Maeder 2022).

    H(X)   = - sum_x p(x) log p(x)
    I(X;Y) = sum_xy p(x, y) log [p(x, y) / (p(x) p(y))] = H(X) + H(Y) - H(X, Y)

in bits with ``base=2``. Eq. 1 prints p(z, y) where it means p(x, y). These are the values *of the table*: a table of
relative frequencies gives the plug-in estimate, whose entropy is too low by about (cells - 1) / (2n) nats, and whose
mutual information is too high by about (rows - 1)(columns - 1) / (2n) nats.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from infoplane.analysis.errors import InputError
from infoplane.analysis.units import nats_per_unit


def entropy(p: ArrayLike, *, base: float = 2) -> float:
    """Return the entropy H of a table of probabilities.

    Parameters
    ----------
    p : array_like
        Probabilities, of any shape; a joint table gives the joint entropy.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    float
        H in units of `base`, between 0 and log(number of cells).

    Raises
    ------
    InputError
        When `p` is empty, has a negative or non-finite entry, or does not sum to 1.
    """
    return float(entr(probability_table("p", p)).sum()) / nats_per_unit(base)


def mutual_information(joint: ArrayLike, *, base: float = 2) -> float:
    """Return the mutual information I(X;Y) of a joint table (Eq. 1).

    Parameters
    ----------
    joint : array_like
        Shape (values of X, values of Y): p(x, y).
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    float
        I(X;Y) in units of `base`. It is not clipped: independent variables may give a few 1e-17 below zero.

    Raises
    ------
    InputError
        When `joint` is not two-dimensional, has a negative or non-finite entry, or does not sum to 1.

    Examples
    --------
    A die: is it odd or even, is it prime or not (Eq. 2).

    >>> round(mutual_information([[1 / 6, 1 / 3], [1 / 3, 1 / 6]]), 7)
    0.0817042
    """
    p = probability_table("joint", joint)
    if p.ndim != 2:
        raise InputError(f"joint has shape {p.shape}, but a joint table has two dimensions: (values of X, values of Y)")
    of_x, of_y = np.broadcast_arrays(p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True))
    seen = p > 0
    # A sum of logarithms: the product of two small marginals may underflow.
    terms = p[seen] * (np.log(p[seen] / of_x[seen]) - np.log(of_y[seen]))
    return float(terms.sum()) / nats_per_unit(base)


def probability_table(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as a float64 table that sums to 1.

    Parameters
    ----------
    name : str
        What the caller calls it; for the error's text.
    values : array_like
        Probabilities, of any shape. Their sum may be off by rounding: 1e-9, or four spacings of the given precision
        where that is coarser (5e-7 for float32), times the root of the number of cells. That much is divided out.

    Returns
    -------
    numpy.ndarray
        float64, the shape of `values`.

    Raises
    ------
    InputError
        When the table is empty, not numeric, has a negative or non-finite entry, or does not sum to 1.
    """
    given = _numeric(name, values)
    p = given.astype(np.float64)
    if not p.size:
        raise InputError(f"{name} is empty, but a table of probabilities needs at least one cell")
    if not np.isfinite(p).all():
        raise InputError(f"{name} has NaN or infinite entries, but probabilities are finite")
    if (p < 0).any():
        raise InputError(f"{name} has the negative entry {p.min():g}, but probabilities are at least 0")
    total = float(p.sum())
    spacing = float(np.finfo(given.dtype).eps) if np.issubdtype(given.dtype, np.floating) else 0.0
    if abs(total - 1) > max(1e-9, 4 * spacing) * p.size**0.5:
        raise InputError(
            f"{name} sums to {total:.10g}, but probabilities sum to 1: divide counts by their sum, p / p.sum()"
        )
    return p / total


def _numeric(name: str, values: ArrayLike) -> NDArray[Any]:
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be read as an array of numbers ({error})") from error
    if given.dtype.kind not in "biuf":
        raise InputError(f"{name} has entries of type {given.dtype}, but a table of probabilities holds real numbers")
    return given
