"""Columns that are no linear combination of the others: what a covariance needs to have an inverse."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr

from infoplane.analysis.estimators.jitter import standardised
from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.finding import Finding

_RANK = 1e-10  # of the largest column's length, under which what is left of a column is a rounding error


def independent_columns(name: str, side: Floats) -> tuple[NDArray[np.int64], tuple[Finding, ...]]:
    """Return which columns span all of them, and a finding ``collinear`` where some are left out.

    Parameters
    ----------
    name : str
        What the variable is called in the finding.
    side : numpy.ndarray
        Shape (n, d), no column constant.

    Returns
    -------
    kept : numpy.ndarray
        Shape (d',) with d' <= d: ascending indices of columns.
    findings : tuple of Finding
        Empty or one.
    """
    triangle, order = qr(standardised(side), mode="r", pivoting=True)
    left = np.abs(np.diag(triangle[: side.shape[1]]))
    kept = np.sort(order[: np.count_nonzero(left > _RANK * left[0])]).astype(np.int64)
    left_out = side.shape[1] - len(kept)
    if not left_out:
        return kept, ()
    text = f"{left_out} of {side.shape[1]} columns are combinations of others"
    return kept, (Finding("collinear", name, text, advice="they were left out; they carry nothing more"),)
