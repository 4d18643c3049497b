"""Variables that follow a multivariate Student t law.

    (x, y) = sqrt(nu / W) Z,   Z ~ N(0, S),   W ~ chi^2(nu)
    I(X;Y) = 1/2 log [det S_x det S_y / det S] + h(dx) + h(dy) - h(dx + dy)
    h(d)   = log[Gamma(nu/2) / Gamma((nu + d)/2)] + (nu + d)/2 [psi((nu + d)/2) - psi(nu/2)]

in nats (from the entropies in Arellano-Valle, Contreras-Reyes and Genton 2013, Eq. 7; the terms d/2 log(nu pi) cancel).
The common W couples the two however S looks: with S = identity, which is uncorrelated, the information is positive.
"""

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, psi

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.known.known import Floats, Known
from infoplane.analysis.known.normal import covariance_root, normal_nats


def student_t(dispersion: ArrayLike, *, dim_x: int, df: float, name: str = "") -> Known:
    """Return a Student t law, cut into x (the first `dim_x` columns) and y (the others).

    Parameters
    ----------
    dispersion : array_like
        S, shape (dx + dy, dx + dy), symmetric and positive definite; the covariance is df/(df - 2) S, for df > 2.
    dim_x : int
        Columns of x.
    df : float
        Degrees of freedom nu, positive; 1 is the Cauchy law.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When the matrix is no dispersion, it leaves no column for x or y, or `df` is not positive and finite.
    """
    root = covariance_root("dispersion", dispersion)
    dim_x = whole_number("dim_x", dim_x, least=1, most=len(root) - 1)
    if not 0 < df < math.inf:
        raise InputError(f"df is {df!r}, but degrees of freedom are positive and finite; for a normal law see normal")
    dim_y = len(root) - dim_x
    return Known(
        name=name or f"Student t {dim_x} x {dim_y}, df {df:g}",
        nats=normal_nats(root, dim_x) + student_correction(df, dim_x, dim_y),
        draw=partial(_draw, root, dim_x, float(df)),
        dim_x=dim_x,
        dim_y=dim_y,
        how="closed form",
        source="Arellano-Valle, Contreras-Reyes and Genton 2013, Eq. 7",
        description="jointly Student-t variables: heavy tails that come together",
    )


def student_correction(df: float, dim_x: int, dim_y: int) -> float:
    """Return what a Student t law has above the normal law of the same dispersion, in nats."""

    def entropy(d: int) -> float:
        half = (df + d) / 2
        return float(gammaln(df / 2) - gammaln(half) + half * (psi(half) - psi(df / 2)))

    return entropy(dim_x) + entropy(dim_y) - entropy(dim_x + dim_y)


def _draw(root: Floats, dim_x: int, df: float, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    normal = rng.standard_normal((n, len(root))) @ root.T
    values = normal * np.sqrt(df / rng.chisquare(df, size=(n, 1)))
    return values[:, :dim_x], values[:, dim_x:]
