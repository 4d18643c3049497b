"""Squared distances from many points to many normals, each in the normal's own standard deviations.

    q_ij = sum_d [(c_id + e_id - m_jd)^2 + a_id^2] / s_jd^2

by matrix products, O(points * normals) memory per block and no array of (points, normals, dimensions). The logarithm of
the density of a draw (c a mean, e the noise) and the divergence of two normals (c, a mean and deviation of the first)
are both q_ij and a sum.

The products cancel where two means are close and both far from 0 in units of s: entries whose rounding error could
exceed 1e-6 of max(q, 1) are found and summed directly. That is why the noise comes apart from the mean, in which it
would be lost when s is small.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.row_blocks import row_blocks

Floats = NDArray[np.float64]
_ENTRIES = 2**21  # of a block: 16 MiB
_TOLERANCE = 1e-6


def small_blocks(rows: int, columns: int) -> list[slice]:
    """Return slices of rows such that a block of them by `columns` takes 16 MiB at most, or is a single row."""
    return row_blocks(rows, columns, entries=_ENTRIES)


def scaled_squares(
    centres: Floats, code: GaussianCode, *, noise: Floats | None = None, widths: Floats | None = None
) -> Iterator[tuple[slice, Floats]]:
    """Yield q in blocks of rows: which points, and their distances to all normals.

    Parameters
    ----------
    centres : numpy.ndarray
        Shape (points, N): c.
    code : GaussianCode
        The normals: m and s.
    noise, widths : numpy.ndarray, optional
        Shape (points, N): e and a; 0 when left out.

    Yields
    ------
    tuple of slice and numpy.ndarray
        Rows of `centres`, and q of shape (rows, code.n), a new array each time.
    """
    origin = code.mean.mean(axis=0)
    precision = np.exp(-2 * code.log_std)
    m = code.mean - origin
    of_normals = (m * m * precision).sum(axis=1)
    crossed = (2 * m * precision).T
    e, a = (np.zeros_like(centres) if given is None else given for given in (noise, widths))
    for rows in small_blocks(len(centres), code.n):
        c = centres[rows] - origin + e[rows]
        size = (c * c + a[rows] ** 2) @ precision.T
        size += of_normals
        q = size - c @ crossed
        size *= 8 * np.finfo(float).eps / _TOLERANCE
        points, normals = np.nonzero(size > np.maximum(q, 1))
        for chunk in small_blocks(len(points), code.dimensions):
            i, j = points[chunk], normals[chunk]
            squares = (centres[rows][i] - code.mean[j] + e[rows][i]) ** 2 + a[rows][i] ** 2
            q[i, j] = (squares * precision[j]).sum(axis=1)
        yield rows, np.maximum(q, 0, out=q)
