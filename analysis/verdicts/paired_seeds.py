"""The difference of two arms over paired seeds: its estimate, its two errors, an interval and a p value.

Seed s trains both arms from one initialisation on one order of batches; d_s = second - first is what it says. Where
every image of the test set has its own outcome, d_si, the images are a sample as well as the seeds, and the two cross:

    d_si = effect + seed_s + image_i + (seed, image)_si

With S seeds and n images, var_S the variance of the seeds' means, var_n that of the images' means, and e the residual
mean square of this two-way table (divisor (S - 1)(n - 1)), the squared errors of the grand mean are

    seeds    max(var_S, e / n) / S           images    max(var_n - e / S, 0) / n

(the sum is the unbiased variance of a crossed design: Cornfield and Tukey, Annals of Mathematical Statistics 27, 1956).
The first maximum is a floor: seeds that happen to agree do not agree better than their images allow. The second one is
that of any variance component. The interval at level 1 - alpha is estimate +- h with

    h^2 = t_{S-1}^2 * seeds + t_{n-1}^2 * images,

each error with the quantile of its own degrees of freedom (the recovery of variances of Zou and Donner, Statistics in
Medicine 27, 2008), for three seeds know little of their spread and ten thousand images much. Without outcomes by image
it is Student's paired interval, which holds for this one test set. docs/verdicts.md shows how often it is right.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import t as student

from infoplane.analysis.errors import InputError
from infoplane.analysis.samples import Floats

_SMALLEST = 1e-300  # p values below are written as this
_ROUNDING = 1e-12  # relative to the values: a spread below is that of floating point


@dataclass(frozen=True, eq=False)
class PairedSeeds:
    """Second less first over paired seeds; made by `paired_seeds`.

    Attributes
    ----------
    first, second : numpy.ndarray
        Shape (s,): the value of each seed, the mean over images where there are any.
    images : int or None
        How many images have outcomes of their own; None where there are none.
    deviation : float
        Standard deviation of the seeds' differences, divisor s - 1; NaN of one seed.
    floor : float
        What the images alone make of it, sqrt(e / n); 0 without outcomes by image.
    image_error : float
        The images' part of the standard error of the estimate; 0 without outcomes by image.
    """

    first: Floats
    second: Floats
    images: int | None
    deviation: float
    floor: float
    image_error: float

    @property
    def seeds(self) -> int:
        """Pairs."""
        return len(self.first)

    @property
    def differences(self) -> Floats:
        """Shape (s,): second less first."""
        return self.second - self.first

    @property
    def estimate(self) -> float:
        """Mean difference."""
        return float(self.differences.mean())

    @property
    def seed_error(self) -> float:
        """The seeds' part of the standard error; NaN where `has_spread` is false."""
        return max(self.deviation, self.floor) / math.sqrt(self.seeds) if self.has_spread else math.nan

    @property
    def has_spread(self) -> bool:
        """Whether there are two seeds and they differ, so that something can be said of a third."""
        scale = max(np.abs(self.first).max(), np.abs(self.second).max())
        return self.seeds > 1 and max(self.deviation, self.floor) > _ROUNDING * scale

    def half_width(self, alpha: float) -> float:
        """Return h of the interval at level 1 - alpha; infinite where `has_spread` is false."""
        if not self.has_spread:
            return math.inf
        of_images = 0.0
        if self.image_error:
            assert self.images is not None
            of_images = _quantile(alpha, self.images - 1) * self.image_error
        return math.hypot(_quantile(alpha, self.seeds - 1) * self.seed_error, of_images)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the limits that enclose the true difference with probability `level`.

        Raises
        ------
        InputError
            When `level` is not between 0 and 1.
        """
        half = self.half_width(1 - checked_level(level))
        return self.estimate - half, self.estimate + half

    def p_value(self, against: float = 0.0) -> float:
        """Return the two-sided p value of the hypothesis that the true difference is `against`.

        It is the smallest alpha at which the interval excludes that value, so that the two never disagree; 1 where
        `has_spread` is false.
        """
        distance = abs(self.estimate - against)
        if not self.has_spread or not distance:
            return 1.0
        if not self.image_error:
            return max(float(2 * student.sf(distance / self.seed_error, self.seeds - 1)), _SMALLEST)
        if self.half_width(_SMALLEST) < distance:
            return _SMALLEST
        found = brentq(lambda log: self.half_width(math.exp(log)) - distance, math.log(_SMALLEST), 0.0, xtol=1e-12)
        return math.exp(float(found))


def paired_seeds(first: ArrayLike, second: ArrayLike) -> PairedSeeds:
    """Return the difference of two arms over paired seeds.

    Parameters
    ----------
    first, second : array_like
        Shape (s,): one value per seed, the same seed at the same place; or (s, n), the outcome of each of n images
        (1 for an error, 0 for none; or any number whose mean over images is the value), the same image at the same
        place in every row of both.

    Returns
    -------
    PairedSeeds

    Raises
    ------
    InputError
        When the two have different shapes, there is no seed or only one image, or a value is not finite.
    """
    a, b = _values("first", first), _values("second", second)
    if a.shape != b.shape:
        raise InputError(f"first has shape {a.shape} and second {b.shape}, but paired seeds need equal ones")
    if a.ndim == 1:
        deviation = float((b - a).std(ddof=1)) if len(a) > 1 else math.nan
        return PairedSeeds(a, b, None, deviation, 0.0, 0.0)
    seeds, images = a.shape
    means = a.mean(axis=1), b.mean(axis=1)
    if seeds == 1:
        return PairedSeeds(*means, images, math.nan, 0.0, 0.0)
    table = b - a
    of_seed, of_image = table.mean(axis=1), table.mean(axis=0)
    rest = table - of_seed[:, None] - of_image + table.mean()
    e = float((rest**2).sum()) / ((seeds - 1) * (images - 1))
    component = max(float(of_image.var(ddof=1)) - e / seeds, 0.0)
    deviation = float(of_seed.std(ddof=1))
    return PairedSeeds(*means, images, deviation, math.sqrt(e / images), math.sqrt(component / images))


@lru_cache(maxsize=256)
def _quantile(alpha: float, freedom: int) -> float:
    """Return what Student's law exceeds on one side or the other with probability `alpha`."""
    return float(student.isf(alpha / 2, freedom))


def checked_level(level: object) -> float:
    """Return `level` as a float; InputError unless it is a number between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, int | float | np.number) or not 0 < level < 1:
        raise InputError(f"level is {level!r}, but it must be a number between 0 and 1, such as 0.95")
    return float(level)


def _values(name: str, given: ArrayLike) -> Floats:
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} cannot be read as numbers: {error}") from error
    if values.ndim not in (1, 2) or not values.size or (values.ndim == 2 and values.shape[1] < 2):
        raise InputError(f"{name} has shape {values.shape}, but it must be (seeds,), or (seeds, images) of two or more")
    if not np.isfinite(values).all():
        at = int(np.argmax(~np.isfinite(values.reshape(len(values), -1)).all(axis=1)))
        raise InputError(
            f"{name} has a value that is not finite, at place {at} of its seeds; a run that failed is no missing "
            "value: leave its seed out of both arms, and say so"
        )
    return values
