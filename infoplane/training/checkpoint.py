"""The checkpoint of a training: ``run.ckpt`` beside ``run.h5``, replaced whole after every epoch.

It holds the states of network, optimizer, schedule, method and recording, the global random states, how far the
training came, and the settings. It is written under another name, brought to the disk, and renamed: a kill leaves the
one before or the one after, never half of one. It is read with ``torch.load(..., weights_only=True)``, which executes
nothing.
"""

import json
import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from infoplane.errors import RunFileError
from infoplane.training.settings import Settings

VERSION = 1
# What may change when a training goes on: how long it is, where it runs and what it reads from where. Whether the data
# are the same is told by their hash.
_FREE = frozenset(
    {
        "data.root",
        "data.download",
        "training.device",
        "training.epochs",
        "training.iterations",
        "training.checkpoint_every",
        "training.keep_checkpoint",
    }
)
_MOST = 5
_ANEW = "say overwrite (--force) to begin anew"


def checkpoint_path(run: Path) -> Path:
    """Return where the checkpoint of a run file lies."""
    return run.with_suffix(".ckpt")


def write_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Replace the checkpoint at `path`.

    Parameters
    ----------
    path : pathlib.Path
        Of the checkpoint.
    content : mapping
        Tensors, numbers, strings, and lists and dictionaries of these.

    Raises
    ------
    RunFileError
        When it cannot be written; the one before is still there.
    KeyboardInterrupt
        When it comes amid the writing; the one before is still there.
    """
    new = path.with_name(path.name + ".new")
    try:
        with new.open("wb") as file:
            torch.save({"version": VERSION, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except (OSError, RuntimeError) as error:  # torch's writer turns a full disk into a RuntimeError
        if isinstance(error.__context__, KeyboardInterrupt):  # torch's writer, closed amid a file, hides what closed it
            raise error.__context__ from None
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunFileError(f"{path}: the checkpoint cannot be written ({reason})") from error
    finally:
        with suppress(OSError):
            new.unlink()


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what `write_checkpoint` was given, on the CPU.

    Raises
    ------
    RunFileError
        When it cannot be read, or is no checkpoint of this version.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise RunFileError(f"{path}: the checkpoint cannot be read ({error.strerror or error}); {_ANEW}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        raise RunFileError(f"{path}: is no checkpoint, or a damaged one; {_ANEW}") from error
    version = content.get("version") if isinstance(content, dict) else None
    if version != VERSION or not isinstance(content.get("settings"), str):
        raise RunFileError(f"{path}: is no checkpoint of version {VERSION} of infoplane's trainings")
    return dict(content)


def check_same_training(path: Path, content: Mapping[str, Any], settings: Settings, data_sha256: str) -> None:
    """Refuse to go on from the checkpoint of another training.

    Raises
    ------
    RunFileError
        With the settings that differ.
    """
    then, now = (dict(_items("", table)) for table in (json.loads(content["settings"]), settings.configuration))
    differing = [
        f"{name} was {_said(then.get(name))} and is {_said(now.get(name))}"
        for name in dict.fromkeys([*then, *now])
        if name not in _FREE and then.get(name) != now.get(name)
    ]
    if not differing and content["data"] != data_sha256:
        differing.append(f"the data of {settings.data.name!r} are others, by their sha256")
    if differing:
        more = f"; and {len(differing) - _MOST} more" if len(differing) > _MOST else ""
        raise RunFileError(f"{path}: is of another training: {'; '.join(differing[:_MOST])}{more}")


def _items(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and (value or not name):
        for key, item in value.items():
            yield from _items(f"{name}.{key}" if name else str(key), item)
    elif value != {}:  # a section without a word in it
        yield name, value


def _said(value: Any) -> str:
    return "not set" if value is None else json.dumps(value)
