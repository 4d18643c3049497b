"""The difference of two informations measured on the same samples, such as two layers about the same labels.

Both values move together from one set of samples to the next, so the error of their difference is not the root of the
sum of their squared errors. The same groups of samples are left out of both, and the jackknife (see
`infoplane.analysis.uncertainty.jackknife`) is taken of the differences.
"""

from dataclasses import dataclass
from typing import Any

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimate import Estimate, indented
from infoplane.analysis.samples import Floats, SamplesLike
from infoplane.analysis.uncertainty.jackknife import jackknife_error
from infoplane.analysis.uncertainty.replicates import estimator, paired_rows, random_groups, values_of


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """I(first; y) - I(second; y) with its standard error.

    Attributes
    ----------
    value, standard_error : float
        In `unit`.
    unit : str
        Of both and of `replicates`.
    first, second : Estimate
        The two informations of all samples.
    replicates : numpy.ndarray
        Shape (groups,): the differences without each group.
    """

    value: float
    standard_error: float
    unit: str
    first: Estimate
    second: Estimate
    replicates: Floats

    def __str__(self) -> str:
        line = f"difference {self.value:.4f} ± {self.standard_error:.2g} {self.unit}"
        return line + indented(self.first) + indented(self.second)


def paired_difference(
    first: SamplesLike,
    second: SamplesLike,
    y: SamplesLike,
    *,
    method: str = "auto",
    groups: int = 20,
    base: float = 2,
    seed: int = 0,
    **parameters: Any,
) -> PairedDifference:
    """Return I(first; y) - I(second; y) with the standard error of the difference.

    Parameters
    ----------
    first, second : torch.Tensor or array_like
        Shapes (n, d) and (n, e): two variables measured on the same samples, row by row.
    y : torch.Tensor or array_like
        Shape (n, f) or (n,): what both are held against.
    method, base, **parameters
        As `infoplane.analysis.estimate.estimate` takes them.
    groups : int
        How many groups are left out in turn.
    seed : int
        Of the groups, and of the method if it draws random numbers.

    Returns
    -------
    PairedDifference
        The error is right for smooth functions of the samples, and too large for estimators by neighbours (see
        `jackknife`). It leaves out a bias that the two do not share (layers of different width have different ones),
        rows that belong together, and the training of a network.

    Raises
    ------
    InputError
        When the three do not pair, there are fewer than two samples a group, or an estimate refuses its input.
    """
    groups = whole_number("groups", groups, least=2)
    of = estimator(method, base, seed, parameters)
    a, b, labels = paired_rows(first=first, second=second, y=y)
    group = random_groups(len(labels), groups, seed)
    whole = of(a, labels), of(b, labels)
    kept = [group != left for left in range(groups)]
    without = values_of(of, a, labels, kept) - values_of(of, b, labels, kept)
    return PairedDifference(
        value=whole[0].value - whole[1].value,
        standard_error=jackknife_error(without),
        unit=whole[0].unit,
        first=whole[0],
        second=whole[1],
        replicates=without,
    )
