"""`reproduce`: one experiment by name, at one scale, into one folder."""

import json
import platform
import shlex
import sys
import time
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from importlib import metadata
from os import PathLike
from pathlib import Path
from typing import Any

import infoplane
from infoplane.analysis.errors import one_of, true_or_false, whole_number
from infoplane.errors import InputError
from infoplane.experiments.reproduce.catalogue import EXPERIMENTS
from infoplane.experiments.reproduce.experiment import SCALES, Experiment, Request
from infoplane.experiments.reproduce.outcome import Reproduction
from infoplane.runfile.reader import open_run

MARK = "reproduce.json"
_SMOKE = "Scale smoke shows that the experiment runs; its verdicts say nothing about the paper."
_SMALL = "Scale small is not the paper's setting: its verdicts are about the setting above."
_ALWAYS = {"scale", "out", "quiet"}


def reproduce(
    name: str, *, scale: str = "small", out: str | PathLike[str] | None = None, **options: Any
) -> Reproduction:
    """Do one of the paper's figures or tables again, with a verdict on what the paper says of it.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    scale : {"smoke", "small", "full"}
        Seconds, to see that it works; minutes to an hour on two cores; the paper's setting.
    out : path-like, optional
        Folder for run files, pictures, tables and verdicts; ``reproduce/NAME-SCALE`` when left out. The same call in
        the same folder goes on with what is there.
    **options
        Fields of `infoplane.experiments.reproduce.experiment.Request`: ``seed``, ``seeds``, ``columns``, ``arms``,
        ``jobs``, ``device``, ``root``, ``download``, ``weights``, ``quiet``. One that the experiment takes no notice of
        is refused.

    Returns
    -------
    Reproduction
        Verdicts, tables, and the files written: ``NAME.md`` and ``NAME.json`` among them.

    Raises
    ------
    DatasetError
        When the data are absent.
    InputError
        When a name or an option cannot be used, or the folder has something else in it.
    """
    one_of("the experiment", name, EXPERIMENTS)
    experiment = EXPERIMENTS[name]
    one_of("scale", scale, SCALES)
    if scale not in experiment.scales:
        raise InputError(f"{name} has no scale {scale!r}; it has {', '.join(experiment.scales)}")
    folder = Path("reproduce") / f"{experiment.folder or name}-{scale}" if out is None else Path(out)
    request = _request(experiment, Request(scale=scale, out=folder), options)
    _take(folder, experiment, scale)
    began = time.perf_counter()
    result = experiment.work(request)
    seconds = time.perf_counter() - began
    notes = (
        *({"smoke": (_SMOKE,), "small": (_SMALL,)}.get(scale, ()) if "seeds" in experiment.takes else ()),
        *(
            (f"Only these arms were run: {', '.join(request.arms)}. Claims about others are not judged.",)
            * bool(request.arms)
        ),
        *result.notes,
    )
    page, data = folder / f"{name}.md", folder / f"{name}.json"
    result = replace(
        result,
        notes=notes,
        files=(*result.files, page, data),
        details={**result.details, **_circumstances(seconds, result.files)},
    )
    page.write_text(result.markdown(), encoding="utf-8")
    data.write_text(json.dumps(result.record(), indent=1) + "\n", encoding="utf-8")
    return result


def _request(experiment: Experiment, request: Request, options: dict[str, Any]) -> Request:
    known = [field.name for field in fields(Request) if field.name not in ("scale", "out")]
    for option in options:
        one_of("the option", option, known)
        if option not in experiment.takes | _ALWAYS:
            listed = ", ".join(sorted(experiment.takes)) or "none"
            raise InputError(f"{experiment.name} takes no {option}; its options are: {listed}")
    request = replace(request, **options)
    whole_number("seed", request.seed, least=0)
    if request.seeds is not None:
        whole_number("seeds", request.seeds, least=1)
    whole_number("jobs", request.jobs, least=1)
    for flag in ("quiet", "download"):
        true_or_false(flag, getattr(request, flag))
    return replace(
        request, columns=_several(request.columns), arms=_several(request.arms), weights=_several(request.weights)
    )


def _several(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _take(folder: Path, experiment: Experiment, scale: str) -> None:
    """Make the folder this experiment's at this scale, or raise InputError where it is something else's."""
    mine = {"experiment": experiment.folder or experiment.name, "scale": scale}
    mark = folder / MARK
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, but a folder is to be written there")
    if mark.is_file():
        try:
            found = json.loads(mark.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if found != mine:
            raise InputError(
                f"{folder} holds another experiment or scale ({MARK} in it says which); choose another --out"
            )
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder} has files in it that are of no experiment; choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(mine) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder} cannot be written ({error.strerror or error})") from error


def _circumstances(seconds: float, files: Iterable[Path]) -> dict[str, Any]:
    """Return how the numbers came about: command, versions, seeds, seconds of this call and of trainings."""
    versions = {name: metadata.version(name) for name in ("torch", "numpy", "scipy")}
    trained = [_seed_and_seconds(path) for path in files if path.suffix == ".h5"]
    return {
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "seconds": round(seconds, 1),
        "seeds": sorted({seed for seed, _ in trained}),
        "training_seconds": round(sum(its for _, its in trained)),
        "versions": {"infoplane": infoplane.__version__, "python": platform.python_version(), **versions},
    }


def _seed_and_seconds(path: Path) -> tuple[int, float]:
    """Return a run's seed, and the seconds from its begin to its end, pauses of one that was stopped included."""
    with open_run(path) as run:
        begin, end = (datetime.fromisoformat(time) for time in (run.start_time, run.end_time))
        return int(run.configuration["seed"]), (end - begin).total_seconds()
