"""How large an effect so many seeds find, and how many seeds an effect needs.

The power is the probability that the interval of `infoplane.analysis.verdicts.paired_seeds` excludes 0 on the side of
the true effect, where the seeds' differences are normal with a known standard deviation: the mean of

    Phi((effect - h(v)) / tau)

over the law of the seeds' variance v found (chi^2 with S - 1 degrees of freedom, or the floor where that is larger),
with h the interval's half width and tau^2 = deviation^2 / S + image_error^2. Without images it is the power of the
paired t test by the noncentral t law. More seeds make the images' error no smaller.
"""

import math
from functools import lru_cache

import numpy as np
from scipy.special import ndtr
from scipy.stats import chi2, norm
from scipy.stats import t as student

from infoplane.analysis.errors import InputError, positive_number, whole_number
from infoplane.analysis.samples import Floats
from infoplane.analysis.verdicts.paired_seeds import checked_level

POWER = 0.8
"""The share of experiments in which what is true shall be found: 4 of 5."""
MOST_SEEDS = 10_000

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(300)  # probabilities at which the law of the variance is read
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


def power(
    effect: float,
    seeds: int,
    *,
    deviation: float = 1.0,
    image_error: float = 0.0,
    floor: float = 0.0,
    level: float = 0.95,
) -> float:
    """Return the probability that the interval of so many paired seeds excludes 0 on the side of a true effect.

    Parameters
    ----------
    effect : float
        True difference, above 0, in the unit of `deviation`.
    seeds : int
        Pairs, at least 2.
    deviation : float
        True standard deviation of the seeds' differences.
    image_error, floor : float
        As in `infoplane.analysis.verdicts.paired_seeds.PairedSeeds`.
    level : float
        Of the interval.

    Raises
    ------
    InputError
        When an argument cannot be used.
    """
    effect, deviation = positive_number("effect", effect), positive_number("deviation", deviation)
    whole_number("seeds", seeds, least=2)
    for name, value in (("image_error", image_error), ("floor", floor)):
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{name} is {value!r}, but it must be a finite number of at least 0")
    alpha = 1 - checked_level(level)
    found = np.maximum(deviation**2 * _law(seeds - 1), floor**2)
    half = np.sqrt(
        float(student.isf(alpha / 2, seeds - 1)) ** 2 * found / seeds + (float(norm.isf(alpha / 2)) * image_error) ** 2
    )
    return float(_WEIGHTS @ ndtr((effect - half) / math.hypot(deviation / math.sqrt(seeds), image_error)))


def detectable_effect(
    seeds: int,
    *,
    deviation: float = 1.0,
    image_error: float = 0.0,
    floor: float = 0.0,
    level: float = 0.95,
    share: float = POWER,
) -> float:
    """Return the true effect that so many paired seeds find in a given share of experiments, by default 0.8.

    Arguments, unit and errors as for `power`. By default in standard deviations of the seeds' differences: 3.3 with 3
    seeds, 1.7 with 5, 1.0 with 10.
    """
    share = _share(share)

    def enough(effect: float) -> bool:
        return power(effect, seeds, deviation=deviation, image_error=image_error, floor=floor, level=level) >= share

    high = deviation
    while not enough(high):
        high *= 2
    low = 0.0
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def seeds_needed(
    effect: float,
    *,
    deviation: float,
    image_error: float = 0.0,
    floor: float = 0.0,
    level: float = 0.95,
    share: float = POWER,
) -> int | None:
    """Return the smallest number of paired seeds that finds a true effect in a given share of experiments.

    Arguments, unit and errors as for `power`.

    Returns
    -------
    int or None
        None where 10,000 seeds are too few: then only more images help.
    """
    share = _share(share)

    def enough(seeds: int) -> bool:
        return power(effect, seeds, deviation=deviation, image_error=image_error, floor=floor, level=level) >= share

    low, high = 1, 2
    while not enough(high):
        if high == MOST_SEEDS:
            return None
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@lru_cache(maxsize=256)
def _law(freedom: int) -> Floats:
    """Return the quantiles of chi^2 over its degrees of freedom."""
    found: Floats = chi2.ppf(_NODES, freedom) / freedom
    return found


def _share(share: object) -> float:
    if not 0 < positive_number("share", share) < 1:
        raise InputError(f"share is {share!r}, but it must be a number between 0 and 1, such as 0.8")
    return float(share)  # type: ignore[arg-type]
