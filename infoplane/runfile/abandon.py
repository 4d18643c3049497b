"""Letting go of an HDF5 file that can no longer be written, without a crash, and the reason in a few words.

After a failed write HDF5 keeps the unwritten part in its caches and tries again whenever it closes anything, at the
exit of the interpreter too, which then ends in a segmentation fault (HDF5 2.0, at a full disk or a limit on the size
of files). So its file descriptor is led to the null device first: whatever it still writes goes nowhere, and the file
stays as the last successful flush left it, which in SWMR mode is readable.
"""

import os
import re
from contextlib import suppress

import h5py


def lead_nowhere(descriptor: int) -> None:
    """Let whatever is written to a file descriptor from now on be lost; the file that it led to stays as it is."""
    nowhere = os.open(os.devnull, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    try:
        os.dup2(nowhere, descriptor, inheritable=False)
    finally:
        os.close(nowhere)


def abandon(file: h5py.File) -> None:
    """Close a file that is open for writing without writing to it again; a second call does nothing.

    Parameters
    ----------
    file : h5py.File
        Opened by path, with HDF5's standard driver.
    """
    if file.id.valid:
        lead_nowhere(file.id.get_vfd_handle())
        # The null device cannot be made longer, which HDF5 tries last where it had taken room that it did not fill.
        with suppress(OSError, RuntimeError):
            file.close()


def reason_of(error: BaseException) -> str:
    """Return what the system says, which HDF5 buries in a long text, or else the first line of that."""
    number = re.search(r"errno = (\d+)", str(error))
    code = int(number[1]) if number else getattr(error, "errno", None)
    return os.strerror(code) if code else first_line(error)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return (str(error) or type(error).__name__).splitlines()[0]
