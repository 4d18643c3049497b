"""Names of modules and parameters, without those of the wrappers around them.

``torch.compile`` puts a network into a module and calls it ``_orig_mod``, ``DataParallel`` and
``DistributedDataParallel`` call it ``module``. A run file whose names held these could not be compared with that of
the same network on one device. They are dropped wherever such a wrapper stands; an attribute that a network itself
calls ``module`` is kept.
"""

from collections.abc import Iterator

from torch import nn
from torch.nn.parameter import is_lazy


def module_names(model: nn.Module) -> dict[str, nn.Module]:
    """Return the modules inside `model` by name, in the order of ``named_modules()``.

    Parameters
    ----------
    model : torch.nn.Module
        Any network, wrapped or not.

    Returns
    -------
    dict of str to torch.nn.Module
        Each module once, under the first of its names, without the network itself; a wrapper gives way to what it
        wraps.
    """
    first: dict[int, str] = {}
    return {name: module for name, module in all_names(model) if first.setdefault(id(module), name) == name != ""}


def parameter_names(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters of `model` by name, in the order of ``named_parameters()``.

    Parameters
    ----------
    model : torch.nn.Module
        Any network, wrapped or not.

    Returns
    -------
    dict of str to torch.nn.Parameter
        Each parameter once, under the first of its names.
    """
    seen: set[int] = set()
    found: dict[str, nn.Parameter] = {}
    for prefix, module in {"": unwrapped(model), **module_names(model)}.items():
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                found[f"{prefix}.{name}" if prefix else name] = parameter
    return found


def lazy_parameters(model: nn.Module) -> list[str]:
    """Return the names of the parameters that have no shape before the first forward."""
    return [name for name, parameter in parameter_names(model).items() if is_lazy(parameter)]


def all_names(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield every name of every module; one that is shared comes again under each. The network's own is ``""``."""
    modules = dict(model.named_modules(remove_duplicate=False))
    names = {"": ""}
    for spelled, module in modules.items():
        parent, _, last = spelled.rpartition(".")
        if spelled:
            above = names[parent]
            wrapped = last == _wrapped_as(modules[parent])
            names[spelled] = above if wrapped else f"{above}.{last}" if above else last
        if _wrapped_as(module) is None:
            yield names[spelled], module


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the module inside the wrappers of torch.compile, DataParallel and DistributedDataParallel."""
    while (inside := _wrapped_as(module)) is not None:
        module = module.get_submodule(inside)
    return module


def _wrapped_as(module: nn.Module) -> str | None:
    """Return what a wrapper calls the module that it wraps, None for all others."""
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return "module"
    # The class of torch.compile's wrapper is private, and importing it takes seconds; the name is that of its states.
    return "_orig_mod" if "_orig_mod" in module._modules else None
