"""Losses of the steps of an epoch: their mean, and an end of the training where one is no finite number."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import torch
from torch import Tensor

from infoplane.errors import InputError
from infoplane.recording import Recording
from infoplane.training.failure import TrainingError
from infoplane.training.place import Place


class Losses:
    """The training losses of an epoch.

    Parameters
    ----------
    rec : Recording
        Told of a loss that is no finite number.
    lot : int
        Losses are looked at in lots of so many: reading one back from an accelerator makes it wait.
    """

    def __init__(self, rec: Recording, lot: int) -> None:
        self._rec, self._lot = rec, lot
        self._waiting: list[Tensor] = []
        self._sum, self._count = 0.0, 0

    def add(self, loss: Tensor) -> None:
        """Take that of one step; TrainingError where one of this lot is no finite number."""
        self._waiting.append(loss.detach())
        if len(self._waiting) >= self._lot:
            self._look()

    def mean(self, where: Place) -> float:
        """Return the mean over the steps of the epoch, and over ranks."""
        self._look()
        device = where.device if where.ranks.world > 1 else "cpu"
        total = where.ranks.sum(torch.tensor([self._sum, self._count], dtype=torch.float64, device=device))
        return float(total[0] / total[1])

    def _look(self) -> None:
        if not self._waiting:
            return
        values = torch.stack(self._waiting).double().tolist()
        first = self._rec.step - len(values) + 1
        self._waiting.clear()
        for step, value in enumerate(values, start=first):
            if not math.isfinite(value):
                stop_training(self._rec, f"the loss is {value} at step {step}")
        self._sum += sum(values)
        self._count += len(values)


def stop_training(rec: Recording, what: str) -> NoReturn:
    """Note why among the events, and raise TrainingError."""
    rec.event(f"{what}: the training was stopped")
    raise TrainingError(
        f"{what}, and the training was stopped: try a lower learning or scaling rate"
        f"{'' if rec.path is None else f'; {rec.path} is readable up to there'}"
    )


@contextmanager
def told_of_scaling(rec: Recording) -> Iterator[None]:
    """Make of what scaling refuses, a weight that is not finite or would not be, an end of the training."""
    try:
        yield
    except InputError as error:
        rec.event(f"the training was stopped at step {rec.step}: {error}")
        raise TrainingError(f"the training was stopped at step {rec.step}: {error}") from error
