"""From samples to a trained critic and its scores on samples that it has not seen."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoplane.analysis.estimators.critic import Critic, pair_scores
from infoplane.analysis.estimators.critic_training import Training, trained
from infoplane.analysis.estimators.method import Floats, Labels
from infoplane.analysis.estimators.single_labels import refuse_single_labels
from infoplane.analysis.estimators.three_parts import Part, three_parts
from infoplane.analysis.finding import Finding

_BLOCK = 256  # samples of which all pairs are scored when checkpoints are compared

Objective = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class CriticFit:
    """What a trained critic says of the part for evaluation.

    Attributes
    ----------
    scores : torch.Tensor
        Shape (m, m), float64: T(x_i, y_j) of all pairs of the m samples of that part.
    findings : tuple of Finding
        Of the training.
    chosen : dict
        ``evaluated`` (m), ``best_step`` and ``last_step``.
    """

    scores: Tensor
    findings: tuple[Finding, ...]
    chosen: dict[str, Any]


@torch.inference_mode(False)
def fit_critic(
    x: Floats, y: Floats | Labels, training: Training, objective: Objective, *, loss: Objective | None = None
) -> CriticFit:
    """Train a critic on one part of the samples, choose its best state by a second, score the pairs of the third.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    training : Training
        How.
    objective : callable
        What is maximised, of scores of shape (b, b), in nats.
    loss : callable, optional
        What is minimised in its place, where that has another gradient than minus the objective.

    Raises
    ------
    InputError
        When there are fewer than 20 samples, or y is labels and most samples are alone with theirs.
    """
    refuse_single_labels(y)
    parts = three_parts(x, y, seed=training.seed)
    generator = training.generator()
    critic = Critic(parts.train.x.shape[1], parts.train.y.shape[1], training.hidden, generator)

    def loss_of(network: Critic, index: Tensor) -> Tensor:
        batch = parts.train.rows(index)
        scores = network(batch.x, batch.y)
        return -objective(scores) if loss is None else loss(scores)

    def score_of(network: Critic) -> float:
        return float(torch.stack([objective(pair_scores(network, block)) for block in _blocks(parts.choose)]).mean())

    fitted = trained(critic, loss_of, score_of, rows=len(parts.train), training=training, generator=generator)
    return CriticFit(
        scores=pair_scores(fitted.network, parts.evaluate),
        findings=fitted.findings,
        chosen={"evaluated": len(parts.evaluate), **fitted.chosen},
    )


def _blocks(part: Part) -> list[Part]:
    """Return it in blocks of nearly equal size, at most 256 samples each."""
    count = -(-len(part) // _BLOCK)
    return [part.rows(index) for index in torch.arange(len(part), device="cpu").tensor_split(count)]
