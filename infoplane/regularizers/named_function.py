"""A function of SynScaW's options by its name, ``package.module:function``, as a configuration file writes it.

So ``activation = "torch:tanh"``, or ``target = "my_targets:sparse"`` for a file my_targets.py in the current folder.
The module is imported, and its code runs: name only what you trust.
"""

from collections.abc import Callable, Mapping
from typing import Any

from infoplane.analysis.errors import InputError
from infoplane.named_object import named_object


def with_functions(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of SynScaW in which each function that is named is the function itself.

    Parameters
    ----------
    options : mapping
        ``target`` and ``activation`` are looked at, and in a mapping of activations its values: texts with a colon.

    Raises
    ------
    InputError
        There is no such module or name, importing it fails, or what it names cannot be called.
    """
    result = dict(options)
    for key in ("target", "activation"):
        value = result.get(key)
        if isinstance(value, Mapping):
            result[key] = {name: _function(f"scaling.{key}", entry) for name, entry in value.items()}
        elif key in result:
            result[key] = _function(f"scaling.{key}", value)
    return result


def _function(option: str, value: Any) -> Callable[..., Any] | Any:
    if not isinstance(value, str) or ":" not in value:
        return value
    found = named_object(value, option)
    if not callable(found):
        raise InputError(f"{option} is {value!r}, which is no function, but of the type {type(found).__name__}")
    return found
