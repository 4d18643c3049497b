"""What the charts draw of one run's plane and metrics, as JSON has it: lists of numbers, null where there is none."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.errors import InfoplaneError
from infoplane.plane_probes import plane_probes
from infoplane.printable import NAME, printable
from infoplane.reports.findings import CONTEXT
from infoplane.reports.plane_findings import plane_findings
from infoplane.runfile.reader import Run
from infoplane.runfile.view import StreamView

QUANTITIES = ("i_zx", "i_zy", "i_zx_lower", "i_zx_upper", "i_zx_given_y", "i_ty_chain")
_DIGITS = 6


def plane_data(run: Run, *, rows: int) -> dict[str, Any]:
    """Return the bounds of every probe that has one place on a plane, at no more than `rows` rows.

    Parameters
    ----------
    run : Run
        Open.
    rows : int
        Evenly spaced from the first on, and the last.

    Returns
    -------
    dict
        ``drawn``, ``of`` and ``every`` (rows); ``step``, ``epoch``, ``n`` of each row; ``h_y`` in bit; ``split``,
        ``estimator``, ``draws``; ``units`` and ``kinds`` by quantity; ``others`` (how many probes are left out);
        ``probes``, each with ``probe``, ``site``, ``host``, ``beta``, ``latent``, the quantities by name with their
        standard errors as ``se_...``, and ``findings``: the rows (by their place here) of every code. ``unusable`` are
        the codes that say that a value cannot be used as it stands.
    """
    empty: dict[str, Any] = {"drawn": 0, "of": 0, "every": 1, "step": [], "epoch": [], "n": [], "probes": []}
    empty |= {"h_y": None, "split": "", "estimator": "", "draws": None, "units": {}, "kinds": {}, "others": 0}
    empty |= {"unusable": [], "findings_known": True}
    if "plane" not in run.streams or not len(run.plane()):
        return empty
    view = run.plane()
    where = chosen_rows(len(view), rows)
    values = _rows(view, "values", where)
    at = {str(quantity): k for k, quantity in enumerate(view["quantity"])}
    known = [quantity for quantity in QUANTITIES if quantity in at]
    steps = _rows(view, view.row, where)
    shown = [probe for probe in plane_probes(view) if probe.is_plain]
    codes, is_known = _codes(run, steps)
    probes = [
        {
            "probe": printable(probe.probe, NAME),
            "site": printable(probe.site, NAME),
            "host": printable(probe.host, NAME),
            "beta": number(probe.beta),
            "latent": probe.latent,
            "findings": codes.get(probe.probe, {}),
        }
        | {
            quantity: numbers(values[:, probe.at, at[quantity]])
            for quantity in (*known, *(f"se_{quantity}" for quantity in known))
            if quantity in at
        }
        for probe in sorted(shown, key=lambda probe: probe.is_control)
    ]
    units, kinds = ({q: printable(view[name][at[q]], NAME) for q in known} for name in ("unit", "kind"))
    return empty | {
        "drawn": len(where),
        "of": len(view),
        "every": int(where[1] - where[0]) if len(where) > 1 else 1,
        "step": steps.tolist(),
        "epoch": numbers(_rows(view, "epoch", where)),
        "n": _rows(view, "n", where).tolist(),
        "h_y": number(values[-1, 0, at["h_y"]]) if kinds.get("i_zy") == "lower_bound" else None,
        "split": _text(view.attrs, "split"),
        "estimator": _text(view.attrs, "estimator"),
        "draws": int(view.attrs["draws"]) if isinstance(view.attrs.get("draws"), int | np.integer) else None,
        "units": units,
        "kinds": kinds,
        "others": len(view["probe"]) - len(shown),
        "probes": probes,
        "unusable": sorted({code for found in codes.values() for code in found if code not in CONTEXT}),
        "findings_known": is_known,
    }


def metrics_data(run: Run, *, rows: int) -> dict[str, Any] | None:
    """Return the network's own loss and error over steps, or None where it has none."""
    if "metrics" not in run.streams or not len(run.metrics()):
        return None
    view = run.metrics()
    where = chosen_rows(len(view), rows)
    values = _rows(view, "values", where)
    data = {
        "step": _rows(view, view.row, where).tolist(),
        "epoch": numbers(_rows(view, "epoch", where)),
        "split": _text(view.attrs, "split"),
        "of": len(view),
    }
    names = view["quantity"].tolist()
    return data | {name: numbers(values[:, names.index(name)]) for name in ("loss", "error") if name in names}


def chosen_rows(of: int, rows: int) -> NDArray[np.intp]:
    """Return which of `of` rows are drawn: at most `rows`, evenly spaced from the first on, and the last."""
    every = max(1, -(-(of - 1) // max(1, rows - 1)))
    return np.append(np.arange(0, of - 1, every), of - 1).astype(np.intp) if of else np.empty(0, np.intp)


def number(value: Any) -> float | None:
    """Return a number with six significant digits, None where it is not finite."""
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None


def numbers(values: NDArray[Any]) -> list[float | None]:
    """Return numbers as `number` does."""
    return [number(value) for value in values.tolist()]


def _rows(view: StreamView, name: str, where: NDArray[np.intp]) -> NDArray[Any]:
    """Read the rows that were chosen: a slice, and the last."""
    every = int(where[1] - where[0]) if len(where) > 1 else 1
    last = int(where[-1])
    return np.concatenate([view.read(name, slice(0, last, every)), view.read(name, slice(last, last + 1))])


def _codes(run: Run, steps: NDArray[Any]) -> tuple[dict[str, dict[str, list[int]]], bool]:
    """Return for each probe the places of the rows that each code is about, and whether the findings can be read."""
    try:
        found = plane_findings(run)
    except (InfoplaneError, ValueError, LookupError):
        found = None
    codes: dict[str, dict[str, list[int]]] = {}
    place = {int(step): k for k, step in enumerate(steps)}
    for one in found or ():
        rows = sorted(place[step] for step in one.steps if step in place)
        if rows:
            codes.setdefault(one.place, {})[one.code] = rows
    return codes, found is not None


def _text(attrs: Mapping[str, Any], key: str) -> str:
    value = attrs.get(key, "")
    return printable(value, NAME) if isinstance(value, str) else ""
