"""How a training begins: anew, where its checkpoint was made, or not at all because it is finished."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infoplane.analysis.errors import true_or_false
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.reader import Run, open_run
from infoplane.training.checkpoint import check_same_training, checkpoint_path, read_checkpoint
from infoplane.training.settings import Settings


@dataclass(frozen=True)
class Beginning:
    """How a training begins.

    Attributes
    ----------
    checkpoint : mapping, optional
        From which it goes on; None for the beginning.
    overwrite : bool
        Whether an existing run file is replaced.
    finished_at : int, optional
        The step at which it is finished already.
    """

    checkpoint: Mapping[str, Any] | None = None
    overwrite: bool = False
    finished_at: int | None = None


def check_flags(*, overwrite: bool, resume: bool) -> None:
    """Raise InputError unless both are true or false, and not both true."""
    for name, flag in (("overwrite", overwrite), ("resume", resume)):
        true_or_false(name, flag)
    if resume and overwrite:
        raise InputError("resume goes on with a run file, but overwrite (--force) replaces it: say one of the two")


def beginning(
    path: Path,
    settings: Settings,
    *,
    data_sha256: str,
    steps: int,
    world: int,
    overwrite: bool,
    resume: bool,
) -> Beginning:
    """Return how the training that `path` is, or will be, the run file of begins.

    Parameters
    ----------
    path : pathlib.Path
        The run file.
    settings : Settings
        Of the training.
    data_sha256 : str
        Of its data.
    steps : int
        After which it ends.
    world : int
        Number of processes.
    overwrite, resume : bool
        As in `train`.

    Raises
    ------
    RunFileError
        When there is a checkpoint that is not to be replaced, or one to go on from that cannot be, with the reason.
    """
    kept = checkpoint_path(path)
    if not resume:
        if kept.exists() and not overwrite and not path.exists():
            raise RunFileError(
                f"{kept} exists already, the checkpoint of an earlier training; delete it or say overwrite (--force)"
            )
        return Beginning(overwrite=overwrite)
    if not path.exists():
        if kept.exists():
            raise RunFileError(
                f"{kept} is there, but its run file {path} is not: what it would go on with is lost; delete the "
                "checkpoint to begin anew"
            )
        return Beginning()
    is_empty = not path.stat().st_size  # it was killed before the first step: the name is taken, nothing is measured
    if not kept.exists():
        return Beginning(overwrite=True) if is_empty else _without_checkpoint(path, settings, steps)
    content = read_checkpoint(kept)
    if is_empty and not content["step"]:
        return Beginning(overwrite=True)
    check_same_training(kept, content, settings, data_sha256)
    if content["world"] != world:
        raise RunFileError(f"{kept}: was written by {content['world']} processes, but there are {world} now")
    rows, status, last = _rows(path, upto=content["step"])
    if rows < content["rows"]:
        raise RunFileError(
            f"{path} has {rows} rows up to step {content['step']}, but its checkpoint {kept} was written after "
            f"{content['rows']}: they do not belong together"
        )
    if status == "finished" and last >= steps:
        return Beginning(finished_at=last)
    if content["step"] >= steps:
        raise RunFileError(
            f"{path}: {content['step']} steps are behind it already, and the settings ask for {steps}; give more "
            "epochs to go on"
        )
    return Beginning(checkpoint=content)


def _without_checkpoint(path: Path, settings: Settings, steps: int) -> Beginning:
    """Begin anew where nothing was measured; accept a finished run that has thrown its checkpoint away."""
    rows, status, last = _rows(path)
    if not rows and status != "finished":
        return Beginning(overwrite=True)
    if status == "finished" and last >= steps:
        with open_run(path) as run:
            then = run.configuration
        names = [name for name in settings.configuration if name != "training"]
        if all(then.get(name) == settings.configuration[name] for name in names):
            return Beginning(finished_at=last)
    raise RunFileError(
        f"{path}: there is no checkpoint {checkpoint_path(path).name} beside it to go on from; say overwrite (--force) "
        "to begin anew"
    )


def _rows(path: Path, upto: int | None = None) -> tuple[int, str, int]:
    """Return how many rows of a run file's plane tell of steps up to one, its status, and its last row's step."""
    run: Run
    with open_run(path) as run:
        if "plane" not in run.streams:
            return 0, run.status, 0
        told = run.plane()["step"]
        rows = len(told) if upto is None else int((told <= upto).sum())
        return rows, run.status, int(told[-1]) if len(told) else 0
