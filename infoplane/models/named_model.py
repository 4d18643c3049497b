"""A network that the user wrote, by the name of what makes it: ``package.module:function``, or a class.

The function is called with those of `shape`, `classes`, `hidden`, `vocabulary` and `seed` that its signature names, and
with the options that are given beside them. What it does not name is not passed; what it needs and nobody gives is an
error that says so. A file of the current folder is a module, as for ``python -m``. The code is run: name only what you
trust.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from infoplane.analysis.errors import InfoplaneError, InputError, near_names
from infoplane.models.initial import initial_weights
from infoplane.named_object import current_folder, named_object
from infoplane.probes.isolation import preserved_random_state

_ACCEPTED = "package.module:name of a function or class that makes a network, such as my_networks:small"


def named_model(text: str, *, seed: int | None = None, options: Mapping[str, Any], **offered: Any) -> nn.Module:
    """Return the network that `text` makes.

    Parameters
    ----------
    text : str
        ``package.module:name``.
    seed : int, optional
        All that is drawn meanwhile follows from it, on the CPU, and the global random states are left alone; passed to
        the function as well, where it takes a `seed`.
    options : mapping
        All of these are passed.
    **offered : object
        Of these, those that the signature names. One that is None is passed only to a parameter without a default.

    Raises
    ------
    InputError
        When there is no such module or name, it makes no network, needs what is not given, takes not what is given, or
        raises.
    """
    with current_folder():
        # The first import runs the module, later ones do not: what it draws must not move the weights.
        with preserved_random_state():
            maker = _found(text)
        arguments = _arguments(text, maker, options, {**offered, "seed": seed})
        with initial_weights(seed):
            network = _working(f"making the model {text!r}", lambda: maker(**arguments))
    if not isinstance(network, nn.Module):
        raise InputError(f"{text!r} returned {_article(network)}, but it must return a torch.nn.Module")
    # As the other networks: it was made on the CPU.
    return network if seed is None else network.to(torch.get_default_device())


def _found(text: str) -> Callable[..., Any]:
    maker = named_object(text, "model")
    if isinstance(maker, nn.Module):
        raise InputError(
            f"{text!r} is a network itself, which every run would share and no seed would reach; name what makes one"
        )
    if not callable(maker):
        raise InputError(f"{text!r} is {_article(maker)}; accepted: {_ACCEPTED}")
    found: Callable[..., Any] = maker
    return found


def _arguments(
    text: str, maker: Callable[..., Any], options: Mapping[str, Any], offered: Mapping[str, Any]
) -> dict[str, Any]:
    try:
        parameters = inspect.signature(maker).parameters
    except (TypeError, ValueError):
        return dict(options)  # it says nothing about its arguments
    by_name = {
        key: parameter
        for key, parameter in parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    if not anything and (strange := [key for key in options if key not in by_name]):
        takes = ", ".join(by_name) or "no arguments"
        raise InputError(
            f"the model {text!r} has no option {strange[0]!r}; it takes {takes}{near_names(strange[0], by_name)}"
        )
    if offered.get("hidden") is not None and "hidden" not in by_name:
        raise InputError(f"hidden is {offered['hidden']!r}, but the model {text!r} takes no hidden")
    arguments = {
        key: value
        for key, value in offered.items()
        if key in by_name and (value is not None or by_name[key].default is inspect.Parameter.empty)
    }
    arguments.update(options)
    missing = [
        key
        for key, parameter in parameters.items()
        if parameter.default is inspect.Parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and key not in arguments
    ]
    if missing:
        raise InputError(
            f"the model {text!r} needs {', '.join(map(repr, missing))}; what is passed by name is shape, classes, "
            "hidden, vocabulary and seed, and each further one must be given as an option or have a default"
        )
    return arguments


def _working(what: str, work: Callable[[], Any]) -> Any:
    """Return what `work` returns; an exception of the user's own code becomes one that says during `what` it came."""
    try:
        return work()
    except InfoplaneError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise InputError(f"{what} failed: {type(error).__name__}{f': {reason}' if reason else ''}") from error


def _article(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
