"""Several runs under watch: files by name, there or not yet, and patterns, whose new files join by themselves."""

import glob
import os
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from infoplane.errors import InputError, RunFileError
from infoplane.watch.state import RunState
from infoplane.watch.watched_run import WatchedRun


class Watcher:
    """Runs that are looked at together, a context manager. It is not to be used from two threads at once.

    Parameters
    ----------
    runs : sequence of path-like
        Run files, there or not yet, or patterns as `infoplane.open_study` takes them.
    past : int or None
        How many of the rows that are there when the watch begins count as new in a run's first state; None for all.

    Raises
    ------
    InputError
        When there is nothing to watch.
    RunFileError
        When a folder has one of the names.

    Examples
    --------
    >>> with Watcher(["runs/*.h5"]) as watcher:  # doctest: +SKIP
    ...     for state in watcher.look():
    ...         print(state.path, state.status, state.rows)
    """

    def __init__(self, runs: Sequence[str | PathLike[str]], *, past: int | None = 1) -> None:
        if not runs:
            raise InputError(
                "there is no run to watch: give a run file such as run.h5, or a pattern such as 'runs/*.h5'"
            )
        self._given = [os.fspath(run) for run in runs]
        for name in self._given:
            if os.path.isdir(name):
                inside = os.path.join(name, "*.h5")
                raise RunFileError(f"{name}: is a folder, not a run file; {inside!r} watches the run files in it")
        self._past = past
        self._watched: dict[str, WatchedRun] = {}
        self._closed = False

    def look(self) -> tuple[RunState, ...]:
        """Return how each run stands now: first those given by name, in their order, then as they were found."""
        if self._closed:
            raise InputError("this watch has been closed")
        for path in self._present():
            place = os.path.abspath(path)
            if place not in self._watched:
                self._watched[place] = WatchedRun(Path(path), past=self._past)
        self._past = None  # whatever appears from now on is new from its first row
        return tuple(run.look() for run in self._watched.values())

    @property
    def patterns(self) -> tuple[str, ...]:
        """The names given that are patterns, of which more files may appear at any time."""
        return tuple(name for name in self._given if not os.path.lexists(name) and glob.has_magic(name))

    def close(self) -> None:
        """Close all files; a second call does nothing."""
        self._closed = True
        for run in self._watched.values():
            run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _present(self) -> list[str]:
        """Return the files to watch by now, and the names at which one is waited for."""
        patterns = self.patterns
        found = [name for name in self._given if name not in patterns]
        for pattern in patterns:
            # Patterns such as runs/** match folders too. Files in the making have names that begin with a dot.
            found += [name for name in sorted(glob.glob(pattern, recursive=True)) if os.path.isfile(name)]
        return found
