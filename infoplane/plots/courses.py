"""The error of runs and the divergence of their weights and activations from log-normal laws, row by row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from infoplane.analysis.errors import near_names
from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.sketch_pooling import pooled
from infoplane.errors import InputError
from infoplane.reports.run_values import unit_of
from infoplane.runfile.reader import Run
from infoplane.runfile.run_settings import run_settings
from infoplane.runfile.study import Study, open_study

Runs = Study | Run | str | PathLike[str] | Sequence[Run | str | PathLike[str]]
CURVES = {"error": "metrics", "jsd_weights": "weights", "jsd_activations": "activations"}
"""What is drawn, and the stream that it is read from."""


@dataclass(frozen=True, eq=False)
class Course:
    """One run.

    Attributes
    ----------
    settings : mapping
        As `infoplane.runfile.run_settings.run_settings` gives them.
    unit, split : str
        Of the error, and what it was measured on.
    points : mapping of str to sequence of (float, float)
        By curve of `CURVES`, where the run has it: epoch (NaN where none was kept) and value, in `unit` or in bit.
    """

    settings: dict[str, Any]
    unit: str
    split: str
    points: dict[str, list[tuple[float, float]]]


def read_courses(runs: Runs, *, last: bool = False) -> list[Course]:
    """Read all rows of every run, or the last row of each stream alone.

    Raises
    ------
    InputError
        When there is no run, or one has no row of any of these streams.
    RunFileError
        When a file is no run file, or is damaged.
    """
    return [_course(run, last) for run in opened(runs)]


def opened(runs: Runs) -> Iterator[Run]:
    """Yield each run open; those that were opened here are closed before the next."""
    if isinstance(runs, Study):
        yield from runs
        return
    several = [runs] if isinstance(runs, Run | str | PathLike) else list(runs)
    if not several:
        raise InputError("there is no run to draw; give run files, a pattern of them, or a study")
    for run in several:
        if isinstance(run, Run):
            yield run
        else:
            yield from open_study(run)


def setting_named(name: str, courses: Sequence[Course]) -> str:
    """Return the full name of a setting given by it or by its end, as ``scaling.rate``."""
    known = list(dict.fromkeys(one for course in courses for one in course.settings if one != "path"))
    if name in known:
        return name
    longer = [one for one in known if one.endswith(f".{name}")]
    if len(longer) == 1:
        return longer[0]
    if longer:
        raise InputError(f"the setting {name!r} may be any of {', '.join(longer)}; give its full name")
    raise InputError(f"no run has a setting {name!r}{near_names(name, known)}")


def _course(run: Run, last: bool) -> Course:
    points = {}
    for curve, stream in CURVES.items():
        if stream in run.streams and len(view := run.stream(stream)):
            rows = [len(view) - 1] if last else list(range(len(view)))
            epochs = view["epoch"] if "epoch" in view.variables else np.full(len(view), np.nan)
            if curve == "error":
                names = view["quantity"].tolist()
                if "error" not in names:
                    continue
                factor = 100 if unit_of("error", run).startswith("%") else 1
                values = factor * view["values"][:, names.index("error")]
                found = [float(values[row]) for row in rows]
            else:
                names = run.sketch_names(stream)
                found = [
                    lognormal_jsd(pooled([run.sketch(stream, name, row) for name in names]), bootstrap=0).divergence
                    for row in rows
                ]
            points[curve] = [(float(epochs[row]), value) for row, value in zip(rows, found, strict=True)]
    if not points:
        raise InputError(f"{run.path}: has no row of {', '.join(CURVES.values())} yet, so nothing of it can be drawn")
    split = str(run.stream("metrics").attrs.get("split", "")) if "metrics" in run.streams else ""
    return Course(run_settings(run), unit_of("error", run), split, points)
