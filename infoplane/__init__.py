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
    from infoplane.analysis.generalization import generalization_bound
    from infoplane.analysis.lognormal import lognormal_jsd
    from infoplane.analysis.rows import row_symbols
    from infoplane.analysis.sketch import LogHistogram
    from infoplane.analysis.stability import stability
    from infoplane.analysis.verdicts.claim import Claim
    from infoplane.errors import InfoplaneError
    from infoplane.frozen import probe_frozen
    from infoplane.probes.bottleneck import VIBBottleneck, VIBHead
    from infoplane.probes.schedule import every, log_spaced
    from infoplane.probes.sites import sites
    from infoplane.probes.target import RealTarget
    from infoplane.probes.vib import VIBProbe
    from infoplane.recorder import record
    from infoplane.regularizers.method import parse_method
    from infoplane.reports.compare import compare
    from infoplane.runfile.difference import difference
    from infoplane.runfile.export import export
    from infoplane.runfile.reader import open_dataset, open_run
    from infoplane.runfile.recover import recover
    from infoplane.runfile.study import open_study
    from infoplane.scaling.synscal import SynScaL
    from infoplane.scaling.synscaw import SynScaW

__version__ = "0.1.0"

__all__ = [
    "Bins",
    "Claim",
    "InfoplaneError",
    "LogHistogram",
    "RealTarget",
    "SynScaL",
    "SynScaW",
    "VIBBottleneck",
    "VIBHead",
    "VIBProbe",
    "analysis",
    "compare",
    "datasets",
    "delta_information",
    "delta_information_surface",
    "difference",
    "errors",
    "estimate",
    "every",
    "export",
    "generalization_bound",
    "log_spaced",
    "lognormal_jsd",
    "methods",
    "models",
    "open_dataset",
    "open_run",
    "open_study",
    "parse_method",
    "plots",
    "probe_frozen",
    "probes",
    "record",
    "recover",
    "reports",
    "row_symbols",
    "sites",
    "stability",
]

_MODULES = frozenset({"analysis", "datasets", "errors", "models", "plots", "probes", "reports"})
_HOMES = {
    "Bins": "infoplane.analysis.bins",
    "Claim": "infoplane.analysis.verdicts.claim",
    "InfoplaneError": "infoplane.errors",
    "LogHistogram": "infoplane.analysis.sketch",
    "RealTarget": "infoplane.probes.target",
    "SynScaL": "infoplane.scaling.synscal",
    "SynScaW": "infoplane.scaling.synscaw",
    "VIBBottleneck": "infoplane.probes.bottleneck",
    "VIBHead": "infoplane.probes.bottleneck",
    "VIBProbe": "infoplane.probes.vib",
    "compare": "infoplane.reports.compare",
    "delta_information": "infoplane.analysis.delta_information",
    "delta_information_surface": "infoplane.analysis.delta_information",
    "difference": "infoplane.runfile.difference",
    "estimate": "infoplane.analysis.estimate",
    "every": "infoplane.probes.schedule",
    "export": "infoplane.runfile.export",
    "generalization_bound": "infoplane.analysis.generalization",
    "log_spaced": "infoplane.probes.schedule",
    "lognormal_jsd": "infoplane.analysis.lognormal",
    "methods": "infoplane.analysis.estimate",
    "open_dataset": "infoplane.runfile.reader",
    "open_run": "infoplane.runfile.reader",
    "open_study": "infoplane.runfile.study",
    "parse_method": "infoplane.regularizers.method",
    "probe_frozen": "infoplane.frozen",
    "record": "infoplane.recorder",
    "recover": "infoplane.runfile.recover",
    "row_symbols": "infoplane.analysis.rows",
    "sites": "infoplane.probes.sites",
    "stability": "infoplane.analysis.stability",
}


def __getattr__(name: str) -> Any:
    from infoplane.analysis.errors import near_names
    from infoplane.analysis.importing import importing

    with importing(f"infoplane.{name}"):
        if name in _MODULES:
            return import_module(f"infoplane.{name}")
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)

    raise AttributeError(f"infoplane has no {name!r}{near_names(name, __all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
