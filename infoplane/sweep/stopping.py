"""How a sweep is stopped: the first Ctrl-C or SIGTERM lets running points end cleanly, the second one ends at once."""

import logging
import os
import signal
import threading
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self
from uuid import uuid4

_log = logging.getLogger("infoplane")


class Stop:
    """Whether the sweep is to stop, and the file in its folder that says so to the workers, on whatever machine.

    Used as a context manager. Signals for which the program has handlers of its own are left alone, and so are threads
    but the main one.

    Parameters
    ----------
    folder : pathlib.Path
        Of the run files.

    Attributes
    ----------
    signal : int or None
        By which it was stopped.
    """

    def __init__(self, folder: Path) -> None:
        self.signal: int | None = None
        self._folder = folder
        self._files: list[Path] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number, default in {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}.items():
                if signal.getsignal(number) == default:
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        if error is None:
            for file in self._files:
                file.unlink(missing_ok=True)
        else:
            self.stop_workers()  # whoever is still at work; a later sweep looks for a file of another name

    def new_file(self) -> Path:
        """Return the file that stops the workers which are told of it."""
        self._files.append(self._folder / f".stop-{uuid4().hex[:12]}")
        return self._files[-1]

    def stop_workers(self) -> None:
        """Let running points end as interrupted."""
        for file in self._files:
            file.touch()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:
            self._restore()
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
        self.signal = number
        self.stop_workers()
        os.write(2, b"\ninfoplane: running points end after their step; once more ends them at once\n")

    def _restore(self) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()
