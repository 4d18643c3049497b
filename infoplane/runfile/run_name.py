"""How the file that a recording writes may be called: as HDF5 or NeXus files are, so that other programs know it.

What is read is told by its content, whatever it is called.
"""

from pathlib import Path

from infoplane.errors import InputError

ENDINGS = (".h5", ".hdf5", ".nxs")


def check_run_name(path: Path, *, resume: bool = False) -> None:
    """Raise InputError unless `path` ends as a run file does; small and capital letters are the same.

    Parameters
    ----------
    path : pathlib.Path
        Where a run file is to be written.
    resume : bool
        Whether a run is gone on with: its file keeps the name that it has.
    """
    if path.suffix.lower() in ENDINGS or (resume and path.is_file()):
        return
    known = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
    better = path.with_name(f"run{path.name}" if path.name.lower() in ENDINGS else f"{path.name}.h5")
    raise InputError(f"{path} does not end in {known}, as a run file does; call it {better}")
