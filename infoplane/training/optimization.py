"""The optimizer of the network, the course of its learning rate, and the precision of its steps."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.errors import InputError
from infoplane.training.sections import OptimizerSettings

_DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Optimization:
    """Steps of the network's optimizer.

    Parameters
    ----------
    parameters : iterable of torch.nn.Parameter
        Of the network.
    settings : OptimizerSettings
        Optimizer and schedule.
    device : torch.device
        Of the network.
    precision : str
        As in `TrainingSettings`.

    Raises
    ------
    InputError
        When the device has no such precision.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], settings: OptimizerSettings, *, device: torch.device, precision: str
    ) -> None:
        if precision == "float16" and device.type != "cuda":
            raise InputError(f"training.precision is 'float16', which needs a GPU; on {device.type} take 'bfloat16'")
        chosen = [p for p in parameters if p.requires_grad]
        if not chosen:
            raise InputError("the network has no parameter that can be trained")
        self.optimizer: torch.optim.Optimizer
        if settings.name == "adam":
            self.optimizer = torch.optim.Adam(chosen, settings.learning_rate, weight_decay=settings.weight_decay)
        else:
            self.optimizer = torch.optim.SGD(
                chosen, settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay
            )
        self._initial = settings.learning_rate
        self._schedule: Any = None
        if settings.schedule == "step":
            self._schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, settings.decay_every, settings.decay)
        elif settings.schedule == "plateau":
            # torch counts epochs that were not better, and acts at one more than `patience` of them.
            self._schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
                self.optimizer, factor=settings.decay, patience=settings.decay_every - 1, threshold=1e-4, eps=0
            )
        self._is_plateau = settings.schedule == "plateau"
        self._device, self._dtype = device, _DTYPES.get(precision)
        # Its state is there, and the same, also where nothing is scaled.
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def learning_rate_factor(self) -> float:
        """That over the first one."""
        return self.learning_rate / self._initial

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Run a forward pass in the chosen precision."""
        if self._dtype is None:
            yield
            return
        with torch.autocast(self._device.type, self._dtype):
            yield

    def step(self, loss: Tensor) -> None:
        """Take one step down a loss; with ``float16`` none where a gradient overflows, as long as the scale adapts."""
        self.optimizer.zero_grad()
        self._scaler.scale(loss).backward()
        self._scaler.step(self.optimizer)
        self._scaler.update()

    def end_epoch(self, training_loss: float) -> None:
        """Let the schedule count an epoch with this mean training loss."""
        if self._is_plateau:
            self._schedule.step(training_loss)
        elif self._schedule is not None:
            self._schedule.step()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self._schedule is None else self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.optimizer.load_state_dict(state["optimizer"])
        if self._schedule is not None:
            self._schedule.load_state_dict(state["schedule"])
        if self._scaler.is_enabled():
            self._scaler.load_state_dict(state["scaler"])
