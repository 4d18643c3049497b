"""One writer a run file: an advisory lock that vanishes with its process, however that dies.

It is a record lock of an open file description (Linux: ``F_OFD_SETLK``) on one byte far beyond the end of any file.
HDF5 takes locks of another kind (``flock``), which readers and writers alike hold, so neither sees the other's. Nothing
is left on disk, and asking takes no lock. Where there are no such locks, as on macOS and Windows, nothing is known.
"""

import os
import struct
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

from infoplane.errors import RunFileError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FLOCK = struct.Struct("hhqqi4x")  # struct flock of 64-bit Linux: type, whence, start, length, pid
_BYTE = 2**62
_CLOSE_ON_EXEC = getattr(os, "O_CLOEXEC", 0)  # absent on Windows


class WriterLock:
    """The lock of the one process that writes a file; a fork of that process does not keep it.

    Parameters
    ----------
    path : pathlib.Path
        An existing file.
    descriptor : int, optional
        Of that file, open for writing. The lock owns it from here on, also where it is refused.

    Raises
    ------
    RunFileError
        When another writer has it, or the file may not be written.
    """

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        self._descriptor: int | None
        try:
            self._descriptor = os.open(path, os.O_RDWR | _CLOSE_ON_EXEC) if descriptor is None else descriptor
        except OSError as error:
            raise RunFileError(f"{path}: cannot be written ({error.strerror or error})") from error
        _held.add(self)
        try:
            _fcntl(self._descriptor, "F_OFD_SETLK")
            was_free = not self.is_deleted  # else the other writer has put its file in place in this moment
        except (BlockingIOError, PermissionError):  # EAGAIN and EACCES both say: locked
            was_free = False
        except OSError:
            was_free = True  # a file system without locks
        if not was_free:
            self.release()
            raise RunFileError(f"{path}: is being written by another recording; choose another name")

    @property
    def is_deleted(self) -> bool:
        """Whether the file has no name any more, so that what is written to it is lost."""
        return self._descriptor is not None and not os.fstat(self._descriptor).st_nlink

    def is_on(self, path: Path) -> bool:
        """Whether `path` still leads to the locked file."""
        try:
            there = os.stat(path)
        except OSError:
            return False
        return self._descriptor is not None and os.path.samestat(there, os.fstat(self._descriptor))

    def duplicate(self) -> int:
        """Return another descriptor of the locked file; closing it leaves the lock."""
        assert self._descriptor is not None
        return os.dup(self._descriptor)

    def release(self) -> None:
        """Let go; a second call does nothing."""
        if self._descriptor is not None:
            # A fork that has not come to let go of its copy holds the same lock: closing ours would not end it.
            with suppress(OSError):
                _free(self._descriptor)
        self.leave()

    def leave(self) -> None:
        """Close our descriptor of it, and leave the lock to the process that this one was forked from."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _held.discard(self)
            os.close(descriptor)


def has_writer(path: Path) -> bool | None:
    """Return whether a living process writes the file at `path`; None where that cannot be known."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _CLOSE_ON_EXEC)
    except OSError:
        return None
    try:
        return is_written(descriptor)
    finally:
        os.close(descriptor)


def is_written(descriptor: int) -> bool | None:
    """Return the same of a file that is open."""
    try:
        answer = _fcntl(descriptor, "F_OFD_GETLK")
    except OSError:
        return None
    return None if answer is None else bool(_FLOCK.unpack(answer)[0] != fcntl.F_UNLCK)


def _fcntl(descriptor: int, command: str) -> bytes | None:
    """Set or ask for a lock to write, by the name of the command; None where the system has no such locks."""
    if fcntl is None or not hasattr(fcntl, command):
        return None
    return fcntl.fcntl(descriptor, getattr(fcntl, command), _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _BYTE, 1, 0))


def _free(descriptor: int) -> None:
    """Undo such a lock, for every process that holds it."""
    if fcntl is not None and hasattr(fcntl, "F_OFD_SETLK"):
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, _BYTE, 1, 0))


def _release_in_fork() -> None:
    for lock in tuple(_held):
        lock.leave()


_held: WeakSet[WriterLock] = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_in_fork)
