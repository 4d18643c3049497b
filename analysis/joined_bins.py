"""Neighbouring bins of a histogram in log space joined until a picture of them is not noise.

Scott's rule asks for bins of 3.49 s n^(-1/3) in ln x, with s the standard deviation and n the number of values (Scott,
Biometrika 66, 1979); the sketch's own bins are narrower.
"""

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.sketch import BIN_EDGES


def joined_bins(
    edges: NDArray[np.float64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Join neighbouring bins.

    Parameters
    ----------
    edges : numpy.ndarray
        Shape (bins + 1,): of x, above 0, some of the sketch's `BIN_EDGES` with the exact extremes at both ends.
    counts : numpy.ndarray
        Shape (bins,): whole numbers, not all 0.

    Returns
    -------
    edges, density : numpy.ndarray
        Edges of x of the joined bins, shape (joined + 1,), and the density of ln x in each, shape (joined,).
    """
    logs, total = np.log(edges), int(counts.sum())
    centers = (logs[:-1] + logs[1:]) / 2
    mean = float(np.average(centers, weights=counts))
    deviation = float(np.sqrt(np.average((centers - mean) ** 2, weights=counts)))
    together = max(1, int(np.ceil(3.49 * deviation * total ** (-1 / 3) / (np.log(2) / 8))))
    group = np.searchsorted(BIN_EDGES, edges[:-1], side="right") // together
    first = np.flatnonzero(np.diff(group, prepend=-1))
    # The exact extremes can cut the outer bins to slivers in which one value would stand as a spike.
    widths = np.diff(logs[np.append(first, -1)])
    if first.size > 1 and widths[0] < np.median(widths) / 2:
        first = np.delete(first, 1)
    if first.size > 1 and widths[-1] < np.median(widths) / 2:
        first = first[:-1]
    cuts = np.append(first, logs.size - 1)
    return edges[cuts], np.add.reduceat(counts, first) / (total * np.diff(logs[cuts]))
