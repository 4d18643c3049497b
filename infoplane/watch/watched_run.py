"""One run file under watch: opened when it appears, read as it grows, closed when it is over, opened anew if replaced.

It is open for reading alone, and only while somebody may be writing it: an ended run costs one look at its size and
date. Every look reads the counters of its streams, and of the rows only those that are new.
"""

import math
import os
import time
import warnings
from collections import deque
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from infoplane.errors import InfoplaneError
from infoplane.printable import printable
from infoplane.reports.findings import CONTEXT
from infoplane.runfile.access import reading
from infoplane.runfile.lock import has_writer
from infoplane.runfile.reader import Run, open_run
from infoplane.watch.rows import Row, RowReader
from infoplane.watch.state import ALIVE, DELETED, OVER, STARTING, UNREADABLE, WAITING, RunState

RECENT = 120
"""Rows that are kept for a sparkline."""

_MOST_AT_ONCE = 500
_NEW = 10.0  # seconds
# A measurement ends with its row of metrics and its findings; what it writes before need not be looked at.
_WATCHED = ("plane", "metrics", "findings", "events", "scaling")

_DAMAGED = "cannot be read, it is cut off or damaged"

_Key = tuple[int, int, int, int]


class WatchedRun:
    """A run file that may not be there yet.

    Parameters
    ----------
    path : pathlib.Path
        Where it is, or will be.
    past : int or None
        How many of the rows that are there at the first look count as new; None for all. Of another file that takes the
        name later, all do, but where it goes on with the same run those after the last step that was seen.
    """

    def __init__(self, path: Path, *, past: int | None) -> None:
        self.path, self._past = path, past
        self._run: Run | None = None
        self._rows: RowReader | None = None
        self._key: _Key | None = None  # of the file as it was when it was looked at last
        self._file: tuple[int, int] | None = None  # device and inode of the one that was opened last
        self._state = RunState(path, WAITING)
        self._begun = ""  # when the run was, which a resumed one keeps
        self._left_at: int | None = None  # the step after which the rows of a resumed one are new
        self._forget()

    def look(self) -> RunState:
        """Return how it stands now; what cannot be read is a status and no exception."""
        with warnings.catch_warnings():
            # Rows and provenance that are lost stand in the state.
            warnings.simplefilter("ignore")
            self._state = self._looked()
        return self._state

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        run, self._run, self._rows = self._run, None, None
        if run is not None:
            run.close()

    def _looked(self) -> RunState:
        key = _key(self.path)
        if self._run is None:
            if key is None:
                status = WAITING if self._state.file == 0 else DELETED
                return RunState(self.path, status, file=self._state.file)
            if key == self._key and self._state.status in OVER and not self._state.is_behind:
                return replace(self._state, new=())
        before, self._key = self._key, key
        try:
            if self._run is None:
                assert key is not None
                self._open(key)
            assert self._run is not None
            self._run.refresh()
            state = self._read()
            is_replaced = key is not None and key[:2] != self._file
            if is_replaced and state.status not in ALIVE and not state.is_behind:
                # What it had stands in this state; the next look is at the other file.
                self.close()
                return replace(state, status="replaced", is_behind=True)
            if state.is_over:
                self.close()
            return state
        except (InfoplaneError, OSError) as error:
            self.close()
            return self._unreadable(error, is_still=key == before)

    def _open(self, key: _Key) -> None:
        if key[:2] != self._file:
            if self._state.file:
                self._past = None
            self._left_at = self._recent[-1].step if self._recent else None
            self._state = RunState(self.path, STARTING, file=self._state.file + 1)
            self._file = key[:2]
            self._forget()
        self._run = open_run(self.path)
        if self._begun != self._run.start_time or not self._begun:
            self._begun, self._left_at = self._run.start_time, None

    def _forget(self) -> None:
        self._seen: int | None = None
        self._recent: deque[Row] = deque(maxlen=RECENT)
        self._codes = [0, 0, 0]  # findings read, and of them those about context and those that are worse

    def _read(self) -> RunState:
        run = self._run
        assert run is not None
        status = run.status
        views = [run.stream(name) for name in _WATCHED if name in run.streams]
        lost = [] if self._key is not None else ["the file has been deleted: what is still written to it will be lost"]
        lost += [
            f"{one.readable} of {one.committed} rows of {one.name!r} can be read"
            for one in views
            if one.readable < one.committed
        ]
        state = RunState(
            self.path,
            status,
            reason="; ".join(lost),
            file=self._state.file,
            epochs=_epochs(run),
            written=_written(self.path),
            counts={one.name: one.committed for one in views},
        )
        if "plane" in run.streams:
            if self._rows is None:
                self._rows = RowReader(run)
            count = self._rows.count()
            if self._seen is None or self._seen > count:
                self._seen = self._first_new(count)
                self._recent.extend(self._rows.read(max(0, self._seen - RECENT), self._seen))
            stop = min(count, self._seen + _MOST_AT_ONCE)
            new = self._rows.read(self._seen, stop)
            self._seen = stop
            self._recent.extend(new)
            self._count_findings(run)
            state = replace(
                state,
                rows=count,
                new=tuple(new),
                recent=tuple(self._recent),
                is_behind=stop < count,
                meaning=self._rows.meaning,
                findings=self._codes[1] + self._codes[2],
                unusable=self._codes[2],
            )
        else:
            state = replace(state, reason="; ".join([*lost, "it has no plane, so no bounds to show"]))
        return state

    def _first_new(self, count: int) -> int:
        if self._left_at is not None:
            assert self._run is not None
            return min(count, int((self._run.plane().row_values <= self._left_at).sum()))
        return 0 if self._past is None else max(0, count - self._past)

    def _count_findings(self, run: Run) -> None:
        if "findings" not in run.streams:
            return
        with suppress(InfoplaneError), reading(self.path):  # what is wrong with them is in the reason already
            view = run.findings()
            codes = view.read("code", slice(self._codes[0], None)).tolist()
            context = sum(code in CONTEXT for code in codes)
            self._codes = [len(view), self._codes[1] + context, self._codes[2] + len(codes) - context]

    def _unreadable(self, error: Exception, *, is_still: bool) -> RunState:
        """Return the state of a file that cannot be read, which is final once nobody writes it and it stands still."""
        # Of what is no file, as a pipe, the writer is not asked for: opening one waits for the other end.
        written = has_writer(self.path) if self.path.is_file() else False
        reason = str(getattr(error, "strerror", "") or error)
        if isinstance(error, InfoplaneError):
            reason = str(error).removeprefix(f"{printable(self.path)}: ")
        if reason.startswith(_DAMAGED):
            reason = "it is cut off or damaged"  # what HDF5 says of it helps nobody
        is_old = time.time() - _written(self.path) > _NEW  # one that is being made is not left alone for so long
        status = UNREADABLE if (is_still or is_old) and not written else STARTING
        return RunState(self.path, status, reason=reason, file=self._state.file, written=_written(self.path))


def _key(path: Path) -> _Key | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _written(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return math.nan


def _epochs(run: Run) -> int | None:
    """Return for how many epochs the training was asked; what stands in a file may be anything."""
    training = run.configuration.get("training")
    epochs = training.get("epochs") if isinstance(training, dict) else None
    return epochs if isinstance(epochs, int) and not isinstance(epochs, bool) and 0 < epochs < 10**9 else None
