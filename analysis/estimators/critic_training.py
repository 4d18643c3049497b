"""Training of an estimator's network: minibatches, early stopping, and the best checkpoint.

Weights are averaged over steps (decay 0.98), the average is scored on the part for choosing every 50 steps, and its
best state is kept, the untrained network included. Training ends when `patience` scores in a row were no better, or
with the last step; a network that was still getting better then is said by a finding.
"""

import copy
import math
import numbers
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.finding import Finding

_EVERY = 50  # steps between two scores
_DECAY = 0.98
_CLIP = 1.0  # norm of a gradient: one heavy pair may not throw the network away
_GAIN = 0.01  # share of the score's range over training that still counts as getting better

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Training:
    """How a network is trained; the parameters of every neural estimator.

    Attributes
    ----------
    hidden : int
        Width of the hidden layers.
    batch : int
        Samples in a step; all pairs of a batch are scored.
    learning_rate : float
        Of AdamW.
    steps : int
        Most steps.
    patience : int
        Scores in a row (one every 50 steps) without improvement that end the training.
    seed : int
        Of the split, the weights and the batches.

    Raises
    ------
    InputError
        When a value cannot be used.
    """

    hidden: int = 32
    batch: int = 64
    learning_rate: float = 2e-3
    steps: int = 3000
    patience: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("hidden", 1), ("batch", 2), ("steps", 1), ("patience", 1), ("seed", 0)):
            whole_number(name, getattr(self, name), least=least)
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, numbers.Real) or not 0 < rate < 1:
            raise InputError(f"learning_rate is {rate!r}, but it must be a number between 0 and 1")

    def generator(self) -> torch.Generator:
        """Return a generator of its own for weights and batches."""
        return torch.Generator(device="cpu").manual_seed(self.seed)


@dataclass(frozen=True, eq=False)
class Trained(Generic[Network]):
    """A trained network.

    Attributes
    ----------
    network : torch.nn.Module
        In its best state.
    best_step, last_step : int
        Step of that state, and the last one.
    findings : tuple of Finding
        ``not_converged`` where the score was still getting better at the last step.
    """

    network: Network
    best_step: int
    last_step: int
    findings: tuple[Finding, ...]

    @property
    def chosen(self) -> dict[str, int]:
        """What to keep beside a value."""
        return {"best_step": self.best_step, "last_step": self.last_step}


def trained(
    network: Network,
    loss: Callable[[Network, Tensor], Tensor],
    score: Callable[[Network], float],
    *,
    rows: int,
    training: Training,
    generator: torch.Generator,
    unit: str = "nat",
) -> Trained[Network]:
    """Train a network and return it in its best state.

    Parameters
    ----------
    network : torch.nn.Module
        Untrained; it is changed.
    loss : callable
        ``loss(network, index)``: the loss on the training samples with those indices, a tensor without dimensions.
    score : callable
        ``score(network)``: how good it is on the part for choosing, in `unit`; higher is better, and NaN is never best.
    rows : int
        Training samples.
    training : Training
        Batch, learning rate, steps and patience.
    generator : torch.Generator
        Of the batches.
    unit : str
        Of the score; ``"1"`` where it is no information.

    Returns
    -------
    Trained
    """
    with torch.enable_grad():
        average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_DECAY))
        optimizer = torch.optim.AdamW(network.parameters(), lr=training.learning_rate)
        scores = [_score_of(network, score)]
        best = copy.deepcopy(network.state_dict())
        step = 0
        for index in _batches(rows, training, generator):
            step += 1
            value = loss(network, index)
            if bool(torch.isfinite(value)):
                optimizer.zero_grad()
                value.backward()
                nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
                optimizer.step()
            average.update_parameters(network)
            if step % _EVERY == 0 or step == training.steps:
                scores.append(_score_of(cast(Network, average.module), score))
                if scores[-1] > max(scores[:-1]):
                    best = copy.deepcopy(average.module.state_dict())
                elif len(scores) - 1 - _argmax(scores) >= training.patience:
                    break
        network.load_state_dict(best)
    return Trained(
        network=network.eval(),
        best_step=min(_argmax(scores) * _EVERY, step),
        last_step=step,
        findings=_still_improving(scores, step, unit) if step == training.steps else (),
    )


def _batches(rows: int, training: Training, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the indices of each step: all samples in random order, again and again, the rest of an epoch left out."""
    size = min(training.batch, rows)
    epochs = math.ceil(training.steps / (rows // size))
    batches = (
        batch
        for _ in range(epochs)
        for batch in torch.randperm(rows, generator=generator, device="cpu").split(size)
        if len(batch) == size
    )
    return islice(batches, training.steps)


def _score_of(network: Network, score: Callable[[Network], float]) -> float:
    with torch.no_grad():
        value = score(network)
    return value if math.isfinite(value) else -math.inf


def _argmax(scores: list[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


def _still_improving(scores: list[float], step: int, unit: str) -> tuple[Finding, ...]:
    """Return a finding when the last fifth of the training, cut off by the number of steps, still gained something."""
    earlier = scores[: -max(1, len(scores) // 5)]
    gain, range_before = max(scores) - max(earlier), max(earlier) - scores[0]
    if not gain > _GAIN * max(range_before, 1.0):
        return ()
    text = f"the network was still getting better at the last of {step} steps, and gained in their last fifth"
    return (Finding("not_converged", "training", text, gain, unit, advice="give it more steps"),)
