"""Finding the activation of every layer that is scaled: given by name, traced, or read off the order of modules.

What was found, and how, stands in every report and in the configuration of a run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from infoplane.analysis.errors import InputError, near_names
from infoplane.probes.bottleneck import VIBBottleneck
from infoplane.probes.errors import SiteError
from infoplane.scaling.activations import Activation, as_activation, following_activation
from infoplane.scaling.dataflow import Following, following_in_graph, last_called
from infoplane.scaling.layers import named, registered_order
from infoplane.scaling.recurrent import RECURRENT
from infoplane.scaling.settings import LAYER_TYPES, Phi
from infoplane.scaling.skeleton import Traced, traced


@dataclass(frozen=True)
class Found:
    """The activation of a layer, and whether it was ``given``, ``traced`` or taken from the ``order`` of modules."""

    phi: Activation
    how: str


class Finder:
    """Finds activations in one network; it is traced once, and again when a module of it was replaced."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._trace: Traced | str = ""
        self._traced_for: tuple[tuple[str, int], ...] = ()
        self._following: dict[str, Following] = {}

    def activations(self, layers: Mapping[str, nn.Module], given: str | Phi | Mapping[str, Phi]) -> dict[str, Found]:
        """Return the activation of every layer but recurrent ones, whose gates have their own.

        Raises
        ------
        InputError
            It cannot be told.
        SiteError
            A name of the mapping `given` fits no layer.
        """
        own = {name: module for name, module in layers.items() if not isinstance(module, RECURRENT)}
        if not isinstance(given, (str, Mapping)):
            phi = as_activation(given)
            return {name: Found(phi, "given") for name in own}
        overrides = given if isinstance(given, Mapping) else {}
        for pattern in overrides:
            if not any(_fits(name, pattern) for name in own):
                raise SiteError(
                    f"activation= names {pattern!r}, which is no layer that is scaled"
                    f"{' and has no gates' if own.keys() != layers.keys() else ''}{near_names(str(pattern), own)}"
                )
        given_by_name = {name: _override(name, overrides) for name in own}
        trace = "" if all(given_by_name.values()) else self._current()
        return {
            name: Found(override, "given") if override else self._find(trace, name, own[name])
            for name, override in given_by_name.items()
        }

    def outputs(self, layers: Mapping[str, nn.Module]) -> set[str]:
        """Return the layers whose output is the network's, or else the one that is called last."""
        everything = {name: m for name, m in named(self._model).items() if isinstance(m, LAYER_TYPES)}
        trace = self._current()
        if isinstance(trace, str) or "" in everything:
            last = next(reversed(everything), None)
        else:
            known = {name: self._follow(trace, name, module) for name, module in layers.items()}
            found = {name for name, following in known.items() if following is not None and following.is_output}
            if found:
                return found
            last = last_called(trace, everything)
        return {last} & set(layers) if last is not None else set()

    def _find(self, trace: Traced | str, name: str, module: nn.Module) -> Found:
        if name and isinstance(trace, Traced):
            following = self._follow(trace, name, module)
            if following is None:
                raise _untold(name, "the forward does not call it as a module", also=", or leave it out with layers=")
            if following.phi is None:
                raise _untold(name, following.why)
            return Found(following.phi, "traced")
        order = registered_order(self._model, layer_types=LAYER_TYPES)
        try:
            return Found(following_activation(order, name, layer_types=LAYER_TYPES), "order")
        except InputError as error:
            raise InputError(f"{error} (its forward could not be traced: {trace})") from None

    def _follow(self, trace: Traced, name: str, module: nn.Module) -> Following | None:
        if name not in self._following:
            following = following_in_graph(trace, module)
            if following is None:
                return None
            self._following[name] = following
        return self._following[name]

    def _current(self) -> Traced | str:
        shape = tuple((name, id(module)) for name, module in named(self._model).items())
        if shape != self._traced_for:
            self._trace = traced(self._model, leaves=(*LAYER_TYPES, *RECURRENT, VIBBottleneck))
            self._traced_for, self._following = shape, {}
        return self._trace

    def __getstate__(self) -> dict[str, object]:
        # A copy's network is another one.
        return {"_model": self._model, "_trace": "", "_traced_for": (), "_following": {}}


def _untold(name: str, why: str, *, also: str = "") -> InputError:
    return InputError(
        f"the activation of layer {name!r} cannot be told, because {why}; pass activation= a function for all layers, "
        f"or a mapping such as {{{name!r}: torch.relu}}{also}"
    )


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _override(name: str, overrides: Mapping[str, Phi]) -> Activation | None:
    return next((as_activation(phi) for pattern, phi in overrides.items() if _fits(name, pattern)), None)
