"""Where data sets lie: the folder that is given, that a variable names, or the user's cache; torchvision's readers."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from infoplane.errors import DatasetError


def data_folder(root: str | os.PathLike[str] | None = None) -> Path:
    """Return where data are looked for: `root`, else the folder in INFOPLANE_DATA, else `cache_folder`."""
    chosen = root or os.environ.get("INFOPLANE_DATA")
    return Path(chosen).expanduser() if chosen else cache_folder()


def cache_folder() -> Path:
    """Return ``infoplane`` in the user's cache: XDG_CACHE_HOME, or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "infoplane"


def own_folder(root: str | os.PathLike[str] | None, name: str, inside: str) -> Path:
    """Return the folder called `name` in the data folder, or the data folder where that itself holds `inside`."""
    folder = data_folder(root)
    return folder if (folder / inside).exists() and not (folder / name / inside).exists() else folder / name


def torchvision_datasets(what: str) -> Any:
    """Return the module ``torchvision.datasets``, with which `what` is read; DatasetError when it does not import."""
    # A torchvision built for another torch fails in many ways (OSError, RuntimeError, AttributeError): all
    # mean one thing to the user.
    try:
        return import_module("torchvision.datasets")
    except Exception as error:
        raise DatasetError(
            f"{what} is read with torchvision, which does not import here ({reason(error)}); install the torchvision "
            "release that belongs to your torch; everything else works without it, the data set 'digits' too"
        ) from error


def reason(error: BaseException) -> str:
    """Return what an exception says, in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no reason given'}"
