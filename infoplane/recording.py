"""A running recording: the observer of one network, its run file, and who else is told."""

import logging
import math
import shutil
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from numbers import Real
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from infoplane.analysis.errors import whole_number
from infoplane.analysis.validity.course import WINDOW
from infoplane.errors import CaptureError, InputError, RunFileError
from infoplane.findings import findings_of
from infoplane.probes.batches import Unpack
from infoplane.probes.measurement import Measurement
from infoplane.probes.nested import cloned
from infoplane.probes.observer import Observer
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.raw import RawRecorder
from infoplane.probes.schedule import Schedule
from infoplane.probes.step_sketches import StepSketches
from infoplane.probes.target import ClassTarget
from infoplane.probes.vib import VIBProbe
from infoplane.rows import (
    append_finding,
    append_measurement,
    append_pass,
    append_step_sketches,
    sites_of,
    streams_of,
)
from infoplane.runfile.forecast import forecast
from infoplane.runfile.provenance import collect_provenance
from infoplane.runfile.resume import SoFar, calls_of, check_resumable, go_on, so_far
from infoplane.runfile.stream import Stream
from infoplane.runfile.writer import RunWriter
from infoplane.scaling.report import ScalingReport
from infoplane.signals import cause, ends_recording, hold_signals, may_be_interrupted, unwatch_signals, watch_signals
from infoplane.sink import Sink

STATE_VERSION = 2
"""Of what `Recording.state_dict` returns."""

_log = logging.getLogger("infoplane")
_forecast_log = logging.getLogger("infoplane.forecast")  # to be silenced by itself


class Recording:
    """A running recording; made by `record`, used as a context manager.

    Attributes
    ----------
    path : pathlib.Path or None
        The run file.
    """

    def __init__(
        self,
        observer: Observer,
        path: Path | None,
        *,
        header: Mapping[str, Any],
        split: str,
        measure_at: Schedule,
        sinks: Sequence[Sink],
        overwrite: bool,
        resume: bool,
        flush: int,
        on_error: str,
    ) -> None:
        self.path = path
        self._scaled_at = -1
        self._driven_away: set[str] = set()
        self._observer, self._header, self._split, self._overwrite = observer, header, split, overwrite
        self._measure_at, self._sinks = measure_at, tuple(sinks)
        self._writer: RunWriter | None = None
        self._flush, self._on_error = flush, on_error
        self._resume, self._has_state = resume, False
        self._resumed: SoFar | None = None
        self._is_open, self._is_over = False, False
        self._calls, self._raw_bytes = 0, 0
        self._run, self._rows, self._measurements = "", dict[str, int](), 0
        self._measured_at: int | None = None
        self._rates: deque[NDArray[np.float64]] = deque(maxlen=WINDOW + 1)
        self._inputs = self._keys = np.empty(0, np.uint64)
        self._is_order_said = False

    @property
    def model(self) -> nn.Module:
        """The host."""
        return self._observer.model

    @property
    def step(self) -> int:
        """Steps so far: calls of `loss`, blocks of `batch`, batches of `fit`."""
        return self._observer.step

    @property
    def sees_next_step(self) -> bool:
        """Whether something is recorded of the next training forward: of the first one, and of those that are due.

        Gradients are recorded of the optimizer's steps, and are not in it.
        """
        return self._observer.sees_next_step

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites; the first step makes them final."""
        return self._observer.sites

    @property
    def probes(self) -> tuple[ProbeInfo, ...]:
        """Which probes there are, in the order of a measurement's arrays."""
        return self._observer.probes

    def __repr__(self) -> str:
        names = ", ".join(probe.name for probe in self._observer.probes)
        where = "without a file" if self.path is None else repr(str(self.path))
        return f"<Recording {where}: {names}; step {self.step}>"

    def __enter__(self) -> Self:
        if self._is_open or self._is_over:
            raise InputError("a recording is entered once; call record() again for another run")
        observer = self._observer
        observer.started, observer.said, observer.sketched = self._start, self._say, self._sketched
        observer.open()
        is_watching = False
        try:
            self._open_file()
            is_watching = True
            watch_signals()
            self._is_open = True
        except BaseException:
            observer.close()
            if self._writer is not None:
                self._writer.close()
            if is_watching:
                unwatch_signals()
            raise
        return self

    @ends_recording
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._check_open()
        status = "interrupted"
        with ExitStack() as last:  # each is done whatever becomes of the others: the file, signals, sinks
            last.callback(self._close_sinks)
            last.callback(unwatch_signals)
            try:
                self._observer.close()
                self._note("finished" if error is None else f"interrupted by {cause(error)}")
                if kind is None:
                    status = "finished"
            finally:
                self._is_open, self._is_over = False, True
                with self._to_file() as writer:
                    if writer is not None:
                        writer.close(status)

    @may_be_interrupted
    def _close_sinks(self) -> None:
        """Close all sinks, whatever becomes of one; with the file ended, one that hangs may be interrupted."""
        with ExitStack() as each:
            for sink in reversed(self._sinks):
                each.callback(sink.close)

    def loss(self, labels: Tensor | None = None) -> Tensor:
        """Let the probes learn from the training forward just made, and return what to add to the loss.

        Parameters
        ----------
        labels : torch.Tensor, optional
            Shape (n,), the integer classes of that forward's batch; with `targets` real numbers, (n, targets). If left
            out, what that forward was given as the keyword argument ``labels``, as Hugging Face's models are.

        Returns
        -------
        torch.Tensor
            A scalar. Mode ``observe``: the constant 0 without a graph. Mode ``joint``: the sum of the probes' losses in
            nats; its gradient reaches the host alone, for the probes have taken theirs already, whatever becomes of
            the loss. Mode ``bottleneck``: the sum of beta times the divergence of every bottleneck, in nats. Your
            optimizer never sees the parameters of probes beside the network.

        Raises
        ------
        CaptureError
            When there was no training forward since the last call, or more than one, or of another batch size.
        InputError
            When a label is outside the classes.
        """
        self._check_open()
        return self._observer.loss(labels)

    def skip(self) -> None:
        """Count a step of whose forward nothing is recorded, and which may have been made without the model's hooks.

        It stands in the place of the forward and of `loss`, where `sees_next_step` is False.

        Raises
        ------
        CaptureError
            When something is recorded of this step.
        """
        self._check_open()
        self._observer.skip()

    @contextmanager
    def batch(self, labels: Tensor) -> Iterator[None]:
        """Serve a loop where `loss` has no place: the probes learn from the last training forward of the block.

        Parameters
        ----------
        labels : torch.Tensor
            As for `loss`.

        Raises
        ------
        CaptureError
            When the block made no training forward, or one of another batch size.
        InputError
            In the other modes than ``observe``, which need `loss`, and when a label is outside the classes.
        """
        self._check_open()
        with self._observer.batch(labels):
            yield

    def fit(self, batches: Iterable[Any], *, epochs: int = 1, unpack: Unpack | None = None) -> None:
        """Train the probes on the network as it is: evaluation mode, no gradient in the network.

        Parameters
        ----------
        batches : iterable
            As for `measure`; passed through `epochs` times.
        epochs : int
            From 1 on.
        unpack : callable, optional
            As for `measure`.

        Raises
        ------
        InputError
            In mode ``bottleneck``, whose code is trained with the network alone; when the batches cannot be read.
        """
        self._check_open()
        for _ in range(whole_number("epochs", epochs, least=1)):
            self._observer.fit(batches, unpack=unpack)

    def snapshot(self) -> None:
        """Sketch activations and weights at the next training step, whatever `sketch_at` says.

        Under torch.distributed every rank calls it, for what they sketched is joined.
        """
        self._check_open()
        self._observer.snapshot()

    def measure(
        self,
        batches: Iterable[Any],
        *,
        epoch: float | None = None,
        fit: Iterable[Any] | None = None,
        unpack: Unpack | None = None,
        keep_inputs: bool = True,
    ) -> Measurement | None:
        """Measure on held-out data in evaluation mode, and append one row to every stream.

        Modes, buffers and random states are left as they were. torch's fused path of transformer layers is off
        meanwhile, since it calls no module inside them: where inputs are padded, the network's own output may differ a
        little from the one with that path. Under torch.distributed every rank calls it, and all
        get the measurement of all ranks' inputs; what a `DistributedSampler` has padded is not counted twice.

        Parameters
        ----------
        batches : iterable
            Such as a ``DataLoader``. A batch is ``(inputs, labels)``, where the inputs are a tensor, a tuple for
            ``model(*inputs)`` or a mapping for ``model(**inputs)``; or a mapping with its labels under "labels" or
            "label". It is moved to the network's device. With a loader that does not shuffle, the sandwich and raw
            activations of every row are of the same inputs.
        epoch : float, optional
            Kept beside the step.
        fit : iterable, optional
            Training batches, for ``record(..., refit=steps)``.
        unpack : callable, optional
            Turns a batch of another form into ``(inputs, labels)``.
        keep_inputs : bool
            Whether, with ``record(..., inputs=n)``, this row keeps what every single input gave.

        Returns
        -------
        Measurement or None
            The numbers of the row, the bounds in bit. None where `measure_at` says that this call is not due.

        Raises
        ------
        CaptureError
            Before any step of the probes, or twice at one step.
        InputError
            When the loader is empty or gives something else, or a label is outside the classes.
        """
        self._check_open()
        if epoch is not None and not isinstance(epoch, Real):
            raise InputError(f"epoch is {epoch!r}, but it must be a number")
        if not self._measure_at.due(self._calls):
            self._calls += 1
            return None
        if self._resumed is not None and not self._observer.has_started:
            raise CaptureError(
                f"measure() was called at step {self.step}, at which the recording goes on: its probes do so with the "
                "next step, and what was measured at this one is in the file"
            )
        if self._measured_at == self.step:
            raise CaptureError(f"measure() was called at step {self.step} before, and a run has one row per step")
        measurement = self._observer.measure(batches, fit=fit, unpack=unpack, keep_inputs=keep_inputs)
        self._measured_at, self._calls = self.step, self._calls + 1
        self._measurements += 1
        rates = self._comparable_rates(measurement)
        if not self._observer.ranks.rank:
            self._write(measurement, None if epoch is None else float(epoch), rates)
        return measurement

    def scaled(self, report: ScalingReport | None, *, epoch: float | None = None) -> None:
        """Append one pass of synaptic scaling to the run file, and warn where it drove a layer away from its target.

        A layer is warned of once a run, on stderr and among the events; ``away`` in the file says it of every pass.

        Parameters
        ----------
        report : ScalingReport or None
            What `SynScaW.apply`, `after_step` or `after_epoch` returned, of the object given as
            ``record(..., scaling=)``. None, where no pass was due, is nothing to append.
        epoch : float, optional
            Kept beside the step.

        Raises
        ------
        CaptureError
            Before the first step, or twice at one step.
        InputError
            When no ``scaling`` was given to `record`, or the report is of other layers.
        """
        self._check_open()
        if "scaling" not in self._header:
            raise InputError("scaled() keeps passes of synaptic scaling: give record(..., scaling=) the SynScaW object")
        if report is None:
            return
        if not isinstance(report, ScalingReport):
            raise InputError(f"scaled() takes what SynScaW.apply() returned, but it was given {type(report).__name__}")
        layers, given = tuple(self._header["scaling"]["activations"]), tuple(layer.layer for layer in report)
        if given != layers:
            raise InputError(f"the report is of the layers {given}, but the recording has {layers}")
        if not self._observer.has_started:
            when = "of this recording, which goes on with a file," if self._resumed is not None else "on,"
            raise CaptureError(f"scaled() keeps passes from the first step {when} and there was none yet")
        if self._scaled_at >= self.step:
            raise CaptureError(f"scaled() was called at step {self.step} before, and a run has one pass per step")
        self._scaled_at = self.step
        with self._to_file() as writer:
            if writer is not None:
                append_pass(writer, self.step, report, epoch=math.nan if epoch is None else float(epoch))
        for layer in report:
            if layer.away and layer.layer not in self._driven_away:
                self._driven_away.add(layer.layer)
                self._say(
                    f"SynScaW drove the activity of {layer.layer} from {layer.zbar_before:.7g} to "
                    f"{layer.zbar_after:.7g}, away from its target {layer.target:.4g}"
                )

    def event(self, text: str) -> None:
        """Note what happened to the training, in one sentence of at most 200 bytes, with its step and time.

        From the first step on; what is longer is cut.
        """
        self._check_open()
        if not self._observer.has_started:
            raise CaptureError("event() notes what happened from the first step on, and there was none yet")
        self._note(text)

    def probe(self, site: str, *, host: str = "trained", beta: float | None = None, scale: float = 1.0) -> VIBProbe:
        """Return the probe at one site.

        Parameters
        ----------
        site : str
            Its name.
        host : {"trained", "untrained", "refitted"}
            The probe itself, that of the control, or the one fitted at the last measurement.
        beta, scale : float
            Which of several; the first beta and no scale twin where nothing is said. A scale twin takes the activation
            times its scale.

        Raises
        ------
        SiteError
            When there is no such probe, or none yet: probes are built at the first step.
        """
        return self._observer.probe(site, host=host, beta=beta, scale=scale)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps for `load_state_dict`, so that rows go on as if the training had not stopped.

        Take it between steps, after `measure` where both fall together, beside the states of your network, optimizer
        and whatever random states your training reads: on one machine, on a CPU, the rows are then the same bit for
        bit. It holds the probes with their optimizers and averages, with ``control=True`` the untrained network, and
        what was counted since the last row. Probes of ``refit`` are not kept, for the next measurement fits others.
        Rows that `flush` has kept back are written out first, so that the file is never behind the state. The state
        names the run that it is of.

        Under torch.distributed the probes are the same on every rank, but the inputs left out since the last row, and
        the gradients of a step not taken yet, are each rank's own: keep and load one state a rank. One state for all is
        right where nothing was left out and the probes' step has just been taken.

        Returns
        -------
        dict of str to object
            Copies, of tensors, numbers, strings, lists and dictionaries alone: ``torch.save`` and
            ``torch.load(..., weights_only=True)`` keep it whole.
        """
        with self._to_file() as writer:
            if writer is not None and writer.is_started:
                writer.commit()
                self._rows = writer.rows
        with torch.inference_mode(False):
            kept: dict[str, Any] = cloned(
                {
                    "version": STATE_VERSION,
                    "observer": self._observer.state_dict(),
                    "calls": self._calls,
                    "raw_bytes": self._raw_bytes,
                    "rates": [torch.from_numpy(np.array(row)) for row in self._rates],
                    "keys": torch.from_numpy(self._keys.astype(np.int64)),
                    "is_order_said": self._is_order_said,
                    "driven_away": sorted(self._driven_away),
                    "run": self._run,
                    "rows": {**self._rows, "plane": self._measurements},
                }
            )
        return kept

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state: call it at once inside the ``with``, the network's own weights loaded before.

        Parameters
        ----------
        state : mapping
            As `state_dict` returned it, of a recording with the same network, sites and settings, on any device. With
            a file to resume, of the run of that file or of a copy.

        Raises
        ------
        InputError
            When it is no such state, of another recording, of another run than the file to resume, or after the first
            training forward. Other sites show at the first step, and a control of another network at the first forward:
            it is said there.
        """
        self._check_open()
        version = state.get("version") if isinstance(state, Mapping) else None
        if version != STATE_VERSION:
            what = "is no state of a recording" if version is None else f"has version {version!r}"
            raise InputError(
                f"what load_state_dict() was given {what}: it takes what Recording.state_dict() returned, of version "
                f"{STATE_VERSION}"
            )
        if state["run"] and self._run and state["run"] != self._run:
            raise InputError(
                f"{self.path}: the state is of another run, begun at {state['run']}, but this file was begun at "
                f"{self._run}: load the state that was kept with this file, or record to another path"
            )
        with torch.inference_mode(False):
            own = cloned(dict(state))
            self._observer.load_state_dict(own["observer"])
        self._calls, self._raw_bytes = own["calls"], own["raw_bytes"]
        self._rates = deque((row.cpu().numpy() for row in own["rates"]), maxlen=WINDOW + 1)
        self._keys = own["keys"].cpu().numpy().astype(np.uint64)  # torch has few operations for them
        self._inputs = np.sort(self._keys)
        self._is_order_said = own["is_order_said"]
        self._driven_away = set(own["driven_away"])
        self._rows, self._measurements = own["rows"], own["rows"]["plane"]
        self._has_state = True

    def _write(self, measurement: Measurement, epoch: float | None, rates: NDArray[np.float64]) -> None:
        probes = self._observer.probes
        raw_inputs = self._observer.plan.raw if self._has_room() else 0
        with self._to_file() as writer:
            if writer is not None:
                append_measurement(
                    writer,
                    measurement,
                    epoch=math.nan if epoch is None else epoch,
                    raw_inputs=raw_inputs,
                    inputs=self._observer.plan.inputs,
                )
                has_classes = isinstance(self._observer.plan.target, ClassTarget)
                for stream, finding in findings_of(measurement, probes, rates=rates, has_classes=has_classes):
                    append_finding(writer, measurement.step, stream, finding)
        for sink in self._sinks:
            sink.measurement(measurement, probes, epoch=epoch)

    def _has_room(self) -> bool:
        """Whether another row of raw activations stays within the limit; the first that does not is said."""
        plan = self._observer.plan
        if not plan.raw:
            return False
        had_room = self._raw_bytes <= plan.raw_bytes
        self._raw_bytes += RawRecorder(plan.raw, plan.raw_bytes).row_bytes(self._observer.widths)
        has_room = self._raw_bytes <= plan.raw_bytes
        if had_room and not has_room:
            self._say("raw activations have reached raw_bytes, and no more of them are kept")
        return has_room

    def _comparable_rates(self, measurement: Measurement) -> NDArray[np.float64]:
        """Return the rates (rows, probes) up to this row since the inputs last changed, as many as are looked at."""
        keys, before = measurement.input_keys, self._keys
        inputs, self._keys = np.sort(keys), keys
        if not np.array_equal(inputs, self._inputs):
            self._rates.clear()
            self._inputs = inputs
        elif not np.array_equal(keys, before) and not self._is_order_said:
            self._is_order_said = True
            self._say(
                "the held-out inputs came in another order than before, so that the sandwich and raw activations are "
                "of other inputs in every row: give a loader that does not shuffle"
            )
        self._rates.append(measurement.bounds.i_zx)
        return np.array(self._rates)

    @contextmanager
    def _to_file(self) -> Iterator[RunWriter | None]:
        """Give the writer, hold signals back meanwhile, and part with a file that cannot be written any more."""
        writer = self._writer
        with hold_signals():
            try:
                yield writer
            except RunFileError as error:
                if writer is None or not writer.is_over:
                    raise
                self._writer = None
                if self._on_error == "raise":
                    raise
                _log.warning("%s; the training goes on without it", error)

    def _check_open(self) -> None:
        if not self._is_open:
            if self._is_over:
                raise InputError("the recording is over: call infoplane.record() again for another run")
            raise InputError("the recording has not begun: use it inside 'with infoplane.record(...) as rec:'")

    def _open_file(self) -> None:
        """Take the file, on the first rank, and begin on all of them where a file to resume has ended."""
        observer, refusal = self._observer, None
        if self.path is not None and not observer.ranks.rank:
            try:
                self._writer = RunWriter(self.path, overwrite=self._overwrite, resume=self._resume, flush=self._flush)
                if self._writer.resumed is not None:
                    check_resumable(self._writer.resumed, self._header)
                    self._resumed = so_far(self._writer.resumed)
            except RunFileError as error:
                refusal = error
        if self._resume:  # or the other ranks would wait for a first one that has stopped
            refusal, self._resumed = observer.ranks.gather((refusal, self._resumed))[0]
        if refusal is not None:
            raise refusal
        if self._resumed is not None:
            observer.begin_at(self._resumed.steps)
            self._run, self._measurements = self._resumed.run, self._resumed.measurements
            self._calls = calls_of(self._measure_at, self._measurements, most=self._resumed.steps)

    def _start(self) -> None:
        observer, plan = self._observer, self._observer.plan
        anew = None if self._has_state else self._resumed
        if anew is not None and plan.raw:
            self._raw_bytes = anew.raw_rows * RawRecorder(plan.raw, plan.raw_bytes).row_bytes(observer.widths)
        streams = streams_of(observer, split=self._split, scaling=self._header.get("scaling"))
        noted, warned = ["recording began"], list[str]()
        if self._resumed is None:
            self._measurements = 0
            if self._has_state and self.step and self.path is not None:
                warned = [f"the state is of step {self.step}, but this file begins here: it has no earlier rows"]
        with hold_signals():  # a file that has begun says so, also where a signal ends it at once
            with self._to_file() as writer:
                if writer is not None:
                    provenance = {
                        **collect_provenance(),
                        **self._header,
                        "model": f"{type(observer.model).__module__}.{type(observer.model).__qualname__}",
                        "parameters": sum(p.numel() for p in observer.model.parameters()),
                        "device": str(observer.device),
                        "ranks": observer.ranks.world,
                        "sites": sites_of(observer),
                    }
                    if writer.resumed is None:
                        writer.start(streams, provenance)
                    else:
                        rows = self._rows if self._has_state else {}
                        noted, warned = go_on(writer, streams, provenance, step=self.step, rows=rows)
                        self._measurements = writer.rows["plane"]
                    self._run = writer.identity
                    self._foretell(writer, streams)
            for text in noted:
                self._note(text)
            for text in warned:
                self._say(text)
        if anew is not None:
            what = "label normals" if plan.settings.mode == "bottleneck" else "probes"
            self._say(f"{what} began anew at step {self.step}: no state was given to load_state_dict()")

    def _foretell(self, writer: RunWriter, streams: Sequence[Stream]) -> None:
        """Say on stderr how large the file will get."""
        plan, path = self._observer.plan, writer.path
        raw_bytes = plan.raw_bytes - self._raw_bytes
        try:
            foretold = forecast(streams, start_bytes=path.stat().st_size, raw_bytes=raw_bytes)
            free = shutil.disk_usage(path.parent).free
        except OSError:
            return  # it was deleted in this moment, which the next row says
        _forecast_log.warning("%s", foretold.sentence(path.name, plan.sketch_at, free))

    def _say(self, text: str) -> None:
        """Tell the user once, on stderr, and keep it among the events."""
        if not self._observer.ranks.rank:
            _log.warning("%s", text)
            self._note(text)

    def _note(self, text: str) -> None:
        """Keep it among the events, once there is a file."""
        with self._to_file() as writer:
            if writer is not None and writer.is_started:
                writer.append("events", None, step=self.step, time=time.time(), text=text)

    def _sketched(self, sketches: StepSketches) -> None:
        with self._to_file() as writer:
            if writer is not None:
                append_step_sketches(writer, sketches)
