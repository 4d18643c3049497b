"""The process that trains the points of one worker, one after the other, or seeds of one setting side by side.

It is a process of its own below the worker, so that a training which is killed, for want of memory or by a fault in a
library, is one failed point and not the end of a pool of workers; so that a training runs in a main thread, where
signals reach it, also below workers that run tasks in threads; and so that two trainings of one worker never share the
global random states. Requests come as lines of JSON; each is answered by one. When the other end is closed, because the
worker was killed, the training in progress ends as by SIGTERM: its run file says so, and is free for another worker.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from infoplane.errors import InfoplaneError, RunFileError
from infoplane.runfile.lock import has_writer
from infoplane.sweep.planned import PlannedSettings, with_plan
from infoplane.sweep.standing import Standing, standing
from infoplane.training import Settings, train, train_side_by_side

_IDLE = 30.0  # seconds after which a process without work ends, and the memory that it held is free
_PATIENCE = 60.0  # seconds that the former writer of a file, whose worker was lost, has to let go of it


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a user's code prints is no answer
    requests = _Requests()
    while (request := requests.next()) is not None:
        started = time.monotonic()
        answer = {**_answer(request), "seconds": time.monotonic() - started}
        requests.is_busy = False
        with suppress(BrokenPipeError):
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()


class _Requests:
    """The lines of stdin as they come, read in a thread of their own, which sees the end of the file at once."""

    def __init__(self) -> None:
        self.is_busy = False
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """Return the next request; None after the last, and where none comes for a while."""
        try:
            line = self._waiting.get(timeout=_IDLE)
        except queue.Empty:
            return None
        return None if line is None else dict(json.loads(line))

    def _read(self) -> None:
        rest = b""
        while part := os.read(0, 2**16):  # no buffered file, whose lock a thread would hold at the end of the process
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self.is_busy = True
                self._waiting.put(line)
        self._waiting.put(None)
        if self.is_busy:
            os.kill(os.getpid(), signal.SIGTERM)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``status`` and ``reason``, and of points that are trained side by side ``points``: both for each."""
    log = Path(request["log"])
    sys.argv[:] = request["argv"]  # a run file says by which call it was made
    failures: dict[str, str] = {}
    with _messages_to(log):
        try:
            if "points" in request:
                failures = _train_together(request["points"])
            else:
                _train(Path(request["path"]), PlannedSettings.of(request["settings"]))
        except (KeyboardInterrupt, SystemExit):
            return {"status": "interrupted", "reason": ""}
        except InfoplaneError as error:
            print(error, file=sys.stderr)
            return {"status": "failed", "reason": str(error)}
        except Exception as error:
            traceback.print_exc()
            return {
                "status": "failed",
                "reason": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}",
            }
    for point in request.get("points", ()):
        own = Path(point["log"])
        if point["name"] in failures:
            with own.open("a") as file:
                file.write(f"{failures[point['name']]}\n")
        elif own != log:
            own.unlink(missing_ok=True)  # of an earlier attempt
    with suppress(OSError):
        if not log.stat().st_size:
            log.unlink()
    points = {
        point["name"]: {
            "status": "failed" if point["name"] in failures else "finished",
            "reason": failures.get(point["name"], ""),
        }
        for point in request.get("points", ())
    }
    return {"status": "finished", "reason": "", **({"points": points} if points else {})}


def _train(path: Path, settings: Settings) -> None:
    found, settings = _standing(path, settings)
    if not found.is_finished:
        train(settings, path, overwrite=not found.is_resumed, resume=found.is_resumed, quiet=True)


def _train_together(points: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Train what is not finished side by side, those that go on apart from those that begin; return the failures."""
    lots: dict[bool, list[tuple[str, Path, Settings]]] = {True: [], False: []}
    for point in points:
        path = Path(point["path"])
        found, settings = _standing(path, PlannedSettings.of(point["settings"]))
        if not found.is_finished:
            lots[found.is_resumed].append((point["name"], path, settings))
    failures: dict[str, str] = {}
    for is_resumed, lot in lots.items():
        if lot:
            names, paths, settings_of = zip(*lot, strict=True)
            ended = train_side_by_side(settings_of, paths, overwrite=not is_resumed, resume=is_resumed, quiet=True)
            failures |= {
                name: str(each.failure) for name, each in zip(names, ended, strict=True) if each.failure is not None
            }
    return failures


def _standing(path: Path, settings: Settings) -> tuple[Standing, Settings]:
    """Return how far a point has come, when nobody writes its file any more, and its settings with the plan it has."""
    until = time.monotonic() + _PATIENCE
    while path.exists() and has_writer(path):
        if time.monotonic() > until:
            raise RunFileError(f"{path}: is being written by another process")
        time.sleep(0.1)
    found = standing(path, settings)
    if found.is_resumed and found.has_plan:
        settings = with_plan(settings, found.plan)
    return found, settings


@contextmanager
def _messages_to(path: Path) -> Iterator[None]:
    """Let all that is written to stderr, by libraries in C too, go into a file, which is made anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
        os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush(), sys.stderr.flush()
