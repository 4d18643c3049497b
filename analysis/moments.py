"""Mean and covariance of several series over the same inputs, kept so that two parts merge into the whole.

Products of deviations are kept about the mean of each part and joined by the formula of Chan, Golub & LeVeque (1983):
sums of squares would lose all digits of a series of mean 400 and spread 1e-6.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of P series over n inputs; merging makes a new one.

    Attributes
    ----------
    n : int
        Inputs.
    mean : numpy.ndarray
        Shape (P,): means; zero where n is 0.
    products : numpy.ndarray
        Shape (P, P): sums over inputs of (a - mean a)(b - mean b).
    """

    n: int
    mean: Floats
    products: Floats

    @classmethod
    def zeros(cls, series: int) -> "Moments":
        """Return the moments of no inputs."""
        return cls(0, np.zeros(series), np.zeros((series, series)))

    @classmethod
    def of(cls, values: Floats) -> "Moments":
        """Return the moments of `values`, shape (P, n). A NaN or infinite value touches its own series only."""
        if not values.shape[1]:
            return cls.zeros(len(values))
        with np.errstate(invalid="ignore"):
            mean = values.mean(axis=1)
            centred = values - mean[:, None]
            return cls(values.shape[1], mean, centred @ centred.T)

    def merged(self, other: "Moments") -> "Moments":
        """Return the moments of the inputs of both; `other` has the same P."""
        n = self.n + other.n
        if not (self.n and other.n):
            return self if self.n else other
        with np.errstate(invalid="ignore"):
            gap = other.mean - self.mean
            products = self.products + other.products + self.n * (other.n / n) * np.outer(gap, gap)
        return Moments(n, self.mean * (self.n / n) + other.mean * (other.n / n), products)

    def covariance_of_means(self) -> Floats:
        """Return the (P, P) covariance of the means: sample covariance / n; NaN where n is below 2."""
        if self.n < 2:
            return np.full_like(self.products, np.nan)
        return self.products / (self.n - 1) / self.n
