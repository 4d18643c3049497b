"""Rectified and saturated normal variables: ties, as every layer with ReLU or hard limits has them.

    X = clip(U + offset, low, high),   Y = clip(V + offset, low, high),   (U, V) normal, correlation rho

X and Y have a density between the limits and an atom at each. With P the probability of an atom, p a density and
f = p(u, v) / [p(u) p(v)] of the normal law,

    I(X;Y) =  E[log f; neither at a limit]  +  2 sum_a int p(u) P(V in a | u) log[P(V in a | u) / P(V in a)] du
            + sum_ab P(U in a, V in b) log[P(U in a, V in b) / (P(U in a) P(V in b))]

in nats (Gao, Kannan, Oh and Viswanath 2017, section 2, define I of such mixed pairs). log f is a quadratic in v, so
that the inner integral of the first term is closed and only integrals over u are left to quadrature.
"""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.integrate import quad
from scipy.special import ndtr

from infoplane.analysis.errors import InputError
from infoplane.analysis.known.known import Floats, Known

_FAR = 10.0  # standard deviations: the normal law has less than 1e-22 beyond


def clipped_normal(
    correlation: float, *, offset: float = 0.0, low: float = 0.0, high: float = math.inf, name: str = ""
) -> Known:
    """Return two normal numbers, shifted by `offset` and clipped to [low, high]; rectified as it stands.

    Parameters
    ----------
    correlation : float
        Of the two before they are clipped, strictly between -1 and 1.
    offset : float
        Added before; the lower, the more samples are tied at `low`.
    low, high : float
        The limits; infinite for none.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When the correlation is none, `offset` is not finite, or `low` does not lie under `high`.
    """
    if not -1 < correlation < 1:
        raise InputError(f"correlation is {correlation!r}, but it must lie strictly between -1 and 1")
    if not (math.isfinite(offset) and low < high):
        raise InputError(f"offset={offset!r}, low={low!r}, high={high!r}: a finite offset and low < high are needed")
    return Known(
        name=name or f"clipped normal, correlation {correlation:g}, offset {offset:g}, [{low:g}, {high:g}]",
        nats=_nats(correlation, low - offset, high - offset),
        draw=partial(_draw, correlation, offset, low, high),
        dim_x=1,
        dim_y=1,
        how="quadrature in one dimension",
        source="I of a mixed pair: Gao, Kannan, Oh and Viswanath 2017, section 2",
        description="normal numbers with all that lies beyond a limit tied to it",
        precision=1e-9,
    )


def _nats(rho: float, low: float, high: float) -> float:
    """Return the information of standard normal numbers of correlation `rho`, clipped to [low, high]."""
    spread = math.sqrt(1 - rho**2)
    low, high = max(low, -_FAR), min(high, _FAR)

    def atom(which: int, u: float) -> float:
        return float(ndtr((rho * u - high if which else low - rho * u) / spread))

    def both_inside(u: float) -> float:
        # Moments of v, normal about rho u and cut to the interval, in units z = (v - rho u) / spread.
        z = (np.array([low, high]) - rho * u) / spread
        bell = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        mass = float(ndtr(z[1]) - ndtr(z[0]))
        first = float(bell[0] - bell[1])
        second = mass + float(z[0] * bell[0] - z[1] * bell[1])
        # log f = -log(spread) + v^2/2 - z^2/2 with v = rho u + spread z
        linear = rho * u * spread * first
        return (-math.log(spread) + (rho * u) ** 2 / 2) * mass + linear + (spread**2 - 1) / 2 * second

    def one_inside(u: float) -> float:
        shares = (atom(0, u), atom(1, u))
        return sum(p * math.log(p / total) for p, total in zip(shares, masses, strict=True) if p > 0 and total > 0)

    masses = float(ndtr(low)), float(ndtr(-high))
    ties = 0.0
    for p_u, start, end in ((masses[0], -_FAR, low), (masses[1], high, _FAR)):
        for which, p_v in enumerate(masses):
            p = _weighted(partial(atom, which), start, end)
            ties += p * math.log(p / (p_u * p_v)) if p > 0 else 0.0
    return _weighted(both_inside, low, high) + 2 * _weighted(one_inside, low, high) + ties


def _weighted(function: Callable[[float], float], start: float, end: float) -> float:
    """Return the integral of a function against the standard normal density."""
    if start >= end:
        return 0.0

    def integrand(u: float) -> float:
        return math.exp(-(u**2) / 2) / math.sqrt(2 * math.pi) * function(u)

    return float(quad(integrand, start, end, epsabs=1e-12, epsrel=1e-12, limit=200)[0])


def _draw(
    rho: float, offset: float, low: float, high: float, rng: np.random.Generator, n: int
) -> tuple[Floats, Floats]:
    u = rng.standard_normal((n, 1))
    v = rho * u + math.sqrt(1 - rho**2) * rng.standard_normal((n, 1))
    return np.clip(u + offset, low, high), np.clip(v + offset, low, high)
