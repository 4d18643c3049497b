"""Signals that ask a recording to end: they end it cleanly, and never in the middle of a row.

While a recording is open SIGTERM raises SystemExit, which leaves the ``with`` as Ctrl-C does and ends the process with
143, the exit code that a shell gives to one that died by it; SIGINT raises KeyboardInterrupt as always. Inside
`hold_signals` both wait. A signal for which the program has set a handler of its own, or which it ignores, is left
alone, and so are forks.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Never


class _Watch:
    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.users = self.holds = 0
        self.waiting: list[int] = []
        self.before: dict[int, Any] = {}
        self.raised: BaseException | None = None
        self.name = ""


_DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
_watch = _Watch()


def watch_signals() -> None:
    """Let signals end what is being recorded; once for each recording, and in the main thread alone."""
    _watch.users += 1
    if threading.current_thread() is threading.main_thread():
        for number, default in _DEFAULTS.items():
            if signal.getsignal(number) == default:
                _watch.before[number] = signal.signal(number, _on_signal)


def unwatch_signals() -> None:
    """Undo one `watch_signals`; after the last the handlers are as they were."""
    _watch.users -= 1
    if _watch.users <= 0:
        _restore()


@contextmanager
def hold_signals() -> Iterator[None]:
    """Let signals wait until the block is done."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    _watch.holds += 1
    try:
        yield
    finally:
        _watch.holds -= 1
        if not _watch.holds and _watch.waiting:
            number = _watch.waiting[0]
            _watch.waiting.clear()
            _end_by(number)


def cause(error: BaseException) -> str:
    """Return the name of the signal that has raised this exception, or else its class."""
    return _watch.name if error is _watch.raised else type(error).__name__


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _watch.holds:
        _watch.waiting.append(number)
    else:
        _end_by(number)


def _end_by(number: int) -> Never:
    _watch.name = signal.Signals(number).name
    _watch.raised = KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)
    raise _watch.raised


def _restore() -> None:
    for number, before in _watch.before.items():
        if signal.getsignal(number) == _on_signal:
            with suppress(ValueError):  # of a recording that ends in another thread
                signal.signal(number, before)
    _watch.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restore)
