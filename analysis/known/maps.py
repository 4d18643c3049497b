"""One-to-one maps that make simple laws hard for an estimator, for `infoplane.analysis.known.known.transformed`.

Each takes and returns an array of one row per sample. The formulas are those of the benchmark of Czyz, Grabowski, Vogt,
Beerenwinkel and Marx, "Beyond Normal" (NeurIPS 2023), section 3 and appendix; the map to a normal mixture is the
quantile function of the mixture after the normal distribution function.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from infoplane.analysis.errors import InputError
from infoplane.analysis.known.known import Floats

_HALVINGS = 50  # of an interval of some standard deviations: down to rounding


def normal_cdf(values: Floats) -> Floats:
    """Return the normal distribution function of every entry; standard normal columns become uniform."""
    result: Floats = ndtr(values)
    return result


def half_cube(values: Floats) -> Floats:
    """Return sign(v) |v|^(3/2) of every entry: longer tails."""
    return values * np.sqrt(np.abs(values))


def asinh(values: Floats) -> Floats:
    """Return arsinh v of every entry: shorter tails."""
    return np.arcsinh(values)


def wiggly_x(values: Floats) -> Floats:
    """Return v + 0.4 sin v + 0.2 sin(1.7 v + 1) + 0.03 sin(3.3 v - 2.5) of every entry, which rises everywhere."""
    return values + 0.4 * np.sin(values) + 0.2 * np.sin(1.7 * values + 1) + 0.03 * np.sin(3.3 * values - 2.5)


def wiggly_y(values: Floats) -> Floats:
    """Return v - 0.4 sin 0.4 v + 0.17 sin(1.3 v + 3.5) + 0.02 sin(4.3 v - 2.5) of every entry, which rises too."""
    return values - 0.4 * np.sin(0.4 * values) + 0.17 * np.sin(1.3 * values + 3.5) + 0.02 * np.sin(4.3 * values - 2.5)


def swiss_roll(values: Floats) -> Floats:
    """Return the curve (t cos t, t sin t)/21 with t = 3 pi/2 (1 + 2 v), for one column v in [0, 1]: shape (n, 2)."""
    if values.ndim != 2 or values.shape[1] != 1:
        raise InputError(f"swiss_roll was given shape {values.shape}, but it rolls up one column: shape (n, 1)")
    t = 1.5 * np.pi * (1 + 2 * values[:, 0])
    return np.column_stack([t * np.cos(t), t * np.sin(t)]) / 21


@dataclass(frozen=True)
class Spiral:
    """Rotation in the plane of two columns by an angle of `speed` times the row's squared norm.

    It keeps the norm, so that turning back by the same angle undoes it.

    Attributes
    ----------
    plane : tuple of int
        The two columns, (0, 1) or (1, 2), say.
    speed : float
        Radians per unit of squared norm, all columns counted.
    """

    plane: tuple[int, int]
    speed: float

    def __call__(self, values: Floats) -> Floats:
        """Return the rotated rows, shape (n, d)."""
        i, j = self.plane
        if values.ndim != 2 or not 0 <= min(i, j) < max(i, j) < values.shape[1]:
            raise InputError(f"a spiral in the plane {self.plane} needs these columns, but it got shape {values.shape}")
        angle = self.speed * (values**2).sum(axis=1)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = values.copy()
        turned[:, i] = cos * values[:, i] - sin * values[:, j]
        turned[:, j] = sin * values[:, i] + cos * values[:, j]
        return turned


@dataclass(frozen=True)
class ToMixture:
    """Rising map that turns a standard normal number into a mixture of normal numbers of unit variance.

    Attributes
    ----------
    weights : tuple of float
        Of the components; positive, with sum 1.
    means : tuple of float
        Of the components.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]

    def __call__(self, values: Floats) -> Floats:
        """Return the mixture's quantiles at the normal distribution function of every entry."""
        share = ndtr(values)
        # Each component's quantile at this share is its mean + v: the mixture's lies between the outermost two.
        low, high = values + min(self.means), values + max(self.means)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = sum(w * ndtr(middle - m) for w, m in zip(self.weights, self.means, strict=True)) < share
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2
