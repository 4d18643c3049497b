"""The exact mutual information of a neuron that fires with probability sigma(w X + b).

Z is 0 or 1 with p = P(Z = 1 | X) = sigma(w X + b), and X has a stated law. With h the binary entropy,

    I(Z;X) = h(E p) - E h(p) = E KL(Bernoulli(p) || Bernoulli(E p)).

This is what Eqs. 20-22 of Hofmann & Maeder (2022) set out to compute; their Eq. 25 is the change of ln p(Z = 1 | x) at
one x instead. For X uniform on (-1, 1) both expectations have closed forms: an antiderivative of the binary entropy of
sigma(t) is -2 Li2(-e^t) - t ln(1 + e^t), with the dilogarithm Li2.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, expit, spence, xlog1py

from infoplane.analysis.errors import InputError
from infoplane.analysis.input_law import DensityLaw, FiniteLaw, InputLaw, read_law
from infoplane.analysis.log_sigmoid import log_sigmoid_change
from infoplane.analysis.units import nats_per_unit

Floats = NDArray[np.float64]

# Up to here 32 nodes integrate the uniform law to rounding, and the closed form would cancel; beyond it does not.
_NARROW = 2.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_UNIFORM = FiniteLaw(_NODES, _WEIGHTS / 2)
# Where sigma(t) bends; a panel of a continuous law ends at each.
_BENDS = np.array([-40.0, -16.0, -8.0, -4.0, -2.0, 0.0, 2.0, 4.0, 8.0, 16.0, 40.0])
_BLOCK = 1 << 20


def bernoulli_neuron_information(
    w: ArrayLike, b: ArrayLike = 0.0, *, input_law: InputLaw | None = None, base: float = 2
) -> Any:
    """Return I(Z;X) of a neuron that fires with probability sigma(w X + b).

    Parameters
    ----------
    w, b : array_like
        Weight and bias, of shapes that broadcast.
    input_law : pair of array_like, or frozen scipy.stats distribution, optional
        The law of X: ``(values, probabilities)``, or a continuous distribution, integrated by the quadrature of
        `infoplane.analysis.input_law`. Uniform on (-1, 1) when left out.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    numpy.float64 or numpy.ndarray
        I(Z;X) in units of `base`, the broadcast shape. Its relative error is about 1e-13 for |w| from 1e-9 to 1e6.

    Raises
    ------
    InputError
        When shapes do not broadcast, or an argument cannot be used.
    """
    unit = nats_per_unit(base)
    try:
        weights, biases = np.broadcast_arrays(np.asarray(w, np.float64), np.asarray(b, np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(f"w and b must be numbers or arrays of shapes that broadcast ({error})") from error
    law = None if input_law is None else read_law(input_law)
    nats = _information(np.ravel(weights), np.ravel(biases), law).reshape(weights.shape)
    return (nats / unit)[()]


def _information(w: Floats, b: Floats, law: FiniteLaw | DensityLaw | None) -> Floats:
    if law is not None:
        return _by_nodes(w, b, law)
    result = np.empty_like(w)
    narrow = ~(np.abs(w) > _NARROW)
    result[narrow] = _by_nodes(w[narrow], b[narrow], _UNIFORM)
    # The law is symmetric, so the sign of w does not matter.
    result[~narrow] = _closed_form(np.abs(w[~narrow]), b[~narrow])
    return result


def _closed_form(w: Floats, b: Floats) -> Floats:
    """Return I in nats for X uniform on (-1, 1) and w > 0."""
    fires = log_sigmoid_change(-(b + w), 2 * w) / (2 * w)
    rests = log_sigmoid_change(b - w, 2 * w) / (2 * w)
    rarer = np.minimum(fires, rests)
    total = entr(rarer) + _complement_term(rarer)
    low, high = b - w, b + w
    # The integral of the binary entropy from low to high, from tails that are small where the ends are far out.
    same_side = low * high > 0
    near, far = np.minimum(np.abs(low), np.abs(high)), np.maximum(np.abs(low), np.abs(high))
    mean = np.where(same_side, _tail(near) - _tail(far), np.pi**2 / 3 - _tail(near) - _tail(far)) / (2 * w)
    return total - mean


def _tail(t: Floats) -> Floats:
    """Return the integral of the binary entropy of sigma from t >= 0 to infinity: -2 Li2(-e^-t) + t ln(1 + e^-t)."""
    y = np.exp(-t)
    k = np.arange(1, 11)
    # spence(1 + y) has only the digits of 1 + y; below 0.01 ten terms of the series have all.
    series = -((-np.minimum(y, 0.01)[..., None]) ** k / k**2).sum(axis=-1)
    dilogarithm = np.where(y < 0.01, series, -spence(1 + y))
    return np.asarray(2 * dilogarithm + t * np.log1p(y), dtype=np.float64)


def _complement_term(p: Floats) -> Floats:
    """Return -(1 - p) ln(1 - p), with the digits of a small p."""
    return -np.asarray(xlog1py(1 - p, -p), dtype=np.float64)


def _by_nodes(w: Floats, b: Floats, law: FiniteLaw | DensityLaw) -> Floats:
    """Return I in nats as E KL(Bernoulli(p) || Bernoulli(E p)), free of cancellation for small w."""
    result = np.empty_like(w)
    size = law.values.size if isinstance(law, FiniteLaw) else 10 * (law.edges.size + _BENDS.size)
    rows = max(1, _BLOCK // size)
    for start in range(0, w.size, rows):
        part = slice(start, start + rows)
        result[part] = _block(w[part, None], b[part, None], law)
    return result


def _block(w: Floats, b: Floats, law: FiniteLaw | DensityLaw) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        x, weights = law.nodes((_BENDS - b) / w)
        # Distances from sigma(center) keep their digits where p itself hardly varies.
        center = b + w * law.center
        t, distance = b + w * x, w * (x - law.center)
        step = -expit(np.maximum(t, center)) * expit(-np.minimum(t, center)) * np.expm1(-np.abs(distance))
        step = np.where(distance >= 0, step, -step)
        deviation = step - (weights * step).sum(axis=1, keepdims=True)
        fires = (weights * expit(t)).sum(axis=1, keepdims=True)
        rests = (weights * expit(-t)).sum(axis=1, keepdims=True)
        divergence = _scaled(fires, deviation) + _scaled(rests, -deviation)
        return np.asarray((weights * divergence).sum(axis=1))


def _scaled(p: Floats, deviation: Floats) -> Floats:
    """Return p g(deviation / p) with g(u) = (1 + u) ln(1 + u) - u, which is 0 at p = 0."""
    u = np.maximum(deviation / p, -1.0)
    k = np.arange(2, 13)
    coefficients = np.concatenate([[0.0, 0.0], (-1.0) ** k / (k * (k - 1))])
    small = np.polynomial.polynomial.polyval(np.clip(u, -0.05, 0.05), coefficients)
    g = np.where(np.abs(u) < 0.05, small, xlog1py(1 + u, u) - u)
    return np.where(p == 0, 0.0, p * g)
