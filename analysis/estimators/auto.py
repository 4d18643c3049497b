"""The method that chooses: by what each candidate explains of samples it was not fitted to.

Every candidate for log p(x, y) / [p(x) p(y)] gets a held-out score in nats, which is a lower bound on I(X;Y) in
expectation whatever the candidate (`contrast`, or H(Y) less a cross-entropy where Y is a label). A value *below* a
held-out score is refuted by it. In this order, the first that is not refuted is taken:

- a family (normal law, Gaussian or t copula) with its bias removed: least variance, any number of columns;
- neighbours (Kraskov et al., with ties Gao et al., with labels Ross): no shape assumed, few columns;
- a network trained on what the family leaves over: its score, extrapolated in 1/n.

Two variables of labels go to Grassberger's estimator. `chosen` keeps who won, why, and every value and score.
"""

from dataclasses import dataclass
from typing import Any

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimators.choice_continuous import choose_continuous
from infoplane.analysis.estimators.choice_labels import choose_for_label, choose_for_labels
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.rows import row_symbols

_SAMPLES_PER_VALUE = 20  # on average, from which repeated values make a finite set rather than ties


@dataclass(frozen=True)
class Auto:
    """Parameters of `auto`.

    Attributes
    ----------
    seed : int
        Of the parts held out, of the network and of the jitter of ties.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("seed", self.seed, least=0)


def auto(x: Floats | Labels, y: Floats | Labels, parameters: Auto) -> Reading:
    """Return the information by the candidate that held-out samples do not refute.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shape (n, d) float64 for quantities, (n,) int64 for labels, in any combination. A continuous variable whose
        rows take few values (20 samples each on average) counts as labels.
    parameters : Auto
        Seed.

    Returns
    -------
    Reading
        In nats. Kind ``lower_bound`` where a classifier's held-out score is the value, else ``estimate``. `chosen` has
        ``chosen``, ``why``, and of the candidates ``..._nats`` and ``..._score_nats``. Its bias is that of the
        winner: under 0.01 nat for the families where they hold, downwards for the others.

    Raises
    ------
    InputError
        When there are too few samples for the columns.
    """
    sides: list[Any] = [_finite_as_labels(side) for side in (x, y)]
    labels = [side.ndim == 1 for side in sides]
    if all(labels):
        return choose_for_labels(*sides)
    if labels[0]:
        return choose_for_label(sides[1], sides[0], parameters.seed)
    if labels[1]:
        return choose_for_label(sides[0], sides[1], parameters.seed)
    return choose_continuous(sides[0], sides[1], parameters.seed)


def _finite_as_labels(side: Floats | Labels) -> Floats | Labels:
    if side.ndim == 1:
        return side
    symbols = row_symbols(side)
    return symbols if (int(symbols.max()) + 1) * _SAMPLES_PER_VALUE <= len(side) else side


METHOD = Method(
    name="auto",
    function=auto,
    parameters=Auto,
    kind="estimate",
    x="either",
    y="either",
    assumes="one of its candidates is near the truth; held-out samples decide, and it warns where they support none",
    wrong_when="many columns depend in a bent way: what its network finds in few samples is then only a lower bound",
    source="selection by held-out contrastive bounds, van den Oord et al. 2018, on the candidates' own sources",
    least_n=4,
)
