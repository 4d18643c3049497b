"""A uniform number and the same with uniform noise.

    X ~ U(0, 1),   Y = X + N,   N ~ U(-e, e)
    I(X;Y) = h(Y) - log 2e = e - log 2e   for e <= 1/2,   1 / (4e)   for e >= 1/2

in nats: the density of Y is a trapezium, flat except on two ramps (Czyz et al. 2023, appendix).
"""

import math
from functools import partial

import numpy as np

from infoplane.analysis.errors import InputError
from infoplane.analysis.known.known import Floats, Known
from infoplane.analysis.known.normal import BENCHMARK


def additive_noise(epsilon: float, *, name: str = "") -> Known:
    """Return X uniform on (0, 1) and Y = X plus noise uniform on (-epsilon, epsilon).

    Raises
    ------
    InputError
        When `epsilon` is not positive and finite.
    """
    if not 0 < epsilon < math.inf:
        raise InputError(f"epsilon is {epsilon!r}, but the half-width of the noise is positive and finite")
    return Known(
        name=name or f"uniform noise, epsilon {epsilon:g}",
        nats=epsilon - math.log(2 * epsilon) if epsilon <= 0.5 else 1 / (4 * epsilon),
        draw=partial(_draw, float(epsilon)),
        dim_x=1,
        dim_y=1,
        how="closed form",
        source=BENCHMARK,
        description="a uniform number, and the same with uniform noise",
    )


def _draw(epsilon: float, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    x = rng.random((n, 1))
    return x, x + rng.uniform(-epsilon, epsilon, (n, 1))
