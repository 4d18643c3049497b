"""`sweep`: every point of a plan, each to a run file of its own; what is finished is kept, what was stopped goes on."""

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from infoplane.analysis.errors import true_or_false
from infoplane.errors import InfoplaneError, RunFileError
from infoplane.sweep.engine import Engine
from infoplane.sweep.ledger import write_plan
from infoplane.sweep.outcome import Outcome, SweepResult
from infoplane.sweep.points import Plan, Point, plan
from infoplane.sweep.standing import standing
from infoplane.sweep.stopping import Stop
from infoplane.training import Settings
from infoplane.training.limits import check_settings

_log = logging.getLogger("infoplane")
_RESTARTS = 3
_MOST = 3


def sweep(
    settings: Settings | str | PathLike[str],
    *,
    seeds: int | Iterable[int] = 1,
    grid: Mapping[str, Iterable[Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    metric: str = "error",
    out: str | PathLike[str] = "runs",
    jobs: int | None = None,
    engine: str = "loky",
    address: str | None = None,
    threads: int | None = None,
    vectorize: bool = False,
    quiet: bool = False,
) -> SweepResult:
    """Train every combination of settings and seeds, each to a run file of its own in one folder.

    Points that are finished are kept, those that were stopped go on from their checkpoints. One that fails does not
    stop the others; what it said is beside its run file, with the ending ``.log``.

    Parameters
    ----------
    settings, seeds, grid, overrides, metric
        As `infoplane.sweep.plan` takes them.
    out : path-like
        The folder, made if it is not there. ``sweep.json`` in it has the plan.
    jobs, engine, address, threads
        Where points run and how many at a time; see `infoplane.sweep.engine.Engine`. On a cluster all machines see the
        folder under the same path.
    vectorize : bool
        Train the seeds of one setting side by side in one process, see `infoplane.training.train_side_by_side`: with
        `jobs` and the rest as many settings at a time as otherwise points.
    quiet : bool
        No progress bar (there is none either where stderr is no terminal), and no word of failures.

    Returns
    -------
    SweepResult
        What became of the points.

    Raises
    ------
    DatasetError
        When the data are absent.
    InputError
        When a setting, a seed, the metric or the engine cannot be used, or seeds cannot be trained side by side, before
        anything is trained.
    KeyboardInterrupt, SystemExit
        After Ctrl-C or SIGTERM: running points were ended as interrupted, and the same call goes on.
    RunFileError
        When a file in the folder has the name of a point and another training in it, or cannot be written.
    """
    for name, flag in (("vectorize", vectorize), ("quiet", quiet)):
        true_or_false(name, flag)
    where = Engine(engine, jobs, address, threads)
    planned = plan(settings, seeds=seeds, grid=grid, overrides=overrides, metric=metric)
    return run_plan(planned, out, engine=where, vectorize=vectorize, quiet=quiet)


def run_plan(
    planned: Plan, out: str | PathLike[str], *, engine: Engine, vectorize: bool = False, quiet: bool = False
) -> SweepResult:
    """Run a plan; see `sweep`."""
    if vectorize:
        for points in together(planned.points):
            check_settings([point.settings for point in points])
    folder = Path(out).absolute()
    done = finished_points(planned, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFileError(f"{folder}: the folder cannot be made ({error.strerror or error})") from error
    write_plan(folder, planned)
    found = {point.name: Outcome(point, folder / f"{point.name}.h5", "kept") for point in done}
    todo = [point for point in planned.points if point.name not in found]
    with (
        Stop(folder) as stop,
        tqdm(
            total=len(planned.points), initial=len(done), desc="points", leave=False, disable=True if quiet else None
        ) as bar,
    ):
        for outcome in _all(todo, folder, engine, stop, vectorize, quiet):
            found[outcome.point.name] = outcome
            if outcome.status == "interrupted":
                continue
            bar.update()
            if outcome.status == "failed" and not quiet:
                with tqdm.external_write_mode(file=sys.stderr):
                    _log.warning("%s failed: %s", outcome.point.name, outcome.reason)
    result = SweepResult(planned, tuple(found[point.name] for point in planned.points))
    if stop.signal is not None:
        ended = len(result.paths)
        _log.warning(
            "%s: stopped with %d of %d points finished; the same call goes on", out, ended, len(planned.points)
        )
        raise KeyboardInterrupt if stop.signal == 2 else SystemExit(128 + stop.signal)
    return result


def finished_points(planned: Plan, folder: Path) -> list[Point]:
    """Return the points of a plan that are finished in a folder.

    Raises
    ------
    RunFileError
        When there are files of other trainings under the names of points, with what differs.
    """
    done, refusals = [], []
    for point in planned.points:
        try:
            if standing(folder / f"{point.name}.h5", point.settings).is_finished:
                done.append(point)
        except RunFileError as error:
            refusals.append(str(error))
    if refusals:
        more = f"; and {len(refusals) - _MOST} more files" if len(refusals) > _MOST else ""
        raise RunFileError(
            f"{'; '.join(refusals[:_MOST])}{more}: choose another folder (--out), or move the files away"
        )
    return done


def together(points: Iterable[Point]) -> list[list[Point]]:
    """Return the points in groups that differ in the seed alone, in the order of their first ones."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.group, []).append(point)
    return list(groups.values())


def _all(
    todo: Sequence[Point], folder: Path, engine: Engine, stop: Stop, vectorize: bool, quiet: bool
) -> Iterator[Outcome]:
    """Yield what becomes of all the points; a pool of workers that breaks is begun anew, with what is left."""
    left = {point.name: point for point in todo}
    broken = ""
    for attempt in range(_RESTARTS + 1):
        lots = together(left.values()) if vectorize else [[point] for point in left.values()]
        members = {lot[0].name: lot for lot in lots}
        try:
            for answer in engine.run(_tasks(lots, folder, engine, stop)):
                for point in members[answer["name"]]:
                    told = answer.get("points", {}).get(point.name, answer)
                    del left[point.name]
                    path = folder / f"{point.name}.h5"
                    yield Outcome(point, path, told["status"], told["reason"], answer["seconds"])
        except InfoplaneError:
            raise
        except Exception as error:
            broken = f"the workers were lost ({type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]})"
            stop.stop_workers()
            if attempt < _RESTARTS and stop.signal is None and not quiet:
                _log.warning("%s; %d points are begun again", broken, len(left))
        if not left or stop.signal is not None:
            break
    for point in left.values():
        is_stopped = stop.signal is not None
        status, reason = ("interrupted", "") if is_stopped else ("failed", broken)
        yield Outcome(point, folder / f"{point.name}.h5", status, reason)


def _tasks(lots: Sequence[Sequence[Point]], folder: Path, engine: Engine, stop: Stop) -> Iterator[dict[str, Any]]:
    """Yield one task for each lot of points, by the name of its first one, whose log is that of the process."""
    file = stop.new_file()
    for lot in lots:
        if stop.signal is not None:
            return
        points = [
            {
                "name": point.name,
                "path": str(folder / f"{point.name}.h5"),
                "log": str(folder / f"{point.name}.log"),
                "settings": point.settings.configuration,
            }
            for point in lot
        ]
        alone = {name: value for name, value in points[0].items() if name != "name"}
        yield {
            "name": lot[0].name,
            "request": {
                **(alone if len(points) == 1 else {"log": alone["log"], "points": points}),
                "argv": list(sys.argv),
            },
            "stop": str(file),
            "parent": os.getpid() if engine.is_local else None,
            "threads": engine.threads_each,
            "folder": str(Path.cwd()),
        }
