"""Watching in a terminal: a table that is drawn anew, plain lines where the output is no terminal, or JSON."""

import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from infoplane.watch.lines import Lines, json_line
from infoplane.watch.state import UNREADABLE, WAITING, RunState
from infoplane.watch.watcher import Watcher

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WIDTH = 100


def watch_table(watcher: Watcher, *, poll: float) -> bool:
    """Draw the runs in the terminal until all are over; with a pattern among them until interrupted.

    Parameters
    ----------
    watcher : Watcher
        Open.
    poll : float
        Seconds between two looks.

    Returns
    -------
    bool
        Whether every file could be read.
    """
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False, markup=False, emoji=False)
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            states = watcher.look()
            live.update(_drawn(console, watcher, states, height=console.size.height), refresh=True)
            if _is_over(watcher, states):
                return _all_read(states)
            _wait(states, poll)


def watch_lines(watcher: Watcher, *, poll: float, json: bool) -> bool:
    """Write one line per new row until all runs are over; with a pattern among them until interrupted.

    Parameters
    ----------
    watcher : Watcher
        Open.
    poll : float
        Seconds between two looks.
    json : bool
        Whether lines are JSON objects. Else rows go to stdout, and what becomes of the runs to stderr.

    Returns
    -------
    bool
        Whether every file could be read.
    """
    lines = Lines()
    while True:
        states = watcher.look()
        for state in states:
            if json:
                _print(lines.objects(state))
            else:
                _print_plain(lines, state)
        if _is_over(watcher, states):
            return _all_read(states)
        _wait(states, poll)


def print_once(watcher: Watcher, *, json: bool) -> bool:
    """Print how the runs stand, and return whether every file is there and could be read."""
    states = watcher.look()
    if json:
        _print(json_line(state, state.last) for state in states)
    else:
        from rich.console import Console

        console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else _WIDTH)
        console.print(_drawn(console, watcher, states, height=10**6), no_wrap=True, crop=False)
    return _all_read(states) and all(state.status != WAITING for state in states)


def is_live_terminal() -> bool:
    """Whether the output is a terminal whose lines can be written over."""
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def _drawn(console: "Console", watcher: Watcher, states: Sequence[RunState], *, height: int) -> "Text":
    from infoplane.watch.table import table

    return table(
        states,
        width=console.width,
        height=height,
        now=time.time(),
        patterns=watcher.patterns,
        ascii_only=not console.encoding.lower().startswith("utf"),
    )


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
    sys.stdout.flush()


def _print_plain(lines: Lines, state: RunState) -> None:
    rows, changes = lines.of(state)
    said = [(sys.stdout, line) for line in rows], [(sys.stderr, f"infoplane: {line}") for line in changes]
    # What became of a run stands where it belongs, also where both go to one place.
    for stream, line in (*said[0], *said[1]) if state.is_over else (*said[1], *said[0]):
        print(line, file=stream, flush=True)


def _is_over(watcher: Watcher, states: Sequence[RunState]) -> bool:
    return not watcher.patterns and all(state.is_over for state in states)


def _all_read(states: Sequence[RunState]) -> bool:
    return all(state.status != UNREADABLE for state in states)


def _wait(states: Sequence[RunState], poll: float) -> None:
    if not any(state.is_behind for state in states):
        time.sleep(poll)
