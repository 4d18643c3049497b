"""The classification networks of torchvision by their names there: ``resnet50``, ``vit_b_16``, ``efficientnet_b0``, ...

They are torchvision's as they are, with random weights and the number of outputs that is asked for. torchvision is
imported when one is asked for, not before.

What is checked when one is made, by a forward in training mode that computes shapes only: that it can read inputs of
this shape, and that it gives one tensor of logits. `googlenet` and `inception_v3` give further logits in training
unless ``aux_logits=False``, which is therefore taken. A vision transformer is made for the size of the images.
"""

import inspect
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.importing import MissingLibraryError, missing
from infoplane.models.initial import initial_weights
from infoplane.probes.isolation import preserved_random_state

_RESNET = ("maxpool", "layer1", "layer2", "layer3", "layer4")
_EFFICIENTNET = ("features.1", "features.2", "features.3", "features.5", "features.8")


def _vgg(*pools: int) -> tuple[str, ...]:
    return (*(f"features.{index}" for index in pools), "classifier.1", "classifier.4")


# By the beginnings of names, the longest that fits: where a stage ends, which is mostly where height and width shrink
# next. Swin keeps channels last in four dimensions; only its dense and normalising layers say so by their class.
STAGE_ENDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "resnet": _RESNET,
        "resnext": _RESNET,
        "wide_resnet": _RESNET,
        "alexnet": ("features.2", "features.5", "features.12", "classifier.2", "classifier.5"),
        "vgg11": _vgg(2, 5, 10, 15, 20),
        "vgg13": _vgg(4, 9, 14, 19, 24),
        "vgg16": _vgg(4, 9, 16, 23, 30),
        "vgg19": _vgg(4, 9, 18, 27, 36),
        "vgg11_bn": _vgg(3, 7, 14, 21, 28),
        "vgg13_bn": _vgg(6, 13, 20, 27, 34),
        "vgg16_bn": _vgg(6, 13, 23, 33, 43),
        "vgg19_bn": _vgg(6, 13, 26, 39, 52),
        "squeezenet1_0": ("features.2", "features.6", "features.11", "features.12"),
        "squeezenet1_1": ("features.2", "features.5", "features.8", "features.12"),
        "densenet": ("features.pool0", *(f"features.denseblock{k}" for k in (1, 2, 3, 4)), "features.norm5"),
        "googlenet": ("maxpool1", "maxpool2", "inception3b", "inception4e", "inception5b"),
        "inception_v3": ("maxpool1", "maxpool2", "Mixed_5d", "Mixed_6e", "Mixed_7c"),
        "mobilenet_v2": ("features.1", "features.3", "features.6", "features.13", "features.18"),
        "mobilenet_v3_large": ("features.1", "features.3", "features.6", "features.12", "features.16"),
        "mobilenet_v3_small": ("features.0", "features.1", "features.3", "features.8", "features.12"),
        "mnasnet": ("layers.7", "layers.8", "layers.9", "layers.11", "layers.16"),
        "shufflenet": ("maxpool", "stage2", "stage3", "stage4", "conv5"),
        "efficientnet_b": _EFFICIENTNET,
        "efficientnet_v2": _EFFICIENTNET,
        "efficientnet_v2_s": ("features.1", "features.2", "features.3", "features.5", "features.7"),
        "regnet": ("stem", *(f"trunk_output.block{k}" for k in (1, 2, 3, 4))),
        "convnext": ("features.0", "features.1", "features.3", "features.5", "features.7"),
        "swin": ("features.0.2", "features.2.reduction", "features.4.reduction", "features.6.reduction", "norm"),
        "vit": ("encoder.layers.*",),
        "maxvit": ("stem", "blocks.0", "blocks.1", "blocks.2", "blocks.3"),
    }
)


def vision_names() -> tuple[str, ...]:
    """Return the names of torchvision's classification networks.

    Raises
    ------
    MissingLibraryError
        When torchvision does not import.
    """
    models = _torchvision_models()
    return tuple(models.list_models(module=models))


def vision_model(
    name: str, *, shape: tuple[int, ...] = (3, 224, 224), classes: int = 1000, seed: int | None = None, **options: Any
) -> nn.Module:
    """Return the network that torchvision calls `name`, with random weights.

    Parameters
    ----------
    name : str
        One of `vision_names`.
    shape : tuple of int
        Of one input, ``(3, height, width)``.
    classes : int
        Number of outputs.
    seed : int, optional
        Of the initial weights; as in `infoplane.models.mlp`.
    **options : object
        Further arguments of torchvision's own function.

    Raises
    ------
    InputError
        When the name is unknown, torchvision does not take the options, weights are asked for, or the network cannot
        read such inputs or gives more than one tensor in training.
    MissingLibraryError
        When torchvision does not import.
    """
    models = _torchvision_models()
    if name not in vision_names():
        raise InputError(f"torchvision has no classification network {name!r}{near_names(name, vision_names())}")
    if taken := {"weights", "weights_backbone", "num_classes", "progress"} & set(options):
        raise InputError(
            f"{min(taken)!r} is no option of the model {name!r} here: its weights are random, and its outputs are as "
            "many as the data have classes"
        )
    if len(shape) != 3 or shape[0] != 3:
        raise InputError(
            f"torchvision's {name} reads colour images (3, height, width), but an input has the shape {shape}; for "
            "others there are resnet32 and its siblings, or a function of your own, 'package.module:function'"
        )
    try:
        with initial_weights(seed):
            network: nn.Module = models.get_model(
                name, weights=None, num_classes=classes, **{**_usual(models, name, shape), **options}
            )
    except (TypeError, ValueError, AssertionError) as error:
        given = f" with {', '.join(f'{key}={value!r}' for key, value in options.items())}" if options else ""
        raise InputError(f"torchvision's {name} cannot be made{given} for inputs {shape}: {_said(error)}") from error
    _check_forward(name, network, shape, classes)
    return network.to(torch.get_default_device())


def stage_ends(name: str) -> tuple[str, ...]:
    """Return the sites to observe in the network that torchvision calls `name`; its outermost modules if unknown."""
    fitting = [beginning for beginning in STAGE_ENDS if name.startswith(beginning)]
    return STAGE_ENDS[max(fitting, key=len)] if fitting else ("*",)


def _usual(models: Any, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the arguments without which torchvision's function would make another network than is meant."""
    height, width = shape[1:]
    if name in ("googlenet", "inception_v3"):
        # Said explicitly, torchvision does not warn that its default will change.
        return {"aux_logits": False, "init_weights": True}
    if name.startswith("vit") and height == width:
        return {"image_size": height}
    if "input_size" in inspect.signature(models.get_model_builder(name)).parameters:
        return {"input_size": (height, width)}
    return {}


def _check_forward(name: str, network: nn.Module, shape: tuple[int, ...], classes: int) -> None:
    """Raise InputError unless `network` gives ``(n, classes)`` in training; weights and buffers stay untouched."""
    tensors = {key: torch.empty_like(value, device="meta") for key, value in network.state_dict(keep_vars=True).items()}
    try:
        with preserved_random_state(), torch.no_grad():
            given = torch.func.functional_call(network, tensors, (torch.empty(2, *shape, device="meta"),))
    except Exception as error:  # torchvision refuses a size in many ways: RuntimeError, ValueError, AssertionError, ...
        raise InputError(f"torchvision's {name} cannot read inputs of the shape {shape}: {_said(error)}") from error
    if not isinstance(given, Tensor) or given.shape != (2, classes):
        what = f"a tensor {tuple(given.shape)}" if isinstance(given, Tensor) else f"a {type(given).__name__}"
        raise InputError(
            f"torchvision's {name} gives {what} in training with these options, but a loss needs one tensor "
            f"(inputs, {classes}); leave out aux_logits=True"
        )


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def _torchvision_models() -> Any:
    # A torchvision built for another torch fails in many more ways (OSError, RuntimeError, AttributeError): all of
    # them mean that it cannot be used here.
    try:
        return import_module("torchvision.models")
    except ImportError as error:
        raise missing("a network of torchvision", error) from error
    except Exception as error:
        raise MissingLibraryError(
            f"a network of torchvision needs torchvision, which does not import ({type(error).__name__}: "
            f"{_said(error)}): install the release that belongs to your torch"
        ) from error
