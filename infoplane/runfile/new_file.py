"""A file that is written beside the name it is for, and takes that name when it is whole.

Its own name is one that nobody else uses: ``.run.h5.<process>-<16 random digits>.new`` for ``run.h5``. It is created
exclusively, so neither a file nor a link of that name is ever written through, and it is locked from its first byte.
What a killed process has left is removed by the next that writes under the same name, and only what is certainly left:
a file of such a name and of this user, empty or HDF5, whose lock is free on a file system on which locks are seen.
"""

import errno
import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from infoplane.errors import RunFileError
from infoplane.runfile.access import SIGNATURE
from infoplane.runfile.lock import WriterLock, has_writer

_ATTEMPTS = 8
_NAME_BYTES = 200  # of the name that it is for; a name has at most 255 bytes on most file systems
_SAFE = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_WITHOUT_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
"""Errors of a file system that has no links."""
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


class NewFile:
    """An empty file beside `target`, open and locked.

    Parameters
    ----------
    target : pathlib.Path
        The name that it is for; where that is a symbolic link, what it leads to.

    Attributes
    ----------
    path : pathlib.Path
        Where it is.
    lock : WriterLock
        On it; whoever publishes the file keeps it or lets it go.

    Raises
    ------
    OSError
        When it cannot be created.
    """

    def __init__(self, target: Path) -> None:
        self._named, self._has_name = target, True
        self._target = target = Path(os.path.realpath(target))
        _remove_leftovers(target)
        for attempt in range(_ATTEMPTS):
            self.path = target.with_name(f"{_prefix(target)}{os.getpid()}-{secrets.token_hex(8)}.new")
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE, 0o666)
            try:
                self.lock = WriterLock(self.path, descriptor)
            except RunFileError:  # somebody took it for a leftover before it was locked, and has removed it
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return

    def write(self, content: bytes) -> None:
        """Write all of its content."""
        with open(self.lock.duplicate(), "wb") as file:
            file.write(content)

    def publish(self) -> None:
        """Give it its name, which must be free.

        Raises
        ------
        RunFileError
            When something has that name by now.
        OSError
            When the name cannot be given.
        """
        try:
            os.link(self.path, self._target)
        except FileExistsError:
            raise self._refusal() from None
        except OSError as error:
            if error.errno not in _WITHOUT_LINKS:
                raise
            try:  # the name is taken by an empty file first
                os.close(os.open(self._target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o666))
            except FileExistsError:
                raise self._refusal() from None
            try:
                self.replace()
            except OSError:
                self._target.unlink(missing_ok=True)
                raise
        else:
            self._unlink()

    def replace(self) -> None:
        """Give it its name, whatever has that now, and the mode of that. OSError when it cannot be given."""
        with suppress(OSError):  # nothing has it, or the mode cannot be set
            self.path.chmod(stat.S_IMODE(self._target.stat().st_mode))
        self.path.replace(self._target)
        self._has_name = False

    def take_place_of(self, old: WriterLock | None) -> None:
        """Give it its name, and replace the file that `old` locks, but no other; None where there must be none.

        Raises
        ------
        RunFileError
            When something else has that name by now.
        OSError
            When the name cannot be given.
        """
        if old is not None and old.is_on(self._target):
            self.replace()
        else:
            self.publish()

    def discard(self) -> None:
        """Remove it where it has not got its name, and let the lock go; a second call does nothing."""
        self._unlink()
        self.lock.release()

    def _unlink(self) -> None:
        if self._has_name:
            self._has_name = False
            with suppress(OSError):  # its folder may be gone, or not be writable any more
                self.path.unlink()

    def _refusal(self) -> RunFileError:
        return RunFileError(f"{self._named}: was made by another program meanwhile, so it is not replaced")


def _prefix(target: Path) -> str:
    return f".{os.fsdecode(os.fsencode(target.name)[:_NAME_BYTES])}."


def _remove_leftovers(target: Path) -> None:
    pattern = re.compile(rf"{re.escape(_prefix(target))}\d+-[0-9a-f]{{16}}\.new")
    with suppress(OSError):  # a folder that may not be listed
        for name in os.listdir(target.parent):
            if pattern.fullmatch(name):
                _remove_leftover(target.with_name(name))


def _remove_leftover(path: Path) -> None:
    """Remove a file that a killed process has left; leave it where there is any doubt."""
    try:
        descriptor = os.open(path, os.O_RDWR | _NO_WAIT | _SAFE)
    except OSError:
        return
    found = os.fstat(descriptor)
    is_ours = stat.S_ISREG(found.st_mode) and (not hasattr(os, "geteuid") or found.st_uid == os.geteuid())
    if not is_ours or os.read(descriptor, len(SIGNATURE)) not in (b"", SIGNATURE):
        os.close(descriptor)
        return
    try:
        lock = WriterLock(path, descriptor)
    except RunFileError:
        return  # it is being written
    # While we hold it nobody else begins to write it. That our lock is seen shows that those of others would be.
    if has_writer(path) and lock.is_on(path):
        with suppress(OSError):
            path.unlink()
    lock.release()
