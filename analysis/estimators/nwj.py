"""The lower bound of Nguyen, Wainwright & Jordan (2010), with a learned critic.

    I(X;Y) >= E_p(x,y) f - 1/e E_p(x)p(y) e^f        [nat]

(Nguyen et al. 2010, Lemma 1 for the Kullback-Leibler divergence; I_NWJ of Poole et al. 2019). With f = 1 + T it
reads 1 + E_p(x,y) T - E_p(x)p(y) e^T, is 0 for T = 0 and tight for T = log p(x, y) / (p(x) p(y)). Both means are linear
in the law, so the value on held-out samples, with pairs i != j for the product law, is unbiased for a number that is at
most I: a lower bound in expectation, whatever the critic.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from infoplane.analysis.estimators.critic_fit import fit_critic
from infoplane.analysis.estimators.critic_statistics import Normaliser, log_mean_exp, of_joint, standard_error
from infoplane.analysis.estimators.critic_training import Training
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.three_parts import LEAST_N


@dataclass(frozen=True)
class NWJ(Training):
    """Parameters of `nwj`: how the critic is trained."""


def nwj(x: Floats, y: Floats | Labels, parameters: NWJ) -> Reading:
    """Return the bound of a trained critic on samples that it has not seen.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : NWJ
        How the critic is trained.

    Returns
    -------
    Reading
        In nats, with a standard error over the samples for evaluation, the critic held fixed. Bounds I from below in
        expectation; too low by what the critic has not learned. The variance of the mean of e^T grows exponentially
        with I (Song & Ermon 2020): where it rests on few pairs, a finding says so.

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or y is labels and most samples are alone with theirs.
    """
    fit = fit_critic(x, y, parameters, _bound)
    joint, normaliser = of_joint(fit.scores), Normaliser.of(fit.scores)
    z = math.exp(normaliser.log)
    return Reading(
        nats=1 + float(joint.mean()) - z,
        standard_error=standard_error(joint - z * normaliser.influence),
        findings=fit.findings + normaliser.findings,
        chosen=fit.chosen,
    )


def _bound(scores: Tensor) -> Tensor:
    return 1 + of_joint(scores).mean() - log_mean_exp(scores).exp()


METHOD = Method(
    name="nwj",
    function=nwj,
    parameters=NWJ,
    kind="lower_bound",
    x="continuous",
    y="either",
    assumes="samples are independent; the bound is tight when a small network can learn the log-ratio",
    wrong_when="the information is above some 4 nats: far too low, and its standard error does not show it",
    source="Nguyen, Wainwright & Jordan 2010, Lemma 1; I_NWJ of Poole et al. 2019",
    least_n=LEAST_N,
)
