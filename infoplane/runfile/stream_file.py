"""A file of streams that may grow while it is read: how it stands, where it comes from, and the rows it has."""

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names, positive_number
from infoplane.errors import RunFileError
from infoplane.printable import printable
from infoplane.runfile.access import closed, open_file, reading
from infoplane.runfile.content import attributes, read_fixed
from infoplane.runfile.follow import follow
from infoplane.runfile.header import checked_version, read_provenance, without_path, writer_locks
from infoplane.runfile.lock import is_written
from infoplane.runfile.schema import STATUSES
from infoplane.runfile.view import StreamView

_UNENDED = {True: "recording", False: "killed", None: "recording or killed"}
# Of the members of `entry` those that are no streams, however damaged they may be.
_OF_ENTRY = ("status", "start_time", "end_time", "provenance")


class StreamFile:
    """An open file of streams, a context manager.

    Parameters
    ----------
    path : pathlib.Path
        Of the file.

    Attributes
    ----------
    path : pathlib.Path
        Of the file.
    format_version : str
        Of its layout.
    streams : tuple of str
        Names of its streams.
    provenance : dict
        Where the run comes from; empty where the file does not say.
    unreadable : dict of str to str
        What of the provenance is there, but cannot be read, by its key, and why; opening the file warns of it. The key
        ``provenance`` stands for all of it. Everything else is read as if those keys were absent.
    status : {"recording", "killed", "replaced", "recording or killed", "finished", "interrupted"}
        How it stood when it was opened or refreshed: still written, no longer written without having been ended, the
        same with another file under its path by now (of a run that was resumed or begun anew: open it again), or how it
        ended. Where the system has no locks, and of a format before 1.3, recording and killed cannot be told apart.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._place = os.path.abspath(path)  # whatever folder the program changes to later
        self._opened = open_file(path)
        self._closed = False
        self._views: dict[str, StreamView] = {}
        try:
            self.format_version = checked_version(self._opened, path)
            with reading(path):
                self._entry: h5py.Group = self._opened.child(self._opened.file, "entry", h5py.Group)
                self._status: h5py.Dataset = self._opened.child(self._entry, "status", h5py.Dataset)
                self.streams = tuple(name for name in self._opened.members(self._entry) if self._is_stream(name))
                self.provenance, self.unreadable = read_provenance(self._opened, self._entry, path)
            self.refresh()
            if self.unreadable:
                names = printable(", ".join(self.unreadable), 2000)
                text = f"{printable(path)}: of the provenance {names} cannot be read; Run.unreadable says why"
                warnings.warn(text, stacklevel=3)
        except BaseException:
            self.close()
            raise

    def refresh(self) -> None:
        """Look again at status and committed rows of a growing file; views made before grow with it."""
        self._check_open()
        # The lock first: what the file says once its writer is gone is final.
        is_written = self._is_written()
        with reading(self.path):
            self._status.refresh()
            code = int(read_fixed(self._status))
        if not 0 <= code < len(STATUSES):
            raise RunFileError(f"{self.path}: has the status {code}; the file is damaged")
        self.status = STATUSES[code] if code else _UNENDED[is_written]
        if code == 0 and not is_written and self._is_replaced():
            self.status = "replaced"
        for view in self._views.values():
            view.refresh()

    @property
    def configuration(self) -> dict[str, Any]:
        """The settings of the run, as its recorder was given them."""
        value = self.provenance.get("configuration", {})
        return dict(value) if isinstance(value, Mapping) else {}

    @property
    def start_time(self) -> str:
        """When the file was begun, ISO 8601; empty where it does not say so legibly."""
        return self._text("start_time")

    @property
    def end_time(self) -> str:
        """When it was ended, ISO 8601; empty before, after a kill, and where the file does not say so legibly."""
        return self._text("end_time")

    def stream(self, name: str) -> StreamView:
        """Return the rows of one stream.

        Raises
        ------
        RunFileError
            When the file has no such stream, it cannot be read, or the run is closed.
        """
        self._check_open()
        if name not in self.streams:
            known = ", ".join(self.streams) or "none"
            raise RunFileError(f"{self.path}: has no stream {name!r}{near_names(name, self.streams)}; it has {known}")
        if name not in self._views:
            with reading(self.path):
                group = self._opened.child(self._entry, name, h5py.Group)
            self._views[name] = StreamView(self._opened, self.path, group)
        return self._views[name]

    def follow(self, stream: str = "plane", *, poll: float = 0.5) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield the rows of one stream as they are committed: those already there, then each new one.

        It ends after the last row once the run is finished, interrupted, killed or replaced; `status` then says which.
        Where the system cannot tell a killed run from a living one, it waits for ever on a killed one. A run that is
        resumed goes on in a new file that takes the name of the old one, without the rows after the step from which it
        resumes: the old file ends here, as killed or replaced, and the new one is followed by opening it.

        Parameters
        ----------
        stream : str
            Its name.
        poll : float
            Seconds between two looks at the file.

        Yields
        ------
        dict of str to numpy.ndarray
            One row: every variable by its name, the row's own value (as ``step``) among them, in the shape of one row
            and as a numpy scalar where that is one number or text. Views of the run grow with it. An interrupt
            (Ctrl-C) comes out of the wait and leaves the run open as it is.

        Raises
        ------
        InputError
            When `poll` is no finite number above 0.
        RunFileError
            When the file has no such stream, it cannot be read, or the run is closed.

        Examples
        --------
        >>> with open_run("run.h5") as run:  # doctest: +SKIP
        ...     for row in run.follow():
        ...         print(row["step"], row["values"][:, 0])
        """
        return follow(self, self.stream(stream), positive_number("poll", poll))

    def check(self) -> dict[str, tuple[int, int]]:
        """Return, for each stream, how many rows were committed and how many of them can be read.

        They differ only in a file that is cut off or damaged. A counter that cannot be read itself counts 0.
        """
        self._check_open()
        found = {}
        for name in self.streams:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    view = self.stream(name)
                found[name] = view.committed, view.readable
            except RunFileError:
                found[name] = self._committed(name), 0
        return found

    def damage(self) -> tuple[str, ...]:
        """Return what is wrong with the file, one sentence each; empty where nothing is.

        Keys of the provenance, groups and rows that cannot be read, counters that count what cannot be, and rows that
        do not follow one another.
        """
        self._check_open()
        found = [f"{key!r} of the provenance cannot be read: {why}" for key, why in self.unreadable.items()]
        found += self._damaged_times()
        with reading(self.path):
            others = [n for n in self._opened.members(self._entry) if n not in (*self.streams, *_OF_ENTRY)]
        for name in others:
            found += self._looks_like_a_stream(name)
        for name in self.streams:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    view = self.stream(name)
                    found += view.damage()
            except RunFileError as error:
                found.append(f"stream {name!r} cannot be read: {without_path(error, self.path)}")
        return tuple(found)

    def close(self) -> None:
        """Close the file; arrays and tables taken from it stay valid."""
        if not self._closed:
            self._closed = True
            self._views.clear()
            self._opened.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.path)!r}: {self.status}; {printable(', '.join(self.streams), 2000)}>"

    def _check_open(self) -> None:
        if self._closed:
            raise closed(self.path)

    def _is_written(self) -> bool | None:
        """Whether a living process writes this file; None where that cannot be known."""
        if not writer_locks(self.format_version):
            return None
        # The open file and not its path, under which a resumed run may have put another file by now.
        return is_written(self._opened.file.id.get_vfd_handle())

    def _is_replaced(self) -> bool:
        """Whether another file has the path by now."""
        try:
            now, ours = os.stat(self._place), os.fstat(self._opened.file.id.get_vfd_handle())
        except OSError:
            return False  # it has been deleted: there is nothing to open in its place
        return (now.st_dev, now.st_ino) != (ours.st_dev, ours.st_ino)

    def _is_stream(self, name: str) -> bool:
        if name in _OF_ENTRY:
            return False
        try:
            group = self._opened.child(self._entry, name, h5py.Group)
            return self._opened.has(group, "committed")
        except ValueError:
            return False
        except (OSError, RuntimeError, LookupError):
            return True  # a damaged group: the others are there to be read, and asking for this one says what is wrong

    def _looks_like_a_stream(self, name: str) -> list[str]:
        """Return the sentence on a member of `entry` that is no stream, where it seems to be meant for one."""
        try:
            with reading(self.path):
                if not self._opened.lies_inside(self._entry, name):
                    return [f"{name!r} is a link to elsewhere, which is not followed"]
                group = self._opened.child(self._entry, name, h5py.Group)
                is_meant = "row" in attributes(group)
        except RunFileError:
            return []  # a data set, of which nothing is known
        return [f"group {name!r} has no counter 'committed', so its rows cannot be read"] if is_meant else []

    def _damaged_times(self) -> list[str]:
        found = []
        for name in ("start_time", "end_time"):
            try:
                self._raw_text(name)
            except RunFileError as error:
                found.append(f"{name!r} cannot be read: {without_path(error, self.path)}")
        return found

    def _text(self, name: str) -> str:
        self._check_open()
        try:
            return self._raw_text(name)
        except RunFileError:
            return ""  # it is no reason to refuse the rows; `damage` says it

    def _raw_text(self, name: str) -> str:
        with reading(self.path):
            if not self._opened.has(self._entry, name):
                return ""
            dset = self._opened.child(self._entry, name, h5py.Dataset)
            dset.refresh()
            return str(read_fixed(dset))

    def _committed(self, name: str) -> int:
        try:
            with reading(self.path):
                group = self._opened.child(self._entry, name, h5py.Group)
                return max(0, int(read_fixed(self._opened.child(group, "committed", h5py.Dataset))))
        except RunFileError:
            return 0
