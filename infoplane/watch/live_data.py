"""What the live page shows: the data of a report on the runs as they are now, read anew only when a run has changed.

A page asks again and again, from one tab or several. Every question looks at the counters of the files; rows are read
only of a run of which one of them, or the status, has changed.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from infoplane.reports.document import Bullets, Name, Paragraph, Section, name, to_data
from infoplane.reports.page.read_run import ReadRun
from infoplane.reports.page.run_data import data_of, histograms_each
from infoplane.watch.figures import status_sentence
from infoplane.watch.kept_runs import KeptRuns, Reading, key_of
from infoplane.watch.state import DELETED, STARTING, UNREADABLE, WAITING, RunState
from infoplane.watch.watcher import Watcher

ROWS = 300
"""Rows of each run that are sent at most, evenly spaced."""

# Once every run has been read, it rests after each time for so many times as long: the trainings want the processor.
_REST = 3

_NO_RUN = {WAITING, STARTING, UNREADABLE, DELETED}


class LiveData:
    """The data of the page, for any number of threads.

    Parameters
    ----------
    watcher : Watcher
        Open; nothing else may use it meanwhile.
    said : callable, optional
        Given the states of every look.
    """

    def __init__(self, watcher: Watcher, *, said: Callable[[Sequence[RunState]], None] | None = None) -> None:
        self._watcher, self._said = watcher, said
        self._kept = KeptRuns(rows=ROWS)
        self._lock = threading.Lock()
        self._shown: Hashable = None  # how the runs stood of which all is in the data; None where not all is
        self._tag, self._data = "", dict[str, Any]()
        self._json, self._count = b"", count(1)
        self._not_before = 0.0

    def look(self) -> None:
        """Look at the files, and read no row of them."""
        with self._lock:
            self._looked()

    def json(self) -> tuple[str, bytes]:
        """Return the name of what the files hold now, and the data of it as JSON."""
        with self._lock:
            self._update()
            return self._tag, self._json

    def data(self) -> dict[str, Any]:
        """Return the data themselves."""
        with self._lock:
            self._update()
            return self._data

    def close(self) -> None:
        """Close the files, once nobody reads them any more."""
        with self._lock:
            self._watcher.close()

    def _looked(self) -> tuple[RunState, ...]:
        states = self._watcher.look()
        if self._said is not None:
            self._said(states)
        return states

    def _update(self) -> None:
        states = self._looked()
        stand = tuple(map(key_of, states))
        began = time.monotonic()
        if stand == self._shown or began < self._not_before:
            return
        readable = _each_once([state for state in states if state.status not in _NO_RUN])
        reading = self._kept.read(readable, histograms=histograms_each(len(readable)))
        self._data, self._json = page_data(states, reading, patterns=self._watcher.patterns)
        self._tag = str(next(self._count))
        self._shown = None if reading.is_behind else stand
        ended = time.monotonic()
        if not reading.unread:
            self._not_before = ended + _REST * (ended - began)


def page_data(
    states: Sequence[RunState], reading: Reading, *, patterns: Sequence[str] = ()
) -> tuple[dict[str, Any], bytes]:
    """Return the data of a page on the runs that have been read, how all of them stand above its summary; also as JSON.

    Parameters
    ----------
    states : sequence of RunState
        Of the last look.
    reading : Reading
        Of those of them that can be read.
    patterns : sequence of str
        Of which more files may appear.
    """
    try:
        return _page_data(states, reading, patterns)
    except Exception:  # a file may be made to confuse whatever shows it; one such must not take the others off the page
        problems = {Path(run.facts.path): why for run in reading.runs if (why := _problem(run))}
        runs = [run for run in reading.runs if Path(run.facts.path) not in problems]
        return _page_data(states, replace(reading, runs=runs, problems=reading.problems | problems), patterns)


def _page_data(states: Sequence[RunState], reading: Reading, patterns: Sequence[str]) -> tuple[dict[str, Any], bytes]:
    data = data_of(reading.runs, rows=ROWS, is_whole=not reading.is_behind)
    watching = to_data([Section("summary", "How the runs stand", tuple(_blocks(states, reading, patterns)))])[0]
    sections = list(data["sections"])
    for k, section in enumerate(sections):
        if section["id"] == watching["id"]:
            sections[k] = section | {"blocks": [*watching["blocks"], *section["blocks"]]}
            break
    else:
        sections.insert(0, watching)
    data |= {"sections": sections}
    return data, json.dumps(data, allow_nan=False).encode()


def _blocks(states: Sequence[RunState], reading: Reading, patterns: Sequence[str]) -> list[Paragraph | Bullets]:
    """Return how many runs stand how, and of those that are not simply recorded or finished what is the matter."""
    statuses = Counter(state.status for state in states)
    said = ", ".join(f"{number} {status}" for status, number in statuses.items()) or "there is none yet"
    text: list[str | Name] = [f"Watched runs: {said}."]
    if patterns:
        text += [" New files of ", name(", ".join(patterns), 500), " join by themselves."]
    elif all(state.is_over for state in states):
        text.append(" No more rows will come.")
    if reading.unread:
        text.append(f" {reading.unread:,} of them {'is' if reading.unread == 1 else 'are'} still to be read.")
    if reading.outdated:
        has = "has" if reading.outdated == 1 else "have"
        text.append(f" {reading.outdated:,} of them {has} changed since being read, and will be read again.")
    blocks: list[Paragraph | Bullets] = [Paragraph(tuple(text))]
    items = []
    for state in states:
        if state.status in ("recording", "finished") and not state.reason and state.path not in reading.problems:
            continue
        left_out = f"; left out of the page: {reading.problems[state.path]}" if state.path in reading.problems else ""
        items.append((name(state.path, 500), " ", name(f"{status_sentence(state)}{left_out}", 1000), "."))
    return [*blocks, Bullets(tuple(items))] if items else blocks


def _problem(run: ReadRun) -> str:
    """Return why a run cannot be shown; empty where it can."""
    try:
        json.dumps(data_of([run], rows=ROWS), allow_nan=False)
    except Exception as error:
        return f"it cannot be shown, it is damaged ({type(error).__name__})"
    return ""


def _each_once(states: Sequence[RunState]) -> list[RunState]:
    """Leave out what is the same file under another name."""
    found: dict[tuple[int, int], RunState] = {}
    for state in states:
        try:
            status = state.path.stat()
        except OSError:
            continue  # deleted in this moment
        found.setdefault((status.st_dev, status.st_ino), state)
    return list(found.values())
