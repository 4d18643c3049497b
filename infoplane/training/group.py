"""Several trainings of one setting in step: what `train_side_by_side` runs between opening and closing their files.

A step runs forward, loss and backward of all networks at once, and one optimizer steps them all. Before a step of
which something is recorded, each network also runs by itself on its batch, without a graph, for its own recording to
see: with the weights and the inputs of that step, so that what is seen is what a training alone shows. All else,
scaling, measurement and checkpoint, is that of a `Session` a training, on the network that is a view into the stack.

A training that fails leaves the stack; the others go on.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor

from infoplane.errors import InfoplaneError
from infoplane.training.going_on import Beginning
from infoplane.training.group_losses import GroupLosses
from infoplane.training.member import Member
from infoplane.training.optimization import Optimization
from infoplane.training.session import LOT, progress, scores_of
from infoplane.training.shown_gradients import ShownGradients
from infoplane.training.side_by_side_batches import Batches
from infoplane.training.stack import Stack, joined, part_of


class Group:
    """Trainings side by side.

    Parameters
    ----------
    members : sequence of Member
        All of them at the same step, and checked by `infoplane.training.limits`.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._live = list(members)
        first = members[0].session
        self._settings, self._length, self._device = first.settings, first.length, first.where.device
        self._stack = Stack([member.model for member in members])
        self._optimization = Optimization(
            self._stack.trained, self._settings.optimizer, device=self._device, precision="float32"
        )
        self._states: dict[int, dict[str, Any]] = {}
        for member in members:
            parts = member.session.parts
            member.session.parts = replace(parts, optimization=cast(Optimization, _Part(self, member)))
        self._step, self._is_noted = 0, False
        self._is_scaled = first.parts.method.scaling is not None
        self._losses = GroupLosses(self, 1 if self._device.type == "cpu" else LOT)
        self._gradients = (
            ShownGradients([member.model for member in members]) if self._settings.probes.gradients else None
        )
        if self._gradients is not None:
            self._optimization.optimizer.register_step_pre_hook(self._show_gradients)

    def run(self, *, quiet: bool, label: str) -> None:
        """Train all to the end; what became of each is then in it."""
        members, begin = list(self._live), self._live[0].beginning
        with ExitStack() as ended:
            for member in members:
                ended.callback(member.session.forget_unbegun, member.beginning)
            self._run(members, begin, quiet=quiet, label=label)
        for member in list(self._live):
            with self.failing(member), member.own_random_state():
                member.session.finish(member.rec)

    def _run(self, members: Sequence[Member], begin: Beginning, *, quiet: bool, label: str) -> None:
        with ExitStack() as opened, progress(self._length, begin, quiet, label) as bar:
            for member in members:
                opened.enter_context(member)
            for member in members:
                with self.failing(member), member.own_random_state():
                    member.session.begin(member.rec, member.beginning)
            if self._states:
                self._go_on(self._live)
            self._step = members[0].rec.step
            for epoch in range(members[0].session.epoch + 1, self._length.epochs + 1):
                factor = self._optimization.learning_rate_factor
                batches = Batches(
                    members[0].session.data,
                    {member.number: member.session.loader for member in self._live},
                    epoch - 1,
                    self._device,
                )
                for member in self._live:
                    member.model.train()
                while self._live and self._step < self._length.steps:
                    batch = batches.next([member.number for member in self._live])
                    if batch is None:
                        break
                    self._one_step(*batch, epoch=epoch, factor=factor)
                    bar.update()
                self._losses.look()
                self._optimization.end_epoch(math.nan)  # of which the schedules allowed here take no notice
                for member in list(self._live):
                    others = [other.hooks for other in self._live]
                    with self.failing(member), member.own_random_state(), member.hooks.around(others=others):
                        measured = member.session.end_epoch(member.rec, epoch, factor)
                        member.found += [] if measured is None else [measured]
                if not self._live:
                    break

    def _one_step(self, inputs: Tensor, labels: Tensor, *, epoch: int, factor: float) -> None:
        members = list(self._live)
        hooks = [member.hooks for member in members]
        if any(member.rec.sees_next_step for member in members):
            with torch.no_grad(), self._stack.preserved_buffers():
                for member, own, classes in zip(members, inputs, labels, strict=True):
                    with self.failing(member, stays=True), member.hooks.around(others=hooks):
                        member.model(own.clone())
                        member.rec.loss(classes)
        else:
            for member in members:
                member.rec.skip()
        self._step += 1
        outputs = scores_of(self._stack.forward(inputs))
        loss = self.loss(members, outputs, labels)
        self._optimization.step(loss)
        self._losses.add(self._step, loss, members, outputs, labels)
        for member in [member for member in self._live if member.failure is not None]:
            self._drop(member)
        if self._is_noted and not self._is_scaled:
            return
        for member in list(self._live):
            with self.failing(member):
                if not self._is_noted:
                    member.rec.event(f"trained side by side, one of {len(members)} seeds")
                member.session.after_step(member.rec, epoch, factor)
        self._is_noted = True

    def loss(self, members: Sequence[Member], outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the sum of the trainings' losses, of outputs (S, n, ...) and labels (S, n, ...)."""
        method = members[0].session.parts.method
        if method.scaling_loss is None and not self._settings.training.class_weights:
            # Every loss is a mean over n rows: their sum is S times the mean over all rows.
            return len(members) * method.loss(outputs.flatten(0, 1), labels.flatten(0, 1))
        return torch.stack(
            [
                member.session.parts.method.loss(own, classes)
                for member, own, classes in zip(members, outputs, labels, strict=True)
            ]
        ).sum()

    def state_of(self, member: Member) -> dict[str, Any]:
        """Return the state of the optimization as the training alone would have it."""
        state = self._optimization.state_dict()
        return {**state, "optimizer": part_of(state["optimizer"], self._live.index(member))}

    def take_state(self, member: Member, state: dict[str, Any]) -> None:
        """Take one training's state of the optimization, to go on from when all of them are there."""
        self._states[member.number] = state

    def _go_on(self, members: Sequence[Member]) -> None:
        if not members:
            return
        states = [self._states[member.number] for member in members]
        self._optimization.load_state_dict({**states[0], "optimizer": joined([each["optimizer"] for each in states])})

    def _show_gradients(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        assert self._gradients is not None
        if (self._step - 1) % self._settings.probes.gradients == 0:  # else the recorders count the step alone
            self._stack.give_gradients()
        self._gradients.step()

    @contextmanager
    def failing(self, member: Member, *, stays: bool = False) -> Iterator[None]:
        """Let one training fail in the block, and leave the group at once unless it `stays` until the step is over."""
        try:
            yield
        except InfoplaneError as error:
            member.failure = error
            if not stays:
                self._drop(member)

    def _drop(self, member: Member) -> None:
        index = self._live.index(member)
        self._live.remove(member)
        with suppress(InfoplaneError):  # of its file, which may be what has failed
            member.close(member.failure)
        if self._live:
            self._stack.drop(index, self._optimization.optimizer)
            if self._gradients is not None:
                self._gradients.drop(member.model)


class _Part:
    """The optimization of one training of a group, as its session keeps it in a checkpoint."""

    def __init__(self, group: Group, member: Member) -> None:
        self._group, self._member = group, member

    def state_dict(self) -> dict[str, Any]:
        return self._group.state_of(self._member)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._group.take_state(self._member, state)
