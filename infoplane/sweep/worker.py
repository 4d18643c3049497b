"""What a worker does with one point: hands it to a process of its own, waits, and ends it when the sweep is to stop.

Nothing here imports torch: workers of a pool are light, and whatever a training does to its process is the affair of
`infoplane.sweep.child`. A worker and the sweep need not be on one machine; they share the folder of the run files,
where a file that appears says that the sweep stops.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_POLL = 0.2
_GRACE = 60.0  # seconds that a training has to end its step and close its file
_CODE = "import sys, json; sys.path[:] = json.loads(sys.argv.pop()); from infoplane.sweep.child import main; main()"
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")

_idle: dict[tuple[Any, ...], list["_Child"]] = {}
_guard = threading.Lock()  # some pools run several tasks of one worker in threads


def run_point(task: Mapping[str, Any]) -> dict[str, Any]:
    """Train one point, or several side by side, and return what became of it.

    Parameters
    ----------
    task : mapping
        ``name``; ``request``, for the process that trains; ``stop``, the file that stops the sweep; ``parent``, the
        process below which this worker runs, or None; ``threads`` of the process that trains, or None for what the
        environment says; ``folder``, in which it runs.

    Returns
    -------
    dict
        ``name``, ``status`` (finished, failed, interrupted), ``reason``, ``seconds``; and ``points``, where
        several were trained side by side to the end, with status and reason of each.
    """
    if _is_stopped(task):
        return {"name": task["name"], "status": "interrupted", "reason": "", "seconds": 0.0}
    answer = None
    while answer is None:
        with _guard:
            waiting = _idle.get(_key(task))
            child = waiting.pop() if waiting else None
        is_new = child is None
        try:
            child = child or _Child(task)
        except OSError as error:
            return {"name": task["name"], "status": "failed", "reason": f"no process: {error}", "seconds": 0.0}
        try:
            answer = child.train(task, is_new=is_new)
        except BaseException:
            child.end()
            raise
        if child.is_usable:
            with _guard:
                _idle.setdefault(child.key, []).append(child)
        else:
            child.end()
        if _is_orphan(task):
            os._exit(1)  # nobody is left to take an answer, or to end this worker
    return {"name": task["name"], **answer}


def end_idle_processes() -> None:
    """End the processes of this worker that have nothing to do; they end by themselves after a while."""
    with _guard:
        children = [child for waiting in _idle.values() for child in waiting]
        _idle.clear()
    for child in children:
        child.end()


class _Child:
    """A process that trains; the first request's log takes what it says before it can answer."""

    def __init__(self, task: Mapping[str, Any]) -> None:
        self.key = _key(task)
        self.is_usable = True
        threads = task["threads"]
        count = {} if threads is None else dict.fromkeys(_THREADS, str(threads))
        folder = task["folder"] if os.path.isdir(task["folder"]) else None
        log = Path(task["request"]["log"])
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as messages:
            self._process = subprocess.Popen(
                # -P: a module of the current folder does not come before the standard library's of the same name.
                [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                env={**os.environ, **count},
                cwd=folder,
                start_new_session=True,  # Ctrl-C is for the sweep, which ends it in its own way
            )
        self._requests: Any = self._process.stdin
        self._answers: Any = self._process.stdout

    def train(self, task: Mapping[str, Any], *, is_new: bool) -> dict[str, Any] | None:
        """Return what the process answers, or what its end says; None where it had gone before it was asked."""
        started, asked = time.monotonic(), None
        with suppress(OSError):  # it has ended, which is seen below
            self._requests.write(json.dumps(task["request"]).encode() + b"\n")
            self._requests.flush()
        while not select.select([self._answers], [], [], _POLL)[0]:
            if asked is None and _is_stopped(task):
                asked, self.is_usable = time.monotonic(), False
                with suppress(OSError):
                    self._process.send_signal(signal.SIGTERM)
            elif asked is not None and time.monotonic() - asked > _GRACE:
                self._process.kill()
        line = self._answers.readline()
        seconds = time.monotonic() - started
        if line.endswith(b"\n"):
            answer = dict(json.loads(line))
            if answer["status"] == "interrupted" and asked is None:
                answer |= {"status": "failed", "reason": "it was told to end, by SIGTERM or by its own code"}
            return answer
        self.is_usable = False
        code = self._process.wait()
        if not code and not is_new:  # it had waited for too long
            return None
        if asked is not None:
            return {"status": "interrupted", "reason": "", "seconds": seconds}
        return {"status": "failed", "reason": _reason(code, Path(task["request"]["log"])), "seconds": seconds}

    def end(self) -> None:
        """Let it go, whatever it does."""
        self.is_usable = False
        with suppress(OSError):
            self._requests.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()


def _key(task: Mapping[str, Any]) -> tuple[Any, ...]:
    return (task["threads"], task["folder"], *sys.path)


def _is_stopped(task: Mapping[str, Any]) -> bool:
    return _is_orphan(task) or os.path.exists(task["stop"])


def _is_orphan(task: Mapping[str, Any]) -> bool:
    """Whether the sweep that this worker belongs to was killed."""
    return task["parent"] is not None and task["parent"] not in (os.getpid(), os.getppid())


def _reason(code: int, log: Path) -> str:
    """Say how a process ended that gave no answer, with the last line of what it said."""
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        how = f"its process was ended by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    else:
        how = f"its process ended with the exit code {code}"
    with suppress(OSError):
        lines = log.read_text(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"{how}: {last[:300]}" if last else how
    return how
