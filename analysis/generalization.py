"""The generalization bound for a measured I(Z;X) (Hofmann & Maeder 2022, Eq. 4).

    eps^2 <= (2^{I(Z;X)} + ln(1/delta)) / (2 m)

eps is how much larger the error on new inputs may be than the one on m training inputs, a share of inputs between 0 and
1, and 1 - delta the probability of drawing a training set for which that holds. I(Z;X) is in bit. Every constant comes
from one classical statement: for a finite set H of classifiers, fixed before the data are seen, m independent inputs
and a loss between 0 and 1, Hoeffding's inequality and the union bound give eps^2 <= (ln|H| + ln(1/delta)) / (2 m) for
all of H at once, with natural logarithms. Eq. 4 puts 2^{I(Z;X)} in place of ln|H|: as if X were cut into 2^I cells, a
classifier gave every cell a label, and nothing else could be told apart. Tishby and Zaslavsky (2015) and Shwartz-Ziv
and Tishby (2017), from whom the paper takes it, argue this step and do not prove it.

What it assumes, and where it breaks:

- **The constant.** C labels for each of 2^I cells are C^{2^I} classifiers, so ln|H| = 2^I ln C. Eq. 4 as printed has
  the factor 1. It is enough for two classes (ln 2 = 0.69) and too small from three on (ln 3 = 1.10, ln 10 = 2.30):
  ``classes=`` puts ln C there.
- **The cells.** They would have to be fixed without the training data; a trained layer is not. That 2^I cells are
  enough is a statement on long sequences of independent parts of X, not on one input.
- **The information.** It must be that of the representation which the classifier reads, and of nothing beside it. A
  deterministic layer of continuous numbers has infinite I(Z;X) and no bound at all. What a probe measures is an upper
  bound on the information of *its own noisy code*: the right side grows with I, so an upper bound keeps the direction,
  but the statement is then on a classifier that reads this code.
- **It is mostly vacuous.** An error above 1 says nothing. For 60,000 inputs that is so from 16.87 bit on; the 28.38 bit
  that the paper reads off its scaled network give eps <= 54.

Shamir, Sabato and Tishby (2010) have bounds that are proved, on other quantities.
"""

import math
from dataclasses import dataclass
from numbers import Real

from infoplane.analysis.errors import InputError, positive_number, whole_number
from infoplane.analysis.units import nats_per_unit


@dataclass(frozen=True)
class GeneralizationBound:
    """Eq. 4 evaluated.

    Attributes
    ----------
    i_zx : float
        I(Z;X) in bit.
    n : int
        m, training inputs.
    delta : float
        Probability of a training set for which the bound fails.
    factor : float
        What 2^I is multiplied by: 1 as printed, or ln C.
    error : float
        eps, a share of inputs; not clipped: from 1 on it says nothing. ``inf`` where it is beyond float64.
    """

    i_zx: float
    n: int
    delta: float
    factor: float
    error: float

    def __str__(self) -> str:
        said = ", which says nothing" if self.vacuous else ""
        of = f"{self.i_zx:.6g} bit, {self.n:,} inputs, delta = {self.delta:g}, factor = {self.factor:.4g}"
        return f"eps <= {self.error:.4g}{said} ({of})"

    @property
    def vacuous(self) -> bool:
        """Whether the bound says nothing: no error is above 1."""
        return self.error >= 1

    @property
    def informative_below(self) -> float:
        """I(Z;X) in bit below which so many inputs give an error under 1; -inf where no information is that little."""
        return self.largest_information(1.0)

    def largest_information(self, error: float) -> float:
        """Return the I(Z;X) in bit at which the bound is `error`; -inf where even no information gives more.

        Raises
        ------
        InputError
            When `error` is no finite number above 0.
        """
        room = 2 * self.n * positive_number("error", error) ** 2 - math.log(1 / self.delta)
        return math.log2(room / self.factor) if room > 0 else -math.inf

    def inputs_needed(self, error: float) -> float:
        """Return how many training inputs bring the bound to `error`: a real number, ``inf`` beyond float64.

        Raises
        ------
        InputError
            When `error` is no finite number above 0.
        """
        log_inputs = _log_numerator(self.i_zx, self.factor, self.delta) - math.log(2)
        return _exp(log_inputs - 2 * math.log(positive_number("error", error)))


def generalization_bound(
    i_zx: float, n: int, *, delta: float = 0.05, classes: int | None = None, base: float = 2
) -> GeneralizationBound:
    """Return the bound of Eq. 4 on how much larger the error on new inputs may be than that on the training set.

    Parameters
    ----------
    i_zx : float
        Measured I(Z;X) in units of `base`, at least 0. An upper bound on it keeps the direction.
    n : int
        m, training inputs.
    delta : float
        Between 0 and 1: probability of a training set for which the bound fails.
    classes : int, optional
        C: the factor of 2^I is ln C, as counting classifiers gives it. Left out, it is 1 as the paper prints it, which
        is too small from three classes on.
    base : float
        Base of the logarithm of `i_zx`: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    GeneralizationBound
        With `error`, and whether it is `vacuous`.

    Raises
    ------
    InputError
        When an argument is out of range.

    Examples
    --------
    >>> generalization_bound(10.0, 60_000).error < 0.1
    True
    >>> generalization_bound(28.38, 60_000).vacuous
    True
    """
    unit = nats_per_unit(base)
    if getattr(i_zx, "ndim", None) == 0 and hasattr(i_zx, "item"):
        i_zx = i_zx.item()  # a tensor or an array of one number
    if isinstance(i_zx, bool) or not isinstance(i_zx, Real) or not math.isfinite(i_zx) or i_zx < 0:
        raise InputError(f"i_zx is {i_zx!r}, but an information is one finite number of at least 0")
    if isinstance(delta, bool) or not isinstance(delta, Real) or not 0 < delta < 1:
        raise InputError(f"delta is {delta!r}, but a probability between 0 and 1, both left out, is needed")
    inputs = whole_number("n", n, least=1)
    factor = 1.0 if classes is None else math.log(whole_number("classes", classes, least=2))
    bits = float(i_zx) * (unit / math.log(2))
    log_square = _log_numerator(bits, factor, float(delta)) - math.log(2 * inputs)
    return GeneralizationBound(i_zx=bits, n=inputs, delta=float(delta), factor=factor, error=_exp(log_square / 2))


def _log_numerator(bits: float, factor: float, delta: float) -> float:
    """Return ln(factor 2^bits + ln(1/delta)); 2^bits itself leaves float64 at 1,024 bit, and new probes have more."""
    cells, confidence = bits * math.log(2) + math.log(factor), math.log(math.log(1 / delta))
    large, small = max(cells, confidence), min(cells, confidence)
    return large + math.log1p(math.exp(small - large))


def _exp(exponent: float) -> float:
    try:
        return math.exp(exponent)
    except OverflowError:
        return math.inf
