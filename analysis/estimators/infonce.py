"""InfoNCE: telling the partner of x among m candidates (van den Oord et al. 2018).

    I(X;Y) >= E 1/m sum_i log [ e^T(x_i, y_i) / (1/m sum_j e^T(x_i, y_j)) ]        [nat]

(van den Oord et al. 2018, Eq. 4 and Section 2.3; Eq. 10 of Poole et al. 2019). It is a lower bound in expectation
for every m and T, and **never above log m**, its ceiling. m is the number of samples for evaluation, a quarter of n and
at most 4096, and not the batch that the critic was trained with.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from infoplane.analysis.estimators.critic_fit import fit_critic
from infoplane.analysis.estimators.critic_statistics import of_joint, standard_error
from infoplane.analysis.estimators.critic_training import Training
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.three_parts import LEAST_N
from infoplane.analysis.finding import Finding

_DEAR = 0.1  # nats that the ceiling costs, above which it is said


@dataclass(frozen=True)
class InfoNCE(Training):
    """Parameters of `infonce`: how the critic is trained."""


def infonce(x: Floats, y: Floats | Labels, parameters: InfoNCE) -> Reading:
    """Return the bound of a trained critic on samples that it has not seen, all of them candidates for each.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : InfoNCE
        How the critic is trained.

    Returns
    -------
    Reading
        In nats, with a standard error over the samples for evaluation, the critic held fixed. Bounds I from below in
        expectation. ``ceiling_nats`` is log m; what it costs is the mean of -log(1 - w_i), with w_i the share of the
        true partner in the sum over candidates, and is said where it is more than 0.1 nat.

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or y is labels and most samples are alone with theirs.
    """
    fit = fit_critic(x, y, parameters, _bound)
    m = len(fit.scores)
    shares = torch.softmax(fit.scores, dim=1)
    terms = of_joint(fit.scores) - fit.scores.logsumexp(dim=1) + math.log(m)
    return Reading(
        nats=float(terms.mean()),
        standard_error=standard_error(terms - shares.sum(0)),
        findings=fit.findings + _ceiling(fit.scores, m),
        chosen={**fit.chosen, "ceiling_nats": math.log(m)},
    )


def _bound(scores: Tensor) -> Tensor:
    return (of_joint(scores) - scores.logsumexp(dim=1)).mean() + math.log(len(scores))


def _ceiling(scores: Tensor, m: int) -> tuple[Finding, ...]:
    others = scores.clone().fill_diagonal_(-math.inf).logsumexp(dim=1)
    cost = float(nn.functional.softplus(of_joint(scores) - others).mean())
    if cost <= _DEAR:
        return ()
    text = f"the value sits near its ceiling, the log of the {m} samples that it is read on, which costs part of it"
    return (Finding("ceiling", "evaluation", text, cost, "nat", "take more samples, or read it as a lower bound only"),)


METHOD = Method(
    name="infonce",
    function=infonce,
    parameters=InfoNCE,
    kind="lower_bound",
    x="continuous",
    y="either",
    assumes="samples are independent; tight when a small network can learn the log-ratio and I is well below log m",
    wrong_when="the information is within some 2 nats of log m, m the samples for evaluation (a quarter of n): too low",
    source="van den Oord et al. 2018, Eq. 4 and Section 2.3; Poole et al. 2019, Eq. 10",
    least_n=LEAST_N,
)
