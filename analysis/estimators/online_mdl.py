"""Online-code usable information: how well labels are compressed while a predictor learns (Voita and Titov 2020).

The samples come in a random order, cut at t_1 < ... < t_S = n. A sender and a receiver who both know x code the first
block with the uniform code, and each later one with a predictor fitted on all blocks before it:

    L = t_1 log K - sum_{i=1}^{S-1} log q_i(y of block i + 1 | x)

for K labels (the online code of the reference; prequential coding, Dawid 1984). Reported are

    value = H(Y) - L/n,        compression = log K / (L/n),

H(Y) the plug-in entropy of the labels; in bits with ``base=2``. With equally frequent labels the value is the length
saved per sample against the uniform code; with others the uniform code would count as information what the frequencies
alone tell. Every block is predicted by what has not seen it and E H <= H(Y), so the value is a lower bound on I(X;Y) in
expectation, and it is lower the more samples the family needs to learn: it measures ease as well as content.

A predictor fitted on m samples is mixed with one sample's worth of the uniform law, (m q + 1/K) / (m + 1): a label that
did not occur yet costs log K (m + 1), not infinity.

Reference: Voita, Titov, "Information-theoretic probing with minimum description length", EMNLP 2020.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from numbers import Real

import numpy as np

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.estimators.control_labels import beside_control
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.predictive_family import check_family, fit_and_predict
from infoplane.analysis.estimators.single_labels import refuse_single_labels
from infoplane.analysis.generator import own_generator


@dataclass(frozen=True)
class OnlineMDL:
    """Parameters of the online code.

    Attributes
    ----------
    family : {"linear", "mlp"}
        Multinomial logistic regression, or a network of one hidden layer.
    fractions : tuple of float
        t_i / n, ascending to 1; those of the reference. Each is rounded up, equal ones count once.
    l2 : float
        Weight of 1/2 ||w||^2 beside the summed loss, columns of x standardised.
    seed : int
        Of the order, control labels and initial weights.
    """

    family: str = "linear"
    fractions: tuple[float, ...] = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5, 1.0)
    l2: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_family(self.family, self.l2)
        whole_number("seed", self.seed, least=0)
        given = tuple(self.fractions) if isinstance(self.fractions, list | tuple) else ()
        ordered = all(isinstance(f, Real) and f > 0 for f in given) and all(np.diff(given) > 0)
        if len(given) < 2 or not ordered or given[-1] != 1:
            raise InputError(
                f"fractions are {self.fractions!r}, but they are two or more numbers above 0, ascending, the last one 1"
            )
        object.__setattr__(self, "fractions", tuple(float(f) for f in given))


def online_mdl(x: Floats, y: Labels, parameters: OnlineMDL) -> Reading:
    """Return H(Y) less the online code length per sample, with that of permuted labels beside it.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, d).
    y : numpy.ndarray
        Shape (n,): labels 0 .. K - 1.
    parameters : OnlineMDL
        Family, fractions, penalty, seed.

    Returns
    -------
    Reading
        In nats: a lower bound on I(X;Y) in expectation; may be negative. `chosen` holds the code lengths per sample in
        nats and the compression. The standard error is over samples, blocks taken together, predictors as given.

    Raises
    ------
    InputError
        When most samples are alone with their label.
    """
    refuse_single_labels(y)
    shares = np.bincount(y) / y.size
    surprise = -np.log(shares)

    def gains(labels: Labels) -> tuple[Floats, bool]:
        lengths, converged = _code_lengths(x, labels, parameters)
        return surprise[labels] - lengths, converged

    reading = beside_control(gains, y, seed=parameters.seed)
    uniform, online = math.log(shares.size), float(shares @ surprise) - reading.nats
    lengths = {"uniform_code_nats": uniform, "online_code_nats": online, "compression": uniform / online}
    return replace(reading, chosen={**lengths, **reading.chosen})


def _code_lengths(x: Floats, y: Labels, parameters: OnlineMDL) -> tuple[Floats, bool]:
    """Return the code length of every sample in nats, and whether all fits converged."""
    rng = own_generator(parameters.seed)
    order = rng.permutation(y.size)
    classes = int(y.max()) + 1
    ends = np.unique(np.ceil(np.array(parameters.fractions) * y.size).astype(int))
    lengths, converged = np.full(y.size, math.log(classes)), True
    for seen, end in pairwise(ends):
        before, block = order[:seen], order[seen:end]
        family, seed = parameters.family, int(rng.integers(2**32))
        predicted = fit_and_predict(
            family, x[before], y[before], x[block], classes=classes, l2=parameters.l2, seed=seed
        )
        q = np.exp(predicted.log_q[np.arange(block.size), y[block]])
        lengths[block] = -np.log((seen * q + 1 / classes) / (seen + 1))
        converged &= predicted.converged
    return lengths, converged


METHOD = Method(
    name="online_mdl",
    function=online_mdl,
    parameters=OnlineMDL,
    kind="lower_bound",
    x="continuous",
    y="discrete",
    quantity="usable information (online code)",
    within_entropies=True,
    assumes="samples are independent, and the label is predicted by a member of the stated family",
    wrong_when="samples are few: the code pays for learning, and is then far below what the family can use in the end",
    source="Voita & Titov 2020 (online code); control labels: Hewitt & Liang 2019",
)
