"""Predictors of labels from a stated family, fitted on some samples and read as probabilities on others.

``linear``: multinomial logistic regression, argmin sum -ln q(y|x) + l2/2 ||w||^2 (scikit-learn, L-BFGS).
``mlp``: one hidden layer of 64 rectified units, the same loss by Adam (scikit-learn); a seventh of the fitting samples
is kept aside, and the weights of the epoch that predicted those best are taken, so that it may be as smooth as it
needs to be.

Columns are standardised by mean and deviation of the fitting samples. Both families hold every constant prediction:
with zero weights the label's frequencies alone are told.
"""

import math
import warnings
from copy import deepcopy
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, near_names

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
FAMILIES = ("linear", "mlp")
_LBFGS_STEPS = 1000
_HIDDEN, _RATE, _EPOCHS, _PATIENCE = 64, 3e-3, 500, 15
_BATCH, _STEPS = 64, 10  # samples of a step, unless an epoch had fewer steps than that
_HELD_BACK = 7  # one of so many
_GAIN = 1e-4  # nats on the samples kept aside, under which an epoch has brought nothing


@dataclass(frozen=True, eq=False)
class Prediction:
    """Probabilities that a fitted predictor gives.

    Attributes
    ----------
    log_q : numpy.ndarray
        Shape (samples, classes), nats; -infinity for a class that the fitting samples lack.
    converged : bool
        Whether the fit reached its optimum; a predictor that did not is a worse one of its family, not a wrong one.
    """

    log_q: Floats
    converged: bool


def check_family(family: object, l2: object) -> None:
    """Raise InputError unless `family` is one of `FAMILIES` and `l2` a finite number above 0."""
    if family not in FAMILIES:
        near = near_names(str(family), FAMILIES)
        raise InputError(f"family is {family!r}, which is unknown{near}; it is one of: {', '.join(FAMILIES)}")
    if isinstance(l2, bool) or not isinstance(l2, Real) or not 0 < float(l2) < math.inf:
        raise InputError(f"l2 is {l2!r}, but the weight of the penalty is a finite number above 0")


def fit_and_predict(
    family: str, x: Floats, y: Labels, unseen: Floats, *, classes: int, l2: float, seed: int
) -> Prediction:
    """Fit a predictor of the family on (x, y) and return its probabilities on unseen samples.

    Parameters
    ----------
    family : {"linear", "mlp"}
        The family.
    x, y : numpy.ndarray
        Shapes (m, d) and (m,): fitting samples, labels in 0 .. classes - 1.
    unseen : numpy.ndarray
        Shape (k, d).
    classes : int
        Number of labels.
    l2 : float
        Weight of the penalty, above 0.
    seed : int
        Of initial weights and batches; global random states are left alone.

    Returns
    -------
    Prediction
        Of the k unseen samples.
    """
    present = np.unique(y)
    log_q = np.full((len(unseen), classes), -np.inf)
    if present.size == 1:
        log_q[:, present] = 0.0
        return Prediction(log_q, converged=True)
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale == 0] = 1
    fit = _linear if family == "linear" else _mlp
    with warnings.catch_warnings():
        # Early blocks and rare labels have more labels than half of their samples, which is no mistake here.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model, converged = fit((x - centre) / scale, y, l2, seed)
    q = model.predict_proba((unseen - centre) / scale)
    log_q[:, model.classes_] = np.log(np.maximum(q, np.finfo(float).tiny))
    return Prediction(log_q, converged)


def _linear(x: Floats, y: Labels, l2: float, seed: int) -> tuple[Any, bool]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1 / l2, max_iter=_LBFGS_STEPS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y)
    return model, int(model.n_iter_.max()) < _LBFGS_STEPS


def _mlp(x: Floats, y: Labels, l2: float, seed: int) -> tuple[Any, bool]:
    from sklearn.neural_network import MLPClassifier

    # partial_fit starts again from an integer seed at every epoch, but goes on with a generator.
    random = np.random.RandomState(seed)
    order = random.permutation(len(x))
    back, rest = np.split(order, [math.ceil(len(x) / _HELD_BACK)])
    # Batches alike: the library weighs alpha against the loss of one batch, so that a small last one would outweigh
    # the others; l2 is against the loss of all samples.
    batch = math.ceil(rest.size / max(min(_STEPS, rest.size), round(rest.size / _BATCH)))
    alpha = l2 * batch / rest.size
    model = MLPClassifier(_HIDDEN, alpha=alpha, batch_size=batch, learning_rate_init=_RATE, random_state=random)
    present = np.unique(y)
    index = np.searchsorted(present, y[back])
    best, best_loss, waited = model, np.inf, 0
    for _ in range(_EPOCHS):
        model.partial_fit(x[rest], y[rest], classes=present)
        q = model.predict_proba(x[back])[np.arange(back.size), index]
        loss = -np.log(np.maximum(q, np.finfo(float).tiny)).mean()
        if loss < best_loss - _GAIN:
            best, best_loss, waited = deepcopy(model), loss, 0
        elif (waited := waited + 1) >= _PATIENCE:
            return best, True
    return best, False
