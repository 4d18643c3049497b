"""Several claims at once: Holm's procedure, as adjusted p values and as the level at which each claim is judged.

Of m p values in ascending order the k-th is rejected where it and all before it are at most alpha / (m - k + 1). The
probability that any true hypothesis is rejected is then at most alpha, however the p values depend on one another
(S. Holm, Scandinavian Journal of Statistics 6, 1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError
from infoplane.analysis.samples import Floats
from infoplane.analysis.verdicts.paired_seeds import checked_level


@dataclass(frozen=True, eq=False)
class Holm:
    """What the procedure says of each hypothesis, in the order given.

    Attributes
    ----------
    adjusted : numpy.ndarray
        Shape (m,): p values adjusted for the family; a hypothesis is rejected where this is at most alpha.
    alphas : numpy.ndarray
        Shape (m,): the alpha of the step at which the hypothesis stands, between alpha / m and alpha; those that are
        not rejected stand at the step at which the procedure ends. An interval at level 1 - alphas[i] excludes the
        hypothesis exactly where it is rejected.
    rejected : numpy.ndarray
        Shape (m,), bool.
    """

    adjusted: Floats
    alphas: Floats
    rejected: NDArray[np.bool_]


def holm(p_values: Sequence[float], *, level: float = 0.95) -> Holm:
    """Return Holm's procedure for a family of p values; alpha is 1 - level.

    Raises
    ------
    InputError
        When a p value is not between 0 and 1.
    """
    alpha = 1 - checked_level(level)
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"p_values is {p_values!r}, but they must be numbers from 0 to 1 in one row")
    order = np.argsort(p, kind="stable")
    left = np.arange(len(p), 0, -1)  # hypotheses that still stand at each step
    steps = alpha / left
    # One comparison decides, that of an interval at the step's level with the hypothesis.
    passed = np.logical_and.accumulate(p[order] <= steps)
    if not passed.all():
        steps[~passed] = steps[np.argmin(passed)]
    adjusted, alphas, rejected = np.empty(len(p)), np.empty(len(p)), np.empty(len(p), bool)
    adjusted[order] = np.minimum(np.maximum.accumulate(left * p[order]), 1)
    alphas[order], rejected[order] = steps, passed
    return Holm(adjusted, alphas, rejected)
