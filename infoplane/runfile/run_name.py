"""How the file that a recording writes may be called: as HDF5 or NeXus files are, so that other programs know it.

What is read is told by its content, whatever it is called.
"""

from pathlib import Path

from infoplane.errors import InputError

ENDINGS = (".h5", ".hdf5", ".nxs")


def check_run_name(path: Path) -> None:
    """Raise InputError unless `path` ends as a run file does; small and capital letters are the same."""
    if path.suffix.lower() not in ENDINGS:
        known = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
        raise InputError(f"{path} does not end in {known}, as a run file does; call it {path.stem or 'run'}.h5")
