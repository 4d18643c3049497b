"""SMILE: the Donsker-Varadhan value with clipped density ratios (Song & Ermon 2020).

    I(X;Y) ~ E_p(x,y) T - log E_p(x)p(y) clip(e^T, e^-tau, e^tau)        [nat]

The critic is trained as published, on the Jensen-Shannon objective of an f-GAN (Nowozin et al. 2016),

    max over T of  E_p(x,y) [-softplus(-T)] - E_p(x)p(y) [softplus(T)],

whose maximum is at T = log p(x, y) / (p(x) p(y)), and evaluated by the clipped form. Clipping bounds the variance of
the mean, at the price of a bias towards too high values where ratios are above e^tau: an estimate, no bound.
"""

import math
import numbers
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.critic_fit import fit_critic
from infoplane.analysis.estimators.critic_statistics import Normaliser, of_joint, of_product, standard_error
from infoplane.analysis.estimators.critic_training import Training
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.three_parts import LEAST_N


@dataclass(frozen=True)
class SMILE(Training):
    """Parameters of `smile`: how the critic is trained, and the clip.

    Attributes
    ----------
    clip : float
        tau, in nats; ``math.inf`` gives the Donsker-Varadhan value of this critic.
    """

    clip: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.clip, bool) or not isinstance(self.clip, numbers.Real) or not self.clip > 0:
            raise InputError(f"clip is {self.clip!r}, but it must be a positive number of nats")


def smile(x: Floats, y: Floats | Labels, parameters: SMILE) -> Reading:
    """Return the clipped value of a trained critic on samples that it has not seen.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : SMILE
        How the critic is trained, and the clip.

    Returns
    -------
    Reading
        In nats, with a standard error over the samples for evaluation, the critic held fixed. Neither a lower nor an
        upper bound: too low by what the critic has not learned, too high by what is clipped.

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or y is labels and most samples are alone with theirs.
    """
    fit = fit_critic(x, y, parameters, _jensen_shannon)
    joint, normaliser = of_joint(fit.scores), Normaliser.of(fit.scores.clamp(-parameters.clip, parameters.clip))
    clipped = float((of_product(fit.scores).abs() > parameters.clip).double().mean())
    return Reading(
        nats=float(joint.mean()) - normaliser.log,
        standard_error=standard_error(joint - normaliser.influence),
        findings=fit.findings + normaliser.findings,
        chosen={**fit.chosen, "clipped_pairs": clipped},
    )


def _jensen_shannon(scores: Tensor) -> Tensor:
    return -softplus(-of_joint(scores)).mean() - softplus(of_product(scores)).mean() + 2 * math.log(2)


METHOD = Method(
    name="smile",
    function=smile,
    parameters=SMILE,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="a small network can learn the log-ratio from 60 % of the samples, and few ratios are above e^clip",
    wrong_when="the information is near or above the clip (either way), or n is small for the dimension (too low)",
    source="Song & Ermon 2020 (SMILE); its gradient: Jensen-Shannon divergence, Nowozin et al. 2016",
    least_n=LEAST_N,
)
