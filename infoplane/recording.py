"""`record(...)`: probes, recorders and a run file around any training loop, in one context manager."""

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from numbers import Real
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from infoplane.analysis.errors import whole_number
from infoplane.analysis.validity.course import WINDOW
from infoplane.errors import CaptureError, InputError
from infoplane.findings import findings_of
from infoplane.probes.measurement import Measurement
from infoplane.probes.observer import Observer
from infoplane.probes.sites import select_sites
from infoplane.probes.vib import VIBProbe, VIBSettings
from infoplane.rows import append_finding, append_measurement, probes_of, streams_of
from infoplane.runfile.provenance import collect_provenance
from infoplane.runfile.writer import RunWriter


def record(
    model: nn.Module,
    path: str | PathLike[str],
    *,
    sites: str | Sequence[str],
    classes: int,
    mode: str = "observe",
    latent: int = 256,
    beta: float = 1e-3,
    draws: int = 12,
    learning_rate: float = 1e-3,
    probe_every: int = 1,
    control: bool = False,
    activations: bool = True,
    weights: bool = True,
    seed: int = 0,
    split: str = "test",
    configuration: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> "Recording":
    """Put probes and recorders on `model` and stream what they measure to one run file.

    Parameters
    ----------
    model : torch.nn.Module
        The host, unchanged by mode ``observe``: its training is bit-identical with and without the recording.
    path : path-like
        The run file to create (HDF5).
    sites : str or sequence of str
        Modules whose outputs are observed, by name or glob (``*`` within a dotted component, ``**`` across).
    classes : int
        Number of labels; labels are integers in 0 .. classes - 1.
    mode : {"observe", "joint"}
        ``observe``: the probes learn beside the host and no gradient reaches it. ``joint``: their loss is added to
        the host's, which trains both (the paper's Fig. 5).
    latent : int
        N, the dimensions of each probe's code.
    beta : float
        Weight of the divergence in the probes' loss (Eq. 13), both terms in the same unit.
    draws : int
        Draws of the code per input when measuring.
    learning_rate : float
        Of the probes' own Adam.
    probe_every : int
        The probes' optimizer steps at every `probe_every`-th step. With gradient accumulation over k batches give k:
        then it takes one step per step of the host.
    control : bool
        Also train the same probes on a frozen copy of the host as it is before its first training forward. A
        probe's curve is mostly its own training; only the difference from this one is the host's.
    activations, weights : bool
        Whether every measurement sketches the sites' activations and the weight matrices.
    seed : int
        Of the probes. The global random state is neither read nor changed.
    split : str
        What the loader given to `Recording.measure` holds; written beside every number.
    configuration : mapping, optional
        Your own settings, kept in the file as JSON.
    data : mapping, optional
        Name, hash, or whatever identifies the data set, kept in the file.
    overwrite : bool
        Replace an existing file.

    Returns
    -------
    Recording
        A context manager. Inside it: `Recording.loss` at every step, `Recording.measure` for every row.

    Raises
    ------
    SiteError
        When a site is unknown.
    InputError
        When another argument cannot be used.
    RunFileError
        When the file exists or cannot be created (on entering the context).
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"record() observes a torch.nn.Module, but it was given a {type(model).__name__}")
    classes = whole_number("classes", classes, least=2)
    probe_every = whole_number("probe_every", probe_every, least=1)
    seed = whole_number("seed", seed, least=0, most=2**63 - 1)
    settings = VIBSettings(mode=mode, latent=latent, beta=beta, draws=draws, learning_rate=learning_rate)
    observer = Observer(
        model,
        select_sites(model, sites),
        classes=classes,
        settings=settings,
        probe_every=probe_every,
        control=control,
        activations=activations,
        weights=weights,
        seed=seed,
    )
    header = {
        "configuration": dict(configuration or {}),
        "data": dict(data or {}),
        "probes": {**asdict(settings), "classes": classes, "probe_every": probe_every, "control": control},
        "seed": seed,
    }
    return Recording(observer, Path(path), header=header, split=split, overwrite=overwrite)


class Recording:
    """A running recording; made by `record`, used as a context manager.

    Attributes
    ----------
    path : pathlib.Path
        The run file.
    """

    def __init__(
        self, observer: Observer, path: Path, *, header: Mapping[str, Any], split: str, overwrite: bool
    ) -> None:
        self.path = path
        self._observer, self._header, self._split, self._overwrite = observer, header, split, overwrite
        self._writer: RunWriter | None = None
        self._closed = False
        self._measured_at: int | None = None
        self._rates: deque[NDArray[np.float64]] = deque(maxlen=WINDOW + 1)
        self._inputs = np.empty(0, np.uint64)

    @property
    def model(self) -> nn.Module:
        """The host."""
        return self._observer.model

    @property
    def step(self) -> int:
        """Steps so far: calls of `loss`, or blocks of `batch`."""
        return self._observer.step

    def __repr__(self) -> str:
        return f"<Recording {str(self.path)!r}: {', '.join(self._observer.probe_names)}; step {self.step}>"

    def __enter__(self) -> Self:
        if self._writer is not None:
            raise InputError("a recording is entered once; call record() again for another run")
        self._writer = RunWriter(self.path, overwrite=self._overwrite)
        self._observer.started = self._start
        self._observer.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        writer = self._entered()
        status = "interrupted"
        try:
            self._observer.close()
            if self._observer.has_started:
                self.event("finished" if kind is None else f"interrupted by {kind.__name__}")
            if kind is None:
                status = "finished"
        finally:
            self._closed = True
            writer.close(status)

    def loss(self, labels: Tensor) -> Tensor:
        """Let the probes learn from the training forward just made, and return what to add to the loss.

        Parameters
        ----------
        labels : torch.Tensor
            Shape (n,), the integer classes of that forward's batch.

        Returns
        -------
        torch.Tensor
            A scalar. Mode ``observe``: the constant 0 without a graph; the probes have taken their own step. Mode
            ``joint``: the sum of the probes' losses in nats with its graph; the probes take their step once the
            loss it was added to has been differentiated. Your optimizer never sees their parameters.

        Raises
        ------
        CaptureError
            When there was no training forward since the last call, or more than one, or of another batch size.
        InputError
            When a label is outside the classes.
        """
        self._entered()
        return self._observer.loss(labels)

    @contextmanager
    def batch(self, labels: Tensor) -> Iterator[None]:
        """Serve a loop where `loss` has no place: the probes learn from the last training forward of the block.

        Parameters
        ----------
        labels : torch.Tensor
            Shape (n,), the integer classes of the batch that the block trains on.

        Raises
        ------
        CaptureError
            When the block made no training forward, or one of another batch size.
        InputError
            In mode ``joint``, which needs `loss`, and when a label is outside the classes.
        """
        self._entered()
        with self._observer.batch(labels):
            yield

    def measure(self, batches: Iterable[Any], *, epoch: float | None = None) -> Measurement:
        """Measure on held-out data in evaluation mode, and append one row to every stream.

        Modes, buffers and random states are left as they were.

        Parameters
        ----------
        batches : iterable of (inputs, labels)
            Such as a ``DataLoader``; two tensors a batch, moved to the network's device.
        epoch : float, optional
            Kept beside the step.

        Returns
        -------
        Measurement
            The numbers of the row, the bounds in bit.

        Raises
        ------
        CaptureError
            Before any step of the probes, or twice at one step.
        InputError
            When the loader is empty or gives something else, or a label is outside the classes.
        """
        writer = self._entered()
        if epoch is not None and not isinstance(epoch, Real):
            raise InputError(f"epoch is {epoch!r}, but it must be a number")
        if self._measured_at == self.step:
            raise CaptureError(f"measure() was called at step {self.step} before, and a run has one row per step")
        measurement = self._observer.measure(batches)
        at = math.nan if epoch is None else float(epoch)
        append_measurement(writer, measurement, epoch=at, updates=self._observer.updates)
        self._measured_at = self.step
        rates = self._comparable_rates(measurement)
        for stream, finding in findings_of(measurement, probes_of(self._observer), rates=rates):
            append_finding(writer, measurement.step, stream, finding)
        return measurement

    def event(self, text: str) -> None:
        """Note what happened to the training, in one sentence of at most 200 bytes, with its step and time."""
        self._entered().append("events", None, step=self.step, time=time.time(), text=text)

    def probe(self, site: str, *, host: str = "trained") -> VIBProbe:
        """Return the probe at one site; with ``host="untrained"`` that of the control.

        Raises
        ------
        SiteError
            When there is no such probe, or none yet: probes are built at the first training forward.
        """
        return self._observer.probe(site, host)

    def _comparable_rates(self, measurement: Measurement) -> NDArray[np.float64]:
        """Return the rates (rows, probes) up to this row since the inputs last changed, as many as are looked at."""
        inputs = np.sort(measurement.input_keys)
        if not np.array_equal(inputs, self._inputs):
            self._rates.clear()
            self._inputs = inputs
        self._rates.append(measurement.bounds.i_zx)
        return np.array(self._rates)

    def _entered(self) -> RunWriter:
        if self._writer is None or self._closed:
            when = "is over" if self._closed else "has not begun"
            raise InputError(f"the recording {when}: use it inside 'with infoplane.record(...) as rec:'")
        return self._writer

    def _start(self) -> None:
        writer, observer = self._entered(), self._observer
        provenance = {
            **collect_provenance(),
            **self._header,
            "model": f"{type(observer.model).__module__}.{type(observer.model).__qualname__}",
            "parameters": sum(p.numel() for p in observer.model.parameters()),
            "device": str(observer.device),
        }
        writer.start(streams_of(observer, split=self._split), provenance)
        self.event("recording began")
