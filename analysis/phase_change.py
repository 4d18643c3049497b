"""Where gradients go from drift to diffusion: the ratio of their mean to their deviation falls below 1 for good.

Shwartz-Ziv & Tishby (2017, Fig. 4) draw the norms of mean and standard deviation of the gradients of a layer over the
batches and call the time where the curves cross a change of phase. Here it is the first row from which on the ratio
stays below 1 to the end, provided that it was 1 or more before. It is a crossing of these two norms and no more: it
says nothing of a compression, and where it lies depends on batch size and learning rate.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from infoplane.analysis.errors import InputError


@dataclass(frozen=True)
class PhaseChange:
    """The crossing of one layer.

    Attributes
    ----------
    before, after : int
        The last row at 1 or above, and the first of those that stay below 1.
    crossings : int
        How often the ratio crosses 1 in all, in either direction.
    """

    before: int
    after: int
    crossings: int


def phase_change(snr: ArrayLike) -> PhaseChange | None:
    """Return where the signal-to-noise ratio of gradients falls below 1 and stays there.

    Parameters
    ----------
    snr : array_like
        Shape (rows,): |mean| / |deviation| in the order of time. Rows that are NaN are passed over.

    Returns
    -------
    PhaseChange or None
        None where the ratio is never 1 or above, or is so at the last row.

    Raises
    ------
    InputError
        When `snr` does not have one dimension.

    Examples
    --------
    >>> phase_change([3.0, 1.5, 0.8, 0.4])
    PhaseChange(before=1, after=2, crossings=1)
    """
    ratio = np.asarray(snr, np.float64)
    if ratio.ndim != 1:
        raise InputError(f"snr has shape {ratio.shape}, but it must have one dimension: a ratio per row")
    rows = np.flatnonzero(~np.isnan(ratio))
    high = ratio[rows] >= 1
    if not high.any() or high[-1]:
        return None
    last = int(np.flatnonzero(high)[-1])
    return PhaseChange(int(rows[last]), int(rows[last + 1]), int(np.count_nonzero(high[1:] != high[:-1])))
