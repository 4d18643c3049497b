"""The Gaussian staircase and its cubic twin, on which neural estimators of mutual information are compared.

    x ~ N(0, identity),   y_i = rho x_i + sqrt(1 - rho^2) e_i,   I(X;Y) = -d/2 log(1 - rho^2)

in nats, so that rho = sqrt(1 - exp(-2 I / d)). The twin replaces y by (W y)^3, entry by entry, with W a rotation: the
same information behind a map that is not linear. d = 20 and I = 2, 4, 6, 8, 10 nat as in Poole et al. 2019, Fig. 2, and
Song and Ermon 2020, section 6.1.
"""

import math
from dataclasses import dataclass

import numpy as np

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.known.known import Floats, Known, transformed
from infoplane.analysis.known.normal import sparse_normal

STEPS = (2.0, 4.0, 6.0, 8.0, 10.0)
"""I(X;Y) of the steps, in nats."""


def gaussian_step(nats: float, *, dim: int = 20) -> Known:
    """Return one step: `dim` independent pairs of normal numbers that hold `nats` together.

    Raises
    ------
    InputError
        When `nats` is not positive and finite, or `dim` is below 1.
    """
    if not 0 < nats < math.inf:
        raise InputError(f"nats is {nats!r}, but the information of a step is positive and finite")
    dim = whole_number("dim", dim, least=1)
    rho_squared = -math.expm1(-2 * nats / dim)
    # A hidden cause of strength s gives the correlation s^2 / (1 + s^2).
    strength = math.sqrt(math.sqrt(rho_squared) / (1 - math.sqrt(rho_squared)))
    return sparse_normal(dim, dim, pairs=dim, strength=strength, name=f"Gaussian step {nats:g} nat, {dim} x {dim}")


def cubic_step(nats: float, *, dim: int = 20, seed: int = 0) -> Known:
    """Return the cubic twin of a step; `seed` draws the rotation.

    Raises
    ------
    InputError
        As `gaussian_step`, or when `seed` is out of range.
    """
    base = gaussian_step(nats, dim=dim)
    rng = np.random.default_rng(whole_number("seed", seed, least=0))
    return transformed(base, y=RotatedCube(rotation(rng, dim)), name=f"cubic step {nats:g} nat, {dim} x {dim}")


def gaussian_staircase() -> tuple[Known, ...]:
    """Return the five steps of 2, 4, 6, 8 and 10 nat in 20 dimensions."""
    return tuple(gaussian_step(nats) for nats in STEPS)


def cubic_staircase() -> tuple[Known, ...]:
    """Return the five cubic steps of 2, 4, 6, 8 and 10 nat in 20 dimensions."""
    return tuple(cubic_step(nats) for nats in STEPS)


@dataclass(frozen=True, eq=False)
class RotatedCube:
    """One-to-one map of a row y to (W y)^3, entry by entry.

    Attributes
    ----------
    matrix : numpy.ndarray
        W, shape (d, d), invertible.
    """

    matrix: Floats

    def __call__(self, values: Floats) -> Floats:
        """Return the mapped rows, shape (n, d)."""
        result: Floats = (values @ self.matrix.T) ** 3
        return result


def rotation(rng: np.random.Generator, dim: int) -> Floats:
    """Return a rotation or reflection of `dim` dimensions, drawn uniformly: shape (dim, dim)."""
    q, r = np.linalg.qr(rng.standard_normal((dim, dim)))
    result: Floats = q * np.sign(np.diag(r))
    return result
