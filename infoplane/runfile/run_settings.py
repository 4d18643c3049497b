"""The settings of a run as one flat line, so that several runs make a table, and which of them differ."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infoplane.runfile.difference import ABSENT, Absent, leaves, value_text
from infoplane.runfile.reader import Run
from infoplane.runfile.stream import encode

_PARTS = ("configuration", "data", "probes", "model")


def run_settings(run: Run) -> dict[str, Any]:
    """Return where a run is, how it stands, its seed, and all that was chosen for it, by dotted names.

    Returns
    -------
    dict
        ``path``, ``status``, ``seed`` (of the probes), then ``configuration.*``, ``data.*``, ``probes.*`` and
        ``model``, each as the file has it. An empty mapping within one of them is a value.
    """
    line: dict[str, Any] = {"path": str(run.path), "status": run.status, "seed": run.provenance.get("seed")}
    for part in _PARTS:
        value = run.provenance.get(part, {})
        if value != {}:
            line |= {_plain(".".join(path)): leaf for path, leaf in leaves({part: value}).items()}
    return line


def cells(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line as a table shows it, see `cell`."""
    return {name: cell(value) for name, value in line.items()}


def cell(value: Any) -> Any:
    """Return what a table shows of a setting: lists are JSON text, one that a run lacks is None."""
    if isinstance(value, Absent):
        return None
    if isinstance(value, str):
        return _plain(value)
    return value if isinstance(value, int | float | None) else json.dumps(value, sort_keys=True)


def setting_key(line: Mapping[str, Any], name: str) -> str:
    """Return a text that two lines share only where the setting is the same in both, in type and value.

    ``True``, ``1`` and ``1.0`` are three settings, and so are None, NaN, and one that a run lacks: where Python or a
    table takes two for one, runs that were made differently would be averaged.
    """
    return value_text(line.get(name, ABSENT))


def differing(lines: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of the settings and seeds that are not the same in all lines; see `setting_key`."""
    names = dict.fromkeys(name for line in lines for name in line if name not in ("path", "status"))
    return tuple(name for name in names if len({setting_key(line, name) for line in lines}) > 1)


def is_seed(name: str) -> bool:
    """Whether a setting is a seed: its own name is, whatever it belongs to."""
    return name.rpartition(".")[2] == "seed"


def _plain(text: str) -> str:
    """Return text without halves of characters, which JSON may hold and tables refuse."""
    return encode(text).decode()
