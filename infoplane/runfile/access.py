"""Opening HDF5 files that are live, killed, cut off, damaged, or come from strangers.

A reader is given a file of its own also in the process that writes it. HDF5 would share one between the two, as it
knows files by their inode: the writer could not end the file while a reader is open, and a reader would be left with
the broken cache of a writer that had to give up. It compares files of one driver alone, so readers use another, that
for logging, which without a log does what the standard one does.

Every problem becomes a `RunFileError` with path and reason. Nothing outside the file is ever opened: soft and
external links, external storage, virtual data sets, and filters for which HDF5 would load a plugin are refused. h5py's
``name in group`` and ``group.get`` look at what a link leads to, so links are looked at below them.
"""

import ctypes
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import h5py
from h5py import h5d, h5f, h5l, h5o, h5p, h5t, h5z

from infoplane.errors import RunFileError
from infoplane.printable import printable

SIGNATURE = b"\x89HDF\r\n\x1a\n"
# HDF5 reads damaged metadata of an SWMR file again, 100 times, and doubles its pause from 1 ns each time: it hangs
# for centuries. 20 attempts end within two milliseconds of pauses, and a torn read of a live file needs two or three.
_READ_ATTEMPTS = 20
# No run file has as many members in a group or attributes at one place; listing a million takes HDF5 minutes.
MOST_MEMBERS = 1000
RECOVER = "'infoplane recover' copies what can be read of it, if anything"
_OWN_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
_PLAIN_TYPES = {h5t.INTEGER, h5t.FLOAT, h5t.STRING}


class OpenFile:
    """An open HDF5 file that all readers of one process share (and no writer), with the data sets opened so far.

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
        if not self.has(group, name):
            raise KeyError(f"{name!r} is missing from {printable(group.name)}")
        if not self.lies_inside(group, name):
            raise ValueError(f"{name!r} in {printable(group.name)} is a link to elsewhere")
        thing = h5o.open(group.id, name.encode())
        if isinstance(thing, h5d.DatasetID):
            _check_dataset(thing, f"{printable(group.name)}/{name}")
            opened: Any = h5py.Dataset(thing, readonly=True)
        else:
            opened = h5py.Group(thing)
        if not isinstance(opened, kind):
            raise ValueError(f"{name!r} in {printable(group.name)} is a {type(opened).__name__}")
        if isinstance(opened, h5py.Dataset):
            self._datasets[key] = opened
        return opened

    def has(self, group: h5py.Group, name: str) -> bool:
        """Whether a group has a member of that name, wherever it may lead. Called inside `reading`."""
        # A link may be named "a/b"; HDF5 would take that for a path, and follow whatever link is on it.
        return "/" not in name and bool(group.id.links.exists(name.encode()))

    def lies_inside(self, group: h5py.Group, name: str) -> bool:
        """Whether a group has such a member, and by no soft or external link. Called inside `reading`."""
        return self.has(group, name) and bool(group.id.links.get_info(name.encode()).type == h5l.TYPE_HARD)

    def members(self, group: h5py.Group) -> list[str]:
        """Return the names of the members of a group, in their order.

        Raises
        ------
        ValueError
            When there are more than any run file has. Called inside `reading`.
        """
        if len(group) > MOST_MEMBERS:
            raise ValueError(f"{printable(group.name)} has {len(group)} members, more than any run file")
        return [name.decode() for name in group.id]

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
            # What HDF5 cannot let go of in a damaged file that is only read, is nothing to stop for.
            with suppress(OSError, RuntimeError):
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
    access.set_fapl_log(b"", 0, 0)  # another driver than that of writers, and no log
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


def is_empty_or_hdf5(path: Path) -> bool:
    """Whether a file holds nothing, or begins as HDF5 files do; what else there may be is not ours to replace."""
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) in (b"", SIGNATURE)


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
        raise RunFileError(f"{path}: cannot be read, it is cut off or damaged ({reason[0]}); {RECOVER}") from error


def _identity(path: Path) -> tuple[int, int]:
    """Return device and inode of a regular file that begins as HDF5 does."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            kind = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise RunFileError(f"{path}: is {kind}, not a run file")
        with open(path, "rb") as file:
            head = file.read(len(SIGNATURE))
    except RunFileError:
        raise
    except (OSError, ValueError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise RunFileError(f"{path}: {reason}") from error
    if not head:
        raise RunFileError(
            f"{path}: is empty; a recording that ends before its first step leaves this, and it can be deleted"
        )
    if head != SIGNATURE:
        raise RunFileError(f"{path}: is no HDF5 file, so no run file")
    return status.st_dev, status.st_ino


def _check_dataset(dset: h5d.DatasetID, name: str) -> None:
    """Refuse what no run file has, before h5py asks for the shape: for that a virtual data set opens other files."""
    made = dset.get_create_plist()
    if made.get_layout() == h5d.VIRTUAL or made.get_external_count():
        raise ValueError(f"{name} keeps its data in another file")
    filters = [made.get_filter(k)[0] for k in range(made.get_nfilters())]
    if not set(filters) <= _OWN_FILTERS or len(set(filters)) < len(filters):
        raise ValueError(f"{name} is packed by the filters {filters}, but only deflate and shuffle, once, are read")
    if dset.get_type().get_class() not in _PLAIN_TYPES:
        raise ValueError(f"{name} holds neither numbers nor text")
    if dset.get_space().get_simple_extent_type() == h5py.h5s.NULL:
        raise ValueError(f"{name} is empty")


def _limit_read_attempts(access: h5p.PropFAID) -> None:
    """Call a function of HDF5 that h5py does not wrap; the library is the one that h5py has loaded itself."""
    try:
        function = ctypes.CDLL(h5d.__file__).H5Pset_metadata_read_attempts
    except (OSError, AttributeError):
        return  # as on Windows, whose loader does not search dependencies: such a file may take long to be refused
    function.argtypes, function.restype = [ctypes.c_int64, ctypes.c_uint], ctypes.c_int
    function(access.id, _READ_ATTEMPTS)
