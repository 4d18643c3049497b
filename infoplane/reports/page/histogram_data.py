"""The histograms of weights and activations over the steps of a run, as the charts draw them.

A histogram is the density of ln x of the positive values, in joined bins, beside the log-normal law of the same mean
and deviation of ln x (Fig. 3).
"""

from typing import Any

import numpy as np

from infoplane.analysis.joined_bins import joined_bins
from infoplane.analysis.sketch import BIN_EDGES, QUANTITIES, SketchSummary
from infoplane.errors import InfoplaneError
from infoplane.printable import NAME, printable
from infoplane.reports.jsd import STREAMS
from infoplane.reports.page.plane_data import chosen_rows, number, numbers
from infoplane.runfile.reader import Run
from infoplane.runfile.view import StreamView

MOST_ROWS = 30


def histogram_data(run: Run, *, budget: int) -> list[dict[str, Any]]:
    """Return the histograms of one run.

    Parameters
    ----------
    run : Run
        Open.
    budget : int
        About so many histograms: rows are left out where there would be more, but never the first and last.

    Returns
    -------
    list of dict
        One per layer: ``stream``, ``name``, ``of`` (rows of the stream), and ``rows``, each with ``step``, ``epoch``,
        ``edges`` (of x) and ``density`` (of ln x), ``mu`` and ``sigma`` of ln x, ``n`` positive values, and
        ``zero_fraction`` among the finite ones. A row without positive values has no edges.
    """
    streams = [run.stream(name) for name in STREAMS if name in run.streams]
    layers = sum(len(view.read(_label(view))) for view in streams)
    most = min(MOST_ROWS, max(2, budget // max(1, layers)))
    found: list[dict[str, Any]] = []
    for view in streams:
        try:
            found += _of_stream(view, most)
        except (InfoplaneError, ValueError, LookupError):
            continue  # the table of divergences says what cannot be read
    return found


def _of_stream(view: StreamView, most: int) -> list[dict[str, Any]]:
    if not len(view) or not np.array_equal(view["bin_edges"], BIN_EDGES):
        return []
    quantities = view["quantity"].tolist()
    order = [quantities.index(quantity) for quantity in QUANTITIES]
    layers = [
        {"stream": view.name, "name": printable(name, NAME), "of": len(view), "rows": []}
        for name in view[_label(view)].tolist()
    ]
    epochs = view["epoch"] if "epoch" in view.variables else np.full(len(view), np.nan)
    for row in chosen_rows(len(view), most).tolist():
        counts, scalars = view.read("counts", row), view.read("scalars", row)
        beside = {"step": int(view.read(view.row, row)), "epoch": number(epochs[row])}
        for k, layer in enumerate(layers):
            layer["rows"].append(beside | _histogram(SketchSummary(counts[k], scalars[k][order])))
    return layers


def _histogram(sketch: SketchSummary) -> dict[str, Any]:
    finite = sketch["n"] - sketch["nans"] - sketch["infinities"]
    data: dict[str, Any] = {
        "n": int(sketch["count_positive"]),
        "zero_fraction": number(sketch["zeros"] / finite) if finite else None,
        "mu": number(sketch["mean_log_positive"]),
        "sigma": number(sketch["std_log_positive"]),
        "edges": [],
        "density": [],
    }
    if data["n"]:
        edges, counts = sketch.histogram(1)
        if edges[0] < edges[-1] and counts.sum():
            cuts, density = joined_bins(edges, counts)
            data |= {"edges": numbers(cuts), "density": numbers(density)}
    return data


def _label(view: StreamView) -> str:
    return "parameter" if view.name == "weights" else "site"
