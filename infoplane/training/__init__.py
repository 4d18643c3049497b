"""Training from settings: one call, one run file, a checkpoint beside it, and exact resume.

`Settings` say what is trained, `read_settings` reads them from TOML, `train` does it, and
`train_side_by_side` does it for several seeds in one process. The command is ``infoplane train``.
"""

from infoplane.training.failure import TrainingError
from infoplane.training.loop import train
from infoplane.training.presets import PRESETS
from infoplane.training.reading import read_settings
from infoplane.training.sections import (
    DataSettings,
    ModelSettings,
    OptimizerSettings,
    ProbeSettings,
    TrainingSettings,
)
from infoplane.training.settings import Settings
from infoplane.training.side_by_side import Trained, train_side_by_side
from infoplane.training.writing import to_toml

__all__ = [
    "PRESETS",
    "DataSettings",
    "ModelSettings",
    "OptimizerSettings",
    "ProbeSettings",
    "Settings",
    "Trained",
    "TrainingError",
    "TrainingSettings",
    "read_settings",
    "to_toml",
    "train",
    "train_side_by_side",
]
