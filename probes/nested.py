"""Tensors in the arguments of a network: a copy of nested tuples, lists and dictionaries with every tensor changed."""

from collections.abc import Callable
from typing import Any

from torch import Tensor


def mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Return `value` with `function` of every tensor in its tuples, lists and dictionaries; the rest as it is."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: mapped(item, function) for key, item in value.items()}
    if type(value) in (tuple, list):
        return type(value)(mapped(item, function) for item in value)
    return value


def cloned(value: Any) -> Any:
    """Return `value` with copies of its tensors, without gradients, for a network that may work in place on them."""
    return mapped(value, lambda tensor: tensor.detach().clone())
