"""Choosing the layers whose weights synaptic scaling changes."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import torch
from torch import nn

from infoplane.analysis.errors import InputError, near_names
from infoplane.probes.errors import SiteError


def registered_order(model: nn.Module, *, layer_types: tuple[type[nn.Module], ...]) -> list[tuple[str, nn.Module]]:
    """Return all layers and leaf modules of `model` with their names, in the order of registration."""
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, layer_types) or next(module.children(), None) is None
    ]


def choose_layers(
    model: nn.Module, *, layer_types: tuple[type[nn.Module], ...], patterns: Sequence[str] | None = None
) -> dict[str, nn.Module]:
    """Return the layers of `model` to scale, by name, in the order of registration.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    layer_types : tuple of types
        Which modules count as layers.
    patterns : sequence of str, optional
        Names as in ``model.named_modules()``, or globs of them (``"blocks.*"``). Without it, every layer
        whose weight requires a gradient.

    Raises
    ------
    SiteError
        A pattern matches no layer, or no layer is left.
    InputError
        A chosen layer computes its weight from other tensors, or shares it with another chosen layer.
    """
    layers = {name: module for name, module in model.named_modules() if isinstance(module, layer_types)}
    kinds = ", ".join(kind.__name__ for kind in layer_types)
    if patterns is None:
        chosen = {name: module for name, module in layers.items() if _is_trained(module)}
        if not chosen:
            raise SiteError(
                f"there is nothing to scale: the network has {len(layers)} layers ({kinds}), none with a "
                "trainable weight"
            )
    else:
        chosen = _match(model, layers, patterns, kinds)
    _check_weights(chosen)
    return chosen


def check_finite(name: str, module: nn.Module) -> None:
    """Raise InputError if the weight or the bias of layer `name` has a NaN or infinite value."""
    for kind in ("weight", "bias"):
        values = module._parameters.get(kind)
        if values is not None and not bool(torch.isfinite(values).all()):
            count = int((~torch.isfinite(values)).sum())
            raise InputError(
                f"the {kind} of layer {name!r} has {count} values that are NaN or infinite; no weight was changed"
            )


def _is_trained(module: nn.Module) -> bool:
    # A parametrised layer's weight is no parameter of its own; it is kept here and refused by name below.
    weight = module._parameters.get("weight")
    return weight is None or weight.requires_grad


def _match(model: nn.Module, layers: dict[str, nn.Module], patterns: Sequence[str], kinds: str) -> dict[str, nn.Module]:
    if isinstance(patterns, str) or not all(isinstance(pattern, str) for pattern in patterns):
        raise InputError(f"layers={patterns!r} must be a list of names or globs, for example ['hidden*.linear']")
    if not patterns:
        raise SiteError("layers=[] leaves nothing to scale; name a layer, or pass None for all")
    wanted: set[str] = set()
    every = dict(model.named_modules())
    for pattern in patterns:
        hits = {name for name in layers if name == pattern or fnmatchcase(name, pattern)}
        if not hits and pattern in every:
            raise SiteError(
                f"layer {pattern!r} is a {type(every[pattern]).__name__}; SynScaW scales {kinds} "
                f"here{_inside(pattern, layers)}"
            )
        if not hits:
            raise SiteError(f"no layer to scale matches {pattern!r} ({kinds} count){near_names(pattern, layers)}")
        wanted |= hits
    return {name: module for name, module in layers.items() if name in wanted}


def _inside(name: str, layers: Iterable[str]) -> str:
    inner = [layer for layer in layers if layer.startswith(f"{name}.")][:3]
    return f", for example {', '.join(map(repr, inner))}" if inner else ""


def _check_weights(chosen: dict[str, nn.Module]) -> None:
    owners: dict[int, str] = {}
    for name, module in chosen.items():
        weight = module._parameters.get("weight")
        if weight is None:
            raise InputError(
                f"the weight of layer {name!r} is computed from other tensors (weight norm, pruning or "
                "another parametrisation), so scaling it in place would be lost; leave the layer out with "
                "layers="
            )
        if isinstance(weight, nn.UninitializedParameter):
            raise InputError(f"layer {name!r} is lazy and has no weights yet; run one forward pass first")
        if not weight.is_floating_point():
            raise InputError(f"the weight of layer {name!r} has dtype {weight.dtype}; accepted: real floating point")
        if weight.numel() == 0:
            raise InputError(f"layer {name!r} has an empty weight of shape {tuple(weight.shape)}")
        if id(weight) in owners:
            raise InputError(
                f"layers {owners[id(weight)]!r} and {name!r} share one weight, which one pass would scale "
                "twice; choose one of them with layers="
            )
        owners[id(weight)] = name
