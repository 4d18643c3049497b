"""``infoplane layers``: the sites of a network, spelled as ``sites=`` takes them."""

import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from torch import nn

    from infoplane.probes.places import Place

_DTYPES = ("float32", "int64")
_MODEL = "MODEL is a network by name, or package.module:name of one, or of what makes one without arguments"
_TOKENS = 1000  # different ones that a network for tokens is made for


def layers(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="mlp, resnet32, resnet50, ... as train takes them, for ten classes; or package.module:name of a "
            "network or of what makes one without arguments, also of a file in this folder. That code is run.",
        ),
    ],
    shape: Annotated[str | None, typer.Option(help="Of one input, such as 3,224,224; without it, no forward.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Inputs in the dry forward.")] = 2,
    dtype: Annotated[str, typer.Option(help="float32, or int64 for tokens; the input is all zeros.")] = "float32",
    sites: Annotated[str | None, typer.Option(metavar="GLOB", help="Only the modules of this name or glob.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per row.")] = False,
) -> None:
    """List the sites of a network.

    Name, type, shape of the output, calls in one forward and parameters of every module that can be observed.

    Example: infoplane layers resnet32 --shape 3,32,32
    """
    import infoplane as ip
    from infoplane.analysis.errors import one_of
    from infoplane.json_lines import json_lines
    from infoplane.named_object import current_folder
    from infoplane.probes.selection import select_sites
    from infoplane.probes.sites import SiteTable

    one_of("--dtype", dtype, _DTYPES)
    one = _numbers(shape)
    # What the network's own code prints is no data of ours.
    with redirect_stdout(sys.stderr), current_folder():
        network, one = _network(model, one, dtype)
        chosen = None if sites is None else _modules(select_sites(network, sites), sites)
        table = ip.sites(network) if one is None else _after_forward(network, (batch, *one), dtype)
    rows = SiteTable([row for row in table if chosen is None or row.module in chosen])
    if json:
        sys.stdout.writelines(json_lines(rows.to_dataframe()))
    else:
        print(rows)
    if one is None:
        print(
            "infoplane: outputs and calls are known after a forward; --shape gives the shape of one input",
            file=sys.stderr,
        )


def _modules(places: "tuple[Place, ...]", text: str) -> set[str]:
    """Return the names of the modules that ``--sites`` chose; InputError where it says more than a module."""
    from infoplane.errors import InputError

    if any(place.side == "input" or place.call is not None or place.path for place in places):
        raise InputError(f"--sites is {text!r}, but it takes a name or glob; @input, :call and [key] are for sites=")
    return {place.module_name for place in places}


def _numbers(text: str | None) -> tuple[int, ...] | None:
    from infoplane.errors import InputError

    if text is None:
        return None
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise InputError(f"--shape is {text!r}, but it takes positive whole numbers with commas, such as 3,224,224")
    return numbers


def _network(text: str, shape: tuple[int, ...] | None, dtype: str) -> "tuple[nn.Module, tuple[int, ...] | None]":
    """Return the network that `text` names, and the shape of one of its inputs where that is known."""
    from torch import nn

    from infoplane.errors import InputError
    from infoplane.models import build, check_model

    if ":" not in text:
        check_model(text)
        shape = (784,) if shape is None and text == "mlp" else shape
        if shape is None:
            raise InputError(f"--shape is missing: {text} is made for inputs of one shape, such as 3,32,32")
        return build(text, shape=shape, classes=10, vocabulary=_TOKENS if dtype == "int64" else None), shape
    found = _named(text)
    if isinstance(found, nn.Module):
        return found, shape
    if not callable(found):
        raise InputError(f"{text!r} is of the type {type(found).__name__}; {_MODEL}")
    _check_no_arguments(text, found)
    network = _working(f"making {text}", found)
    if not isinstance(network, nn.Module):
        raise InputError(f"{text!r} returned an object of the type {type(network).__name__}; {_MODEL}")
    return network, shape


def _named(text: str) -> Any:
    """Return the object that ``package.module:name`` names."""
    from importlib import import_module

    from infoplane.analysis.errors import near_names
    from infoplane.errors import InputError

    module_name, _, name = text.partition(":")
    if not (name and all(part.isidentifier() for part in module_name.split("."))):
        raise InputError(f"{text!r} names no network; {_MODEL}")

    def find() -> Any:
        try:
            return import_module(module_name)
        except ModuleNotFoundError as error:
            # One that the module itself misses is its own affair.
            if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
                raise
            raise InputError(f"there is no module {error.name!r} for {text!r}, not in this folder either") from None

    module = _working(f"importing {module_name}", find)
    if not hasattr(module, name):
        raise InputError(f"{module_name} has no {name!r}{near_names(name, dir(module))}")
    return getattr(module, name)


def _check_no_arguments(text: str, maker: Callable[..., Any]) -> None:
    from inspect import signature

    from infoplane.errors import InputError

    try:
        needs = signature(maker)
    except (TypeError, ValueError):
        return  # it says nothing about its arguments
    try:
        needs.bind()
    except TypeError as error:
        raise InputError(f"{text!r} cannot be called without arguments ({error}): write a function that can") from None


def _after_forward(network: "nn.Module", shape: tuple[int, ...], dtype: str) -> Any:
    import torch

    import infoplane as ip

    given = torch.zeros(shape, dtype=getattr(torch, dtype))
    return _working(f"the forward on {dtype} of shape {shape}", lambda: ip.sites(network, given))


def _working(what: str, work: Callable[[], Any]) -> Any:
    """Return what `work` returns; an exception of the network's own code says during `what` it came."""
    from infoplane.errors import InfoplaneError

    try:
        return work()
    except InfoplaneError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        # The command line names the class of what is raised here; that of the cause is news only where it differs.
        kind = "" if type(error) is RuntimeError else f"{type(error).__name__}: "
        raise RuntimeError(f"{what} failed: {kind}{reason}") from error
