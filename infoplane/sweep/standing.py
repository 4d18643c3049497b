"""How far a point of a sweep has come, by its run file: nothing, a part, all of it, or another training altogether."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infoplane.errors import RunFileError
from infoplane.runfile.access import is_empty_or_hdf5
from infoplane.runfile.reader import open_run
from infoplane.training import Settings
from infoplane.training.checkpoint import checkpoint_path, read_checkpoint

# Where a training runs and what it reads from where make no other training of it. How long it is does: the last epochs
# of two points that are compared are the same.
_FREE = frozenset(
    {"data.root", "data.download", "training.device", "training.checkpoint_every", "training.keep_checkpoint"}
)
_NOT_SETTINGS = ("plan", "method_configuration")
_MOST = 5


@dataclass(frozen=True)
class Standing:
    """How far a point has come.

    Attributes
    ----------
    is_finished : bool
        Whether nothing is left to do.
    is_resumed : bool
        Whether it goes on from its checkpoint; else it begins, and replaces what an earlier attempt left.
    plan : mapping, optional
        Of an existing run file: a run keeps the plan that it began with.
    has_plan : bool
        Whether there is a run file whose plan, or lack of one, counts.
    """

    is_finished: bool = False
    is_resumed: bool = False
    plan: Mapping[str, Any] | None = None
    has_plan: bool = False


def standing(path: Path, settings: Settings) -> Standing:
    """Return how far the training at `path` has come.

    Parameters
    ----------
    path : pathlib.Path
        Its run file, which need not exist.
    settings : Settings
        Of the training.

    Raises
    ------
    RunFileError
        When another training's file is there, with what differs, or one that is damaged after its first epoch.
    """
    if not path.exists():
        return Standing()
    if path.is_dir():
        raise RunFileError(f"{path}: is a folder, but a run file is to be written there")
    kept = checkpoint_path(path)
    try:
        with open_run(path) as run:
            then, status = run.configuration, run.status
    except RunFileError:
        # A process that is killed before its first step leaves a file that has nothing in it, or not all of its frame.
        if is_empty_or_hdf5(path) and (not kept.exists() or read_checkpoint(kept)["epoch"] == 0):
            return Standing()
        raise
    _check_same(path, then, settings)
    plan = then.get("plan")
    told = dict(plan) if isinstance(plan, Mapping) else None
    if status == "finished":
        return Standing(is_finished=True, plan=told, has_plan=True)
    if kept.exists():
        return Standing(is_resumed=True, plan=told, has_plan=True)
    return Standing()


def _check_same(path: Path, then: Mapping[str, Any], settings: Settings) -> None:
    now = json.loads(json.dumps(settings.configuration))
    before, after = (
        dict(_items("", {k: v for k, v in table.items() if k not in _NOT_SETTINGS})) for table in (then, now)
    )
    differing = [
        f"{name} was {_said(before.get(name))} and is {_said(after.get(name))}"
        for name in dict.fromkeys([*before, *after])
        if name not in _FREE and before.get(name) != after.get(name)
    ]
    if differing:
        more = f"; and {len(differing) - _MOST} more" if len(differing) > _MOST else ""
        raise RunFileError(f"{path}: is of another training: {'; '.join(differing[:_MOST])}{more}")


def _items(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _items(f"{name}.{key}" if name else str(key), item)
    else:
        yield name, value


def _said(value: Any) -> str:
    return "not set" if value is None else json.dumps(value)
