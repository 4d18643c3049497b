"""V-information: what a stated family V of predictors can use of x to tell y (Xu et al. 2020).

    I_V(X -> Y) = H_V(Y) - H_V(Y|X),    H_V(Y|X) = inf over f in V of E[-log f[x](y)]

in bits with ``base=2``, Definitions 2 and 3 of the reference. H_V(Y) is that of the best constant prediction, which for
a family with every constant is H(Y), so that 0 <= I_V <= I(X;Y). **Estimated** by cross-fitting: the samples are dealt
into folds, the predictor of a fold is fitted on the others, and

    value = mean over samples of log q(y|x) - log q0(y),

q0 the frequencies of the label in the fitting folds. Every sample is predicted by what has not seen it, so that in
expectation the second term is at least H(Y|X). The folds are dealt label by label, which keeps the first term within
O(1/n^2) of the plug-in entropy, about (K - 1)/(2n) nats below H(Y) for K labels. The value therefore is a lower bound
on I_V of the family and on I(X;Y), in expectation; it may be negative, and processing x may raise it.

Reference: Xu, Zhao, Song, Stewart, Ermon, "A theory of usable information under computational constraints", ICLR 2020.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.estimators.control_labels import beside_control
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading, need
from infoplane.analysis.estimators.predictive_family import check_family, fit_and_predict
from infoplane.analysis.estimators.single_labels import refuse_single_labels
from infoplane.analysis.generator import own_generator


@dataclass(frozen=True)
class VInformation:
    """Parameters of V-information.

    Attributes
    ----------
    family : {"linear", "mlp"}
        V: multinomial logistic regression, or a network of one hidden layer.
    folds : int
        Every sample is predicted once, by a predictor fitted on the other folds.
    l2 : float
        Weight of 1/2 ||w||^2 beside the summed loss, columns of x standardised.
    seed : int
        Of folds, control labels and initial weights.
    """

    family: str = "linear"
    folds: int = 5
    l2: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_family(self.family, self.l2)
        whole_number("folds", self.folds, least=2)
        whole_number("seed", self.seed, least=0)


def v_information(x: Floats, y: Labels, parameters: VInformation) -> Reading:
    """Return the V-information from x to the labels, with that to permuted labels beside it.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, d).
    y : numpy.ndarray
        Shape (n,): labels 0 .. K - 1.
    parameters : VInformation
        Family, folds, penalty, seed.

    Returns
    -------
    Reading
        In nats: a lower bound on the family's V-information and on I(X;Y), in expectation. Too low by what the
        predictors lose to few samples. The standard error is over samples and takes the predictors as given.

    Raises
    ------
    InputError
        When there are fewer samples than folds, or a label occurs only once.
    """
    need(len(y), parameters.folds, f"cross-fitting over {parameters.folds} folds")
    refuse_single_labels(y)
    once = np.count_nonzero(np.bincount(y) == 1)
    if once:
        raise InputError(
            f"{once} labels occur once, but a predictor must have seen a label to give it a probability: leave these "
            "samples out, or bin the labels more coarsely"
        )

    def gains(labels: Labels) -> tuple[Floats, bool]:
        return _gains(x, labels, parameters)

    return beside_control(gains, y, seed=parameters.seed)


def _gains(x: Floats, y: Labels, parameters: VInformation) -> tuple[Floats, bool]:
    """Return log q(y|x) - log q0(y) of every sample, and whether all fits converged."""
    rng = own_generator(parameters.seed)
    fold = _dealt(y, parameters.folds, rng)
    gains, converged = np.empty(y.size), True
    classes = int(y.max()) + 1
    for k in range(parameters.folds):
        out = fold == k
        family, seed = parameters.family, int(rng.integers(2**32))
        predicted = fit_and_predict(family, x[~out], y[~out], x[out], classes=classes, l2=parameters.l2, seed=seed)
        log_q0 = np.log(np.bincount(y[~out], minlength=classes) / np.count_nonzero(~out))
        gains[out] = predicted.log_q[np.arange(np.count_nonzero(out)), y[out]] - log_q0[y[out]]
        converged &= predicted.converged
    return gains, converged


def _dealt(y: Labels, folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the fold of every sample, dealt in turn label by label, so that no fold holds all of a label."""
    order = rng.permutation(y.size)
    order = order[np.argsort(y[order], kind="stable")]
    fold = np.empty(y.size, np.int64)
    fold[order] = np.arange(y.size) % folds
    return fold


METHOD = Method(
    name="v_information",
    function=v_information,
    parameters=VInformation,
    kind="lower_bound",
    x="continuous",
    y="discrete",
    quantity="V-information",
    within_entropies=True,
    assumes="samples are independent, and the label is predicted by a member of the stated family",
    wrong_when="the family cannot express how y depends on x, or samples are too few to fit it: it is then too low",
    source="Xu et al. 2020, Definitions 2 and 3; control labels: Hewitt & Liang 2019",
)
