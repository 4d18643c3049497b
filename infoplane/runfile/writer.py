"""Writing a run file row by row: a reader sees a whole row or none, also after a kill at any moment.

HDF5's SWMR mode (single writer, multiple readers). A row is written and flushed first, then the stream's counter
``committed``, which readers trust. That is safe against the death of the process, not against loss of power. A file
that cannot be written any more is given up at once: it stays as it is then, and its rows can be read.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self
from weakref import WeakSet

import h5py
import numpy as np

from infoplane.analysis.errors import near_names, whole_number
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.abandon import abandon, lead_nowhere, reason_of
from infoplane.runfile.access import is_empty_or_hdf5
from infoplane.runfile.layout import LIBVER, TIME_BYTES, empty_file, fixed_text
from infoplane.runfile.lock import WriterLock
from infoplane.runfile.new_file import NewFile
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.rebuild import copy_rows
from infoplane.runfile.run_name import missing_folder
from infoplane.runfile.schema import STATUSES
from infoplane.runfile.stream import Stream
from infoplane.runfile.stream_rows import StreamRows

_CACHE_BYTES = 2**18


class RunWriter:
    """Writes one run file: `start`, any number of `append`, `close`.

    Parameters
    ----------
    path : path-like
        The file to create. An empty file holds the name from here on, and goes again if nothing is ever started.
    overwrite : bool
        Replace an existing HDF5 file; it stays as it is until `start`.
    resume : bool
        Go on with an existing run file; it stays as it is until `start`. Where there is none, a new one begins.
    flush : int
        Rows of a stream are written out and committed at every `flush`-th row, and at the end. A kill loses at most
        ``flush - 1`` rows per stream.

    Attributes
    ----------
    resumed : Run or None
        What there is to go on with, open until `start`.

    Raises
    ------
    InputError
        When `flush` is no whole number from 1 on, or the file is to be both replaced and resumed.
    RunFileError
        When the file exists, another recording is writing it, it cannot be resumed, or cannot be created there.
    """

    def __init__(
        self, path: str | PathLike[str], *, overwrite: bool = False, resume: bool = False, flush: int = 1
    ) -> None:
        self.path = Path(path)
        # Where the file is, through links and whatever folder the program changes to later.
        self._place = Path(os.path.realpath(path))
        self._flush = whole_number("flush", flush, least=1)
        if overwrite and resume:
            raise InputError("a run file is either replaced or resumed: give overwrite=True or resume=True, not both")
        self.resumed: Run | None = None
        self._file: h5py.File | None = None
        self._descriptor = -1
        self._end = ""  # why nothing can be appended any more
        self._fault: RunFileError | None = None
        self._start_time = ""
        self._rows: dict[str, StreamRows] = {}
        if os.path.exists(path) and not os.path.isfile(path):  # of a name that is too long both are false
            raise RunFileError(f"{self.path}: cannot be written, because it exists and is no file")
        self._reserved = _reserve(self._place, self.path)
        if not self._reserved:
            if not (overwrite or resume):
                reason = "exists already; overwrite=True (on the command line --force) replaces it, resume=True goes on"
                raise RunFileError(f"{self.path}: {reason}")
            _check_replaceable(self._place, self.path)
        self._lock = WriterLock(self._place)
        try:
            if resume and self._place.stat().st_size:
                self.resumed = open_run(self._place)
        except BaseException:
            self.close()
            raise

    @property
    def is_over(self) -> bool:
        """Whether nothing can be appended any more, because the file was closed or cannot be written."""
        return bool(self._end)

    @property
    def identity(self) -> str:
        """What tells this run from every other: when its file was begun. Empty before that.

        Whoever goes on with the file keeps it, and so does a copy, and what `recover` makes of it.
        """
        return self._start_time if self.resumed is None else self.resumed.start_time

    @property
    def rows(self) -> dict[str, int]:
        """How many rows each stream has; empty before `start` and after the end."""
        return {name: rows.written for name, rows in self._rows.items()}

    @property
    def is_started(self) -> bool:
        """Whether the file has its layout and can be appended to."""
        return self._file is not None

    def start(self, streams: Sequence[Stream], provenance: Mapping[str, Any], *, last_step: int | None = None) -> None:
        """Write the layout and the provenance, and open the file to readers.

        All of it is written beside the file (see `NewFile`) and takes the place of an older one as a whole.

        Parameters
        ----------
        streams : sequence of Stream
            What will be appended; of a file to resume, what it has.
        provenance : mapping
            Where the run comes from: numbers and text as they are, everything else as JSON.
        last_step : int, optional
            Rows of a resumed file after this step are left out.

        Raises
        ------
        InputError
            When it was started or closed before, two streams have one name, or a value cannot stand in the file.
        RunFileError
            When the file cannot be written.
        """
        if self._file is not None or self._end:
            raise InputError(f"{self.path}: was {'closed' if self._end else 'started'} before")
        names = [stream.name for stream in streams]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{self.path}: two streams are named {name!r}")
        file: h5py.File | None = None
        new: NewFile | None = None
        try:
            start_time = now() if self.resumed is None else self.resumed.start_time
            new = NewFile(self._place)
            new.write(empty_file(streams, provenance, start_time))
            # Rows are written once: HDF5 2 would keep 8 MiB of them per data set in memory.
            file = h5py.File(new.path, "r+", libver=LIBVER, rdcc_nbytes=_CACHE_BYTES)
            self._descriptor = file.id.get_vfd_handle()
            _writing.add(self)
            file.swmr_mode = True
            if self.resumed is not None:
                copy_rows(self.resumed, file, streams, last_step=last_step)
            self._rows = {stream.name: StreamRows(file["entry"][stream.name], stream) for stream in streams}
            if self._reserved and self._is_written_by_others():
                raise RunFileError(f"{self.path}: was made by another program meanwhile, so it is not replaced")
            new.take_place_of(self._lock)
        except BaseException as error:
            if file is not None:
                abandon(file)
            self._rows.clear()
            if new is not None:
                new.discard()
            self.close()
            if isinstance(error, RunFileError) or not isinstance(error, OSError | RuntimeError):
                raise
            raise RunFileError(f"{self.path}: cannot be written ({reason_of(error)})") from error
        self._end_resumed()
        self._lock.release()
        self._lock, self._reserved, self._file, self._start_time = new.lock, False, file, start_time

    def append(self, stream: str, row_value: int | None, /, **arrays: Any) -> None:
        """Append one complete row, and then its counter.

        Parameters
        ----------
        stream : str
            Name of the stream. Streams derived from it follow by themselves.
        row_value : int or None
            The step, larger than the last one. None, and only None, where the rows are counted (findings, events).
        **arrays
            One per variable of the stream, in the shape of one row; text for text.

        Raises
        ------
        InputError
            When the file is not open for appending, or an argument does not fit: nothing is written then.
        RunFileError
            When the file cannot be written. What was committed before stays readable, and the file is given up:
            nothing can be appended to it any more, and `close` leaves it as it is.
        """
        if self._fault is not None:
            raise self._fault
        if self._file is None:
            raise InputError(f"{self.path}: {self._end or 'is not started'}, so nothing can be appended")
        if stream not in self._rows:
            known = tuple(self._rows)
            raise InputError(f"there is no stream {stream!r}{near_names(stream, known)}; known are {', '.join(known)}")
        rows = self._rows[stream]
        if rows.stream.derived_from:
            raise InputError(f"stream {stream!r} follows {rows.stream.derived_from!r} by itself")
        value = rows.next_value(row_value)
        row = rows.checked(arrays)
        if self._lock.is_deleted:
            self._give_up("was deleted or replaced while it was written, so that its rows are lost")
        together = [(rows, np.array([value]), {name: array[None] for name, array in row.items()})]
        for other in self._rows.values():
            if other.stream.derived_from == stream and other.stream.derive is not None:
                derived = other.stream.derive(value, row)
                count = len(next(iter(derived.values())))
                together.append((other, other.written + np.arange(count), derived))
        try:
            for each, values, blocks in together:
                each.write(values, blocks)
            for each, values, _ in together:
                each.advance(values)
            if rows.written - rows.committed >= self._flush:
                for each, _, _ in together:
                    each.commit()
        except (OSError, RuntimeError) as error:
            self._give_up(f"a row of {stream!r} cannot be written ({reason_of(error)})", error)

    def commit(self) -> None:
        """Write out and commit every row appended so far, whatever `flush` says.

        Raises
        ------
        RunFileError
            As `append`.
        """
        if self._fault is not None:
            raise self._fault
        try:
            for rows in self._rows.values():
                rows.commit()
        except (OSError, RuntimeError) as error:
            self._give_up(f"rows cannot be written ({reason_of(error)})", error)

    def close(self, status: str = "finished") -> None:
        """End the file with a status; after that it is a normal HDF5 file. A second call does nothing.

        Parameters
        ----------
        status : {"finished", "interrupted"}
            How the recording ended. A file that was never started is removed instead.

        Raises
        ------
        InputError
            When the status is another.
        RunFileError
            When the file cannot be written.
        """
        if status not in STATUSES[1:]:
            raise InputError(f"status is {status!r}, but a run ends {' or '.join(map(repr, STATUSES[1:]))}")
        if self._end:
            return
        self._end = "is closed"
        self._end_resumed()
        file = self._file
        if file is None:
            if self._reserved and self._lock.is_on(self._place) and not self._is_written_by_others():
                _remove(self._place)
            self._lock.release()
            return
        try:
            if self._lock.is_deleted:
                self._give_up("was deleted or replaced while it was written, so that its rows are lost")
            for rows in self._rows.values():
                rows.trim()
                rows.commit()
            for name, value in (("end_time", fixed_text([now()], TIME_BYTES)[0]), ("status", STATUSES.index(status))):
                file["entry"][name][()] = value
                file["entry"][name].flush()
            file.close()
        except (OSError, RuntimeError) as error:
            if isinstance(error, RunFileError):
                raise
            self._give_up(f"cannot be closed ({reason_of(error)})", error)
        finally:
            self._release()

    def _give_up(self, reason: str, error: BaseException | None = None) -> NoReturn:
        """Leave the file as it is, so that others may have it, and say why."""
        self._end = self._end or "was given up"
        self._release()
        self._fault = RunFileError(f"{self.path}: {reason}")
        raise self._fault from error

    def _release(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            abandon(file)  # before its data sets go, which would write
        self._rows.clear()
        self._lock.release()

    def _leave_to_parent(self) -> None:
        """Keep a fork of the writing process from touching the file, at its exit above all."""
        if self._file is not None:
            lead_nowhere(self._descriptor)
        if not self._end:
            self._end = "is written by another process"
            self._fault = RunFileError(f"{self.path}: is written by the process that this one was forked from")

    def _is_written_by_others(self) -> bool:
        """Whether somebody has put something into the empty file that holds the name."""
        try:
            return self._place.stat().st_size > 0
        except OSError:
            return False

    def _end_resumed(self) -> None:
        """Close what was resumed."""
        if self.resumed is not None:
            self.resumed.close()
            self.resumed = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("finished" if kind is None else "interrupted")


def _reserve(place: Path, path: Path) -> bool:
    """Create an empty file at a place; False where there is one. Errors name it as it was given."""
    try:
        place.open("xb").close()
    except FileExistsError:
        return False
    except OSError as error:
        if missing := missing_folder(place):
            raise RunFileError(f"{path}: cannot be created, because {missing}") from error
        raise RunFileError(f"{path}: cannot be created ({error.strerror or error})") from error
    return True


def _check_replaceable(place: Path, path: Path) -> None:
    """Refuse a file that is neither empty nor begins as HDF5 files do: nothing else is ever overwritten."""
    try:
        is_ours = is_empty_or_hdf5(place)
    except OSError as error:
        raise RunFileError(f"{path}: cannot be replaced ({error.strerror or error})") from error
    if not is_ours:
        raise RunFileError(f"{path}: is no HDF5 file, so it is not replaced; choose another name, or remove it")
    if not os.access(place.parent, os.W_OK):
        raise RunFileError(f"{path}: cannot be replaced, because no file can be created in its folder")


def _remove(path: Path) -> None:
    with suppress(OSError):  # its folder may be gone, or not be writable any more
        path.unlink()


def now() -> str:
    """Return the time as files have it: down to the microsecond, so that no two runs begin at one time."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _leave_in_fork() -> None:
    for writer in tuple(_writing):
        writer._leave_to_parent()


_writing: WeakSet[RunWriter] = WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_in_fork)
