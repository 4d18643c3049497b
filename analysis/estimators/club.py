"""CLUB: a contrastive log-ratio with a learned conditional (Cheng et al. 2020).

    E_p(x,y) log q(y|x) - E_p(x)p(y) log q(y|x)        [nat]

(Cheng et al. 2020, the variational form of CLUB, Section 3.2), q(y|x) = N(mu(x), diag s^2(x)) learned by maximum
likelihood, or the softmax of a network for labels. **With the true p(y|x) in place of q it is an upper bound** on
I(X;Y) (their Theorem 3.1), and a loose one: d rho^2 / (1 - rho^2) for d independent pairs of normal variables with
correlation rho, whose information is -d/2 log(1 - rho^2). With a learned q it bounds nothing, and is an ``estimate``
of that looser number.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from infoplane.analysis.estimators.critic_statistics import of_joint, of_product, standard_error
from infoplane.analysis.estimators.critic_training import Training
from infoplane.analysis.estimators.density_fit import fit_density
from infoplane.analysis.estimators.feed_forward import FeedForward
from infoplane.analysis.estimators.label_density import LabelDensity
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.single_labels import refuse_single_labels
from infoplane.analysis.estimators.three_parts import LEAST_N, three_parts


@dataclass(frozen=True)
class CLUB(Training):
    """Parameters of `club`: how the conditional is trained."""

    batch: int = 256


class NormalConditional(nn.Module):
    """q(y|x) = N(mu(x), diag s^2(x))."""

    def __init__(self, dx: int, dy: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.mean = FeedForward((dx, hidden, hidden, dy), generator)
        self.log_std = FeedForward((dx, hidden, hidden, dy), generator)

    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log q(y_j | x_i), shape (m, n), in nats less a constant."""
        mean, log_std = self.mean(x), self.log_std(x)
        precision = (-2 * log_std).exp()
        squares = precision @ y.square().T - 2 * (mean * precision) @ y.T + (mean.square() * precision).sum(1)[:, None]
        found: Tensor = -0.5 * squares - log_std.sum(1)[:, None]
        return found

    def own(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log q(y_i | x_i), shape (n,), in nats less a constant."""
        log_std = self.log_std(x)
        found: Tensor = -(0.5 * ((y - self.mean(x)) * (-log_std).exp()).square() + log_std).sum(1)
        return found


@torch.inference_mode(False)
def club(x: Floats, y: Floats | Labels, parameters: CLUB) -> Reading:
    """Return the contrastive log-ratio of a learned conditional on samples that it has not seen.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : CLUB
        How the conditional is trained.

    Returns
    -------
    Reading
        In nats, with a standard error over the samples for evaluation, the conditional held fixed. As a rule far above
        the information where that is large; no bound, because q is learned.

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or y is labels and most samples are alone with theirs.
    """
    refuse_single_labels(y)
    parts = three_parts(x, y, seed=parameters.seed)
    generator = parameters.generator()
    kind = NormalConditional if y.ndim == 2 else LabelDensity
    network = kind(parts.train.x.shape[1], parts.train.y.shape[1], parameters.hidden, generator)
    fit = fit_density(network, parts, parameters, generator)
    with torch.no_grad():
        scores = fit.network.pairs(parts.evaluate.x, parts.evaluate.y).double()
    joint, product = of_joint(scores), of_product(scores)
    columns = (scores.sum(0) - joint) / (len(scores) - 1)
    return Reading(
        nats=float(joint.mean() - product.mean()),
        standard_error=standard_error(joint - product.mean(1) - columns),
        findings=fit.findings,
        chosen={"evaluated": len(scores), **fit.chosen},
    )


METHOD = Method(
    name="club",
    function=club,
    parameters=CLUB,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="given x, y is normal with independent columns, and a small network can learn its means and deviations",
    wrong_when="the information is not small: it estimates a loose upper bound (1.29 nat where the truth is 0.41)",
    source="Cheng et al. 2020, Section 3.2 (an upper bound, Theorem 3.1, only with the true conditional)",
    least_n=LEAST_N,
)
