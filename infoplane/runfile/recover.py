"""`recover`: a normal file from what a kill, a full disk or a cut has left of one."""

import os
import time
import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import true_or_false
from infoplane.errors import RunFileError
from infoplane.runfile.abandon import abandon, reason_of
from infoplane.runfile.access import is_empty_or_hdf5
from infoplane.runfile.declared import declared_stream
from infoplane.runfile.layout import LIBVER, TIME_BYTES, empty_file, fixed_text, text_limit
from infoplane.runfile.lock import WriterLock, has_writer
from infoplane.runfile.new_file import NewFile
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.rebuild import copy_chosen, copy_rows, is_within_step, put_rows, rows_per_block
from infoplane.runfile.run_name import check_run_name, missing_folder
from infoplane.runfile.schema import EVENTS, STATUSES
from infoplane.runfile.stream import Stream
from infoplane.runfile.view import StreamView


def recover(path: str | PathLike[str], out: str | PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a normal HDF5 file with every committed row of a run file that can be read.

    Provenance and start are kept. The status is ``interrupted``; a finished run stays finished. An event says what was
    recovered, and one for each stream of which something was not. The new file has the layout of this version with the
    streams and quantities of the old one, which is a file of this version: a later minor version only adds.

    Parameters
    ----------
    path : path-like
        A run file of any version that was killed or cut off, or has ended. It is left as it is.
    out : path-like
        The file to write, which ends in .h5, .hdf5 or .nxs. It appears when it is whole.
    overwrite : bool
        Replace an HDF5 file that is there.

    Returns
    -------
    pathlib.Path
        `out`.

    Raises
    ------
    InputError
        When `overwrite` is neither True nor False, or `out` ends otherwise.
    RunFileError
        When there is nothing that can be read, a recording is writing the file, or `out` cannot be written.
    """
    path, out = Path(path), Path(out)
    true_or_false("overwrite", overwrite)
    check_run_name(out)
    with open_run(path) as run, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a stream is cut off becomes an event
        if has_writer(path):
            raise RunFileError(f"{path}: is being written by a recording; recover it when that has ended")
        _check_out(path, out, overwrite=overwrite)
        file: h5py.File | None = None
        old: WriterLock | None = None
        new: NewFile | None = None
        try:
            if out.exists():
                old = WriterLock(out)  # or a recording could begin to write it meanwhile
            streams, events, losses = _what_can_be_read(run)
            new = NewFile(out)
            new.write(empty_file(streams, run.provenance, run.start_time))
            file = h5py.File(new.path, "r+", libver=LIBVER)
            file.swmr_mode = True  # a full disk shows at a write then, and not at some later flush
            _fill(run, file, streams, events, losses)
            file.flush()
            file.close()
            new.take_place_of(old)
        except BaseException as error:
            if file is not None:
                abandon(file)
            if isinstance(error, RunFileError):
                raise
            if isinstance(error, OSError | RuntimeError):
                raise RunFileError(f"{out}: cannot be written ({reason_of(error)})") from error
            if isinstance(error, ValueError | TypeError | LookupError | MemoryError):
                raise RunFileError(f"{path}: cannot be recovered, for it is damaged ({reason_of(error)})") from error
            raise
        finally:
            if new is not None:
                new.discard()
            if old is not None:
                old.release()
    return out


def _check_out(path: Path, out: Path, *, overwrite: bool) -> None:
    """Refuse to write over what must not be lost."""
    if missing := missing_folder(out):
        raise RunFileError(f"{out}: cannot be created, because {missing}")
    if not os.path.exists(out):
        return
    if out.samefile(path):
        raise RunFileError(f"{out}: is the file to recover itself, which is never changed; choose another name")
    if not overwrite:
        raise RunFileError(f"{out}: exists already; overwrite=True (on the command line --force) replaces it")
    if not out.is_file() or not is_empty_or_hdf5(out):
        raise RunFileError(f"{out}: is no HDF5 file, so it is not replaced; choose another name, or remove it")


def _what_can_be_read(run: Run) -> tuple[list[Stream], Stream, list[str]]:
    """Return the streams of a run, which of them takes events, and a sentence on each that is lost."""
    streams: list[Stream] = []
    losses = [f"not recovered: {key!r} of the provenance ({why})" for key, why in run.unreadable.items()]
    for name in run.streams:
        try:
            streams.append(declared_stream(run.stream(name)))
        except RunFileError as error:
            losses.append(f"not recovered: stream {name!r} ({str(error).removeprefix(f'{run.path}: ')})")
    events = [stream for stream in streams if stream.name == EVENTS.name]
    if all(_can_say(stream) for stream in events) and events:
        return streams, events[0], losses
    losses += [f"not recovered: stream {stream.name!r} (it lacks what an event has)" for stream in events]
    return [*(stream for stream in streams if stream not in events), EVENTS], EVENTS, losses


def _fill(run: Run, file: h5py.File, streams: Sequence[Stream], events: Stream, losses: list[str]) -> None:
    """Copy the rows of a run, and say what became of it."""
    entry, last = file["entry"], 0
    for stream in streams:
        if stream is EVENTS:
            continue  # those of the run itself cannot be read
        view = run.stream(stream.name)
        copied = _copy(run, file, stream)
        if copied < view.committed:
            losses.append(f"not recovered: {view.committed - copied} of {view.committed} rows of {stream.name!r}")
        if copied and stream.row == "step":
            last = max(last, int(entry[f"{stream.name}/step"][-1]) + is_within_step(stream.name))
    what = "all committed rows" if not losses else "what could be read"
    _say(entry, events, last, [f"recovered from {run.path.name!r} ({run.status}): {what}", *losses])
    entry["end_time"][()] = fixed_text([run.end_time], TIME_BYTES)[0]
    entry["status"][()] = STATUSES.index("finished" if run.status == "finished" else "interrupted")


def _copy(run: Run, file: h5py.File, stream: Stream) -> int:
    """Copy one stream, without the rows that cannot be read, and return how many were copied."""
    group, view = file["entry"][stream.name], run.stream(stream.name)
    try:
        copy_rows(run, file, (stream,))
    except RunFileError:
        most = rows_per_block(stream)
        parts = [_readable(view, start, min(start + most, len(view))) for start in range(0, len(view), most)]
        copy_chosen(view, np.concatenate(parts), stream, group)
    return int(group["committed"][()])


def _readable(view: StreamView, first: int, last: int) -> NDArray[np.intp]:
    """Return which rows from `first` to before `last` can be read in all variables."""
    try:
        for name in view.variables:
            view.read(name, slice(first, last))
    except RunFileError:
        if last - first == 1:
            return np.empty(0, np.intp)
        middle = (first + last) // 2
        return np.concatenate([_readable(view, first, middle), _readable(view, middle, last)])
    return np.arange(first, last)


def _can_say(events: Stream) -> bool:
    """Whether a stream has what an event has."""
    return {variable.name for variable in EVENTS.variables} <= {variable.name for variable in events.variables}


def _say(entry: h5py.Group, events: Stream, step: int, texts: Sequence[str]) -> None:
    """Append one event for each text."""
    count, written = len(texts), int(entry["events/committed"][()])
    known = {"step": np.full(count, step), "time": np.full(count, time.time()), "text": np.array(texts)}
    arrays = {events.row: written + np.arange(count)}
    for variable in events.variables:
        blank = np.full((count, *events.row_shape(variable)), "" if text_limit(variable.dtype) else 0)
        arrays[variable.name] = known.get(variable.name, blank)
    put_rows(entry["events"], events, arrays, written)
