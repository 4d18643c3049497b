"""The delete-a-group jackknife: a standard error and a value without bias of order 1/n.

With g random groups of equal size, v the value of all samples and v_j that without group j,

    standard error  = sqrt[(g - 1) / g sum_j (v_j - mean v_j)^2]
    bias corrected  = g v - (g - 1) mean v_j

(Quenouille 1956; Tukey 1958; Shao & Tu 1995), in the unit of the value. The correction is exact
for a bias of b / n, as that of counted labels.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimate import Estimate, indented
from infoplane.analysis.samples import Floats, SamplesLike
from infoplane.analysis.uncertainty.replicates import estimator, paired_rows, random_groups, values_of


@dataclass(frozen=True, eq=False)
class Jackknife:
    """An estimate with its jackknife.

    Attributes
    ----------
    value, standard_error, bias_corrected : float
        In `unit`.
    unit : str
        Of the three and of `replicates`.
    estimate : Estimate
        Of all samples.
    replicates : numpy.ndarray
        Shape (groups,): the values without each group.
    """

    value: float
    standard_error: float
    bias_corrected: float
    unit: str
    estimate: Estimate
    replicates: Floats

    def __str__(self) -> str:
        line = f"{self.value:.4f} ± {self.standard_error:.2g} {self.unit}, bias corrected {self.bias_corrected:.4f}"
        return line + indented(self.estimate)


def jackknife(
    x: SamplesLike,
    y: SamplesLike,
    *,
    method: str = "auto",
    groups: int = 20,
    base: float = 2,
    seed: int = 0,
    **parameters: Any,
) -> Jackknife:
    """Return a standard error over samples, and the value less its bias of order 1/n.

    Parameters
    ----------
    x, y, method, base, **parameters
        As `infoplane.analysis.estimate.estimate` takes them.
    groups : int
        How many groups are left out in turn; the error has groups - 1 degrees of freedom (20: good to 16 %).
    seed : int
        Of the groups, and of the method if it draws random numbers.

    Returns
    -------
    Jackknife
        The error is right for smooth functions of the samples (tables, moments). Estimators by neighbours are none:
        take `subsampling` for them (at n = 300 this error of KSG was 1.6 times too large). It leaves out bias, rows
        that belong together, and the training of a network.

    Raises
    ------
    InputError
        When there are fewer than two samples a group, or the estimate refuses its input.
    """
    groups = whole_number("groups", groups, least=2)
    of = estimator(method, base, seed, parameters)
    first, second = paired_rows(x=x, y=y)
    group = random_groups(len(first), groups, seed)
    whole = of(first, second)
    without = values_of(of, first, second, (group != left for left in range(groups)))
    return Jackknife(
        value=whole.value,
        standard_error=jackknife_error(without),
        bias_corrected=float(groups * whole.value - (groups - 1) * without.mean()),
        unit=whole.unit,
        estimate=whole,
        replicates=without,
    )


def jackknife_error(without: Floats) -> float:
    """Return the standard error from the values without each group, shape (groups,), in their unit."""
    return float(np.sqrt((without.size - 1) * without.var()))
