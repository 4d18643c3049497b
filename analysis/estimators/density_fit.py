"""A density q(y|x) trained by maximum likelihood on one part of the samples, its best state chosen by another."""

from typing import Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from infoplane.analysis.estimators.critic_training import Trained, Training, trained
from infoplane.analysis.estimators.three_parts import Part, Parts


class _Density(Protocol):
    def own(self, x: Tensor, y: Tensor) -> Tensor: ...


Network = TypeVar("Network", bound=nn.Module)


def fit_density(network: Network, parts: Parts, training: Training, generator: torch.Generator) -> Trained[Network]:
    """Return a density trained to maximise the mean of log q(y_i | x_i), which its method ``own(x, y)`` returns.

    Parameters
    ----------
    network : torch.nn.Module
        Untrained; it is changed.
    parts : Parts
        The part for evaluation is not looked at.
    training : Training
        How.
    generator : torch.Generator
        Of the batches.
    """

    def likelihood(network: Network, part: Part) -> Tensor:
        return cast(_Density, network).own(part.x, part.y).mean()

    return trained(
        network,
        lambda network, index: -likelihood(network, parts.train.rows(index)),
        lambda network: float(likelihood(network, parts.choose)),
        rows=len(parts.train),
        training=training,
        generator=generator,
    )
