"""A recording in Hugging Face's Trainer.

Open a recording around the training and give it to the callback::

    trainer = Trainer(model, arguments, train_dataset=..., eval_dataset=...)
    with infoplane.record(model, "run.h5", sites="bert.encoder.layer.*", classes=2) as rec:
        trainer.add_callback(InfoplaneTrainerCallback(rec))
        trainer.train()

The ``with`` block closes the recording whatever happens: the Trainer tells callbacks nothing of an exception. Labels
are those that every forward is given as ``labels``. With ``gradient_accumulation_steps=k`` the probes take k steps per
step of the network, one for each forward; with ``record(..., probe_every=k)`` one, on the first of the k forwards.
"""

from collections.abc import Iterable
from typing import Any

from infoplane.analysis.importing import importing
from infoplane.errors import InputError
from infoplane.recording import Recording

with importing("a callback of Hugging Face's Trainer", extra="transformers"):
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class InfoplaneTrainerCallback(TrainerCallback):
    """Lets the probes of a recording learn at every step of a ``Trainer``, and measures when it has evaluated.

    Parameters
    ----------
    rec : Recording
        Running, of the model that the Trainer trains.
    loader : iterable, optional
        Held-out batches to measure on at the end of every epoch. Without it: what the Trainer evaluates on in training,
        whenever it has (see its ``eval_strategy``); that must be one data set.
    fit : iterable, optional
        Training batches for the fresh probes of ``record(..., refit=steps)``; a loader of its own, since the Trainer is
        reading from its.
    """

    def __init__(
        self, rec: Recording, *, loader: Iterable[Any] | None = None, fit: Iterable[Any] | None = None
    ) -> None:
        self._rec, self._loader, self._fit, self._training = rec, loader, fit, False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure from now on."""
        self._training = True

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Leave alone what the Trainer evaluates afterwards."""
        self._training = False

    def on_substep_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Learn from a forward whose gradient is still being accumulated."""
        self._learn()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Learn from the last forward of a step."""
        self._learn()

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Measure where the Trainer has just evaluated."""
        # Before the first step (eval_on_start) no probe has learned anything.
        if self._training and self._loader is None and self._rec.step:
            self._rec.measure(kwargs["eval_dataloader"], epoch=state.epoch, fit=self._fit)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Measure on the loader that was given."""
        if self._loader is not None:
            self._rec.measure(self._loader, epoch=state.epoch, fit=self._fit)

    def _learn(self) -> None:
        if self._rec.loss().requires_grad:
            raise InputError(
                "the recording's mode changes the loss, which a callback cannot: leave InfoplaneTrainerCallback "
                "out, and add rec.loss(labels) in the Trainer's compute_loss"
            )
