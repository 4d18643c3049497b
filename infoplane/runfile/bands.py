"""Means over runs with their confidence: which numbers are repetitions of one another, and what they say together.

The limits are those of the mean of n independent runs by Student's law, mean +- t s / sqrt(n), where s is the standard
deviation of the runs (divisor n - 1) and t the quantile (1 + level) / 2 with n - 1 degrees of freedom.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from infoplane.errors import InputError, RunFileError
from infoplane.runfile.access import reading
from infoplane.runfile.run_settings import cell, setting_key
from infoplane.runfile.tidy import check_size
from infoplane.runfile.view import StreamView

if TYPE_CHECKING:
    import pandas as pd

_OF_QUANTITY = ("unit", "kind")
_OF_STREAM = ("split", "mode", "estimator")
_MOST_LABELS = 2**20


@dataclass(frozen=True)
class Repetition:
    """What one run has of a stream, as an array of one row per step and one column per label.

    Attributes
    ----------
    settings : mapping
        Of the run, as `infoplane.runfile.run_settings.run_settings` gives them.
    rows : dict
        From a row's names and values (its step and epoch) to its place.
    labels : dict
        From a label's names and values (probe, site, host, ..., quantity) to its place.
    meanings : list of dict
        Of each label: unit, kind, and on what and how it was measured.
    values : numpy.ndarray
        Shape (rows, labels).
    """

    settings: Mapping[str, Any]
    rows: dict[tuple[tuple[str, Any], ...], int]
    labels: dict[tuple[tuple[str, Any], ...], int]
    meanings: list[dict[str, str]]
    values: NDArray[np.float64]

    @classmethod
    def read(cls, settings: Mapping[str, Any], view: StreamView) -> Self:
        """Read the numbers of a stream and all that tells them apart; standard errors are left out.

        Raises
        ------
        InputError
            When the stream has no table of numbers.
        RunFileError
            When it cannot be read.
        """
        table = str(view.attrs.get("table", ""))
        if not table:
            raise InputError(f"stream {view.name!r} of {view.path} is a list in which there is nothing to average")
        with reading(view.path):
            return cls._of_table(settings, view, table)

    @classmethod
    def _of_table(cls, settings: Mapping[str, Any], view: StreamView, table: str) -> Self:
        # Called inside `reading`: what does not fit together is the fault of a damaged or made-up file.
        dims, shape = view.dims(table), view.shape(table)
        if dims[:1] != (view.row,) or len(dims) < 2:
            raise ValueError(f"its table {table!r} has the dimensions {dims}, not rows and what they consist of")
        check_size(view, table)
        if prod(shape[1:]) > _MOST_LABELS:
            raise RunFileError(
                f"{view.path}: a row of {view.name!r} has {prod(shape[1:]):,} numbers, and bands are made of at most "
                f"{_MOST_LABELS:,}; average parts of its arrays, as stream({view.name!r}).read({table!r}, columns=0)"
            )
        dims = dims[1:]
        beside = {dim: {name: view[name].tolist() for name in view.names if view.dims(name) == (dim,)} for dim in dims}
        last = beside[dims[-1]]
        names = last[dims[-1]]
        errors = [owner in names for owner in last.pop("standard_error_of", [""] * len(names))]
        of_quantity = {name: last.pop(name) for name in _OF_QUANTITY if name in last}
        of_stream = {name: str(view.attrs[name]) for name in _OF_STREAM if name in view.attrs}
        values = view[table]
        if values.dtype.kind not in "iuf":
            raise ValueError(f"its table {table!r} holds text, and no numbers")
        places = [p for p in np.indices(shape[1:]).reshape(len(dims), -1).T.tolist() if not errors[p[-1]]]
        labels = [
            tuple((name, texts[k]) for dim, k in zip(dims, p, strict=True) for name, texts in beside[dim].items())
            for p in places
        ]
        times = {name: view[name].tolist() for name in (view.row, "epoch") if name in view.variables}
        rows = [
            tuple((name, None if math.isnan(value) else value) for name, value in zip(times, row, strict=True))
            for row in zip(*times.values(), strict=True)
        ]
        return cls(
            settings,
            _places(rows, "rows"),
            _places(labels, "numbers of a row"),
            [{name: texts[p[-1]] for name, texts in of_quantity.items()} | of_stream for p in places],
            values.astype(np.float64)[(slice(None), *np.array(places, np.intp).reshape(-1, len(dims)).T)],
        )


def _places(keys: Sequence[tuple[tuple[str, Any], ...]], what: str) -> dict[tuple[tuple[str, Any], ...], int]:
    """Return the place of each key; one that is there twice would put one number in the place of another."""
    found: dict[tuple[tuple[str, Any], ...], int] = {}
    for k, key in enumerate(keys):
        if found.setdefault(key, k) != k:
            raise ValueError(f"two {what} are one: {', '.join(f'{name} {value!r}' for name, value in key)}")
    return found


def bands(runs: Sequence[Repetition], by: Sequence[str], level: float) -> "pd.DataFrame":
    """Return one line per group of runs, row and label; see `infoplane.runfile.study.Study.bands`."""
    import pandas as pd

    groups: dict[tuple[str, ...], list[Repetition]] = {}
    for run in runs:
        groups.setdefault(tuple(setting_key(run.settings, name) for name in by), []).append(run)
    tables = []
    for group in groups.values():
        columns = _band(group, level)
        chosen = {name: [cell(group[0].settings.get(name))] * len(columns["n"]) for name in by}
        tables.append(pd.DataFrame({**chosen, **columns}))
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True).infer_objects()


def _band(group: Sequence[Repetition], level: float) -> dict[str, Any]:
    meanings = _common_meanings(group)
    rows = sorted(
        {row for run in group for row in run.rows}, key=lambda row: [-math.inf if v is None else v for _, v in row]
    )
    row_at, label_at = {row: k for k, row in enumerate(rows)}, {label: k for k, label in enumerate(meanings)}
    values = np.full((len(group), len(rows), len(meanings)), np.nan)
    is_there = np.zeros(values.shape[1:], bool)
    for k, run in enumerate(group):
        place = np.ix_([row_at[row] for row in run.rows], [label_at[label] for label in run.labels])
        values[k][place] = np.where(np.isfinite(run.values), run.values, np.nan)
        is_there[place] = True
    _refuse_one_run_twice(group, values)
    n = np.isfinite(values).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nansum(values, axis=0) / n
        deviation = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / np.where(n > 1, n - 1, np.nan))
        half = student.ppf((1 + level) / 2, n - 1) * deviation / np.sqrt(n)
    row, label = np.nonzero(is_there)
    return {
        **{name: values[row] for name, values in _columns(rows).items()},
        **{name: values[label] for name, values in _columns(list(meanings)).items()},
        "runs": np.full(row.size, len(group)),
        "n": n[row, label],
        "mean": mean[row, label],
        "standard_deviation": deviation[row, label],
        "lower": (mean - half)[row, label],
        "upper": (mean + half)[row, label],
        **{name: values[label] for name, values in _columns([tuple(m.items()) for m in meanings.values()]).items()},
    }


def _common_meanings(group: Sequence[Repetition]) -> dict[tuple[tuple[str, Any], ...], dict[str, str]]:
    """Return the meaning of every label, and refuse runs in which one label means different things."""
    first: dict[tuple[tuple[str, Any], ...], tuple[Repetition, dict[str, str]]] = {}
    for run in group:
        for label, meaning in zip(run.labels, run.meanings, strict=True):
            other, known = first.setdefault(label, (run, meaning))
            for name in known | meaning:
                if known.get(name) != meaning.get(name):
                    raise InputError(
                        f"{label[-1][1]!r} cannot be averaged: its {name} is {known.get(name)!r} in "
                        f"{other.settings['path']}, but {meaning.get(name)!r} in {run.settings['path']}"
                    )
    return {label: meaning for label, (_, meaning) in first.items()}


def _refuse_one_run_twice(group: Sequence[Repetition], values: NDArray[np.float64]) -> None:
    """Refuse a run and its copy, as a recovered one: two of a mean's samples must not be one."""
    chosen = [
        {name: setting_key(run.settings, name) for name in run.settings if name not in ("path", "status")}
        for run in group
    ]
    for i, j in combinations(range(len(group)), 2):
        if chosen[i] == chosen[j]:
            both = np.isfinite(values[i]) & np.isfinite(values[j])
            if both.any() and (values[i] == values[j])[both].all():
                raise InputError(
                    f"{group[i].settings['path']} and {group[j].settings['path']} are one run twice: settings, seeds "
                    "and all numbers at the same steps are equal; leave one of them out"
                )


def _columns(keys: Sequence[tuple[tuple[str, Any], ...]]) -> dict[str, NDArray[Any]]:
    """Return each name with its values over the keys, None where a key has none."""
    found = [dict(key) for key in keys]
    names = dict.fromkeys(name for one in found for name in one)
    return {
        name: np.array([one.get(name) for one in found], dtype=float if name == "epoch" else object) for name in names
    }
