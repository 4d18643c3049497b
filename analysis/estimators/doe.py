"""Difference of entropies, each from a learned density (McAllester & Stratos 2020).

    I(X;Y) = H(Y) - H(Y|X) ~ E [-log q(y)] - E [-log q(y|x)]        [nat]

(McAllester & Stratos 2020, the estimator that they recommend). Each cross-entropy is an upper bound on its entropy on
samples that the density has not seen, so their difference bounds nothing: too high by what q(y) misses, too low by what
q(y|x) misses. It needs no exponential of a log-ratio: it has no ceiling, and varies no more with more information.

For continuous y both densities are mixtures of normal laws (`mixture_density`); for labels q(y) is their share in the
part for training and q(y|x) the softmax of a network, and the value is a lower bound up to the error of these shares.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from infoplane.analysis.estimators.critic_statistics import standard_error
from infoplane.analysis.estimators.critic_training import Training
from infoplane.analysis.estimators.density_fit import fit_density
from infoplane.analysis.estimators.label_density import LabelDensity
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.mixture_density import MixtureDensity
from infoplane.analysis.estimators.single_labels import refuse_single_labels
from infoplane.analysis.estimators.three_parts import LEAST_N, Parts, three_parts
from infoplane.analysis.finding import Finding


@dataclass(frozen=True)
class DoE(Training):
    """Parameters of `doe`: how the densities are trained."""

    batch: int = 256


@torch.inference_mode(False)
def doe(x: Floats, y: Floats | Labels, parameters: DoE) -> Reading:
    """Return the mean of log q(y|x) - log q(y) on samples that neither density has seen.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : DoE
        How the densities are trained.

    Returns
    -------
    Reading
        In nats, with a standard error over the samples for evaluation, the densities held fixed. Its bias is the
        divergence of q(y) from p(y) less that of q(y|x) from p(y|x).

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or y is labels and most samples are alone with theirs.
    """
    refuse_single_labels(y)
    parts = three_parts(x, y, seed=parameters.seed)
    conditional = _fitted("q(y|x)", parts, parameters, labels=y.ndim == 1)
    if y.ndim == 1:
        # Laplace's rule: a label that the part for training lacks is not impossible.
        counts = parts.train.y.double().sum(0) + 1
        marginal = _Density(parts.evaluate.y.double() @ (counts / counts.sum()).log(), (), {})
    else:
        marginal = _fitted("q(y)", parts.without_x(), parameters, labels=False)
    gains = conditional.logs - marginal.logs
    return Reading(
        nats=float(gains.mean()),
        standard_error=standard_error(gains),
        findings=conditional.findings + marginal.findings,
        chosen={"evaluated": len(gains), **conditional.chosen},
    )


@dataclass(frozen=True, eq=False)
class _Density:
    """A trained density: its logarithms at the samples for evaluation, and what is to be said of its training."""

    logs: Tensor
    findings: tuple[Finding, ...]
    chosen: dict[str, int]


def _fitted(name: str, parts: Parts, training: Training, *, labels: bool) -> _Density:
    """Return the density of y given x, trained by maximum likelihood; findings call it `name`."""
    generator = training.generator()
    kind = LabelDensity if labels else MixtureDensity
    network = kind(parts.train.x.shape[1], parts.train.y.shape[1], training.hidden, generator)
    fit = fit_density(network, parts, training, generator)
    with torch.no_grad():
        logs = fit.network.own(parts.evaluate.x, parts.evaluate.y).double()
    said = tuple(replace(finding, where=f"training of {name}") for finding in fit.findings)
    return _Density(logs, said, fit.chosen)


METHOD = Method(
    name="doe",
    function=doe,
    parameters=DoE,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="a mixture of some normal laws describes y, and y given x, about equally well",
    wrong_when="y has many dimensions and is far from a mixture of normal laws: the two entropies err differently",
    source="McAllester & Stratos 2020 (difference of entropies); densities: Bishop 1994 (mixture density networks)",
    least_n=LEAST_N,
)
