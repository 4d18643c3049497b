"""What the live page shows: the data of a report on the runs as they are now, read anew only when a run has changed.

A page asks again and again, from one tab or several. Every question looks at the counters of the files; only where one
of them, or a status, has changed are rows read.
"""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infoplane.errors import InfoplaneError
from infoplane.reports.document import Bullets, Name, Paragraph, Section, name, to_data
from infoplane.reports.page.run_data import run_data
from infoplane.watch.figures import status_sentence
from infoplane.watch.state import DELETED, STARTING, UNREADABLE, WAITING, RunState
from infoplane.watch.watcher import Watcher

ROWS = 300
"""Rows of each run that are sent at most, evenly spaced."""

# Reading a hundred runs may take longer than one of them takes for a row. So long does it rest after each time, as a
# multiple, for the trainings want the processor too.
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
        self._lock = threading.Lock()
        self._tag, self._data = "", dict[str, Any]()
        self._json = b""
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

    def _looked(self) -> tuple[str, tuple[RunState, ...]]:
        states = self._watcher.look()
        if self._said is not None:
            self._said(states)
        seen = [(str(s.path), s.status, s.reason, s.file, sorted(s.counts.items())) for s in states]
        return hashlib.sha256(repr(seen).encode(errors="backslashreplace")).hexdigest()[:32], states

    def _update(self) -> None:
        tag, states = self._looked()
        began = time.monotonic()
        if tag == self._tag or began < self._not_before:
            return
        self._data = page_data(states, patterns=self._watcher.patterns)
        self._json = json.dumps(self._data, allow_nan=False).encode()
        self._tag = tag
        ended = time.monotonic()
        self._not_before = ended + _REST * (ended - began)


def page_data(states: Sequence[RunState], *, patterns: Sequence[str] = ()) -> dict[str, Any]:
    """Return the data of a page on the runs that can be read, and above its summary how all of them stand.

    Parameters
    ----------
    states : sequence of RunState
        Of the last look.
    patterns : sequence of str
        Of which more files may appear.
    """
    readable = _each_once([state.path for state in states if state.status not in _NO_RUN])
    problems: dict[Path, str] = {}
    try:
        data = run_data(readable, rows=ROWS) if readable else None
    except Exception:  # a file may be made to confuse whatever reads it; one such must not take the others off the page
        problems = {path: why for path in readable if (why := _problem(path))}
        left = [path for path in readable if path not in problems]
        data = run_data(left, rows=ROWS) if left else None
    if data is None:
        data = _empty()
    watching = to_data([Section("summary", "How the runs stand", tuple(_blocks(states, problems, patterns)))])[0]
    sections = list(data["sections"])
    for k, section in enumerate(sections):
        if section["id"] == watching["id"]:
            sections[k] = section | {"blocks": [*watching["blocks"], *section["blocks"]]}
            break
    else:
        sections.insert(0, watching)
    return data | {"sections": sections}


def _blocks(
    states: Sequence[RunState], problems: Mapping[Path, str], patterns: Sequence[str]
) -> list[Paragraph | Bullets]:
    """Return how many runs stand how, and of those that are not simply recorded or finished what is the matter."""
    count = Counter(state.status for state in states)
    said = ", ".join(f"{number} {status}" for status, number in count.items()) or "there is none yet"
    text: list[str | Name] = [f"Watched runs: {said}."]
    if patterns:
        text += [" New files of ", name(", ".join(patterns), 500), " join by themselves."]
    elif all(state.is_over for state in states):
        text.append(" No more rows will come.")
    blocks: list[Paragraph | Bullets] = [Paragraph(tuple(text))]
    items = []
    for state in states:
        if state.status in ("recording", "finished") and not state.reason and state.path not in problems:
            continue
        left_out = f"; left out of the page: {problems[state.path]}" if state.path in problems else ""
        items.append((name(state.path, 500), " ", name(f"{status_sentence(state)}{left_out}", 1000), "."))
    return [*blocks, Bullets(tuple(items))] if items else blocks


def _problem(path: Path) -> str:
    """Return why a run cannot be shown; empty where it can."""
    try:
        run_data([path], rows=2)
    except InfoplaneError as error:
        return str(error)
    except Exception as error:
        return f"it cannot be read, it is damaged ({type(error).__name__})"
    return ""


def _each_once(paths: Sequence[Path]) -> list[Path]:
    """Leave out what is the same file under another name."""
    found: dict[tuple[int, int], Path] = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue  # deleted in this moment
        found.setdefault((status.st_dev, status.st_ino), path)
    return list(found.values())


def _empty() -> dict[str, Any]:
    """Return the data of a page without a run."""
    from infoplane import __version__
    from infoplane.reports.page.run_data import VERSION
    from infoplane.site_marks import COLORS, MARKERS

    return {
        "schema": "infoplane.report",
        "version": VERSION,
        "made": {"infoplane": __version__, "time": datetime.now(UTC).isoformat(timespec="seconds")},
        "rows": ROWS,
        "theme": {"colors": list(COLORS), "markers": list(MARKERS)},
        "runs": [],
        "sections": [],
    }
