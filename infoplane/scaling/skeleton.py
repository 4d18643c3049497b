"""The way of tensors through a network, traced without running it and without touching it.

`torch.fx` runs a network's Python code on stand-ins for tensors. It runs here on a copy of the network's outer shape
that shares all parameters: what a forward sets on its modules stays in the copy, hooks do not fire, and no random
number is drawn from the global states.
"""

import copy
import inspect
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from infoplane.probes.isolation import preserved_random_state
from infoplane.probes.names import unwrapped

_CONTAINERS = (list, dict, set, OrderedDict)


@dataclass(frozen=True)
class Traced:
    """The graph of a forward, and the network's own module behind the name of each that the graph calls."""

    graph: fx.Graph
    modules: dict[str, nn.Module]


def traced(model: nn.Module, *, leaves: tuple[type[nn.Module], ...]) -> Traced | str:
    """Return the graph of a forward of `model`, or why there is none.

    Parameters
    ----------
    model : torch.nn.Module
        The network; wrappers around it do not count. Arguments of its forward that have a default keep it.
    leaves : tuple of types
        Modules that stay one node even where a user has derived a class from them; all others of `torch.nn` do.
    """
    own = unwrapped(model)
    made: dict[int, nn.Module] = {}
    shell = _shell(own, made)
    originals = {id(made[key]): module for key, module in _by_id(own).items() if key in made}
    try:
        with warnings.catch_warnings(), preserved_random_state():
            warnings.simplefilter("ignore")
            graph = _Tracer(leaves).trace(shell, concrete_args=_defaults(shell))
    except Exception as error:  # what a user's own forward raises on stand-ins can be anything
        text = (str(error).strip().splitlines() or [""])[0][:100]
        return f"{type(error).__name__}: {text}"
    names = dict(shell.named_modules(remove_duplicate=False))
    return Traced(graph, {name: originals[id(module)] for name, module in names.items() if id(module) in originals})


class _Tracer(fx.Tracer):
    # A buffer would otherwise be the network's own tensor, and adding to it would count.
    proxy_buffer_attributes = True

    def __init__(self, leaves: tuple[type[nn.Module], ...]) -> None:
        super().__init__()
        self._leaves = leaves

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, self._leaves) or super().is_leaf_module(m, module_qualified_name)


def _shell(module: nn.Module, made: dict[int, nn.Module]) -> nn.Module:
    if id(module) in made:
        return made[id(module)]
    twin = module.__class__.__new__(module.__class__)
    made[id(module)] = twin
    for name, value in module.__dict__.items():
        # Hooks, parameters and modules are kept in dictionaries, too.
        twin.__dict__[name] = copy.copy(value) if type(value) in _CONTAINERS else value
    for name in module.__dict__:
        if name.endswith("_hooks") and isinstance(twin.__dict__[name], dict):
            twin.__dict__[name] = OrderedDict()
    twin.__dict__["training"] = True  # scaling is for training, and some networks have heads for it alone
    twin.__dict__["_modules"] = {
        name: None if inner is None else _shell(inner, made) for name, inner in module._modules.items()
    }
    return twin


def _by_id(model: nn.Module) -> dict[int, nn.Module]:
    return {id(module): module for module in model.modules()}


def _defaults(model: nn.Module) -> dict[str, Any]:
    parameters = inspect.signature(model.forward).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}
