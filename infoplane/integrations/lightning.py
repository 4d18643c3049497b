"""A recording in Lightning: ``Trainer(callbacks=[InfoplaneCallback("run.h5", sites="net.*", classes=10)])``."""

from collections.abc import Iterable
from contextlib import ExitStack
from os import PathLike
from typing import Any

import torch

from infoplane.analysis.importing import importing
from infoplane.errors import CaptureError, InputError
from infoplane.integrations.lightning_scaling import SynScaWCallback
from infoplane.probes.batches import Unpack, read_batches
from infoplane.recorder import record

with importing("a callback of Lightning", extra="lightning"):
    from lightning.pytorch import Callback, LightningModule, Trainer


class InfoplaneCallback(Callback):
    """Records one ``Trainer.fit``; its probes learn from the last training forward of every batch.

    Parameters
    ----------
    path : path-like
        The run file to create.
    module : str
        Attribute of the LightningModule that ``training_step`` calls if it does not call ``self``; sites are below it.
    loader : iterable, optional
        Held-out batches to measure on after every epoch. Without it: all of the validation loader, after validation.
    fit, unpack : optional
        As for `Recording.measure`; `fit` is a loader of its own, since the trainer is reading from its training loader.
    scaling : SynScaWCallback, optional
        Scales the network, before it is measured, and has its passes kept; do not add it to the trainer as well.
    **options
        Of `infoplane.record`, in mode ``observe``. By default `probe_every` is the trainer's `accumulate_grad_batches`.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        module: str = "",
        loader: Iterable[Any] | None = None,
        fit: Iterable[Any] | None = None,
        unpack: Unpack | None = None,
        scaling: SynScaWCallback | None = None,
        **options: Any,
    ) -> None:
        if options.get("mode", "observe") != "observe":
            instead = "open infoplane.record around trainer.fit, and add rec.loss(labels) to the loss in training_step"
            raise InputError(f"mode={options['mode']!r} changes the loss, which a callback cannot: {instead}")
        self._path, self._module, self._loader, self._options = path, module, loader, options
        self._fit, self._unpack, self._life = fit, unpack, ExitStack()
        if scaling is not None and not isinstance(scaling, SynScaWCallback):
            raise InputError(f"scaling is {scaling!r}, but it must be a SynScaWCallback, which follows the trainer")
        self._scaling = scaling

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin the recording, now that the network is complete and on its device."""
        if self._loader is None and not trainer.enable_validation:
            raise InputError("there is nothing to measure on: give loader=, or give the trainer validation data")
        if self._options.get("control") and not self._module and trainer.strategy.model is not pl_module:
            raise InputError("on several devices control= needs module=: Lightning runs training_step inside forward")
        options = {"probe_every": trainer.accumulate_grad_batches} | self._options
        if self._scaling is not None:
            connected: Any = trainer  # Lightning sets this attribute without declaring it
            if self._scaling in connected.callbacks:
                raise InputError("the SynScaWCallback given as scaling= is among the trainer's callbacks as well")
            self._scaling.on_train_start(trainer, pl_module)
            options["scaling"] = self._scaling.scaling
        self._recording = record(pl_module.get_submodule(self._module), self._path, **options)
        self._life.enter_context(self._recording)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Begin to look for the training forward of this batch."""
        [read] = read_batches([batch], unpack=self._unpack)
        self._block = self._recording.batch(read.labels)
        self._block.__enter__()

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Let the probes learn from it."""
        self._epoch = trainer.current_epoch + (args[-1] + 1) / trainer.num_training_batches
        try:
            self._block.__exit__(None, None, None)
        except CaptureError as error:
            error.add_note("Where training_step calls self.net(inputs), give the callback module='net'.")
            raise
        report = None if self._scaling is None else self._scaling.after_batch(trainer, args[-1])
        if report is not None:
            self._recording.scaled(report, epoch=self._epoch)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure on what was validated."""
        if self._loader is None and trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._measure(trainer, trainer.val_dataloaders)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Measure on the loader that was given."""
        if self._loader is not None:
            self._measure(trainer, self._loader)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Finish the recording."""
        if self._scaling is not None:
            self._scaling.on_train_end(trainer, pl_module)
        self._life.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the recording as interrupted."""
        if self._scaling is not None:
            self._scaling.on_exception(trainer, pl_module, exception)
        self._life.__exit__(type(exception), exception, exception.__traceback__)

    def _measure(self, trainer: Trainer, loader: Any) -> None:
        # Lightning validates in inference mode, and with a precision of its own.
        with torch.inference_mode(False), trainer.precision_plugin.forward_context():
            self._recording.measure(loader, epoch=self._epoch, fit=self._fit, unpack=self._unpack)
