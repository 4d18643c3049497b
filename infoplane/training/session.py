"""One training, step by step: what `infoplane.training.train` runs between opening and closing its files.

A step is: forward, loss of the method plus that of the recording, backward, optimizer, and what the method does between
steps. An epoch ends with the schedule, what the method does between epochs, the measurement and the checkpoint. The
order of an epoch's batches is a function of seed and epoch, and every random state is in the checkpoint: a training
that was stopped anywhere and goes on writes the rows of one that was not stopped, on a CPU bit for bit.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor
from tqdm.auto import tqdm

from infoplane.datasets import Dataset
from infoplane.errors import InputError, RunFileError
from infoplane.probes.measurement import Measurement
from infoplane.recorder import record
from infoplane.recording import Recording
from infoplane.training.assembly import Assembly, identity
from infoplane.training.checkpoint import checkpoint_path, write_checkpoint
from infoplane.training.going_on import Beginning
from infoplane.training.length import Length
from infoplane.training.losses import Losses, told_of_scaling
from infoplane.training.place import Place
from infoplane.training.random_state import random_state, set_random_state
from infoplane.training.settings import Settings

_LOT = 50  # of losses, on an accelerator


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
        with self._recording(begin, resume) as rec, self._bar(begin, quiet, label) as bar:
            if begin.checkpoint is not None:
                self._go_on(rec, begin.checkpoint)
            elif self.settings.training.checkpoint_every:
                self._save(rec)
            for epoch in range(self.epoch + 1, self.length.epochs + 1):
                self._one_epoch(rec, epoch, bar)
                is_last = epoch == self.length.epochs
                if is_last or epoch % self.settings.training.measure_every == 0:
                    measured = self._measure(rec, epoch, is_last)
                    if measured is not None:
                        self.rows += 1
                        found.append(measured)
                        bar.set_postfix_str(_said(measured))
                if self.length.is_whole(epoch):
                    self.epoch = epoch
                    # The last one is written when the run file is closed: one that says "finished" has all its rows.
                    if not is_last and self._is_due(epoch):
                        self._save(rec)
        if self.settings.training.checkpoint_every:
            if not self.settings.training.keep_checkpoint:
                self._forget()
            elif self.length.is_whole(self.length.epochs):
                self._save(rec)
        return found

    def _recording(self, begin: Beginning, resume: bool) -> Recording:
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

    @contextmanager
    def _bar(self, begin: Beginning, quiet: bool, label: str) -> "Iterator[tqdm[Any]]":
        done = 0 if begin.checkpoint is None else int(begin.checkpoint["step"])
        is_off = True if quiet or not self.where.is_first else None
        with tqdm(total=self.length.steps, initial=done, desc=label, unit="step", leave=False, disable=is_off) as bar:
            yield bar

    def _one_epoch(self, rec: Recording, epoch: int, bar: "tqdm[Any]") -> None:
        method, optimization, device = self.parts.method, self.parts.optimization, self.where.device
        factor = optimization.learning_rate_factor  # of this epoch, whatever the schedule makes of it at its end
        losses = Losses(rec, 1 if device.type == "cpu" else _LOT)
        self.loader.set_epoch(epoch - 1)
        self.parts.network.train()
        for inputs, labels in self.loader:
            if rec.step == self.length.steps:
                break
            inputs, labels = inputs.to(device, non_blocking=True), labels.to(device, non_blocking=True)
            with optimization.forward():
                outputs = self.parts.network(inputs)
            loss = method.loss(_scores(outputs), labels) + rec.loss(labels)
            losses.add(loss)
            optimization.step(loss)
            with told_of_scaling(rec):
                report = method.after_step(rec.step, learning_rate_factor=factor)
            if report is not None:
                rec.scaled(report, epoch=epoch)
            bar.update()
        optimization.end_epoch(losses.mean(self.where))
        with told_of_scaling(rec):
            report = method.after_epoch(epoch, learning_rate_factor=factor)
        if report is not None:
            rec.scaled(report, epoch=epoch)

    def _measure(self, rec: Recording, epoch: int, is_last: bool) -> Measurement | None:
        size = self.settings.training.batch_size
        fit = self.data.train_loader(size, seed=self.settings.seed) if self.settings.probes.refit else None
        return rec.measure(self.data.test_loader(max(size, 500)), epoch=epoch, fit=fit, keep_inputs=is_last)

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
                        "model": parts.model.state_dict(),
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


def _scores(outputs: Any) -> Tensor:
    if not isinstance(outputs, Tensor):
        raise InputError(f"the network returns a {type(outputs).__name__}, but a training needs one tensor of scores")
    return outputs.float()


def _said(measured: Measurement) -> str:
    if measured.error is None:
        return "" if measured.loss is None else f"loss {measured.loss:.4g}"
    return f"error {100 * measured.error:.2f} %"
