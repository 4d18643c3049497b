"""Extrapolation to infinitely many samples, from the values of smaller parts.

    v(n) = v + a / n + b / n^2

is fitted by least squares to the mean values of disjoint parts of n, n/2, n/3, ... samples, and v is read off
(Strong, Koberle, de Ruyter van Steveninck & Bialek 1998, on entropies of spike trains). The mean over the d parts of
one division has about the same variance for every d, so all divisions weigh alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.estimate import Estimate, indented
from infoplane.analysis.samples import Floats, SamplesLike
from infoplane.analysis.uncertainty.replicates import estimator, paired_rows, random_groups, values_of


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """The value for infinitely many samples, with the fit that led to it.

    Attributes
    ----------
    value : float
        In `unit`, at 1/n = 0.
    residual_error : float
        In `unit`: the standard error of the fit's constant, from its residuals; NaN where the fit has none to spare.
    unit : str
        Of the values.
    coefficients : numpy.ndarray
        Shape (degree + 1,): of 1, 1/n, ...; the first is the value.
    sizes, values : numpy.ndarray
        Shape (divisions,): samples in a part, and the mean value of the parts.
    estimate : Estimate
        Of all samples.
    """

    value: float
    residual_error: float
    unit: str
    coefficients: Floats
    sizes: Floats
    values: Floats
    estimate: Estimate

    def __str__(self) -> str:
        line = f"{self.value:.4f} {self.unit} for n to infinity, residual error {self.residual_error:.2g}"
        return line + indented(self.estimate)


def extrapolate(
    x: SamplesLike,
    y: SamplesLike,
    *,
    method: str = "auto",
    divisions: Sequence[int] = (1, 2, 3, 4, 5, 6),
    degree: int = 2,
    base: float = 2,
    seed: int = 0,
    **parameters: Any,
) -> Extrapolation:
    """Return the value extrapolated in 1/n to infinitely many samples.

    Parameters
    ----------
    x, y, method, base, **parameters
        As `infoplane.analysis.estimate.estimate` takes them.
    divisions : sequence of int
        Into how many parts the samples are divided, each different.
    degree : int
        Of the polynomial in 1/n; below the number of divisions.
    seed : int
        Of the divisions, and of the method if it draws random numbers.

    Returns
    -------
    Extrapolation
        It takes off a bias that is a polynomial in 1/n, as that of counted labels with several samples a pair; that of
        neighbours falls more slowly and is not. The residual error leaves out the sampling error, which all divisions
        share: take `jackknife` for it; the extrapolated value varies more than the plain one.

    Raises
    ------
    InputError
        When divisions and degree do not fit, or the estimate refuses its input or a part of it.
    """
    counts = [whole_number("divisions", d, least=1) for d in divisions]
    degree = whole_number("degree", degree, least=1)
    if len(set(counts)) != len(counts) or len(counts) <= degree:
        raise InputError(
            f"divisions are {counts}, but a polynomial of degree {degree} needs at least {degree + 1} different ones"
        )
    of = estimator(method, base, seed, parameters)
    first, second = paired_rows(x=x, y=y)
    n = len(first)
    whole = of(first, second)
    means = np.empty(len(counts))
    for k, parts in enumerate(counts):
        group = random_groups(n, parts, seed, name="one of divisions")
        means[k] = values_of(of, first, second, (group == part for part in range(parts))).mean()
    powers = np.array(counts, np.float64)[:, None] ** np.arange(degree + 1)  # of d: 1/n_d = d/n
    fitted, *_ = np.linalg.lstsq(powers, means, rcond=None)
    spare = len(counts) - degree - 1
    spread = float(((means - powers @ fitted) ** 2).sum()) / spare if spare else math.nan
    return Extrapolation(
        value=float(fitted[0]),
        residual_error=math.sqrt(spread * float(np.linalg.inv(powers.T @ powers)[0, 0])),
        unit=whole.unit,
        coefficients=fitted * float(n) ** np.arange(degree + 1),
        sizes=n / np.array(counts, np.float64),
        values=means,
        estimate=whole,
    )
