"""Information planes of PyTorch networks, with and without synaptic scaling.

The public names below load on first use (PEP 562), so that ``import infoplane`` is quick and imports neither
matplotlib nor torchvision.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infoplane import analysis, datasets, errors, models, plots, probes, reports
    from infoplane.analysis.bins import Bins
    from infoplane.analysis.delta_information import delta_information, delta_information_surface
    from infoplane.analysis.estimate import estimate, methods
    from infoplane.analysis.lognormal import lognormal_jsd
    from infoplane.analysis.rows import row_symbols
    from infoplane.analysis.sketch import LogHistogram
    from infoplane.analysis.stability import stability
    from infoplane.errors import InfoplaneError
    from infoplane.probes.sites import sites
    from infoplane.probes.vib import VIBProbe
    from infoplane.recording import record
    from infoplane.runfile.reader import open_dataset, open_run
    from infoplane.scaling.synscal import SynScaL
    from infoplane.scaling.synscaw import SynScaW

__version__ = "0.1.0"

__all__ = [
    "Bins",
    "InfoplaneError",
    "LogHistogram",
    "SynScaL",
    "SynScaW",
    "VIBProbe",
    "analysis",
    "datasets",
    "delta_information",
    "delta_information_surface",
    "errors",
    "estimate",
    "lognormal_jsd",
    "methods",
    "models",
    "open_dataset",
    "open_run",
    "plots",
    "probes",
    "record",
    "reports",
    "row_symbols",
    "sites",
    "stability",
]

_MODULES = frozenset({"analysis", "datasets", "errors", "models", "plots", "probes", "reports"})
_HOMES = {
    "Bins": "infoplane.analysis.bins",
    "InfoplaneError": "infoplane.errors",
    "LogHistogram": "infoplane.analysis.sketch",
    "SynScaL": "infoplane.scaling.synscal",
    "SynScaW": "infoplane.scaling.synscaw",
    "VIBProbe": "infoplane.probes.vib",
    "delta_information": "infoplane.analysis.delta_information",
    "delta_information_surface": "infoplane.analysis.delta_information",
    "estimate": "infoplane.analysis.estimate",
    "lognormal_jsd": "infoplane.analysis.lognormal",
    "methods": "infoplane.analysis.estimate",
    "open_dataset": "infoplane.runfile.reader",
    "open_run": "infoplane.runfile.reader",
    "record": "infoplane.recording",
    "row_symbols": "infoplane.analysis.rows",
    "sites": "infoplane.probes.sites",
    "stability": "infoplane.analysis.stability",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"infoplane.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    from infoplane.analysis.errors import near_names

    raise AttributeError(f"infoplane has no {name!r}{near_names(name, __all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
