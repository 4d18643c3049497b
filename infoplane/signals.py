"""Signals that ask a recording to end: they end it cleanly, and never in the middle of a row.

While a recording is open SIGTERM raises SystemExit, which leaves the ``with`` as Ctrl-C does and ends the process with
143, the exit code that a shell gives to one that died by it; SIGINT raises KeyboardInterrupt as always. Inside
`hold_signals`, and while a recording ends (`ends_recording`), both wait: who sends one signal often sends the next
within a millisecond, and the file must be ended all the same. A signal for which the program has set a handler of its
own, or which it ignores, is left alone, and so are forks.
"""

import inspect
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType
from typing import Any, TypeVar, cast

_F = TypeVar("_F", bound=Callable[..., Any])


class _Watch:
    def __init__(self) -> None:
        self.before: dict[int, Any] = {}  # until they are set again, which the main thread alone can do
        self.holds = 0
        self.begin()

    def begin(self) -> None:
        self.users = 0
        self.waiting: list[int] = []
        self.raised: BaseException | None = None
        self.name = ""


_DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
_watch = _Watch()
_endings: set[CodeType] = set()
_interruptible: set[CodeType] = set()


def watch_signals() -> None:
    """Let signals end what is being recorded; once for each recording, and in the main thread alone."""
    _watch.users += 1
    if threading.current_thread() is threading.main_thread():
        for number, default in _DEFAULTS.items():
            if signal.getsignal(number) == default:
                _watch.before[number] = default  # first, or a signal in between could not be undone
                signal.signal(number, _on_signal)


def ends_recording(function: _F) -> _F:
    """Mark a function in which, and in all that it calls, signals wait for `unwatch_signals`.

    To hold them in its first line would be too late: Python handles signals as it enters a function, before that line.
    """
    _endings.add(cast(FunctionType, function).__code__)
    return function


def may_be_interrupted(function: _F) -> _F:
    """Mark a function in which, though one that `ends_recording` calls it, signals come at once."""
    _interruptible.add(cast(FunctionType, function).__code__)
    return function


@ends_recording
def unwatch_signals() -> None:
    """Undo one `watch_signals`; after the last the handlers are as they were. A signal that waited comes now."""
    _watch.users -= 1
    if _watch.users <= 0:
        try:
            _set_back()
        finally:
            waiting = _watch.waiting
            _watch.begin()
        if waiting and threading.current_thread() is threading.main_thread():
            raise _exception_of(waiting[0])
    elif not _watch.holds and threading.current_thread() is threading.main_thread():
        _end_by_waiting()


@contextmanager
def hold_signals() -> Iterator[None]:
    """Let signals wait until the block is done, and where it is in a function that `ends_recording`, until that is."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return
    _watch.holds += 1
    try:
        yield
    finally:
        _watch.holds = max(0, _watch.holds - 1)  # none is left in a fork
        if not _watch.holds and _watch.waiting and not _is_ending(inspect.currentframe()):
            _end_by_waiting()


def cause(error: BaseException) -> str:
    """Return the name of the signal that has raised this exception, or else its class."""
    return _watch.name if error is _watch.raised else type(error).__name__


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _watch.users <= 0:  # the last recording ended in another thread, which cannot set handlers
        _set_back()
        if signal.getsignal(number) == _DEFAULTS[signal.Signals(number)]:
            signal.raise_signal(number)
        else:
            raise _exception_of(number)
    elif _watch.holds or _is_ending(frame):
        _watch.waiting.append(number)
    else:
        _end_by(number)


def _is_ending(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code not in _interruptible:
        if frame.f_code in _endings:
            return True
        frame = frame.f_back
    return False


def _end_by_waiting() -> None:
    if _watch.waiting:
        number = _watch.waiting[0]
        _watch.waiting.clear()
        _end_by(number)


def _end_by(number: int) -> None:
    _watch.name = signal.Signals(number).name
    _watch.raised = _exception_of(number)
    raise _watch.raised


def _exception_of(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)


def _set_back() -> None:
    """Set the handlers that were there before, SIGTERM first: from then on SIGINT may raise at any place."""
    for number, before in reversed(tuple(_watch.before.items())):
        try:
            if signal.getsignal(number) == _on_signal:
                signal.signal(number, before)
        except ValueError:  # of a recording that ends in another thread: the next signal sets them back
            continue
        del _watch.before[number]


def _forget_in_fork() -> None:
    _set_back()
    _watch.holds = 0
    _watch.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_fork)
