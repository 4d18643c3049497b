"""Opening HDF5 files that are live, killed, cut off, damaged, or come from strangers.

Every problem becomes a `RunFileError` with path and reason. Nothing outside the file is ever opened: soft and
external links, external storage and virtual data sets are refused.
"""

import ctypes
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import h5py
from h5py import h5d, h5f, h5p

from infoplane.errors import RunFileError

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# HDF5 reads damaged metadata of an SWMR file again, 100 times, and doubles its pause from 1 ns each time: it hangs
# for centuries. 20 attempts end within two milliseconds of pauses, and a torn read of a live file needs two or three.
_READ_ATTEMPTS = 20


class OpenFile:
    """An open HDF5 file that all readers of one process share, with the data sets opened so far.

    HDF5 keeps one cache per file and process, and refreshes a data set only while it is open once: a second
    reader with data sets of its own would go on seeing old rows.

    Attributes
    ----------
    path : pathlib.Path
        As it was opened first.
    file : h5py.File
        Open for reading.
    """

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path, self.file = path, file
        self._users = 0
        self._datasets: dict[tuple[str, str], h5py.Dataset] = {}

    def child(self, group: h5py.Group, name: str, kind: type[Any]) -> Any:
        """Return the member `name` of a group, which must be of `kind` and lie in the file itself.

        Raises
        ------
        KeyError, ValueError
            When it does not. Called inside `reading`.
        """
        key = (group.name, name)
        if key in self._datasets and kind is h5py.Dataset:
            return self._datasets[key]
        link = group.get(name, getlink=True)
        if link is None:
            raise KeyError(f"{name!r} is missing from {group.name}")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name!r} in {group.name} is a link to elsewhere")
        thing = group[name]
        if not isinstance(thing, kind):
            raise ValueError(f"{name!r} in {group.name} is a {type(thing).__name__}")
        if isinstance(thing, h5py.Dataset):
            _check_dataset(thing)
            self._datasets[key] = thing
        return thing

    def check_open(self, path: Path) -> None:
        """Raise `RunFileError` where the last user has closed the file; `path` is how the asking one knows it."""
        if not self.file.id.valid:
            raise closed(path)

    def acquire(self) -> "OpenFile":
        """Count one more user."""
        self._users += 1
        return self

    def release(self) -> None:
        """Count one user less, and close the file after the last."""
        self._users -= 1
        if self._users <= 0:
            self._datasets.clear()
            self.file.close()


_open: WeakValueDictionary[tuple[int, int], OpenFile] = WeakValueDictionary()


def open_file(path: Path) -> OpenFile:
    """Open an HDF5 file for reading, whoever may be writing it.

    Raises
    ------
    RunFileError
        When it is no HDF5 file, or cannot be opened.
    """
    key = _identity(path)
    known = _open.get(key)
    if known is not None and known.file.id.valid:
        return known.acquire()
    access = h5p.create(h5p.FILE_ACCESS)
    _limit_read_attempts(access)
    name = os.fsencode(path)
    with reading(path):
        try:
            file = h5py.File(h5f.open(name, h5f.ACC_RDONLY | h5f.ACC_SWMR_READ, fapl=access))
        except BlockingIOError as error:
            reason = "is being created, or another program has it open for writing"
            raise RunFileError(f"{path}: {reason}") from error
        except OSError:
            # Files that another tool has rewritten in an older format know no SWMR.
            file = h5py.File(h5f.open(name, h5f.ACC_RDONLY, fapl=access))
    opened = _open[key] = OpenFile(path, file)
    return opened.acquire()


def closed(path: Path) -> RunFileError:
    """Return the error of reading on in a run that was closed."""
    return RunFileError(f"{path}: this run is closed; open it again with infoplane.open_run({str(path)!r})")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever reading a damaged file raises into a `RunFileError`."""
    try:
        yield
    except RunFileError:
        raise
    except (OSError, RuntimeError, LookupError, ValueError, TypeError, MemoryError, OverflowError) as error:
        reason = (str(error.args[0]) if error.args else type(error).__name__).splitlines() or [""]
        raise RunFileError(f"{path}: cannot be read, it is cut off or damaged ({reason[0]})") from error


def _identity(path: Path) -> tuple[int, int]:
    """Return device and inode of a regular file that begins as HDF5 does."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise RunFileError(f"{path}: is {kind}, not a run file")
        with open(path, "rb") as file:
            head = file.read(len(_SIGNATURE))
    except RunFileError:
        raise
    except (OSError, ValueError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise RunFileError(f"{path}: {reason}") from error
    if not head:
        raise RunFileError(f"{path}: is empty; a recording that ends before its first step leaves this")
    if head != _SIGNATURE:
        raise RunFileError(f"{path}: is no HDF5 file, so no run file")
    return status.st_dev, status.st_ino


def _check_dataset(dset: h5py.Dataset) -> None:
    if dset.is_virtual or dset.external:
        raise ValueError(f"{dset.name} keeps its data in another file")
    if dset.dtype.kind not in "iufS" and h5py.check_string_dtype(dset.dtype) is None:
        raise ValueError(f"{dset.name} has the type {dset.dtype}")
    if dset.shape is None:
        raise ValueError(f"{dset.name} is empty")


def _limit_read_attempts(access: h5p.PropFAID) -> None:
    """Call a function of HDF5 that h5py does not wrap; the library is the one that h5py has loaded itself."""
    try:
        function = ctypes.CDLL(h5d.__file__).H5Pset_metadata_read_attempts
    except (OSError, AttributeError):
        return  # as on Windows, whose loader does not search dependencies: such a file may take long to be refused
    function.argtypes, function.restype = [ctypes.c_int64, ctypes.c_uint], ctypes.c_int
    function(access.id, _READ_ATTEMPTS)
