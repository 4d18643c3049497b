"""Writing a run file row by row: a reader sees a whole row or none, also after a kill at any moment.

HDF5's SWMR mode (single writer, multiple readers). A row is written and flushed first, then the stream's counter
``committed``, which readers trust. That is safe against the death of the process, not against loss of power.
"""

import operator
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from h5py import h5s
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.layout import LIBVER, TIME_BYTES, create_layout, fixed_text, text_limit
from infoplane.runfile.schema import STATUSES
from infoplane.runfile.stream import Stream, Variable

_CACHE_BYTES = 2**18


class RunWriter:
    """Writes one run file: `start`, any number of `append`, `close`.

    Parameters
    ----------
    path : path-like
        The file to create. An empty file holds the name from here on, and goes again if nothing is ever started.
    overwrite : bool
        Replace an existing HDF5 file; it stays as it is until `start`.

    Raises
    ------
    RunFileError
        When the file exists, or cannot be created there.
    """

    def __init__(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        self.path = Path(path)
        self._file: h5py.File | None = None
        self._closed = False
        self._rows: dict[str, _Rows] = {}
        if self.path.exists() and not self.path.is_file():
            raise RunFileError(f"{self.path}: cannot be written, because it exists and is no file")
        try:
            self.path.open("xb").close()
            self._reserved = True
        except FileExistsError as error:
            if not overwrite:
                reason = "exists already; overwrite=True (on the command line --force) replaces it"
                raise RunFileError(f"{self.path}: {reason}") from error
            if not _may_be_replaced(self.path):
                reason = "is no HDF5 file, so it is not replaced; choose another name, or remove it"
                raise RunFileError(f"{self.path}: {reason}") from error
            self._reserved = False
        except FileNotFoundError as error:
            raise RunFileError(f"{self.path}: cannot be created, because its folder does not exist") from error
        except OSError as error:
            raise RunFileError(f"{self.path}: cannot be created ({error.strerror or error})") from error

    def start(self, streams: Sequence[Stream], provenance: Mapping[str, Any]) -> None:
        """Write the layout and the provenance, and open the file to readers.

        Parameters
        ----------
        streams : sequence of Stream
            What will be appended.
        provenance : mapping
            Where the run comes from: numbers and text as they are, everything else as JSON.

        Raises
        ------
        InputError
            When it was started or closed before, two streams have one name, or a value cannot stand in the file.
        RunFileError
            When the file cannot be written.
        """
        if self._file is not None or self._closed:
            raise InputError(f"{self.path}: was {'closed' if self._closed else 'started'} before")
        names = [stream.name for stream in streams]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{self.path}: two streams are named {name!r}")
        # What is replaced keeps its name with .replaced behind it until the new file stands.
        old = self.path.with_name(f"{self.path.name}.replaced")
        file: h5py.File | None = None
        try:
            self.path.replace(old)
            # Rows are written once: HDF5 2 would keep 8 MiB of them per data set in memory.
            file = h5py.File(self.path, "x", libver=LIBVER, track_order=True, rdcc_nbytes=_CACHE_BYTES)
            create_layout(file, streams, provenance, _now())
            file.flush()
            file.swmr_mode = True
        except BaseException as error:
            if file is not None:
                file.close()
                self.path.unlink(missing_ok=True)
            self._closed = True
            if self._reserved:
                old.unlink(missing_ok=True)
            elif old.exists():
                old.replace(self.path)
            if isinstance(error, OSError | RuntimeError):
                raise RunFileError(f"{self.path}: cannot be written ({_first_line(error)})") from error
            raise
        old.unlink()
        self._reserved = False
        self._file = file
        self._rows = {stream.name: _Rows(file["entry"][stream.name], stream) for stream in streams}

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
            When the file cannot be written. What was committed before stays readable.
        """
        if self._file is None:
            raise InputError(
                f"{self.path}: is {'closed' if self._closed else 'not started'}, so nothing can be appended"
            )
        if stream not in self._rows:
            known = tuple(self._rows)
            raise InputError(f"there is no stream {stream!r}{near_names(stream, known)}; known are {', '.join(known)}")
        rows = self._rows[stream]
        if rows.stream.derived_from:
            raise InputError(f"stream {stream!r} follows {rows.stream.derived_from!r} by itself")
        value = rows.next_value(row_value)
        row = rows.checked(arrays)
        try:
            rows.write(np.array([value]), {name: array[None] for name, array in row.items()})
            for other in self._rows.values():
                if other.stream.derived_from == stream and other.stream.derive is not None:
                    derived = other.stream.derive(value, row)
                    count = len(next(iter(derived.values())))
                    other.write(other.committed + np.arange(count), derived)
        except (OSError, RuntimeError) as error:
            raise RunFileError(f"{self.path}: a row of {stream!r} cannot be written ({_first_line(error)})") from error

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
        if self._closed:
            return
        self._closed = True
        file, self._file = self._file, None
        if file is None:
            if self._reserved and self.path.exists() and not self.path.stat().st_size:
                self.path.unlink()
            return
        partial = [rows for rows in self._rows.values() if rows.partial]
        try:
            file["entry/end_time"][()] = fixed_text([_now()], TIME_BYTES)[0]
            file["entry/status"][()] = STATUSES.index(status)
            file.flush()
            file.close()
            if partial:
                _trim(self.path, partial)
        except (OSError, RuntimeError) as error:
            raise RunFileError(f"{self.path}: cannot be closed ({_first_line(error)})") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close("finished" if kind is None else "interrupted")


class _Rows:
    """The growing end of one stream. Low-level h5py calls: a row of 20 sites costs a third less than through slices."""

    def __init__(self, group: h5py.Group, stream: Stream) -> None:
        self.stream, self.committed, self.partial = stream, 0, False
        self._last: int | None = None
        self._counter = group["committed"].id
        self._dsets = {name: group[name].id for name in (stream.row, *(v.name for v in stream.variables))}

    def next_value(self, given: int | None) -> int:
        """Return the row value to write, or refuse the one given."""
        name, counted = self.stream.name, self.stream.row != "step"
        if counted or given is None:
            if not counted or given is not None:
                raise InputError(f"stream {name!r} needs {'None as row value' if counted else 'a step'}, got {given!r}")
            return self.committed
        try:
            value = operator.index(given)
        except TypeError:
            raise InputError(f"the step of stream {name!r} is {given!r}, but it must be a whole number") from None
        if self._last is not None and value <= self._last:
            raise InputError(f"the step of stream {name!r} is {value}, but the last one was {self._last}")
        if not -(2**63) <= value < 2**63:
            raise InputError(f"the step of stream {name!r} is {value}, but it must fit into 64 bits")
        return value

    def checked(self, arrays: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Return one row in the types of the file, or refuse it."""
        expected = {variable.name: variable for variable in self.stream.variables}
        for name in arrays.keys() - expected.keys():
            hint = near_names(name, expected)
            raise InputError(
                f"stream {self.stream.name!r} has no variable {name!r}{hint}; it has {', '.join(expected)}"
            )
        for name in expected.keys() - arrays.keys():
            raise InputError(f"a row of stream {self.stream.name!r} lacks {name!r}")
        return {name: self._converted(variable, arrays[name]) for name, variable in expected.items()}

    def _converted(self, variable: Variable, value: Any) -> NDArray[Any]:
        limit = text_limit(variable.dtype)
        where = f"{variable.name!r} of stream {self.stream.name!r}"
        if limit is not None:
            if not isinstance(value, str):
                raise InputError(f"{where} is {value!r}, but it must be text")
            return fixed_text([value], limit).reshape(())
        try:
            array = np.asarray(value)
            converted = array.astype(variable.dtype, order="C", casting="same_kind", copy=False)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{where} cannot be stored as {variable.dtype} ({_first_line(error)})") from error
        if array.shape != self.stream.row_shape(variable):
            raise InputError(f"{where} has shape {array.shape}, but a row needs {self.stream.row_shape(variable)}")
        return converted

    def write(self, values: NDArray[np.int64], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write and flush whole rows, then commit them."""
        self.partial = True
        for name, dset in self._dsets.items():
            _put(dset, self.committed, values if name == self.stream.row else arrays[name])
        for dset in self._dsets.values():
            dset.flush()
        self.committed, self._last = self.committed + len(values), int(values[-1])
        self._counter.write(h5s.ALL, h5s.ALL, np.array(self.committed, np.int64))
        self._counter.flush()
        self.partial = False


def _put(dset: h5py.h5d.DatasetID, start: int, block: NDArray[Any]) -> None:
    # A row that failed halfway may have lengthened some data sets already; it is written over.
    shape = (max(start + len(block), dset.shape[0]), *block.shape[1:])
    dset.set_extent(shape)
    space = h5s.create_simple(shape)
    space.select_hyperslab((start,) + (0,) * (block.ndim - 1), block.shape)
    dset.write(h5s.create_simple(block.shape), space, np.ascontiguousarray(block))


def _trim(path: Path, partial: Sequence[_Rows]) -> None:
    """Cut what a failed row left behind, so that plain readers of the finished file see committed rows alone."""
    with h5py.File(path, "r+", libver=LIBVER) as file:
        for rows in partial:
            group = file["entry"][rows.stream.name]
            for name in (rows.stream.row, *(v.name for v in rows.stream.variables)):
                group[name].resize(int(group["committed"][()]), 0)


def _may_be_replaced(path: Path) -> bool:
    """Whether a file is empty or begins as HDF5 files do, whole or not: nothing else is ever overwritten."""
    with path.open("rb") as file:
        return file.read(8) in (b"", b"\x89HDF\r\n\x1a\n")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
