"""Mean and deviation of ln x of binned magnitudes, for many histograms in one pass.

The values of a bin [a, b) are taken as spread evenly, so that ln x has the mean (b ln b - a ln a)/(b - a) - 1
there; one value stands exactly at each extreme, which cuts its bin. Means and variances inside the whole bins
are known beforehand; only the cut ones are integrated anew. A histogram's moments do not depend on which others
are asked for with it.

Unit: natural logarithms of the unit of the values.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from infoplane.analysis.sketch_codes import EDGES

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


class Run(NamedTuple):
    """The occupied bins of one histogram, not empty.

    Attributes
    ----------
    first : int
        The first occupied bin of `EDGES`.
    counts : array of int64
        From there to the last occupied one.
    minimum, maximum : int
        Bits of the exact extremes, which lie in the first and in the last of these bins.
    """

    first: int
    counts: Integers
    minimum: int
    maximum: int


def log_moments(runs: Sequence[Run]) -> Floats:
    """Return minimum, maximum, and mean and standard deviation (1/n) of ln x.

    Parameters
    ----------
    runs : sequence of Run
        At least one.

    Returns
    -------
    array of float64, shape (len(runs), 4)
    """
    bits = np.array([[run.minimum for run in runs], [run.maximum for run in runs]], dtype=np.uint32)
    extremes = bits.view(np.float32).astype(np.float64)
    ends = np.log(extremes)
    lengths = np.array([run.counts.size for run in runs])
    first = np.array([run.first for run in runs])
    bins = np.stack([first, first + lengths - 1])
    stops = np.cumsum(lengths)
    starts = stops - lengths

    # Without the two values that stand at the extremes, which cut their bins (one bin on both sides).
    inner = np.concatenate([run.counts for run in runs]).astype(np.float64)
    inner[starts] -= 1
    inner[stops - 1] -= 1
    means, variances = (np.concatenate([t[run.first : run.first + run.counts.size] for run in runs]) for t in _WHOLE)
    cut = _spread(np.maximum(EDGES[bins], extremes[0]), np.minimum(EDGES[bins + 1], extremes[1]))
    for inside, values in zip((means, variances), cut, strict=True):
        inside[starts], inside[stops - 1] = values

    n = np.add.reduceat(inner, starts) + 2
    mean = (np.add.reduceat(inner * means, starts) + ends.sum(axis=0)) / n
    means -= np.repeat(mean, lengths)
    squares = np.add.reduceat(inner * (means * means + variances), starts) + ((ends - mean) ** 2).sum(axis=0)
    squares[extremes[0] == extremes[1]] = 0.0  # nothing but rounding
    return np.column_stack([*extremes, mean, np.sqrt(squares / n)])


def _spread(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of ln x where x is spread evenly from `low` to `high`, arrays of any shape."""
    # Quadrature, not the closed form, which cancels where an extreme leaves a narrow bin.
    logs = np.log(low[..., None] + (high - low)[..., None] * _NODES)
    mean = (logs * _WEIGHTS).sum(axis=-1)
    return mean, ((logs - mean[..., None]) ** 2 * _WEIGHTS).sum(axis=-1)


_WHOLE = _spread(EDGES[:-1], EDGES[1:])
