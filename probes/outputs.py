"""What a module returns or is given: the tensor at a path, or a list of what is there.

A path is a sequence of keys into tuples, mappings, named tuples and dataclasses (the outputs of Hugging Face models
are mappings), written behind the name of a site: ``lstm[1][0]``, ``encoder[last_hidden_state]``. Without a path, the
tensor itself is meant, or the one floating-point tensor that there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from infoplane.probes.errors import SiteError
from infoplane.probes.places import Path

_LISTED = 12


def tensor_at(value: Any, path: Path, name: str) -> Tensor:
    """Return the floating-point tensor at `path` in `value`.

    Parameters
    ----------
    value : object
        What a module returned; or its arguments, by position and keyword: ``{0: x, "mask": m}``.
    path : tuple of str and int
        Keys that lead to the tensor. Where it ends at no tensor, the only floating-point one inside is meant; scalars
        do not count, nor does one tensor given twice.
    name : str
        The site's name, its path included, for the errors.

    Raises
    ------
    SiteError
        When there is no such path, no floating-point tensor, or more than one; the text lists what is there.
    """
    reached = value
    for depth, key in enumerate(path):
        try:
            reached = _item(reached, key)
        except LookupError:
            above, below = _keys(path[:depth]), _keys(path[depth:])
            stem = name.removesuffix(above + below) + above
            raise SiteError(f"the site {name!r} has nothing at [{key}]; there is {_listing(reached, stem)}") from None
    found = parts(reached)
    tensor = found.get(())
    if tensor is None:
        several = any(torch.is_floating_point(t) and t.ndim for t in found.values())
        what = "more than one tensor; choose one by its path" if several else "no floating-point tensor"
        raise SiteError(f"the site {name!r} gives {what}: there is {_listing(reached, name)}")
    if not torch.is_floating_point(tensor):
        raise SiteError(
            f"the site {name!r} gives {describe_output(tensor)}; a site must give floating-point numbers, "
            "one row per input"
        )
    return tensor


def parts(value: Any) -> dict[Path, Tensor]:
    """Return the tensors of `value` that a path can name; under ``()`` alone where no path is needed."""
    found = dict(_tensors(value))
    floating = {id(t): t for t in found.values() if torch.is_floating_point(t) and t.ndim}
    return {(): floating.popitem()[1]} if len(floating) == 1 else found


def describe_output(value: Any) -> str:
    """Say what there is: ``(32, 10)``, ``(32, 7) int64``, or ``[0] (32, 5, 8), [1][0] (1, 32, 8)``."""
    return _listing(value, "")


def _listing(value: Any, stem: str) -> str:
    found = dict(_tensors(value))
    if not found:
        return type(value).__name__
    more = f", and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    return ", ".join(_described(stem + _keys(path), t) for path, t in islice(found.items(), _LISTED)) + more


def _described(name: str, tensor: Tensor) -> str:
    kind = "" if torch.is_floating_point(tensor) else str(tensor.dtype).removeprefix("torch.")
    return " ".join(word for word in (name, str(tuple(tensor.shape)), kind) if word)


def _keys(path: Path) -> str:
    return "".join(f"[{key}]" for key in path)


def _tensors(value: Any, path: Path = ()) -> list[tuple[Path, Tensor]]:
    if isinstance(value, Tensor):
        return [(path, value)]
    return [found for key, item in _items(value) for found in _tensors(item, (*path, key))]


def _items(value: Any) -> Sequence[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    names = _field_names(value)
    if names:
        return [(name, getattr(value, name)) for name in names]
    return list(enumerate(value)) if isinstance(value, tuple | list) else ()


def _item(value: Any, key: str | int) -> Any:
    if isinstance(value, Mapping):
        # Asked whether it is there first: a defaultdict would make it. "0" is written [0] too.
        for known in (key, str(key)):
            if known in value:
                return value[known]
        # The outputs of Hugging Face models are mappings that are indexed by position too.
        value = value.to_tuple() if hasattr(value, "to_tuple") else ()
    if isinstance(key, int) and isinstance(value, tuple | list):
        return value[key]
    if isinstance(key, str) and key in _field_names(value):
        return getattr(value, key)
    raise KeyError(key)


def _field_names(value: Any) -> Sequence[str]:
    """Return the names of the fields of a named tuple or a dataclass, nothing for all else."""
    if isinstance(value, tuple):
        return tuple(getattr(value, "_fields", ()))
    return [field.name for field in fields(value)] if is_dataclass(value) and not isinstance(value, type) else ()
