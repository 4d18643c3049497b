"""Where a run comes from: versions, the user's repository, the call and the machine.

Looking at a repository starts no program that it names and changes nothing in it, for its configuration may come from
anyone. No environment variable, no path but those in the call, and no user's name is kept.
"""

import os
import platform
import subprocess
import sys
from importlib import metadata
from typing import Any

import h5py
import torch

_PACKAGES = ("infoplane", "torch", "numpy", "scipy", "h5py", "scikit-learn", "torchvision")
_FILTERS = r"^(filter\..*\.(clean|process)|extensions\.worktreeconfig)$"  # or what may name more of them


def collect_provenance() -> dict[str, Any]:
    """Return what is known without being told: a caller adds configuration, seed, device, data and sites.

    Returns
    -------
    dict
        ``versions`` (installed packages and HDF5), ``python``, ``platform``, ``hostname``, ``threads`` (of torch),
        ``argv``, and ``git_commit``, ``git_dirty`` of the repository that the current directory lies in. Dirty: tracked
        files differ from the commit; of submodules only the commit counts. None without a repository, a commit or git;
        ``git_dirty`` also where only filter programs that the repository names could tell.
    """
    versions = {name: version for name in _PACKAGES if (version := _version(name))}
    commit = _git("rev-parse", "--verify", "HEAD")
    return {
        "versions": {**versions, "hdf5": h5py.version.hdf5_version},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "hostname": platform.node(),
        "threads": torch.get_num_threads(),
        "argv": list(sys.argv),
        "git_commit": commit,
        "git_dirty": None if commit is None else _is_dirty(),
    }


def _is_dirty() -> bool | None:
    """Say whether tracked files differ from the commit; None where that cannot be known."""
    # Git would run a filter of the repository's own to compare, as nbstripout; a user's own, as of git-lfs, may run.
    if _git("config", "--local", "--includes", "--get-regexp", _FILTERS):
        return None
    changes = _git("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    return None if changes is None else bool(changes)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    # No file monitor, no refresh of the index (and so no hook), no fetching of objects that a partial clone lacks.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "status.renames=false", *arguments]
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": ""}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **quiet},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
