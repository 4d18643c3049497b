"""`train`: from settings to a run file, with probes, control and recorders on; the steps are in `session`."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from infoplane.datasets import Dataset
from infoplane.errors import InputError, RunFileError
from infoplane.probes.isolation import preserved_random_state
from infoplane.probes.measurement import Measurement
from infoplane.runfile.run_name import check_run_name
from infoplane.training.assembly import assemble, load_data
from infoplane.training.going_on import Beginning, beginning, check_flags
from infoplane.training.length import Length
from infoplane.training.place import Place, place
from infoplane.training.random_state import seed_everything
from infoplane.training.session import Session
from infoplane.training.settings import Settings

_log = logging.getLogger("infoplane")


def train(
    settings: Settings,
    path: str | PathLike[str],
    *,
    overwrite: bool = False,
    resume: bool = False,
    quiet: bool = False,
    label: str | None = None,
) -> list[Measurement]:
    """Train as `settings` say; write one run file, and beside it a checkpoint.

    Parameters
    ----------
    settings : Settings
        What to train.
    path : path-like
        The run file; the checkpoint has its name with ``.ckpt``.
    overwrite : bool
        Replace existing ones.
    resume : bool
        Go on with a training that was stopped, from its checkpoint; begin where there is none. One that is finished is
        left alone, which is said, unless `settings` are longer now.
    quiet : bool
        No progress bar (there is none either where stderr is no terminal), no forecast of the file's size.
    label : str, optional
        Of the progress bar; data and method when left out.

    Returns
    -------
    list of Measurement
        One per row that was written by this call; rows of before are in the file.

    Raises
    ------
    DatasetError
        When the data set is unknown or absent.
    InputError
        When a setting cannot be used.
    RunFileError
        When a file exists, cannot be written, or is of another training.
    TrainingError
        When the loss is no finite number any more, or a weight would not be. The run file is readable up to there, and
        says so among its events.
    """
    check_flags(overwrite=overwrite, resume=resume)
    check_run_name(Path(path), resume=resume)
    with place(settings.training.device) as where, preserved_random_state(), without_forecast(quiet):
        settings = settings.resolved
        data = load_data(settings)
        length = Length.of(settings.training, inputs=len(data.train_labels), world=where.ranks.world)
        begin = _agreed(where, Path(path), settings, data, length, overwrite=overwrite, resume=resume)
        if begin.finished_at is not None:
            if where.is_first:
                _log.warning("%s: is finished, with %d steps; nothing is to be done", path, begin.finished_at)
            return []
        seed_everything(settings.seed, where.ranks.rank)
        parts = assemble(settings, data, where)
        label = f"{settings.data.name}, {settings.method}" if label is None else label
        try:
            session = Session(settings, data, where, parts, length, Path(path))
            return session.run(begin, resume=resume, quiet=quiet, label=label)
        finally:
            parts.method.close()


def _agreed(
    where: Place, path: Path, settings: Settings, data: Dataset, length: Length, *, overwrite: bool, resume: bool
) -> Beginning:
    """Let the first process look at the files, and all begin alike."""
    found: Beginning | RunFileError | InputError | None = None
    if where.is_first:
        try:
            found = beginning(
                path,
                settings,
                data_sha256=data.sha256,
                steps=length.steps,
                world=where.ranks.world,
                overwrite=overwrite,
                resume=resume,
            )
        except (RunFileError, InputError) as error:
            found = error
    found = where.ranks.gather(found)[0]
    if isinstance(found, Exception):
        raise found
    assert found is not None
    return found


@contextmanager
def without_forecast(quiet: bool) -> Iterator[None]:
    """Keep the forecast of the file's size from stderr, where asked."""
    logger = logging.getLogger("infoplane.forecast")
    before, logger.disabled = logger.disabled, logger.disabled or quiet
    try:
        yield
    finally:
        logger.disabled = before
