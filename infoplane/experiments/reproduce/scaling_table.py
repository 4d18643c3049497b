"""A table of what synaptic scaling did: activity and target of every layer, and how far a pass moved its weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infoplane.experiments.reproduce.arm_table import mean_and_sd
from infoplane.experiments.reproduce.outcome import Table
from infoplane.runfile.reader import open_run

_TITLE = "What SynScaW did: activity before the last pass (mean ± sd over seeds), and what a pass changed (mean of all)"
_HEAD = ["arm", "layer", "target", "activity", "its change by a pass", "|dw| / |w| of a pass [%]", "passes"]


def scaling_tables(runs: Mapping[str, Sequence[Path]]) -> tuple[Table, ...]:
    """Return a table with a row per arm and layer that was scaled, or none where nothing was.

    Parameters
    ----------
    runs : mapping of str to sequence of pathlib.Path
        By arm.
    """
    cells = [row for name, paths in runs.items() if paths for row in _rows(name, paths)]
    return (Table(_TITLE, _HEAD, cells, text_columns=2),) if cells else ()


def _rows(name: str, paths: Sequence[Path]) -> list[list[str]]:
    of_runs = [found for path in paths if (found := _passes(path)) is not None]
    if not of_runs:
        return []
    layers, _ = of_runs[0]
    rows = []
    for k, layer in enumerate(layers):
        its = [{quantity: values[:, k] for quantity, values in found.items()} for _, found in of_runs]
        target = its[0]["target"][-1]
        shares = [float(np.mean(one["mean_abs_change"] / one["mean_abs_weight"])) for one in its]
        rows.append(
            [
                name,
                layer,
                f"{target:g}" if all(one["target"][-1] == target for one in its) else "-",
                mean_and_sd([float(one["zbar_before"][-1]) for one in its]),
                f"{np.mean([np.mean(one['zbar_after'] - one['zbar_before']) for one in its]):.2g}",
                f"{100 * np.mean(shares):.2g}",
                f"{len(its[0]['target'])}",
            ]
        )
    return rows


def _passes(path: Path) -> tuple[list[str], dict[str, NDArray[np.float64]]] | None:
    """Return the scaled layers, and by quantity the values (passes, layers); None of a run without a pass."""
    with open_run(path) as run:
        if "scaling" not in run.streams or not len(stream := run.scaling()):
            return None
        values = stream["values"]
        quantities = [str(one) for one in stream["quantity"]]
        return [str(one) for one in stream["layer"]], {name: values[..., k] for k, name in enumerate(quantities)}
