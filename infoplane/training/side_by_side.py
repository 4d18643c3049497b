"""`train_side_by_side`: several seeds of one setting in one process, one run file each; the steps are in `group`."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from infoplane.errors import InfoplaneError, InputError
from infoplane.probes.isolation import preserved_random_state
from infoplane.probes.measurement import Measurement
from infoplane.runfile.run_name import check_run_name
from infoplane.training.assembly import assemble, load_data
from infoplane.training.going_on import beginning, check_flags
from infoplane.training.group import Group
from infoplane.training.length import Length
from infoplane.training.limits import check_networks, check_settings
from infoplane.training.loop import without_forecast
from infoplane.training.member import Member
from infoplane.training.place import place
from infoplane.training.random_state import random_state, seed_everything
from infoplane.training.session import Session
from infoplane.training.settings import Settings

_log = logging.getLogger("infoplane")


@dataclass(frozen=True)
class Trained:
    """What became of one training.

    Attributes
    ----------
    path : pathlib.Path
        Its run file.
    measurements : tuple of Measurement
        One per row that was written by this call.
    failure : InfoplaneError or None
        Why it ended too early; None where it is finished.
    """

    path: Path
    measurements: tuple[Measurement, ...] = ()
    failure: InfoplaneError | None = None


def train_side_by_side(
    settings: Sequence[Settings],
    paths: Sequence[str | PathLike[str]],
    *,
    overwrite: bool = False,
    resume: bool = False,
    quiet: bool = False,
    label: str | None = None,
) -> list[Trained]:
    """Train several seeds of one setting side by side; write the run file and the checkpoint of each.

    What is in them is what `infoplane.training.train` writes of each seed by itself, but for the rounding of sums in
    another order. Checkpoints are the same in form: a training goes on from one by itself or side by side.

    Parameters
    ----------
    settings : sequence of Settings
        One per training, alike but for the seed.
    paths : sequence of path-like
        Their run files.
    overwrite : bool
        Replace existing ones.
    resume : bool
        Go on with those that were stopped, from their checkpoints, and begin where there is none. Those that have come
        equally far go on side by side, one lot after the other. Those that are finished are left alone, which is said.
    quiet : bool
        No progress bar (there is none either where stderr is no terminal), no forecast of the files' sizes.
    label : str, optional
        Of the progress bar; data and method when left out.

    Returns
    -------
    list of Trained
        One per training, in the given order. One that fails, of a loss that is no finite number or a file that cannot
        be written, leaves the others alone.

    Raises
    ------
    DatasetError
        When the data set is unknown or absent.
    InputError
        When a setting cannot be used, or the trainings cannot be run side by side, with the reason, before anything is
        trained; see `infoplane.training.limits`.
    RunFileError
        When a file exists, or is of another training.
    """
    check_flags(overwrite=overwrite, resume=resume)
    files = [Path(path) for path in paths]
    for file in files:
        check_run_name(file, resume=resume)
    if len(files) != len(settings) or len(set(files)) < len(files):
        raise InputError(f"there are {len(settings)} settings and {len(set(files))} paths; each needs one of its own")
    check_settings(settings)
    with (
        place(settings[0].training.device) as where,
        preserved_random_state(),
        without_forecast(quiet),
        ExitStack() as opened,
    ):
        every = [each.resolved for each in settings]
        data = load_data(every[0])
        length = Length.of(every[0].training, inputs=len(data.train_labels), world=where.ranks.world)
        members: list[Member] = []
        for number, (own, path) in enumerate(zip(every, files, strict=True)):
            begin = beginning(
                path,
                own,
                data_sha256=data.sha256,
                steps=length.steps,
                world=where.ranks.world,
                overwrite=overwrite,
                resume=resume,
            )
            if begin.finished_at is not None:
                _log.warning("%s: is finished, with %d steps; nothing is to be done", path, begin.finished_at)
                continue
            seed_everything(own.seed, where.ranks.rank)
            parts = assemble(own, data, where)
            opened.callback(parts.method.close)
            session = Session(own, data, where, parts, length, path)
            members.append(Member(number, session, begin, random_state(where.device)))
        if members:
            check_networks([member.session for member in members])
        lots: dict[int, list[Member]] = {}
        for member in members:
            content = member.beginning.checkpoint
            lots.setdefault(-1 if content is None else int(content["step"]), []).append(member)
        what = f"{every[0].data.name}, {every[0].method}" if label is None else label
        for lot in lots.values():
            Group(lot).run(quiet=quiet, label=f"{what}, {len(lot)} side by side")
        ended = {member.number: member for member in members}
        return [
            Trained(path, tuple(ended[k].found), ended[k].failure) if k in ended else Trained(path)
            for k, path in enumerate(files)
        ]
