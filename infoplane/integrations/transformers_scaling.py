"""SynScaW in Hugging Face's Trainer.

::

    scaling = infoplane.SynScaW(model, preset="stable", layers=["bert.encoder.*.intermediate.dense"])
    trainer.add_callback(SynScaWTrainerCallback(scaling))

With a recording, made with ``scaling=scaling``, the passes are kept in its run file: add this callback after that of
the recording, and give it the recording too.
"""

from typing import Any

from infoplane.analysis.importing import importing
from infoplane.errors import InputError
from infoplane.recording import Recording
from infoplane.scaling.moments import learning_rate_factor
from infoplane.scaling.report import ScalingReport
from infoplane.scaling.synscaw import SynScaW

with importing("a callback of Hugging Face's Trainer", extra="transformers"):
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class SynScaWTrainerCallback(TrainerCallback):
    """Scales the weights of a network after the steps or epochs that are due.

    Parameters
    ----------
    scaling : SynScaW
        Of the model that the Trainer trains. With ``gamma_decay=True`` its rate follows that of the optimizer.
    rec : Recording, optional
        Running, made with ``record(..., scaling=scaling)``.

    Attributes
    ----------
    reports : list of ScalingReport
        Of every pass.
    """

    def __init__(self, scaling: SynScaW, rec: Recording | None = None) -> None:
        if not isinstance(scaling, SynScaW):
            raise InputError(f"scaling is {scaling!r}, but it must be a SynScaW of the model that is trained")
        self._scaling, self._rec = scaling, rec
        self.reports: list[ScalingReport] = []

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Scale after steps of the optimizer, where a pass is due."""
        self._keep(self._scaling.after_step(state.global_step, learning_rate_factor=self._factor(kwargs)), state)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Scale after epochs, where a pass is due."""
        self._keep(self._scaling.after_epoch(round(state.epoch), learning_rate_factor=self._factor(kwargs)), state)

    def _factor(self, given: dict[str, Any]) -> float:
        if not self._scaling.settings.gamma_decay:
            return 1.0
        optimizer = given["optimizer"]
        return learning_rate_factor(getattr(optimizer, "optimizer", optimizer))

    def _keep(self, report: ScalingReport | None, state: TrainerState) -> None:
        if report is None:
            return
        self.reports.append(report)
        if self._rec is not None:
            self._rec.scaled(report, epoch=state.epoch)
