"""How the file that a recording writes may be called: as HDF5 or NeXus files are, so that other programs know it.

What is read is told by its content, whatever it is called.
"""

import os
from pathlib import Path

from infoplane.errors import InputError

ENDINGS = (".h5", ".hdf5", ".nxs")


def check_run_name(path: Path, *, resume: bool = False) -> None:
    """Raise InputError unless `path` names a file and ends as a run file does; small and capital letters are the same.

    Parameters
    ----------
    path : pathlib.Path
        Where a run file is to be written.
    resume : bool
        Whether a run is gone on with: its file keeps the name that it has.
    """
    if path.suffix.lower() in ENDINGS or (resume and os.path.isfile(path)):
        return
    if path.name in ("", ".."):
        raise InputError(
            f"the path is empty or {str(path)!r}, which names no file; a run file has a name such as run.h5"
        )
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder, not the name of a run file; one in it is {path / 'run.h5'}")
    known = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
    better = path.with_name(f"run{path.name}" if path.name.lower() in ENDINGS else f"{path.name}.h5")
    raise InputError(f"{path} does not end in {known}, as a run file does; call it {better}")


def missing_folder(path: Path) -> str:
    """Return in a few words why there is no folder for a file of this path; empty where there is one."""
    if os.path.isdir(path.parent):
        return ""
    there = next((folder for folder in path.parents if os.path.lexists(folder)), path.parent)
    return "its folder does not exist" if os.path.isdir(there) else f"{there} is no folder"
