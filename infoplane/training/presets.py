"""Settings that the paper prints, by name (Hofmann and Mäder 2022, section V-A and appendix VII-C).

What a preset says is a beginning: a configuration file, and options of the command line after it, override it.

================== ========= =========================================================================================
preset             data      training
================== ========= =========================================================================================
``paper-mlp``      mnist     784-1024-1024-10; Adam 5e-4, x0.94 every 5 epochs, batches of 100, 200 epochs
``paper-resnet32`` cifar10   ResNet-32, the same
``paper-resnet50`` imagenet  ResNet-50; SGD 0.1, momentum 0.9, weight decay 1e-4, /10 on a plateau, 600,000 iterations,
                             batches of 256 (that of He et al. 2016, whom the paper follows; it names none)
``appendix``       yours     four hidden layers of 10 x features x classes, leaky ReLU; Adam 0.01, x0.9 every 40 epochs,
                             100 epochs, classes weighted; SynScaW 0.01, decaying with the learning rate, SynScaL 0.5;
                             batches of 100 (the appendix names none)
================== ========= =========================================================================================

The scaling rates 0.01 (SynScaW) and 1.0 (SynScaL) of section V are the methods' own defaults.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from infoplane.analysis.errors import one_of

_ADAM = {"name": "adam", "learning_rate": 5e-4, "schedule": "step", "decay": 0.94, "decay_every": 5}

PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "paper-mlp": {
        "data": {"name": "mnist"},
        "model": {"name": "mlp", "hidden": [1024, 1024]},
        "optimizer": _ADAM,
        "training": {"epochs": 200, "batch_size": 100},
    },
    "paper-resnet32": {
        "data": {"name": "cifar10"},
        "model": {"name": "resnet32"},
        "optimizer": _ADAM,
        "training": {"epochs": 200, "batch_size": 100},
    },
    "paper-resnet50": {
        "data": {"name": "imagenet"},
        "model": {"name": "resnet50"},
        "optimizer": {
            "name": "sgd",
            "learning_rate": 0.1,
            "momentum": 0.9,
            "weight_decay": 1e-4,
            "schedule": "plateau",
            "decay": 0.1,
            "decay_every": 5,
        },
        "training": {"iterations": 600_000, "batch_size": 256},
    },
    "appendix": {
        "model": {"name": "leaky-mlp"},
        "optimizer": {"name": "adam", "learning_rate": 0.01, "schedule": "step", "decay": 0.9, "decay_every": 40},
        "training": {"epochs": 100, "batch_size": 100, "class_weights": True},
    },
}
"""The presets by name; `preset` adds what depends on the method."""

_APPENDIX_SCALING = {"synscaw": {"rate": 0.01, "gamma_decay": True}, "synscal": {"rate": 0.5}}


def preset(name: str, *, method: str) -> dict[str, Any]:
    """Return the table of settings called `name`, as it is with a method.

    Parameters
    ----------
    name : str
        One of `PRESETS`.
    method : str
        Its scaling, if it has one, takes the appendix's rate in ``appendix``.

    Raises
    ------
    InputError
        When there is no such preset.
    """
    one_of("preset", name, PRESETS)
    table: dict[str, Any] = deepcopy(dict(PRESETS[name]))
    if name == "appendix":
        for kind, parameters in _APPENDIX_SCALING.items():
            if any(part.strip().startswith(kind) for part in method.split("+")):
                table["scaling"] = dict(parameters)
    return table
