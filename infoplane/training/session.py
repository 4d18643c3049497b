"""One training, step by step: what `infoplane.training.train` runs between opening and closing its files.

A step is: forward, loss of the method plus that of the recording, backward, optimizer, and what the method does between
steps. An epoch ends with the schedule, what the method does between epochs, the measurement and the checkpoint. The
order of an epoch's batches is a function of seed and epoch, and every random state is in the checkpoint: a training
that was stopped anywhere and goes on writes the rows of one that was not stopped, on a CPU bit for bit.
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from tqdm.auto import tqdm

from infoplane.datasets import Dataset
from infoplane.errors import InputError, RunFileError
from infoplane.probes.measurement import Measurement
from infoplane.recorder import record
from infoplane.recording import Recording
from infoplane.training.assembly import Assembly, identity
from infoplane.training.checkpoint import checkpoint_path, write_checkpoint
from infoplane.training.failure import first_line
from infoplane.training.going_on import Beginning
from infoplane.training.length import Length
from infoplane.training.losses import Losses, stop_training, told_of_scaling
from infoplane.training.place import Place
from infoplane.training.random_state import random_state, set_random_state
from infoplane.training.settings import Settings

LOT = 50  # of losses, on an accelerator


class Session:
    """One training, with how far it has come.

    Parameters
    ----------
    settings : Settings
        Resolved.
    data, where, parts, length
        Made from them.
    path : pathlib.Path
        The run file.
    """

    def __init__(
        self, settings: Settings, data: Dataset, where: Place, parts: Assembly, length: Length, path: Path
    ) -> None:
        self.settings, self.data, self.where, self.parts, self.length = settings, data, where, parts, length
        self.path, self.checkpoint = path, checkpoint_path(path)
        self.loader = data.train_loader(
            length.batch_size, seed=settings.seed, rank=where.ranks.rank, world=where.ranks.world
        )
        self.epoch, self.rows = 0, 0

    def run(self, begin: Beginning, *, resume: bool, quiet: bool, label: str) -> list[Measurement]:
        """Train to the end; options as in `infoplane.training.train`. Returns what was measured."""
        found = []
        is_silent = quiet or not self.where.is_first
        try:
            with self.recording(begin, resume) as rec, progress(self.length, begin, is_silent, label) as bar:
                self.begin(rec, begin)
                for epoch in range(self.epoch + 1, self.length.epochs + 1):
                    factor = self._one_epoch(rec, epoch, bar)
                    measured = self.end_epoch(rec, epoch, factor)
                    if measured is not None:
                        found.append(measured)
                        bar.set_postfix_str(_said(measured))
        finally:
            self.forget_unbegun(begin)
        self.finish(rec)
        return found

    def begin(self, rec: Recording, begin: Beginning) -> None:
        """Go on from the checkpoint, or write the first one."""
        if begin.checkpoint is not None:
            self._go_on(rec, begin.checkpoint)
        elif self.settings.training.checkpoint_every:
            self._save(rec)

    def end_epoch(self, rec: Recording, epoch: int, factor: float) -> Measurement | None:
        """Do what is due after an epoch, counted from 1: scaling, the measurement, the checkpoint.

        `factor` is the learning rate of the epoch over the first one. Returns what was measured.
        """
        with told_of_scaling(rec):
            report = self.parts.method.after_epoch(epoch, learning_rate_factor=factor)
        if report is not None:
            rec.scaled(report, epoch=epoch)
        is_last, measured = epoch == self.length.epochs, None
        if is_last or epoch % self.settings.training.measure_every == 0:
            measured = self._measure(rec, epoch, is_last)
            self.rows += measured is not None
            self._check_measured(rec, epoch, measured)
        if self.length.is_whole(epoch):
            self.epoch = epoch
            # The last one is written when the run file is closed: one that says "finished" has all its rows.
            if not is_last and self._is_due(epoch):
                self._save(rec)
        return measured

    def finish(self, rec: Recording) -> None:
        """Write the last checkpoint, or take it away, when the run file is closed."""
        if self.settings.training.checkpoint_every:
            if not self.settings.training.keep_checkpoint:
                self._forget()
            elif self.length.is_whole(self.length.epochs):
                self._save(rec)

    def forget_unbegun(self, begin: Beginning) -> None:
        """Take the first checkpoint away where the run file never came to be: it would stand in the way of another."""
        if begin.checkpoint is None and not self.path.exists():
            self._forget()

    def recording(self, begin: Beginning, resume: bool) -> Recording:
        """Return the recording of this training, not yet entered."""
        settings, data = self.settings, self.data
        kind: dict[str, Any] = {"classes": data.classes} if data.classes is not None else {"targets": data.targets}
        return record(
            self.parts.network,
            self.path,
            **kind,
            **{**settings.probes.recording, "sites": self.parts.sites},
            scaling=self.parts.method.scaling,
            seed=settings.seed,
            configuration={**settings.configuration, "method_configuration": self.parts.method.configuration},
            data=identity(data),
            overwrite=begin.overwrite,
            resume=resume and not begin.overwrite,
        )

    def _one_epoch(self, rec: Recording, epoch: int, bar: "tqdm[Any]") -> float:
        """Make the steps of an epoch, and return its learning rate over the first one."""
        method, optimization, device = self.parts.method, self.parts.optimization, self.where.device
        factor = optimization.learning_rate_factor  # of this epoch, whatever the schedule makes of it at its end
        losses = Losses(rec, 1 if device.type == "cpu" else LOT)
        self.loader.set_epoch(epoch - 1)
        self.parts.network.train()
        for inputs, labels in self.loader:
            if rec.step == self.length.steps:
                break
            inputs, labels = inputs.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            with self._refusing_inputs(rec, inputs), optimization.forward():
                outputs = self.parts.network(inputs)
            loss = method.loss(scores_of(outputs), labels) + rec.loss(labels)
            losses.add(loss)
            optimization.step(loss)
            self.after_step(rec, epoch, factor)
            bar.update()
        optimization.end_epoch(losses.mean(self.where))
        return factor

    @contextmanager
    def _refusing_inputs(self, rec: Recording, inputs: Tensor) -> Iterator[None]:
        """Say of a first forward that fails that network and data do not fit, for nothing else has happened yet."""
        try:
            yield
        except RuntimeError as error:
            if rec.step:
                raise
            shape = tuple(inputs.shape[1:])
            raise InputError(
                f"the network {self.settings.model.name!r} cannot read inputs of shape {shape}, those of "
                f"{self.settings.data.name!r}: {first_line(error)}"
            ) from error

    def after_step(self, rec: Recording, epoch: int, factor: float) -> None:
        """Do what the method does after a step of the optimizer."""
        with told_of_scaling(rec):
            report = self.parts.method.after_step(rec.step, learning_rate_factor=factor)
        if report is not None:
            rec.scaled(report, epoch=epoch)

    def _measure(self, rec: Recording, epoch: int, is_last: bool) -> Measurement | None:
        size = self.settings.training.batch_size
        fit = self.data.train_loader(size, seed=self.settings.seed) if self.settings.probes.refit else None
        return rec.measure(self.data.test_loader(max(size, 500)), epoch=epoch, fit=fit, keep_inputs=is_last)

    def _check_measured(self, rec: Recording, epoch: int, measured: Measurement | None) -> None:
        """End the training where the network itself gives no finite loss: what comes after a step may spoil it too."""
        value = None if measured is None else measured.error if measured.loss is None else measured.loss
        value = self.where.ranks.gather(value)[0]
        if value is not None and not math.isfinite(value):
            stop_training(rec, f"the loss on held-out inputs is {value} after epoch {epoch}")

    def _is_due(self, epoch: int) -> bool:
        every = self.settings.training.checkpoint_every
        return bool(every) and epoch % every == 0

    def _save(self, rec: Recording) -> None:
        """Write the checkpoint: what all ranks share from the first, and of each what is its own."""
        where, parts = self.where, self.parts
        own = {"recording": rec.state_dict(), "random": random_state(where.device)}
        ranks = where.ranks.gather(own)
        refusal = None
        if where.is_first:
            try:
                write_checkpoint(
                    self.checkpoint,
                    {
                        "settings": json.dumps(self.settings.configuration),
                        "data": self.data.sha256,
                        "world": where.ranks.world,
                        "epoch": self.epoch,
                        "step": rec.step,
                        "rows": self.rows,
                        "model": _model_state(parts.model),
                        "method": parts.method.state_dict(),
                        **parts.optimization.state_dict(),
                        "ranks": ranks,
                    },
                )
            except RunFileError as error:
                refusal = error
        if (refusal := where.ranks.gather(refusal)[0]) is not None:
            raise refusal

    def _go_on(self, rec: Recording, content: Any) -> None:
        parts, where = self.parts, self.where
        own = content["ranks"][where.ranks.rank]
        parts.model.load_state_dict(content["model"])
        parts.optimization.load_state_dict(content)
        parts.method.load_state_dict(content["method"])
        rec.load_state_dict(own["recording"])
        self.epoch, self.rows = content["epoch"], content["rows"]
        set_random_state(own["random"], where.device)  # last: nothing that was made here may have drawn from it

    def _forget(self) -> None:
        if self.where.is_first:
            self.checkpoint.unlink(missing_ok=True)


def _model_state(model: nn.Module) -> dict[str, Any]:
    """Return the state of a network; of a tensor that is a part of a larger one the part alone."""
    state = model.state_dict()
    for name, value in state.items():
        if isinstance(value, Tensor) and value.untyped_storage().nbytes() != value.nbytes:
            state[name] = value.clone()
    return state


@contextmanager
def progress(length: Length, begin: Beginning, is_off: bool, label: str) -> "Iterator[tqdm[Any]]":
    """Give a bar of the steps; there is none either where stderr is no terminal."""
    done = 0 if begin.checkpoint is None else int(begin.checkpoint["step"])
    disable = True if is_off else None
    with tqdm(total=length.steps, initial=done, desc=label, unit="step", leave=False, disable=disable) as bar:
        yield bar


def scores_of(outputs: Any) -> Tensor:
    """Return what a network has returned, in float32; InputError where it is no tensor."""
    if not isinstance(outputs, Tensor):
        raise InputError(f"the network returns a {type(outputs).__name__}, but a training needs one tensor of scores")
    return outputs.float()


def _said(measured: Measurement) -> str:
    if measured.error is None:
        return "" if measured.loss is None else f"loss {measured.loss:.4g}"
    return f"error {100 * measured.error:.2f} %"
