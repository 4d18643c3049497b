"""One training of several side by side: its session, its recording, and what became of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from torch import nn

from infoplane.errors import InfoplaneError
from infoplane.probes.measurement import Measurement
from infoplane.recording import Recording
from infoplane.training.going_on import Beginning
from infoplane.training.module_hooks import OwnHooks
from infoplane.training.random_state import random_state, set_random_state
from infoplane.training.session import Session


class Member:
    """One training of a group.

    Parameters
    ----------
    number : int
        Which it is.
    session : Session
        Its parts.
    beginning : Beginning
        How it begins.
    random : dict
        The global random states that it has.

    Attributes
    ----------
    found : list of Measurement
        What was measured.
    failure : InfoplaneError or None
        Why it ended too early.
    hooks : OwnHooks
        Those of its recording.
    """

    def __init__(self, number: int, session: Session, beginning: Beginning, random: dict[str, Any]) -> None:
        self.number, self.session, self.beginning, self.random = number, session, beginning, random
        self.found: list[Measurement] = []
        self.failure: InfoplaneError | None = None
        self.rec: Recording
        self.hooks = OwnHooks()
        self._is_open = False

    @property
    def model(self) -> nn.Module:
        """The network."""
        return self.session.parts.model

    def __enter__(self) -> Self:
        self.rec = self.session.recording(self.beginning, self.beginning.checkpoint is not None)
        with self.hooks.around():
            self.rec.__enter__()
        self._is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open:
            self._is_open = False
            self.rec.__exit__(kind, error, trace)

    def close(self, error: BaseException | None) -> None:
        """End the recording, as interrupted by `error`; once."""
        self.__exit__(None if error is None else type(error), error, None if error is None else error.__traceback__)

    @contextmanager
    def own_random_state(self) -> Iterator[None]:
        """Have the global random states that this training would have alone."""
        device = self.session.where.device
        set_random_state(self.random, device)
        try:
            yield
        finally:
            self.random = random_state(device)
