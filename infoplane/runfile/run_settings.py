"""The settings of a run as one flat line, so that several runs make a table, and which of them differ."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infoplane.runfile.reader import Run

_PARTS = ("configuration", "data", "probes", "model")


def run_settings(run: Run) -> dict[str, Any]:
    """Return where a run is, how it stands, its seed, and all that was chosen for it, by dotted names.

    Returns
    -------
    dict
        ``path``, ``status``, ``seed`` (of the probes), then ``configuration.*``, ``data.*``, ``probes.*`` and
        ``model``. Numbers, text, truth values and None are as they are, everything else is JSON text.
    """
    line: dict[str, Any] = {"path": str(run.path), "status": run.status, "seed": _cell(run.provenance.get("seed"))}
    for part in _PARTS:
        if part in run.provenance:
            line |= _leaves(part, run.provenance[part])
    return line


def differing(lines: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of the settings and seeds that are not the same in all lines; a missing one is as None."""
    names = dict.fromkeys(name for line in lines for name in line if name not in ("path", "status"))
    return tuple(name for name in names if len({line.get(name) for line in lines}) > 1)


def is_seed(name: str) -> bool:
    """Whether a setting is a seed: its own name is, whatever it belongs to."""
    return name.rpartition(".")[2] == "seed"


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    else:
        yield name, _cell(value)


def _cell(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    return value if isinstance(value, str | int | float | None) else json.dumps(value, sort_keys=True)
