"""The growing end of one stream: rows are checked, written behind each other, and committed.

Low-level h5py calls: a row of 20 sites costs a third less than through slices.
"""

import operator
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from h5py import h5s
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError
from infoplane.runfile.abandon import first_line
from infoplane.runfile.layout import fixed_text, text_limit
from infoplane.runfile.packing import pack_row
from infoplane.runfile.stream import Stream, Variable


class StreamRows:
    """The growing end of one stream.

    Parameters
    ----------
    group : h5py.Group
        Of the stream, in a file open for writing.
    stream : Stream
        What the group holds.

    Attributes
    ----------
    written, committed : int
        Rows that are in HDF5's hands, and those of them that readers look at.
    """

    def __init__(self, group: h5py.Group, stream: Stream) -> None:
        self._counter = group["committed"].id
        self.stream = stream
        self.committed = self.written = int(group["committed"][()])
        self._last = int(group[stream.row][self.committed - 1]) if self.committed else None
        self._dsets = {name: group[name].id for name in (stream.row, *(v.name for v in stream.variables))}
        self._packed = {variable.name for variable in stream.variables if variable.compress}

    def next_value(self, given: int | None) -> int:
        """Return the row value to write, or refuse the one given."""
        name, counted = self.stream.name, self.stream.row != "step"
        if counted or given is None:
            if not counted or given is not None:
                raise InputError(f"stream {name!r} needs {'None as row value' if counted else 'a step'}, got {given!r}")
            return self.written
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
            raise InputError(f"{where} cannot be stored as {variable.dtype} ({first_line(error)})") from error
        if array.shape != self.stream.row_shape(variable):
            raise InputError(f"{where} has shape {array.shape}, but a row needs {self.stream.row_shape(variable)}")
        return converted

    def write(self, values: NDArray[np.int64], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write whole rows, which count from `advance` on, and which no reader looks at before `commit`."""
        for name, dset in self._dsets.items():
            put = _put_packed if name in self._packed else _put
            put(dset, self.written, values if name == self.stream.row else arrays[name])

    def advance(self, values: NDArray[np.int64]) -> None:
        """Go on behind the rows just written."""
        self.written, self._last = self.written + len(values), int(values[-1])

    def trim(self) -> None:
        """Cut what a row that failed halfway has left behind, so that every reader sees whole rows alone."""
        for dset in self._dsets.values():
            if dset.shape[0] > self.written:
                dset.set_extent((self.written, *dset.shape[1:]))

    def commit(self) -> None:
        """Flush what was written, and then the counter that readers trust."""
        if self.committed == self.written:
            return
        for dset in self._dsets.values():
            dset.flush()
        self._counter.write(h5s.ALL, h5s.ALL, np.array(self.written, np.int64))
        self._counter.flush()
        self.committed = self.written


def _put(dset: h5py.h5d.DatasetID, start: int, block: NDArray[Any]) -> None:
    # A row that failed halfway may have lengthened some data sets already; it is written over.
    shape = (max(start + len(block), dset.shape[0]), *block.shape[1:])
    dset.set_extent(shape)
    space = h5s.create_simple(shape)
    space.select_hyperslab((start,) + (0,) * (block.ndim - 1), block.shape)
    dset.write(h5s.create_simple(block.shape), space, np.ascontiguousarray(block))


def _put_packed(dset: h5py.h5d.DatasetID, start: int, block: NDArray[Any]) -> None:
    dset.set_extent((max(start + len(block), dset.shape[0]), *block.shape[1:]))
    for place, row in enumerate(block, start):
        dset.write_direct_chunk((place,) + (0,) * row.ndim, pack_row(row))
