"""The mean path of several runs that differ in their seeds, with how they scatter around it.

Only rows that all runs have at the same step are averaged; nothing is interpolated. Standard errors are those over the
runs, s / sqrt(runs) with s of divisor runs - 1; they leave out the inputs, which the runs share.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import reduce
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.path import ProbePath, RunPaths
from infoplane.plots.read_paths import read_paths, thinned
from infoplane.plots.setting_words import settings_in_words
from infoplane.printable import printable
from infoplane.reports.plane_findings import PlaneFinding, magnitude
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.run_settings import differing, is_seed, run_settings
from infoplane.runfile.study import Study, open_study

Runs = Run | str | PathLike[str] | Study | Sequence[Run | str | PathLike[str]]


def read_arm(runs: Runs, *, rows: int | None = None, window: int = 1, probes: str = "plain") -> RunPaths:
    """Read one run, or the mean of several that differ in their seeds.

    Parameters
    ----------
    runs : Run, path-like, Study, or sequence of Run or path-like
        One run; a pattern as `infoplane.open_study` takes it; or several runs.
    rows, window, probes
        As in `read_paths`; a window is averaged within each run first.

    Raises
    ------
    RunFileError
        When a file is no run file, or has no plane.
    InputError
        When there is no run, one is there twice, one has not measured yet, they have no step or no probe in common, or
        their probes or labels were not the same.
    """
    if isinstance(runs, Run):
        return read_paths(runs, rows=rows, window=window, probes=probes)
    if isinstance(runs, str | PathLike):
        runs = open_study(runs)
    members = list(runs.paths) if isinstance(runs, Study) else list(runs)
    Study([run.path if isinstance(run, Run) else Path(run) for run in members])  # refuses none, or one twice
    if len(members) == 1:
        return read_paths(members[0], rows=rows, window=window, probes=probes)
    with ExitStack() as stack:
        opened = [run if isinstance(run, Run) else stack.enter_context(open_run(run)) for run in members]
        read = [read_paths(run, window=window, probes=probes) for run in opened]
        if window > 1 and len({run.step.tobytes() for run in read}) > 1:
            raise InputError(
                f"window is {window}, but these runs were measured at different steps, so that a window holds other "
                "rows in one than in another: leave window out"
            )
        other = [name for name in differing([run_settings(run) for run in opened]) if not is_seed(name)]
    return thinned(_mean(read, other), rows)


def _mean(runs: list[RunPaths], other: Sequence[str]) -> RunPaths:
    first = runs[0]
    for run in runs:
        if (run.probes, run.label_kind, run.n) != (first.probes, first.label_kind, first.n):
            reason = "n = {} and {}, but an arm's runs have the same of both"
            said = reason.format(f"{first.n} of {first.name!r}", f"{run.n} of {run.name!r}")
            if run.probes != first.probes:
                said = f"{first.probes!r} and {run.probes!r} cannot be averaged: the probes of {run.name} are others"
            raise InputError(printable(said))
    steps = reduce(np.intersect1d, [run.step for run in runs])
    if not steps.size:
        raise InputError(f"{first.name} and {len(runs) - 1} more runs have no step in common, and so no mean")
    kept = [np.searchsorted(run.step, steps) for run in runs]
    names = [path.probe for path in first.paths if all(path.probe in _probes(run) for run in runs)]
    if not names:
        raise InputError(
            f"{first.name} and {len(runs) - 1} more runs have no probe in common, so that there is no mean"
        )
    paths = [_mean_path([(_probes(run)[name], at) for run, at in zip(runs, kept, strict=True)]) for name in names]
    epochs = np.array([run.epoch[at] for run, at in zip(runs, kept, strict=True)])
    return replace(
        first,
        name=f"mean of {len(runs)} runs",
        step=steps,
        # The epoch of a step is known where the runs agree on it.
        epoch=np.where(np.ptp(epochs, axis=0) == 0, epochs[0], np.nan),
        paths=tuple(paths),
        h_y=float(np.max([run.h_y for run in runs])),
        settings=first.settings if len({run.settings for run in runs}) == 1 else f"{first.probes}. n = {first.n}.",
        found=_found(runs),
        every=1,
        of=int(steps.size),
        runs=len(runs),
        said=(*first.said, *_sentences(runs, steps, names, other)),
    )


def _probes(run: RunPaths) -> dict[str, ProbePath]:
    return {path.probe: path for path in run.paths}


def _mean_path(members: Sequence[tuple[ProbePath, NDArray[np.intp]]]) -> ProbePath:
    points = np.array([np.column_stack([path.i_zx, path.i_zy])[at] for path, at in members])  # (runs, rows, 2)
    finite = np.isfinite(points).all(axis=-1)
    every = finite.all(axis=0)  # a mean of those that did not fail would be of a choice of runs
    mean = np.where(every[:, None], points.mean(axis=0), np.nan)
    away = points - mean
    covariance = np.einsum("rki,rkj->kij", away, away) / (len(members) - 1)
    errors = np.sqrt(covariance[:, [0, 1], [0, 1]] / len(members))

    def averaged(name: str) -> NDArray[np.float64]:
        means: NDArray[np.float64] = np.mean([getattr(path, name)[at] for path, at in members], axis=0)
        return means

    return replace(
        members[0][0],
        i_zx=mean[:, 0],
        i_zy=mean[:, 1],
        se_i_zx=errors[:, 0],
        se_i_zy=errors[:, 1],
        i_zx_lower=averaged("i_zx_lower"),
        i_zx_upper=averaged("i_zx_upper"),
        doubtful=np.any([path.doubtful[at] for path, at in members], axis=0),
        covariance=covariance,
        averaged=sum(path.averaged for path, _ in members),
    )


def _found(runs: Sequence[RunPaths]) -> tuple[PlaneFinding, ...] | None:
    if any(run.found is None for run in runs):
        return None
    groups: dict[tuple[str, str], list[PlaneFinding]] = {}
    for run in runs:
        for one in run.found or ():
            groups.setdefault((one.place, one.code), []).append(one)
    return tuple(
        replace(
            max(group, key=lambda one: magnitude(one.amount)),
            steps=frozenset[int]().union(*(one.steps for one in group)),
        )
        for group in groups.values()
    )


def _sentences(
    runs: Sequence[RunPaths], steps: NDArray[np.float64], names: Sequence[str], other: Sequence[str]
) -> list[str]:
    said = [f"Means of {len(runs)} runs."]
    if other:
        said.append(f"These runs differ not in seeds alone but in {settings_in_words(other)}.")
    most = max(run.step.size for run in runs)
    if steps.size < most:
        said.append(f"{most - steps.size} of {most} rows are not in all of these runs and left out.")
    spare = len({path.probe for run in runs for path in run.paths}) - len(names)
    if spare:
        said.append(f"{spare} probe{'s are' if spare > 1 else ' is'} not in all of these runs and left out.")
    if np.ptp([run.h_y for run in runs]) > 0:
        said.append("H(Y) is the largest of these runs.")
    return said
