"""One forward and backward of a network by itself, to compare with what the same network does side by side with others.

What is kept between two forwards is part of it: a network whose forward changes something beside its buffers, and those
in place, is another one at every step, and one form that runs for all of them cannot be all of these.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.training.session import scores_of

_CLOSE = 1e-3  # of the largest value
_OF_TORCH = frozenset(vars(nn.Module()))


@dataclass(frozen=True)
class Trial:
    """What a network did.

    Attributes
    ----------
    scores, scores_without_graph : torch.Tensor
        In training mode, and again where no gradients are asked for.
    buffers : dict of str to torch.Tensor
        After one forward.
    gradients : dict of str to torch.Tensor
        Of `probe_loss`; those that it has.
    changed : str
        What else the forward has changed; empty where it is nothing.
    """

    scores: Tensor
    scores_without_graph: Tensor
    buffers: dict[str, Tensor]
    gradients: dict[str, Tensor]
    changed: str


def tried_alone(model: nn.Module, inputs: Tensor) -> Trial:
    """Run a network forward and backward in training mode; its buffers, gradients and mode are put back.

    Parameters
    ----------
    model : torch.nn.Module
        The network itself and no copy: what its hooks and closures refer to is its own.
    inputs : torch.Tensor
        One batch, (n, ...).
    """
    modes = {module: module.training for module in model.modules()}
    kept = {name: buffer.clone() for name, buffer in model.named_buffers()}
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    before, places = _own_state(model), dict(model.named_buffers())
    try:
        model.train()
        for parameter in model.parameters():
            parameter.grad = None
        with torch.enable_grad():
            scores = scores_of(model(inputs.clone()))
            if scores.requires_grad:
                probe_loss(scores[None]).backward()
        moved = [name for name, buffer in model.named_buffers() if buffer is not places.get(name)]
        changed = next(iter([*_changed(before, _own_state(model)), *moved]), "")
        after = {name: buffer.clone() for name, buffer in model.named_buffers()}
        _put_back(model, kept)
        with torch.no_grad():
            without = scores_of(model(inputs.clone()))
        return Trial(
            scores.detach(),
            without,
            after,
            {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None},
            changed,
        )
    finally:
        _put_back(model, kept)
        for name, parameter in model.named_parameters():
            parameter.grad = gradients[name]
        for module, mode in modes.items():
            module.training = mode


def probe_loss(scores: Tensor) -> Tensor:
    """Return a number that depends on every score of every network, (S, ...): the sum of the networks' own ones."""
    one = scores[0]
    weights = torch.linspace(-1, 1.5, one.numel(), dtype=one.dtype, device=one.device).reshape(one.shape)
    return (scores * weights).sum()


def is_close(one: Tensor, other: Tensor) -> bool:
    """Return whether two results are one but for the rounding of sums in another order."""
    if one.shape != other.shape:
        return False
    if not one.is_floating_point():
        return bool((one == other).all())
    scale = float(one.abs().max()) if one.numel() else 0.0
    return bool(torch.isclose(one, other, rtol=_CLOSE, atol=_CLOSE * scale, equal_nan=True).all())


def are_same_gradients(own: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Return whether two sets of gradients are one but for rounding; a gradient that is absent is 0.

    A gradient that is 0 but for rounding, as that of a bias before batch normalisation, is compared by the largest one.
    """
    largest = max((float(value.abs().max()) for value in own.values() if value.numel()), default=0.0)
    for name in {**own, **other}:
        either = own[name] if name in own else other[name]
        one, two = (table.get(name, torch.zeros_like(either)) for table in (own, other))
        scale = max(float(one.abs().max()) if one.numel() else 0.0, _CLOSE * largest)
        if not torch.isclose(one, two, rtol=_CLOSE, atol=_CLOSE * scale, equal_nan=True).all():
            return False
    return True


def _put_back(model: nn.Module, kept: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name in kept:
                buffer.copy_(kept[name])


def _own_state(model: nn.Module) -> dict[str, Any]:
    """Return what the modules hold beside parameters, buffers and modules, in a form that can be compared."""
    return {
        f"{name}.{key}".lstrip("."): _print(value)
        for name, module in model.named_modules()
        for key, value in vars(module).items()
        if key not in _OF_TORCH
    }


def _print(value: Any) -> Any:
    try:
        return pickle.dumps(value)
    except Exception:  # a closure, an open file: whatever it is, it is the same as long as it is the same object
        return id(value)


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [name for name in {**before, **after} if before.get(name) != after.get(name)]
