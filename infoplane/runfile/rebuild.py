"""Copying the rows of an open run into a file that was laid out anew, block by block.

`h5py`'s own copy would leave references to the dimensions of the old file behind. Everything is read through
`StreamView`, which checks what a file claims.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from infoplane.runfile.layout import fixed_text, text_limit
from infoplane.runfile.reader import Run
from infoplane.runfile.stream import Stream
from infoplane.runfile.view import StreamView

_BLOCK_BYTES = 2**20


def copy_rows(run: Run, file: h5py.File, streams: Sequence[Stream], *, last_step: int | None = None) -> None:
    """Copy the rows of some streams and set their counters.

    Parameters
    ----------
    run : Run
        Open; its rows are those that were committed when it was opened or refreshed.
    file : h5py.File
        Laid out by `create_layout` with the same streams, and empty. Between blocks it needs no memory.
    streams : sequence of Stream
        Which to copy. One that follows another (`derive`) is made anew from the rows it follows: a kill may have come
        between the two.
    last_step : int, optional
        Rows that tell of more training steps than this are left out; see `steps_told`.

    Raises
    ------
    RunFileError
        When a row cannot be read. The rows before it are copied and counted.
    OSError
        When the file cannot be written.
    """
    by_name = {stream.name: stream for stream in streams}
    for stream in streams:
        if stream.name not in run.streams:
            continue
        target = file["entry"][stream.name]
        if stream.derive is not None and stream.derived_from in by_name:
            parent = by_name[stream.derived_from]
            _derive(run.stream(parent.name), _kept(run.stream(parent.name), last_step), parent, stream, target)
        else:
            view = run.stream(stream.name)
            copy_chosen(view, _kept(view, last_step), stream, target)


def steps_told(view: StreamView) -> NDArray[np.int64] | None:
    """Return how many training steps lie before what each row tells, shape (rows,); None where no row says so.

    A measurement, a finding or an event at step s is made after s steps, a sketch inside step s in the one after
    them: it is there when s + 1 are done.
    """
    name = next((name for name in ("step", "step_of_point") if name in view.variables), None)
    if name is None:
        return None
    return view[name] + is_within_step(view.name)


def is_within_step(stream: str) -> bool:
    """Whether the rows of a stream are taken inside training steps."""
    return stream.startswith("step_")


def copy_chosen(view: StreamView, rows: NDArray[np.intp], stream: Stream, target: h5py.Group) -> None:
    """Copy the rows with these ascending numbers, and touch no others; counted ones are counted anew.

    Raises as `copy_rows`.
    """
    written = 0
    for arrays in _blocks(view, rows, stream):
        if stream.row != "step":
            arrays[stream.row] = written + np.arange(len(arrays[stream.row]))
        written = put_rows(target, stream, arrays, written)


def rows_per_block(stream: Stream) -> int:
    """Return how many rows are held in memory at a time."""
    sizes = [prod(stream.row_shape(v)) * (text_limit(v.dtype) or np.dtype(v.dtype).itemsize) for v in stream.variables]
    return max(1, _BLOCK_BYTES // max(1, sum(sizes)))


def _kept(view: StreamView, last_step: int | None) -> NDArray[np.intp]:
    if last_step is None:
        return np.arange(len(view))
    told = steps_told(view)
    return np.arange(len(view)) if told is None else np.flatnonzero(told <= last_step)


def _blocks(view: StreamView, rows: NDArray[np.intp], stream: Stream) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the arrays of these rows, as many as are held in memory at a time."""
    names, most = (stream.row, *(variable.name for variable in stream.variables)), rows_per_block(stream)
    for together in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
        for start in range(0, len(together), most):
            part = together[start : start + most].tolist()
            yield {name: view.read(name, slice(part[0], part[-1] + 1)) for name in names}


def _derive(view: StreamView, rows: NDArray[np.intp], parent: Stream, stream: Stream, target: h5py.Group) -> None:
    """Write what follows from these rows of `view`."""
    assert stream.derive is not None
    written = 0
    for arrays in _blocks(view, rows, parent):
        steps = arrays.pop(parent.row).tolist()
        each = [stream.derive(step, {name: a[k] for name, a in arrays.items()}) for k, step in enumerate(steps)]
        derived = {name: np.concatenate([one[name] for one in each]) for name in each[0]}
        counted = written + np.arange(len(next(iter(derived.values()))))
        written = put_rows(target, stream, {**derived, stream.row: counted}, written)


def put_rows(target: h5py.Group, stream: Stream, arrays: dict[str, NDArray[Any]], written: int) -> int:
    """Put rows behind those `written`, count them, and return how many there are now."""
    limits = {variable.name: text_limit(variable.dtype) for variable in stream.variables}
    total = written + len(arrays[stream.row])
    for name, values in arrays.items():
        limit, dset = limits.get(name), target[name]
        dset.resize(total, 0)
        dset[written:total] = values if limit is None else _text(values, limit)
        dset.flush()  # a data set that goes with unwritten rows would hide that a disk is full
    committed = target["committed"]
    committed[()] = total
    committed.flush()
    return total


def _text(values: NDArray[Any], limit: int) -> NDArray[Any]:
    return fixed_text(values.ravel().tolist(), limit).reshape(values.shape)
