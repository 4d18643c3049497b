"""Jointly normal variables.

    I(X;Y) = 1/2 log [det S_x det S_y / det S]

in nats, with S the covariance of (x, y) and S_x, S_y its blocks (Cover and Thomas 2006, Theorem 8.4.1 and section 8.5).
Scale and location of single columns do not matter.
"""

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.known.known import Floats, Known

BENCHMARK = 'Czyz, Grabowski, Vogt, Beerenwinkel and Marx, "Beyond Normal", NeurIPS 2023'
"""Where the distributions of the forty tasks come from."""
_SYMMETRIC = 1e-10


def multivariate_normal(covariance: ArrayLike, *, dim_x: int, name: str = "") -> Known:
    """Return a normal law of any covariance, cut into x (the first `dim_x` columns) and y (the others).

    Parameters
    ----------
    covariance : array_like
        Shape (dx + dy, dx + dy), symmetric and positive definite.
    dim_x : int
        Columns of x.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When the matrix is no covariance, or leaves no column for x or y.
    """
    root = covariance_root("covariance", covariance)
    dim_x = whole_number("dim_x", dim_x, least=1, most=len(root) - 1)
    return Known(
        name=name or f"normal {dim_x} x {len(root) - dim_x}",
        nats=normal_nats(root, dim_x),
        draw=partial(_draw, root, dim_x),
        dim_x=dim_x,
        dim_y=len(root) - dim_x,
        how="closed form",
        source="Cover and Thomas 2006, section 8.5",
        description="jointly normal variables",
    )


def bivariate_normal(correlation: float, *, name: str = "") -> Known:
    """Return two normal numbers of a given correlation: I = -1/2 log(1 - correlation^2) nats.

    Raises
    ------
    InputError
        When the correlation does not lie strictly between -1 and 1.
    """
    _check_correlation(correlation)
    return multivariate_normal(
        [[1, correlation], [correlation, 1]], dim_x=1, name=name or f"normal, correlation {correlation:g}"
    )


def dense_normal(dim_x: int, dim_y: int, *, correlation: float = 0.5, name: str = "") -> Known:
    """Return a normal law in which every two columns have the same correlation.

    Raises
    ------
    InputError
        When a dimension is below 1 or the correlations are those of no law.
    """
    dims = [whole_number(what, value, least=1) for what, value in (("dim_x", dim_x), ("dim_y", dim_y))]
    _check_correlation(correlation)
    matrix = (1 - correlation) * np.eye(sum(dims)) + correlation
    return multivariate_normal(matrix, dim_x=dims[0], name=name or f"dense normal {dim_x} x {dim_y}")


def sparse_normal(dim_x: int, dim_y: int, *, pairs: int = 2, strength: float = 2.0, name: str = "") -> Known:
    """Return a normal law in which x_i and y_i share a hidden cause for i < `pairs`, and all else is independent.

    With independent standard normal Z, E, F: x_i = strength Z_i + E_i and y_i = strength Z_i + F_i, scaled to unit
    variance; their correlation is strength^2 / (1 + strength^2).

    Raises
    ------
    InputError
        When a dimension is below 1, `pairs` exceeds the smaller one, or `strength` is no finite number.
    """
    dim_x, dim_y = whole_number("dim_x", dim_x, least=1), whole_number("dim_y", dim_y, least=1)
    pairs = whole_number("pairs", pairs, least=0, most=min(dim_x, dim_y))
    if not math.isfinite(strength):
        raise InputError(f"strength is {strength!r}, but it must be a finite number")
    matrix = np.eye(dim_x + dim_y)
    for i in range(pairs):
        matrix[i, dim_x + i] = matrix[dim_x + i, i] = strength**2 / (1 + strength**2)
    return multivariate_normal(matrix, dim_x=dim_x, name=name or f"sparse normal {dim_x} x {dim_y}, {pairs} pairs")


def gaussian_channel(signal_to_noise: float, *, dim: int = 1, name: str = "") -> Known:
    """Return a normal signal x and the same with normal noise: I = dim/2 log(1 + signal_to_noise) nats.

    Parameters
    ----------
    signal_to_noise : float
        Ratio of the variances of signal and noise; the noise has variance 1.
    dim : int
        Number of independent channels side by side.
    name : str
        Of the `Known`.

    Raises
    ------
    InputError
        When the ratio is not positive and finite, or `dim` is below 1.
    """
    if not 0 < signal_to_noise < math.inf:
        raise InputError(f"signal_to_noise is {signal_to_noise!r}, but a ratio of variances is positive and finite")
    unit = np.eye(whole_number("dim", dim, least=1))
    signal = signal_to_noise * unit
    return multivariate_normal(
        np.block([[signal, signal], [signal, signal + unit]]),
        dim_x=dim,
        name=name or f"Gaussian channel, signal to noise {signal_to_noise:g}, {dim} x {dim}",
    )


def covariance_root(what: str, covariance: ArrayLike) -> Floats:
    """Return the lower Cholesky factor of a covariance called `what`; InputError when it is none."""
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise InputError(f"{what} has shape {matrix.shape}, but it must be square, with a column for x and one for y")
    if not np.isfinite(matrix).all() or np.abs(matrix - matrix.T).max() > _SYMMETRIC * np.abs(matrix).max():
        raise InputError(f"{what} is not symmetric and finite, as a covariance is")
    try:
        return np.linalg.cholesky(matrix).astype(np.float64)
    except np.linalg.LinAlgError as error:
        raise InputError(f"{what} is not positive definite; one of its variables depends on the others") from error


def normal_nats(root: Floats, dim_x: int) -> float:
    """Return the information of a normal law whose covariance has the lower Cholesky factor `root`, in nats."""
    # The first block of the factor is the factor of S_x, so that S_x cancels: only S_y and its residual remain.
    block = root[dim_x:]
    log_y = float(np.linalg.slogdet(block @ block.T)[1])
    return 0.5 * log_y - float(np.log(np.diag(root[dim_x:, dim_x:])).sum())


def _check_correlation(correlation: float) -> None:
    if not -1 < correlation < 1:
        raise InputError(f"correlation is {correlation!r}, but it must lie strictly between -1 and 1")


def _draw(root: Floats, dim_x: int, rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    values = rng.standard_normal((n, len(root))) @ root.T
    return values[:, :dim_x], values[:, dim_x:]
