"""Where a run comes from: versions, the user's repository, the call and the machine."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from typing import Any

import h5py

_PACKAGES = ("infoplane", "torch", "numpy", "scipy", "h5py", "scikit-learn", "torchvision")


def collect_provenance() -> dict[str, Any]:
    """Return what is known without being told: a caller adds configuration, seed, device and data.

    Returns
    -------
    dict
        ``versions`` (installed packages and HDF5), ``python``, ``platform``, ``hostname``, ``argv``, and
        ``git_commit``, ``git_dirty`` of the repository that the current directory lies in (None without one, or
        without git; dirty: tracked files differ from the commit).
    """
    versions = {name: version for name in _PACKAGES if (version := _version(name))}
    commit = _git("rev-parse", "HEAD")
    changes = None if commit is None else _git("status", "--porcelain", "--untracked-files=no")
    return {
        "versions": {**versions, "hdf5": h5py.version.hdf5_version},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "hostname": platform.node(),
        "argv": list(sys.argv),
        "git_commit": commit,
        "git_dirty": None if changes is None else bool(changes),
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    # No file monitor and no index refresh: looking at a repository must neither start a program of its nor change it.
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
