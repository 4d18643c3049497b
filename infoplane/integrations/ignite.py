"""A recording on an ignite Engine.

Open a recording around the run and attach its handler to the trainer::

    with infoplane.record(model, "run.h5", sites=["fc1", "fc2"], classes=10) as rec:
        InfoplaneHandler(rec, held_out).attach(trainer)
        trainer.run(train_loader, max_epochs=10)

The ``with`` block closes the recording whatever happens: with a handler of ``EXCEPTION_RAISED``, ignite would swallow
the exception. Probes learn from the last training forward of every iteration.
"""

from collections.abc import Iterable
from typing import Any

from infoplane.analysis.importing import importing
from infoplane.probes.batches import Unpack, read_batches
from infoplane.recording import Recording

with importing("the handler of ignite", extra="ignite"):
    from ignite.engine import Engine, Events


class InfoplaneHandler:
    """Lets the probes of a recording learn at every iteration of an ``Engine``, and measures after every epoch.

    Parameters
    ----------
    rec : Recording
        Running, of the network that the engine trains.
    loader : iterable
        Held-out batches to measure on.
    fit : iterable, optional
        Training batches for the fresh probes of ``record(..., refit=steps)``.
    unpack : callable, optional
        Makes ``(inputs, labels)`` of a batch that is neither that nor a mapping with ``"labels"``.
    """

    def __init__(
        self,
        rec: Recording,
        loader: Iterable[Any],
        *,
        fit: Iterable[Any] | None = None,
        unpack: Unpack | None = None,
    ) -> None:
        self._rec, self._loader, self._fit, self._unpack = rec, loader, fit, unpack

    def attach(self, engine: Engine) -> None:
        """Follow the events of `engine`."""
        engine.add_event_handler(Events.ITERATION_STARTED, self._begin)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._end)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._measure)

    def _begin(self, engine: Engine) -> None:
        [batch] = read_batches([engine.state.batch], unpack=self._unpack)
        self._iteration = self._rec.batch(batch.labels)
        self._iteration.__enter__()

    def _end(self, engine: Engine) -> None:
        self._iteration.__exit__(None, None, None)

    def _measure(self, engine: Engine) -> None:
        self._rec.measure(self._loader, epoch=engine.state.epoch, fit=self._fit, unpack=self._unpack)
