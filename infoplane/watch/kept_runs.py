"""The runs of a live page as they were read last, so that the page comes at once and no run is read twice for nothing.

Reading a run takes about a quarter of a second. Of a hundred, as many are read at a time as a second holds: first those
that never were, then those whose reading is the oldest.
"""

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infoplane.errors import InfoplaneError
from infoplane.reports.page.read_run import ReadRun, read_run
from infoplane.watch.state import RunState

_SECONDS = 1.0


@dataclass(frozen=True)
class _Kept:
    """A run, or why it cannot be shown; how it stood then, and when."""

    run: ReadRun | str
    key: Hashable
    time: float


@dataclass(frozen=True)
class Reading:
    """What is known of the runs.

    Attributes
    ----------
    runs : list of ReadRun
        As they were read last, in the order of the states.
    problems : dict
        Why what stands at a path cannot be shown.
    unread, outdated : int
        How many runs have never been read so far, and how many have changed since.
    """

    runs: list[ReadRun]
    problems: dict[Path, str]
    unread: int
    outdated: int

    @property
    def is_behind(self) -> bool:
        """Whether there is more to read."""
        return self.unread + self.outdated > 0


class KeptRuns:
    """Runs that are read again and again.

    Parameters
    ----------
    rows : int
        As for `infoplane.reports.page.read_run.read_run`.
    """

    def __init__(self, *, rows: int) -> None:
        self._rows = rows
        self._kept: dict[Path, _Kept] = {}

    def read(self, states: Sequence[RunState], *, histograms: int) -> Reading:
        """Return what is known of the runs, once as many as a second allows have been read, but at least one.

        Parameters
        ----------
        states : sequence of RunState
            How the runs stood at a look just before, each file once. One that stands as when it was read is not read.
        histograms : int
            As for `read_run`.
        """
        # Of the look before the reading: what is written meanwhile is found after the next look.
        keys = {state.path: (key_of(state), histograms) for state in states}
        self._kept = {path: kept for path, kept in self._kept.items() if path in keys}
        due = [path for path, key in keys.items() if path not in self._kept or self._kept[path].key != key]
        due.sort(key=lambda path: self._kept[path].time if path in self._kept else 0.0)
        began = time.monotonic()
        while due:
            path = due.pop(0)
            self._kept[path] = _Kept(_read(path, self._rows, histograms), keys[path], time.monotonic())
            if time.monotonic() - began > _SECONDS:
                break
        known = {path: self._kept[path].run for path in keys if path in self._kept}
        return Reading(
            runs=[run for run in known.values() if isinstance(run, ReadRun)],
            problems={path: run for path, run in known.items() if isinstance(run, str)},
            unread=len(keys) - len(known),
            outdated=sum(path in known for path in due),
        )


def key_of(state: RunState) -> Hashable:
    """Return what changes whenever a page on the run would.

    An ended run that another one is copied over keeps all but the time; of one that grows it changes with every sketch.
    """
    written = state.written if state.is_over else None
    return str(state.path), state.status, state.reason, state.file, tuple(sorted(state.counts.items())), written


def _read(path: Path, rows: int, histograms: int) -> ReadRun | str:
    """Read a run; a file may be made to confuse whatever reads it, and must not take the others off the page."""
    try:
        return read_run(path, rows=rows, histograms=histograms)
    except InfoplaneError as error:
        return str(error)
    except Exception as error:
        return f"it cannot be read, it is damaged ({type(error).__name__})"
