"""Choosing the layers whose weights synaptic scaling changes."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import torch
from torch import nn

from infoplane.analysis.errors import InputError, near_names
from infoplane.probes.errors import SiteError
from infoplane.probes.names import module_names, unwrapped
from infoplane.scaling.recurrent import RECURRENT, matrices
from infoplane.scaling.synapses import CONVOLUTIONS


def named(model: nn.Module) -> dict[str, nn.Module]:
    """Return all modules by name, the network itself as ``""``; wrappers such as DDP's are no part of a name."""
    return {"": unwrapped(model), **module_names(model)}


def registered_order(model: nn.Module, *, layer_types: tuple[type[nn.Module], ...]) -> list[tuple[str, nn.Module]]:
    """Return all layers and leaf modules of `model` with their names, in the order of registration."""
    return [
        (name, module)
        for name, module in named(model).items()
        if isinstance(module, layer_types) or next(module.children(), None) is None
    ]


def choose_layers(
    model: nn.Module, *, layer_types: tuple[type[nn.Module], ...], patterns: Sequence[str] | None = None
) -> dict[str, tuple[nn.Module, frozenset[str]]]:
    """Return the layers of `model` to scale, by name, with the names of their weights, in the order of registration.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    layer_types : tuple of types
        Which modules count as layers. Recurrent modules count beside convolutions, where a pattern asks for them.
    patterns : sequence of str, optional
        Names as in ``model.named_modules()``, or globs of them (``"blocks.*"``); for a recurrent module also those of
        its weights (``"lstm.weight_hh_l0"``). Without it, every layer whose weight requires a gradient; no recurrent
        module is among them.

    Raises
    ------
    SiteError
        A pattern matches no layer, or no layer is left.
    InputError
        A chosen layer computes its weight from other tensors, or shares it with another chosen layer.
    """
    modules = named(model)
    layers = {name: module for name, module in modules.items() if isinstance(module, layer_types)}
    if patterns is None:
        chosen = {name: (module, frozenset({"weight"})) for name, module in layers.items() if _is_trained(module)}
        if not chosen:
            hint = next((name for name, module in modules.items() if isinstance(module, RECURRENT)), None)
            also = "" if hint is None else f"; name recurrent layers with layers=[{hint!r}]"
            raise SiteError(
                f"there is nothing to scale: the network has {len(layers)} layers ({_shown(layer_types)}), none with a "
                f"trainable weight{also}"
            )
    else:
        recurrent = RECURRENT if set(CONVOLUTIONS) <= set(layer_types) else ()
        chosen = _match(modules, (*layer_types, *recurrent), patterns)
    _check_weights(chosen)
    return chosen


def check_finite(name: str, module: nn.Module) -> None:
    """Raise InputError if a weight or bias of layer `name` has a NaN or infinite value."""
    for kind, values in module._parameters.items():
        if values is not None and not bool(torch.isfinite(values).all()):
            count = int((~torch.isfinite(values)).sum())
            raise InputError(
                f"the {kind} of layer {name!r} has {count} values that are NaN or infinite; no weight was changed"
            )


def _shown(kinds: Iterable[type[nn.Module]]) -> str:
    return ", ".join(kind.__name__ for kind in kinds)


def _is_trained(module: nn.Module) -> bool:
    # A parametrised layer's weight is no parameter of its own; it is kept here and refused by name below.
    weight = module._parameters.get("weight")
    return weight is None or weight.requires_grad


def _match(
    modules: Mapping[str, nn.Module], layer_types: tuple[type[nn.Module], ...], patterns: Sequence[str]
) -> dict[str, tuple[nn.Module, frozenset[str]]]:
    if isinstance(patterns, str) or not all(isinstance(pattern, str) for pattern in patterns):
        raise InputError(
            f"layers={patterns!r} must be a list of names or globs, for example ['hidden*.linear'], on a command line "
            "--set 'scaling.layers=[\"hidden*.linear\"]'"
        )
    if not patterns:
        raise SiteError("layers=[] leaves nothing to scale; name a layer, or pass None for all")
    layers = {name: module for name, module in modules.items() if isinstance(module, layer_types)}
    weights = {
        ".".join(piece for piece in (name, kind) if piece): (name, kind)
        for name, module in layers.items()
        if isinstance(module, RECURRENT)
        for kind in matrices(module)
    }
    wanted: dict[str, set[str]] = {}
    for pattern in patterns:
        hits = [name for name in layers if name == pattern or fnmatchcase(name, pattern)]
        inside = [owner for name, owner in weights.items() if name == pattern or fnmatchcase(name, pattern)]
        if not hits and not inside and pattern in modules:
            raise SiteError(
                f"layer {pattern!r} is a {type(modules[pattern]).__name__}; SynScaW scales {_shown(layer_types)} "
                f"here{_inside(pattern, layers)}"
            )
        if not hits and not inside:
            raise SiteError(
                f"no layer to scale matches {pattern!r} ({_shown(layer_types)} count)"
                f"{near_names(pattern, [*layers, *weights])}"
            )
        for name in hits:
            kinds = matrices(layers[name]) if isinstance(layers[name], RECURRENT) else ["weight"]
            wanted.setdefault(name, set()).update(kinds)
        for name, kind in inside:
            wanted.setdefault(name, set()).add(kind)
    return {name: (module, frozenset(wanted[name])) for name, module in layers.items() if name in wanted}


def _inside(name: str, layers: Iterable[str]) -> str:
    inner = [layer for layer in layers if layer.startswith(f"{name}.")][:3]
    return f", for example {', '.join(map(repr, inner))}" if inner else ""


def _check_weights(chosen: Mapping[str, tuple[nn.Module, frozenset[str]]]) -> None:
    owners: dict[int, str] = {}
    for name, (module, kinds) in chosen.items():
        for kind in sorted(kinds):
            weight = module._parameters.get(kind)
            if weight is None:
                raise InputError(
                    f"the {kind} of layer {name!r} is computed from other tensors (weight norm, pruning or "
                    "another parametrisation), so scaling it in place would be lost; leave the layer out with "
                    "layers="
                )
            if isinstance(weight, nn.UninitializedParameter):
                raise InputError(f"layer {name!r} is lazy and has no weights yet; run one forward pass first")
            if hasattr(weight, "device_mesh"):
                raise InputError(
                    f"the {kind} of layer {name!r} is a DTensor, spread over processes, of which none has all inputs "
                    "of a neuron; use DistributedDataParallel, or leave the layer out with layers="
                )
            if not weight.is_floating_point():
                raise InputError(
                    f"the {kind} of layer {name!r} has dtype {weight.dtype}; accepted: real floating point"
                )
            if weight.numel() == 0:
                raise InputError(f"layer {name!r} has an empty {kind} of shape {tuple(weight.shape)}")
            if id(weight) in owners:
                raise InputError(
                    f"layers {owners[id(weight)]!r} and {name!r} share one weight, which one pass would scale "
                    "twice; choose one of them with layers="
                )
            owners[id(weight)] = name
