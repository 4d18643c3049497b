"""Losses of trainings side by side, looked at for what is no finite number; such a training fails and leaves."""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from infoplane.training.losses import stop_training
from infoplane.training.member import Member

if TYPE_CHECKING:
    from infoplane.training.group import Group


class GroupLosses:
    """Looks at them in lots of steps.

    Parameters
    ----------
    group : Group
        Whose losses they are.
    lot : int
        Steps: reading a loss back from an accelerator makes it wait.
    """

    def __init__(self, group: "Group", lot: int) -> None:
        self._group, self._lot = group, lot
        self._waiting: list[tuple[int, Tensor, list[Member], Tensor, Tensor]] = []

    def add(self, step: int, loss: Tensor, members: list[Member], outputs: Tensor, labels: Tensor) -> None:
        """Take those of one step."""
        self._waiting.append((step, loss.detach(), members, outputs.detach(), labels))
        if len(self._waiting) >= self._lot:
            self.look()

    def look(self) -> None:
        """Look at all that wait."""
        waiting, self._waiting = self._waiting, []
        if not waiting or bool(torch.stack([loss for _, loss, *_ in waiting]).isfinite().all()):
            return
        for step, _, members, outputs, labels in waiting:
            for member, own, classes in zip(members, outputs, labels, strict=True):
                if member.failure is None:
                    value = float(self._group.loss([member], own[None], classes[None]))
                    if not math.isfinite(value):
                        with self._group.failing(member):
                            stop_training(member.rec, f"the loss is {value} at step {step}")
