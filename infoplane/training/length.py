"""How long a training is: epochs, steps of each, and where the last epoch is cut off."""

from dataclasses import dataclass

from infoplane.errors import InputError
from infoplane.training.sections import TrainingSettings
from infoplane.training.settings import EPOCHS


@dataclass(frozen=True)
class Length:
    """Epochs and steps.

    Attributes
    ----------
    batch_size : int
        Inputs of one step and process.
    steps_per_epoch : int
        Steps of a whole epoch.
    epochs : int
        Of which the last may be cut off.
    steps : int
        In all.
    """

    batch_size: int
    steps_per_epoch: int
    epochs: int
    steps: int

    @classmethod
    def of(cls, settings: TrainingSettings, *, inputs: int, world: int) -> "Length":
        """Return the length of a training on so many inputs by so many processes.

        Raises
        ------
        InputError
            When a batch cannot be shared out evenly.
        """
        if settings.batch_size % world:
            raise InputError(
                f"training.batch_size is {settings.batch_size}, the inputs of one step of all processes, but {world} "
                "processes cannot share it evenly"
            )
        batch = settings.batch_size // world
        per_epoch = -(-(inputs // world) // batch)
        epochs = EPOCHS if settings.epochs is None and settings.iterations is None else settings.epochs
        limits = [n for n in (None if epochs is None else epochs * per_epoch, settings.iterations) if n is not None]
        steps = min(limits)
        return cls(batch, per_epoch, -(-steps // per_epoch), steps)

    def is_whole(self, epoch: int) -> bool:
        """Whether an epoch, counted from 1, is not cut off."""
        return epoch * self.steps_per_epoch <= self.steps
