"""MINE: the Donsker-Varadhan bound with a learned critic (Belghazi et al. 2018).

    I(X;Y) >= E_p(x,y) T - log E_p(x)p(y) e^T        [nat]    Donsker & Varadhan 1983; Theorem 1 of Belghazi et al.

with equality for T = log p(x, y) / (p(x) p(y)) + const. The gradient of the logarithm of a minibatch's mean is biased;
it is corrected by a moving average of that mean in the denominator (Section 3.2 of Belghazi et al., Eq. 12).

**The log of a sample mean** is too low by about half the squared relative error of the mean (Jensen), so the value with
the critic held fixed is too high by that much in expectation: E value <= I + bias, not <= I. In a minibatch the bias
grows without limit; here the mean is taken over all m (m - 1) pairs of the m samples for evaluation, and the bias that
is left is kept beside the value as ``log_mean_bias_nats``. `kind` is therefore ``estimate``; `nwj` is a bound.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from infoplane.analysis.estimators.critic_fit import fit_critic
from infoplane.analysis.estimators.critic_statistics import Normaliser, log_mean_exp, of_joint, standard_error
from infoplane.analysis.estimators.critic_training import Training
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.three_parts import LEAST_N

_MEMORY = 0.99  # of the moving average


@dataclass(frozen=True)
class MINE(Training):
    """Parameters of `mine`: how the critic is trained."""


class CorrectedLoss:
    """A loss with the gradient of minus the Donsker-Varadhan value, the denominator averaged over batches."""

    def __init__(self) -> None:
        self.log_average: Tensor | None = None

    def __call__(self, scores: Tensor) -> Tensor:
        """Return the loss of scores of shape (b, b) and take their mean of e^T into the average."""
        log_mean = log_mean_exp(scores)
        now = log_mean.detach()
        before = now if self.log_average is None else self.log_average
        average = torch.logaddexp(before + math.log(_MEMORY), now + math.log1p(-_MEMORY))
        if bool(torch.isfinite(average)):
            self.log_average = average
        return torch.exp(log_mean - average) - of_joint(scores).mean()


def mine(x: Floats, y: Floats | Labels, parameters: MINE) -> Reading:
    """Return the Donsker-Varadhan value of a trained critic on samples that it has not seen.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : MINE
        How the critic is trained.

    Returns
    -------
    Reading
        In nats, with a standard error over the samples for evaluation, the critic held fixed. Too low by what the
        critic has not learned, too high by ``log_mean_bias_nats``.

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or y is labels and most samples are alone with theirs.
    """
    fit = fit_critic(x, y, parameters, _donsker_varadhan, loss=CorrectedLoss())
    joint, normaliser = of_joint(fit.scores), Normaliser.of(fit.scores)
    return Reading(
        nats=float(joint.mean()) - normaliser.log,
        standard_error=standard_error(joint - normaliser.influence),
        findings=fit.findings + normaliser.findings,
        chosen={**fit.chosen, "log_mean_bias_nats": normaliser.relative_error**2 / 2},
    )


def _donsker_varadhan(scores: Tensor) -> Tensor:
    return of_joint(scores).mean() - log_mean_exp(scores)


METHOD = Method(
    name="mine",
    function=mine,
    parameters=MINE,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="a small network can learn the log-ratio from 60 % of the samples",
    wrong_when="the information is above some 4 nats or n is small for the dimension: too low, and unstable near log n",
    source="Belghazi et al. 2018, Theorem 1, Section 3.2 and Eq. 12 (corrected gradient); Donsker & Varadhan 1983",
    least_n=LEAST_N,
)
