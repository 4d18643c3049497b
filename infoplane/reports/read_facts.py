"""Reading what a run was and what came out of it from its file, once.

A run file may be growing, killed, damaged or a stranger's: what cannot be read is absent, and said in `unreadable`.
"""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infoplane.errors import InfoplaneError
from infoplane.plane_probes import plane_probes, settings_phrase
from infoplane.printable import NAME, printable
from infoplane.reports.findings import findings
from infoplane.reports.jsd import jsd
from infoplane.reports.run_facts import Measured, RunFacts, SiteFacts
from infoplane.reports.run_values import unit_of
from infoplane.runfile.reader import Run
from infoplane.runfile.view import StreamView

_NAN = math.nan


def run_facts(run: Run, name: str = "") -> RunFacts:
    """Return what a run was and what came out.

    Parameters
    ----------
    run : Run
        Open.
    name : str
        What to call it; the file's name without its ending if left out.
    """
    known = run.provenance
    configuration, unreadable = run.configuration, list(run.unreadable)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rows that are lost are said by `damage`
        lost = list(run.damage())
        parts: dict[str, Any] = {}
        for read, unknown in _PARTS.items():
            try:
                parts |= read(run)
            except (InfoplaneError, ValueError, LookupError, TypeError) as error:
                unreadable.append(f"{printable(error, 300)}")
                parts |= unknown
    return RunFacts(
        name=name or run.path.stem,
        path=str(run.path),
        status=run.status,
        start_time=run.start_time,
        end_time=run.end_time,
        provenance=known,
        model=_model(known, configuration),
        data=_data(known),
        method=_method(known, configuration),
        device=_text(known.get("device")),
        parameters=_whole(known.get("parameters")),
        seed=_whole(configuration.get("seed", known.get("seed"))),
        is_probes_seed="seed" not in configuration,
        epochs_planned=_whole(_of(configuration.get("training"), "epochs")),
        unreadable=tuple(dict.fromkeys([*lost, *unreadable])),
        **parts,
    )


def _plane(run: Run) -> dict[str, Any]:
    if "plane" not in run.streams:
        return {}
    view = run.plane()
    split, estimator = (_text(view.attrs.get(key)) for key in ("split", "estimator"))
    facts: dict[str, Any] = {"rows": len(view), "committed": view.committed, "split": split, "estimator": estimator}
    facts["others"] = tuple(probe.probe for probe in plane_probes(view) if not probe.is_plain)
    if not len(view):
        return facts
    at = {str(quantity): k for k, quantity in enumerate(view["quantity"])}
    values = view.read("values", -1)
    kind = str(view["kind"][at["i_zy"]]).replace("_", " ")
    return facts | {
        "step": int(view.read(view.row, -1)),
        "epoch": float(view.read("epoch", -1)),
        "probes": _probes(view),
        "n": int(view.read("n", -1)),
        "h_y": float(values[0, at["h_y"]]) if kind == "lower bound" else _NAN,  # else it is no limit
        "label_kind": printable(kind, NAME),
        "sites": tuple(_sites(view, values, at)),
    }


def _sites(view: StreamView, values: Any, at: Mapping[str, int]) -> list[SiteFacts]:
    places: dict[str, dict[str, int]] = {}
    for probe in plane_probes(view):
        if probe.is_plain:
            places.setdefault(probe.site, {}).setdefault(probe.host, probe.at)
    covariance = {q: _last(view, f"covariance_{q}") for q in ("i_zx", "i_zy")}

    def measured(quantity: str, k: int) -> Measured:
        return Measured(float(values[k, at[quantity]]), float(values[k, at[f"se_{quantity}"]]))

    def change(quantity: str, k: int, control: int) -> Measured:
        difference = float(values[k, at[quantity]] - values[control, at[quantity]])
        table = covariance[quantity]
        if table is None:
            return Measured(difference)
        variance = float(table[k, k] + table[control, control] - 2 * table[k, control])
        return Measured(difference, math.sqrt(variance) if variance >= 0 else _NAN)

    found = []
    for site, of_host in places.items():
        if "trained" not in of_host:
            continue
        k, control = of_host["trained"], of_host.get("untrained")
        lower, upper = (float(values[k, at[q]]) if q in at else _NAN for q in ("i_zx_lower", "i_zx_upper"))
        beside: dict[str, Any] = {}
        if control is not None:
            beside = {
                "control_rate": measured("i_zx", control),
                "control_label_bound": measured("i_zy", control),
                "rate_change": change("i_zx", k, control),
                "label_change": change("i_zy", k, control),
            }
        found.append(SiteFacts(site, measured("i_zx", k), measured("i_zy", k), (lower, upper), **beside))
    return found


def _metrics(run: Run) -> dict[str, Any]:
    if "metrics" not in run.streams or not len(run.metrics()):
        return {}
    view = run.metrics()
    quantities = view["quantity"].tolist()
    if "error" not in quantities:
        return {}
    return {
        "has_error": True,
        "error": 100 * float(view.read("values", -1)[quantities.index("error")]),
        "error_unit": unit_of("error", run),
        "error_split": _text(view.attrs.get("split")),
    }


def _findings(run: Run) -> dict[str, Any]:
    return {"findings": findings(run)}


def _divergences(run: Run) -> dict[str, Any]:
    return {"divergences": jsd(run).rows}


# Each part, and what stands for it where it cannot be read.
_PARTS: dict[Callable[[Run], dict[str, Any]], dict[str, Any]] = {
    _plane: {},
    _metrics: {},
    _findings: {"findings": None},
    _divergences: {"divergences": None},
}


def _probes(view: StreamView) -> str:
    steps = _counted(f"{int(view.read('updates', -1)):,}", "probe step")
    draws = f", {_counted(printable(view.attrs['draws'], NAME), 'draw')} per input" if "draws" in view.attrs else ""
    shown = [probe for probe in plane_probes(view) if probe.is_plain]
    return f"{settings_phrase(view, shown)}, {steps}{draws}"


def _counted(count: str, noun: str) -> str:
    return f"{count} {noun}{'' if count == '1' else 's'}"


def _last(view: StreamView, name: str) -> Any:
    return view.read(name, -1) if name in view.variables else None


def _model(known: Mapping[str, Any], configuration: Mapping[str, Any]) -> str:
    named = _text(_of(configuration.get("model"), "name"))
    kind = _text(known.get("model")).rpartition(".")[2]
    return f"{named} ({kind})" if named and kind and named != kind else named or kind


def _data(known: Mapping[str, Any]) -> str:
    data = known.get("data")
    name = _text(_of(data, "name"))
    sizes = [f"{count:,} {what}" for key, what in _SIZES if (count := _whole(_of(data, key))) is not None]
    return f"{name} ({', '.join(sizes)})" if name and sizes else name


_SIZES = (("train", "inputs for training"), ("test", "for testing"), ("classes", "classes"))


def _method(known: Mapping[str, Any], configuration: Mapping[str, Any]) -> str:
    if method := _text(configuration.get("method")):
        return method
    return "synaptic scaling" if known.get("scaling") else ""


def _of(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _text(value: Any) -> str:
    return printable(value, NAME) if isinstance(value, str) else ""


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else None
