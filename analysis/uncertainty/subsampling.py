"""Subsampling: a standard error for estimators that are no smooth functions of the samples, by neighbours above all.

    standard error = sqrt[m / (n - m)] sd over subsamples of v(m samples drawn of n without replacement)

(Politis & Romano 1994; Holmes & Nemenman 2019 for neighbours). A subsample of a part keeps the ties of the whole as
they are, which a bootstrap does not: it draws samples twice, and a neighbour at distance 0 is not one. The factor is
sqrt(m / n), the ratio of the standard deviations at n and m, times sqrt(n / (n - m)), because subsamples of one set
share samples and differ by less than independent sets would.
"""

import math
from dataclasses import dataclass
from typing import Any

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.estimate import Estimate, indented
from infoplane.analysis.generator import own_generator
from infoplane.analysis.samples import Floats, SamplesLike
from infoplane.analysis.uncertainty.replicates import estimator, paired_rows, values_of


@dataclass(frozen=True, eq=False)
class Subsampling:
    """An estimate with its standard error from subsamples.

    Attributes
    ----------
    value, standard_error : float
        In `unit`.
    unit : str
        Of both and of `replicates`.
    size : int
        Samples in each subsample.
    estimate : Estimate
        Of all samples.
    replicates : numpy.ndarray
        Shape (repeats,): the values of the subsamples.
    """

    value: float
    standard_error: float
    unit: str
    size: int
    estimate: Estimate
    replicates: Floats

    def __str__(self) -> str:
        line = f"{self.value:.4f} ± {self.standard_error:.2g} {self.unit} (subsamples of {self.size})"
        return line + indented(self.estimate)


def subsampling(
    x: SamplesLike,
    y: SamplesLike,
    *,
    method: str = "auto",
    size: int | None = None,
    repeats: int = 100,
    base: float = 2,
    seed: int = 0,
    **parameters: Any,
) -> Subsampling:
    """Return a standard error over samples from estimates of random parts of them.

    Parameters
    ----------
    x, y, method, base, **parameters
        As `infoplane.analysis.estimate.estimate` takes them.
    size : int, optional
        Samples in each part, at most half of all; a quarter by default. Smaller parts are cheaper but less like the
        whole: of n = 300, quarters gave the error of KSG within 6 %, tenths one 16 % too small.
    repeats : int
        How many parts are drawn.
    seed : int
        Of the parts, and of the method if it draws random numbers.

    Returns
    -------
    Subsampling
        It leaves out the bias, which is larger in the parts and drops out of their spread, and takes the standard
        deviation to fall as one over root n: it is too small where the value of the parts sits at a ceiling (log m).
        It knows nothing of rows that belong together, nor of the training of a network.

    Raises
    ------
    InputError
        When `size` does not fit, or the estimate refuses its input or a part of it.
    """
    repeats = whole_number("repeats", repeats, least=2)
    of = estimator(method, base, seed, parameters)
    first, second = paired_rows(x=x, y=y)
    n = len(first)
    if n < 4:
        raise InputError(f"there are {n} samples, but subsamples of a quarter need at least 4")
    size = n // 4 if size is None else whole_number("size", size, least=1, most=n // 2)
    rng = own_generator(seed)
    whole = of(first, second)
    parts = values_of(of, first, second, (rng.choice(n, size, replace=False) for _ in range(repeats)))
    return Subsampling(
        value=whole.value,
        standard_error=float(parts.std(ddof=1)) * math.sqrt(size / (n - size)),
        unit=whole.unit,
        size=size,
        estimate=whole,
        replicates=parts,
    )
