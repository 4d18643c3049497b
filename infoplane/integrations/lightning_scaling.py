"""SynScaW in Lightning: ``Trainer(callbacks=[SynScaWCallback(preset="stable")])``.

To keep its passes in a run file, give it to the recording instead:
``InfoplaneCallback("run.h5", classes=10, scaling=SynScaWCallback(preset="stable"))``.
"""

from typing import Any

from infoplane.analysis.importing import importing
from infoplane.errors import InputError
from infoplane.scaling.moments import learning_rate_factor
from infoplane.scaling.report import ScalingReport
from infoplane.scaling.synscaw import SynScaW

with importing("a callback of Lightning", extra="lightning"):
    from lightning.pytorch import Callback, LightningModule, Trainer


class SynScaWCallback(Callback):
    """Scales the weights of a network after the steps or epochs that are due, before validation.

    Parameters
    ----------
    module : str
        Attribute of the LightningModule that is scaled; the whole of it where nothing is said.
    **options
        Of `SynScaW`. With ``gamma_decay=True`` the rate follows that of the trainer's first optimizer.

    Attributes
    ----------
    reports : list of ScalingReport
        Of every pass of the last ``Trainer.fit``.
    """

    def __init__(self, *, module: str = "", **options: Any) -> None:
        if "model" in options:
            raise InputError("model= is the trainer's; module= names the part of it that is scaled")
        self._module, self._options = module, options
        self._scaling: SynScaW | None = None
        self._kept: dict[str, Any] | None = None
        self.reports: list[ScalingReport] = []

    @property
    def scaling(self) -> SynScaW:
        """The `SynScaW` at work; InputError before the training has begun."""
        if self._scaling is None:
            raise InputError("the training has not begun, so there is no SynScaW yet")
        return self._scaling

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Choose the layers, now that the network is complete and on its device."""
        self._scaling, self.reports = SynScaW(pl_module.get_submodule(self._module), **self._options), []
        if self._kept is not None:
            self._scaling.load_state_dict(self._kept)
            self._kept = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *args: Any) -> None:
        """Scale where a pass is due."""
        self.after_batch(trainer, args[-1])

    def after_batch(self, trainer: Trainer, index: int) -> ScalingReport | None:
        """Scale where a pass is due after the batch `index` of an epoch; return its report."""
        factor = learning_rate_factor(trainer.optimizers[0]) if self.scaling.settings.gamma_decay else 1.0
        report = self.scaling.after_step(trainer.global_step, learning_rate_factor=factor)
        if index + 1 == trainer.num_training_batches:
            report = self.scaling.after_epoch(trainer.current_epoch + 1, learning_rate_factor=factor) or report
        if report is not None:
            self.reports.append(report)
        return report

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Remove what ``source="data"`` has put on the network."""
        self.scaling.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Do the same after an error."""
        if self._scaling is not None:
            self._scaling.close()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint of the trainer keeps."""
        return {} if self._scaling is None else self._scaling.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a checkpoint of the trainer."""
        self._kept = state_dict or None
