"""`record(...)`: probes, recorders and a run file around any training loop, in one context manager."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from torch import Tensor, nn

from infoplane.analysis.sketch import SketchSummary
from infoplane.errors import InputError
from infoplane.findings import findings_of
from infoplane.probes.observer import Measurement, Observer
from infoplane.probes.sites import select_sites
from infoplane.probes.vib import VIBProbe, VIBSettings
from infoplane.runfile.provenance import collect_provenance
from infoplane.runfile.schema import PLANE_QUANTITIES, ProbeInfo, run_streams
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
        The probes learn at every `probe_every`-th step. With gradient accumulation over k batches give k: then they
        take one step per step of the host.
    control : bool
        Also train the same probes on a frozen copy of the host as it is now. A probe's curve is mostly its own
        training; only the difference from this one is the host's.
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
    if isinstance(classes, bool) or not isinstance(classes, int) or classes < 2:
        raise InputError(f"classes is {classes!r}, but it must be a whole number of at least 2")
    if isinstance(probe_every, bool) or not isinstance(probe_every, int) or probe_every < 1:
        raise InputError(f"probe_every is {probe_every!r}, but it must be a whole number of at least 1")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"seed is {seed!r}, but it must be a whole number of at least 0")
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
    configuration = {
        **(configuration or {}),
        "probes": {**asdict(settings), "classes": classes, "probe_every": probe_every, "control": control},
    }
    header = {"configuration": configuration, "data": dict(data or {}), "seed": seed}
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

    @property
    def model(self) -> nn.Module:
        """The host."""
        return self._observer.model

    @property
    def step(self) -> int:
        """Steps so far: calls of `loss`, or blocks of `batch`."""
        return self._observer.step

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
        self._observer.close()
        if self._writer is None:
            return
        if self._observer.has_started:
            self._event(self._writer, "finished" if kind is None else f"interrupted by {kind.__name__}")
        self._writer.close("finished" if kind is None else "interrupted")

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
            Before any step.
        InputError
            When the loader is empty or gives something else, or a label is outside the classes.
        """
        writer = self._entered()
        measurement = self._observer.measure(batches)
        _write(
            writer,
            measurement,
            epoch=float("nan") if epoch is None else float(epoch),
            updates=self._observer.updates,
        )
        for finding in findings_of(measurement, self._observer.probe_names):
            writer.append("findings", None, step=measurement.step, **asdict(finding))
        return measurement

    def probe(self, site: str, *, host: str = "trained") -> VIBProbe:
        """Return the probe at one site; with ``host="untrained"`` that of the control.

        Raises
        ------
        SiteError
            When there is no such probe, or none yet: probes are built at the first training forward.
        """
        return self._observer.probe(site, host)

    def _entered(self) -> RunWriter:
        if self._writer is None:
            raise InputError("the recording has not begun: use it as 'with infoplane.record(...) as rec:'")
        return self._writer

    def _start(self) -> None:
        writer, observer = self._entered(), self._observer
        settings = observer.settings
        streams = run_streams(
            probes=[
                ProbeInfo(name=name, site=site, host=host, beta=settings.beta, latent=settings.latent)
                for name, (host, site) in zip(observer.probe_names, observer.probe_places, strict=True)
            ],
            sites=observer.sites if observer.record_activations else (),
            parameters=observer.weight_recorder.names if observer.weight_recorder else (),
            metrics={"loss": "bit", "error": "1"} if observer.gives_logits else None,
            split=self._split,
            attrs={
                "draws": settings.draws,
                "probe_mode": settings.mode,
                "reduction": "flatten",
                "seed": self._header["seed"],
            },
        )
        provenance = {
            **collect_provenance(),
            **self._header,
            "model": f"{type(observer.model).__module__}.{type(observer.model).__qualname__}",
            "parameters": sum(p.numel() for p in observer.model.parameters()),
            "device": str(observer.device),
        }
        writer.start(streams, provenance)
        self._event(writer, "recording began")

    def _event(self, writer: RunWriter, text: str) -> None:
        writer.append("events", None, step=self.step, time=time.time(), text=text)


def _write(writer: RunWriter, measurement: Measurement, *, epoch: float, updates: int) -> None:
    """Append one measurement to every stream that the run has."""
    bounds, step = measurement.bounds, measurement.step
    by_name = {
        "i_zx": bounds.i_zx,
        "i_zy": bounds.i_zy,
        "h_y": np.full(len(bounds.i_zx), bounds.h_y),
        "ce": bounds.ce,
        "error": bounds.error,
        "se_i_zx": bounds.se_i_zx,
        "se_i_zy": bounds.se_i_zy,
    }
    writer.append(
        "plane",
        step,
        epoch=epoch,
        n=bounds.n,
        updates=updates,
        values=np.stack([by_name[name] for name in PLANE_QUANTITIES], axis=1),
        covariance_i_zx=bounds.covariance_i_zx,
        covariance_i_zy=bounds.covariance_i_zy,
    )
    for stream, sketches in (("activations", measurement.activations), ("weights", measurement.weights)):
        if sketches:
            writer.append(stream, step, epoch=epoch, **_stacked(sketches))
    if measurement.loss is not None and measurement.error is not None:
        values = np.array([measurement.loss, measurement.error])
        writer.append("metrics", step, epoch=epoch, time=time.time(), values=values)


def _stacked(sketches: Mapping[str, SketchSummary]) -> dict[str, Any]:
    return {
        "counts": np.stack([s.counts for s in sketches.values()]),
        "scalars": np.stack([s.scalars for s in sketches.values()]),
    }
