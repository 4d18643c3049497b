"""The sites of mode ``bottleneck``: the VIB bottlenecks that a network has in series."""

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from infoplane.probes.bottleneck import VIBBottleneck
from infoplane.probes.errors import SiteError
from infoplane.probes.names import module_names
from infoplane.probes.places import Place
from infoplane.probes.selection import Sites, select_sites


def bottleneck_places(model: nn.Module, sites: Sites = None) -> tuple[Place, ...]:
    """Return where the codes of the chosen bottlenecks are: what their encoders give.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    sites : optional
        As in `select_sites`; all bottlenecks when left out.

    Raises
    ------
    SiteError
        When a chosen module is no `VIBBottleneck`, or there is none.
    """
    places = select_sites(model, VIBBottleneck if sites is None else sites)
    for place in places:
        if not isinstance(place.module, VIBBottleneck) or place.side == "input" or place.path:
            raise SiteError(
                f"{place.name!r} is a {type(place.module).__name__}, but in mode 'bottleneck' the sites are "
                "VIBBottleneck modules of the network: put one in series first"
            )
    return tuple(
        replace(place, module=place.module.get_submodule("encoder"), module_name=f"{place.module_name}{_ENCODER}")
        for place in places
    )


def bottlenecks_at(model: nn.Module, places: Sequence[Place]) -> dict[str, VIBBottleneck]:
    """Return, by the names of places that `bottleneck_places` made of `model`, their bottlenecks."""
    modules = module_names(model)
    found = {place.name: modules[place.module_name.removesuffix(_ENCODER)] for place in places}
    return {name: module for name, module in found.items() if isinstance(module, VIBBottleneck)}


_ENCODER = ".encoder"
