"""The crossed bootstrap: seeds and images resampled, each with replacement, the same images in every seed.

Resampling both sides of a table is right to first order in its variance for many of both (A. B. Owen, Annals of Applied
Statistics 1, 2007). With few seeds it is not: it draws from the seeds that are there, whose variance is too small by
(S - 1) / S, and knows no Student's law, so that its percentile interval of three seeds encloses the truth in some three
of four experiments in place of 19 of 20; and it counts the part of seed and image together three times. So no verdict
is read off it; it is here to be compared (docs/verdicts.md).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.generator import own_generator
from infoplane.analysis.samples import Floats
from infoplane.analysis.verdicts.paired_seeds import checked_level

_BLOCK = 250  # resamples at a time: their image weights are held in memory


@dataclass(frozen=True, eq=False)
class CrossedBootstrap:
    """Resampled differences.

    Attributes
    ----------
    draws : numpy.ndarray
        Shape (draws,): the mean difference of every resample.
    """

    draws: Floats

    @property
    def standard_error(self) -> float:
        """Standard deviation of the draws, divisor draws - 1."""
        return float(self.draws.std(ddof=1))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval."""
        tail = (1 - checked_level(level)) / 2
        low, high = np.quantile(self.draws, [tail, 1 - tail])
        return float(low), float(high)


def crossed_bootstrap(first: ArrayLike, second: ArrayLike, *, draws: int = 2000, seed: int = 0) -> CrossedBootstrap:
    """Resample seeds and images of two arms.

    Parameters
    ----------
    first, second : array_like
        Shape (s, n): the outcome of each of n images, row by row of the same seed; or (s,), where only seeds are
        resampled.
    draws : int
        Resamples, at least 100.
    seed : int
        Of the generator; the global random state is neither read nor changed.

    Raises
    ------
    InputError
        When the two do not pair or an argument cannot be used.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim not in (1, 2) or not a.size:
        raise InputError(
            f"first has shape {a.shape} and second {b.shape}, but both must be (seeds,) or (seeds, images)"
        )
    whole_number("draws", draws, least=100)
    generator = own_generator(seed)
    table = b - a if a.ndim == 2 else (b - a)[:, None]
    seeds, images = table.shape
    found = []
    for start in range(0, draws, _BLOCK):
        block = min(_BLOCK, draws - start)
        of_seed = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=block)
        of_image = generator.multinomial(images, np.full(images, 1 / images), size=block)
        found.append(np.einsum("bs,sb->b", of_seed, table @ of_image.T) / math.prod(table.shape))
    return CrossedBootstrap(np.concatenate(found))
