"""How two runs differ: configuration, provenance, sites, probes, streams and their rows; not what they measured."""

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from infoplane.errors import RunFileError
from infoplane.printable import NAME, printable
from infoplane.runfile.reader import Run, open_run
from infoplane.text_table import SCREEN, aligned

if TYPE_CHECKING:
    import pandas as pd


class Absent(Enum):
    """What a run has where it has nothing; None is a value, which JSON writes as null."""

    ABSENT = "(absent)"

    def __str__(self) -> str:
        return self.value


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True)
class DifferenceRow:
    """One entry in which two runs differ.

    Attributes
    ----------
    part : str
        ``file``, ``configuration``, ``provenance``, ``sites``, ``probes`` or ``rows`` (readable ones, by stream).
    key : str
        Within it; nested keys are joined by dots.
    a, b : object
        What each run has there: what JSON can say, or `ABSENT`.
    """

    part: str
    key: str
    a: Any
    b: Any


@dataclass(frozen=True)
class Difference:
    """Everything in which two runs differ; ``str(difference)`` is a table for a screen of 100 columns.

    Attributes
    ----------
    a, b : str
        The two paths.
    rows : tuple of DifferenceRow
        Empty where nothing differs.
    damage_a, damage_b : tuple of str
        What is wrong with each file, as `infoplane.runfile.stream_file.StreamFile.damage` says it: where a file is
        damaged, what it cannot give is no difference of the runs.
    """

    a: str
    b: str
    rows: tuple[DifferenceRow, ...]
    damage_a: tuple[str, ...] = ()
    damage_b: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Any]]:
        """Return one dictionary per row; ``a`` or ``b`` is left out where that run has nothing there."""
        return [{key: value for key, value in vars(row).items() if not isinstance(value, Absent)} for row in self.rows]

    def to_dataframe(self) -> "pd.DataFrame":
        """Return the rows as a table with the columns part, key, a, b; the values as JSON text, or ``(absent)``.

        NaN and infinities stand by these words, which JSON lacks.
        """
        import pandas as pd

        cells = [(row.part, row.key, value_text(row.a), value_text(row.b)) for row in self.rows]
        return pd.DataFrame(cells, columns=["part", "key", "a", "b"])

    def __str__(self) -> str:
        head = "".join(
            f"{name}: {printable(path)}\n" + "".join(f"   damaged: {printable(text, _SENTENCE)}\n" for text in damage)
            for name, path, damage in (("A", self.a, self.damage_a), ("B", self.b, self.damage_b))
        )
        if not self.rows:
            return f"{head}no difference in configuration, provenance, sites, probes, streams and rows"
        cells = [
            [printable(f"{row.part}.{row.key}", NAME), *_shown(value_text(row.a), value_text(row.b))]
            for row in self.rows
        ]
        return head + aligned(["", "A", "B"], cells, text_columns=3, width=SCREEN)


def difference(a: Run | str | PathLike[str], b: Run | str | PathLike[str]) -> Difference:
    """Return how two runs differ in all but what they measured.

    Parameters
    ----------
    a, b : Run or path-like
        Open runs, which stay open, or run files; of any format version.

    Returns
    -------
    Difference
        Times, host name and command line belong to the provenance, as versions and the user's commit do.

    Raises
    ------
    RunFileError
        When a file is no run file, or cannot be read.
    """
    (name_a, damage_a, parts_a), (name_b, damage_b, parts_b) = _described(a), _described(b)
    rows = tuple(row for part in parts_a for row in _compared(part, parts_a[part], parts_b[part]))
    return Difference(name_a, name_b, rows, damage_a, damage_b)


def _described(run: Run | str | PathLike[str]) -> tuple[str, tuple[str, ...], dict[str, dict[str, Any]]]:
    """Return the path of a run, what is wrong with the file, and its entries by part."""
    if not isinstance(run, Run):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is part of the answer
            with open_run(Path(run)) as opened:
                return _described(opened)
    damage = run.damage()
    said = {"damage": list(damage)} if damage else {}
    return (
        str(run.path),
        damage,
        {
            "file": {"format_version": run.format_version, "status": run.status, **said},
            "configuration": run.configuration,
            "provenance": {
                **{key: value for key, value in run.provenance.items() if key not in ("configuration", "sites")},
                "start_time": run.start_time,
                "end_time": run.end_time,
            },
            "sites": _sites(run),
            "probes": _probes(run),
            "rows": {name: readable for name, (_, readable) in run.check().items()},
        },
    )


def _sites(run: Run) -> dict[str, Any]:
    """Return what the file says of each site; before format 1.3 that is only that the plane has it."""
    listed = run.provenance.get("sites")
    if isinstance(listed, list) and all(isinstance(site, Mapping) and "name" in site for site in listed):
        return {str(site["name"]): {key: value for key, value in site.items() if key != "name"} for site in listed}
    labels = _labels(run)
    names = labels.get("site", [])
    return {name: {key: labels[key][k] for key in ("reduction",) if key in labels} for k, name in enumerate(names)}


def _probes(run: Run) -> dict[str, Any]:
    labels = _labels(run)
    names = labels.pop("probe", [])
    return {name: {key: values[k] for key, values in labels.items()} for k, name in enumerate(names)}


def _labels(run: Run) -> dict[str, list[Any]]:
    """Return what stands along the probes of the plane: their names, sites, hosts, betas; nothing without a plane."""
    if "plane" not in run.streams:
        return {}
    try:
        view = run.plane()
    except RunFileError:
        return {}  # what is left of a damaged file: its rows say so
    return {name: view[name].tolist() for name in view.names if view.dims(name) == ("probe",)}


def leaves(entries: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return the values of nested mappings by their path of keys, in order; an empty mapping is a value."""
    found: dict[tuple[str, ...], Any] = {}
    # No recursion: how deep the text of a stranger's file nests is not ours to say.
    waiting: list[tuple[tuple[str, ...], Any]] = [((key,), value) for key, value in reversed(list(entries.items()))]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping) and value:
            waiting += [((*path, str(key)), inner) for key, inner in reversed(list(value.items()))]
        else:
            found[path] = value
    return found


def _compared(part: str, a: dict[str, Any], b: dict[str, Any]) -> Iterator[DifferenceRow]:
    if part in ("sites", "probes"):
        # One that a run lacks is one difference, not one per property.
        for name in dict.fromkeys([*a, *b]):
            if name not in a or name not in b:
                yield DifferenceRow(part, name, a.get(name, ABSENT), b.get(name, ABSENT))
        shared = [name for name in a if name in b]
        a, b = {name: a[name] for name in shared}, {name: b[name] for name in shared}
    leaves_a, leaves_b = leaves(a), leaves(b)
    for path in dict.fromkeys([*leaves_a, *leaves_b]):
        in_a, in_b = leaves_a.get(path, ABSENT), leaves_b.get(path, ABSENT)
        if value_text(in_a) != value_text(in_b):
            yield DifferenceRow(part, ".".join(path), in_a, in_b)


def value_text(value: Any) -> str:
    """Return a value as one text that only equal values share: 1, 1.0, true and "1" differ, NaN equals NaN."""
    return str(value) if isinstance(value, Absent) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _shown(a: str, b: str) -> tuple[str, str]:
    """Return two texts for two cells, from shortly before they part: cells are narrow, and paths begin alike."""
    same = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, same - 8)
    if max(len(a), len(b)) <= _CELL or start < 2:
        start = 0
    cells = [f"{'…' * bool(start)}{text[start:]}" for text in (a, b)]
    return printable(cells[0], NAME), printable(cells[1], NAME)


_CELL = 30
_SENTENCE = 200
