"""The permutation null: what the estimator reads when x and y have nothing to do with each other.

Rows of y are shuffled against those of x, which keeps both variables as they are and makes them independent. With B
shuffles of which b read at least as high as the samples,

    p = (1 + b) / (1 + B)

(Phipson & Smyth 2010), a valid p-value for any B: under independence P(p <= a) <= a. The mean of the null is the
estimator's bias at independence, for these very samples; at dependence the bias may be another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimate import Estimate, indented
from infoplane.analysis.generator import own_generator
from infoplane.analysis.samples import Floats, SamplesLike
from infoplane.analysis.uncertainty.replicates import estimator, paired_rows

_QUANTILES = (0.05, 0.5, 0.95, 0.99)
_TIE = 1e-12  # of the unit: values of the same table, summed in another order, are one


@dataclass(frozen=True, eq=False)
class PermutationNull:
    """An estimate beside its null.

    Attributes
    ----------
    value : float
        Of the samples as they are, in `unit`.
    p_value : float
        One-sided: how often the null reads as high, counting the samples themselves.
    mean, standard_deviation : float
        Of the null, in `unit`.
    quantiles : mapping
        Of the null at 5, 50, 95 and 99 %, in `unit`.
    excess : float
        The value less the mean of the null, in `unit`.
    unit : str
        Of all informations.
    estimate : Estimate
        Of the samples as they are.
    replicates : numpy.ndarray
        Shape (permutations,): the null.
    """

    value: float
    p_value: float
    mean: float
    standard_deviation: float
    quantiles: Mapping[float, float]
    excess: float
    unit: str
    estimate: Estimate
    replicates: Floats

    def __str__(self) -> str:
        return (
            f"{self.value:.4f} {self.unit}, null {self.mean:.4f} ± {self.standard_deviation:.2g} "
            f"(95 % below {self.quantiles[0.95]:.4f}), p = {self.p_value:.3g}{indented(self.estimate)}"
        )


def permutation_null(
    x: SamplesLike,
    y: SamplesLike,
    *,
    method: str = "auto",
    permutations: int = 200,
    base: float = 2,
    seed: int = 0,
    **parameters: Any,
) -> PermutationNull:
    """Return the estimate with its p-value and its null under shuffled rows.

    Parameters
    ----------
    x, y, method, base, **parameters
        As `infoplane.analysis.estimate.estimate` takes them.
    permutations : int
        How many shuffles; the smallest possible p is 1 / (1 + permutations).
    seed : int
        Of the shuffles, and of the method if it draws random numbers.

    Returns
    -------
    PermutationNull
        It takes the rows as exchangeable: not so for time series, nor for several rows of one input.

    Raises
    ------
    InputError
        When `permutations` is below 1, or the estimate refuses its input.
    """
    permutations = whole_number("permutations", permutations, least=1)
    of = estimator(method, base, seed, parameters)
    first, second = paired_rows(x=x, y=y)
    rng = own_generator(seed)
    whole = of(first, second)
    null = np.array([of(first, second[rng.permutation(len(second))]).value for _ in range(permutations)])
    as_high = int(np.count_nonzero(null >= whole.value - _TIE))
    mean = float(null.mean())
    return PermutationNull(
        value=whole.value,
        p_value=(1 + as_high) / (1 + permutations),
        mean=mean,
        standard_deviation=float(null.std(ddof=1)) if permutations > 1 else float("nan"),
        quantiles=dict(zip(_QUANTILES, np.quantile(null, _QUANTILES).tolist(), strict=True)),
        excess=whole.value - mean,
        unit=whole.unit,
        estimate=whole,
        replicates=null,
    )
