"""The choice of `auto` where a variable is a label.

Two labels go to Grassberger's estimator, whose bias is least of the closed forms when cells are few. A continuous
variable and a label go to Ross's neighbours, checked against classifiers on held-out samples:

    I(X;Y) >= H(Y) - < -log q(y | x) >      [nat]

for any q (Barber and Agakov 2003): a value of the neighbours below that is too low, and the bound replaces it.
"""

import warnings
from typing import Any

import numpy as np

from infoplane.analysis.estimators.choice import choice
from infoplane.analysis.estimators.contrast import random_parts
from infoplane.analysis.estimators.count_table import plugin_entropy
from infoplane.analysis.estimators.grassberger import Grassberger, grassberger
from infoplane.analysis.estimators.method import Floats, Labels, Reading
from infoplane.analysis.estimators.normal_scores import normal_scores
from infoplane.analysis.estimators.ross import Ross, ross
from infoplane.analysis.finding import Finding

_FOLDS = 5
_LEAST = 100  # samples from which a part can be held out
_LEAST_OF_A_CLASS = 50  # from which a part for early stopping has some of every class
_MOST_COLUMNS = 6  # of neighbours
_CLEARLY = 0.05  # nats


def choose_for_labels(x: Labels, y: Labels) -> Reading:
    """Return Grassberger's estimate for two variables of labels, shapes (n,)."""
    reading = grassberger(x, y, Grassberger())
    return choice("grassberger", "both variables take few values", reading, reading.chosen)


def choose_for_label(x: Floats, y: Labels, seed: int) -> Reading:
    """Return the choice for a continuous variable of shape (n, d) and labels of shape (n,)."""
    entropy = plugin_entropy(np.unique(y, return_counts=True)[1])
    neighbours = ross(x, y, Ross(seed=seed))
    bounds = {}
    if len(y) >= _LEAST and np.bincount(y).max() < len(y):
        bounds = {name: entropy - losses for name, losses in _losses(normal_scores(x), y, seed).items()}
    kept: dict[str, Any] = {"ross_nats": neighbours.nats}
    kept |= {f"{name}_score_nats": float(scores.mean()) for name, scores in bounds.items()}
    if not bounds:
        why = f"neighbours, not checked: {len(y)} samples are too few to hold some out"
        return choice("ross", why, neighbours, kept)
    best = max(bounds, key=lambda name: float(bounds[name].mean()))
    score, error = float(bounds[best].mean()), float(bounds[best].std()) / len(y) ** 0.5
    if x.shape[1] <= _MOST_COLUMNS and neighbours.nats >= score - error:
        why = "neighbours: no classifier explains more of held-out samples"
        return choice("ross", why, Reading(neighbours.nats, error, findings=neighbours.findings), kept)
    why = f"{best}: it explains more of held-out samples than neighbours read"
    if x.shape[1] > _MOST_COLUMNS:
        why = f"{best}: it explains the most of held-out samples, and {x.shape[1]} columns are too many for neighbours"
    if neighbours.nats > score + max(_CLEARLY, 2 * error):
        text = "neighbours read more than any classifier explains, but have too many columns to be trusted"
        disagree = Finding("candidates_disagree", "value", text, neighbours.nats - score, "nat", "read it as a bound")
        return choice(best, why, Reading(score, error, "lower_bound", (disagree,)), kept)
    return choice(best, why, Reading(score, error, "lower_bound"), kept)


def _losses(x: Floats, y: Labels, seed: int) -> dict[str, Floats]:
    """Return -log q(y | x) of every sample by each classifier, fitted without the sample's part; shapes (n,)."""
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    n, classes = len(y), int(y.max()) + 1
    rarest = np.bincount(y).min()
    models: dict[str, Any] = {"logistic": LogisticRegression(max_iter=300)}
    if rarest > 2 * _FOLDS + x.shape[1]:
        models["normal_classes"] = QuadraticDiscriminantAnalysis(reg_param=1e-3)
    if rarest >= _LEAST_OF_A_CLASS:
        models["perceptron"] = MLPClassifier(64, early_stopping=True, learning_rate_init=1e-2, random_state=seed)
    losses = {name: np.empty(n) for name in models}
    for part in random_parts(n, _FOLDS, seed):
        rest = np.setdiff1d(np.arange(n), part)
        for name, model in models.items():
            # a label that the rest lacks, and overconfidence, are paid for by one count spread over all labels
            q = np.zeros((len(part), classes))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # iterations run out: the bound holds for any q
                fitted = model.fit(x[rest], y[rest])
            q[:, fitted.classes_] = fitted.predict_proba(x[part])
            q = (len(rest) * q + 1) / (len(rest) + classes)
            losses[name][part] = -np.log(q[np.arange(len(part)), y[part]])
    return losses
