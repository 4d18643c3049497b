"""What a recording writes: its streams, and the rows of one measurement."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.finding import Finding
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.each_input import EachInput
from infoplane.probes.measurement import Measurement
from infoplane.probes.observer import Observer
from infoplane.probes.places import written
from infoplane.probes.raw import RawActivations
from infoplane.probes.step_sketches import StepSketches
from infoplane.probes.target import ClassTarget
from infoplane.runfile.scaling_stream import SCALING_QUANTITIES, scaling_stream
from infoplane.runfile.schema import GRADIENT_QUANTITIES, PLANE_QUANTITIES, run_streams
from infoplane.runfile.stream import Stream
from infoplane.runfile.writer import RunWriter
from infoplane.scaling.report import ScalingReport

_METRICS = {"loss": "bit", "error": "1"}


def streams_of(observer: Observer, *, split: str, scaling: Mapping[str, Any] | None = None) -> tuple[Stream, ...]:
    """Return the streams of what `observer` measures on `split`, and of the passes of a SynScaW so configured."""
    plan, settings = observer.plan, observer.plan.settings
    return run_streams(
        probes=observer.probes,
        reductions={site: reduction.name for site, reduction in observer.reductions.items()},
        label_bound=plan.target.kind,
        sites=observer.sites if plan.activations else (),
        parameters=observer.weight_names if plan.weights else (),
        in_steps=True,
        neurons=observer.neurons if plan.neurons else None,
        gradients=observer.weight_names if plan.gradients else (),
        raw=observer.widths if plan.raw else None,
        raw_inputs=plan.raw,
        raw_targets=None if isinstance(plan.target, ClassTarget) else plan.target.decoder_width,
        inputs=plan.inputs,
        scaling=None if scaling is None else _passes(scaling),
        metrics={name: _METRICS[name] for name in _metrics(observer.scores)},
        split=split,
        attrs={
            "draws": settings.draws,
            "probe_mode": settings.mode,
            **{name: value for name, value in plan.description.items() if name in ("std", "prior", "averaging")},
        },
    )


def sites_of(observer: Observer) -> list[dict[str, Any]]:
    """Return what a run file keeps of every site, once the first step has been seen.

    Returns
    -------
    list of dict
        ``name``; ``place``, how it is written without an alias (see `infoplane.probes.places.written`); ``module``, as
        ``named_modules()`` has it, and its ``type``; ``shape`` of the activation for one input; the ``reduction`` that
        makes it a vector, and the ``width`` of that.
    """
    return [
        {
            "name": place.name,
            "place": written(place.module_name, call=place.call, side=place.side, path=place.path),
            "module": place.module_name,
            "type": type(place.module).__name__,
            "shape": list(observer.shapes[place.name]),
            "reduction": observer.reductions[place.name].name,
            "width": observer.widths[place.name],
        }
        for place in observer.places
    ]


def append_finding(writer: RunWriter, step: int, stream: str, finding: Finding) -> None:
    """Append one finding about the row of `stream` at `step`."""
    writer.append("findings", None, step=step, stream=stream, **asdict(finding))


def append_step_sketches(writer: RunWriter, sketches: StepSketches) -> None:
    """Append the sketches of one training step."""
    for stream, found in (("step_activations", sketches.activations), ("step_weights", sketches.weights)):
        if found:
            writer.append(stream, sketches.step, epoch=np.nan, **_stacked(found))


def append_measurement(
    writer: RunWriter, measurement: Measurement, *, epoch: float, raw_inputs: int, inputs: int
) -> None:
    """Append one measurement to every stream that the run has.

    There is room for raw activations of `raw_inputs` inputs, 0 for none, and for the results of `inputs`.
    """
    step = measurement.step
    writer.append(
        "plane",
        step,
        epoch=epoch,
        n=measurement.bounds.n,
        n_sandwich=measurement.n_sandwich,
        updates=measurement.updates,
        values=plane_values(measurement),
        covariance_i_zx=measurement.bounds.covariance_i_zx,
        covariance_i_zy=measurement.bounds.covariance_i_zy,
    )
    for stream, sketches in (("activations", measurement.activations), ("weights", measurement.weights)):
        if sketches:
            writer.append(stream, step, epoch=epoch, **_stacked(sketches))
    if measurement.neurons:
        each = [np.stack([s.mean, s.variance, s.zeros], axis=1) for s in measurement.neurons.values()]
        values = np.concatenate(each).astype(np.float32)
        writer.append("neurons", step, epoch=epoch, n=measurement.bounds.n, values=values)
    if measurement.gradients:
        rows = [[getattr(s, name) for name in GRADIENT_QUANTITIES] for s in measurement.gradients.values()]
        writer.append("gradients", step, epoch=epoch, values=np.array(rows, np.float64))
    if measurement.raw is not None and raw_inputs:
        writer.append("raw", step, epoch=epoch, **_raw(measurement.raw, raw_inputs))
    if measurement.each_input is not None:
        writer.append("inputs", step, epoch=epoch, **_each_input(measurement.each_input, inputs))
    of_host = [value for value in (measurement.loss, measurement.error) if value is not None]
    if of_host:
        writer.append("metrics", step, epoch=epoch, time=time.time(), values=np.array(of_host))


def _metrics(scores: str) -> tuple[str, ...]:
    """Return which metrics a network has whose output is read as `scores`: of real labels there is no loss in bit."""
    return () if not scores else ("error",) if scores == "values" else ("loss", "error")


def plane_values(measurement: Measurement) -> NDArray[np.float64]:
    """Return the bounds as a row of the plane has them: shape (probes, quantities), in bit but for the error."""
    bounds = measurement.bounds
    found = {
        "i_zx": bounds.i_zx,
        "i_zy": bounds.i_zy,
        "h_y": np.full(len(bounds.i_zx), bounds.h_y),
        "ce": bounds.ce,
        "error": bounds.error,
        "se_i_zx": bounds.se_i_zx,
        "se_i_zy": bounds.se_i_zy,
        "i_zx_lower": measurement.i_zx_lower,
        "i_zx_upper": measurement.i_zx_upper,
        "i_zx_given_y": bounds.i_zx_given_y,
        "i_ty_chain": measurement.i_ty_chain,
        "se_i_zx_lower": measurement.se_i_zx_lower,
        "se_i_zx_upper": measurement.se_i_zx_upper,
        "se_i_zx_given_y": bounds.se_i_zx_given_y,
        "se_i_ty_chain": measurement.se_i_ty_chain,
    }
    return np.stack([found[name] for name in PLANE_QUANTITIES], axis=1)


def _raw(raw: RawActivations, inputs: int) -> dict[str, NDArray[Any]]:
    """Return one row of raw activations, filled up to `inputs` where fewer were measured."""
    missing = inputs - len(raw.positions)
    labels = raw.labels.reshape(len(raw.positions), -1).astype(np.float64)
    values = np.concatenate(list(raw.values.values()), axis=1)
    return {
        "position": np.pad(raw.positions, (0, missing), constant_values=-1),
        "label": np.pad(labels, ((0, missing), (0, 0)), constant_values=np.nan),
        "values": np.pad(values, ((0, missing), (0, 0)), constant_values=np.nan),
    }


def append_pass(writer: RunWriter, step: int, report: ScalingReport, *, epoch: float) -> None:
    """Append one pass of synaptic scaling."""
    values = [[getattr(layer, name) for name in SCALING_QUANTITIES] for layer in report]
    writer.append(
        "scaling",
        step,
        epoch=epoch,
        gamma=report.gamma,
        away=np.array([layer.away for layer in report], np.int8),
        values=np.array(values, np.float64),
    )


def _passes(scaling: Mapping[str, Any]) -> Stream:
    activations = scaling["activations"]
    attrs = {name: scaling[name] for name in ("rule", "granularity")}
    return scaling_stream(list(activations), list(activations.values()), attrs)


def _each_input(found: EachInput, inputs: int) -> dict[str, NDArray[Any]]:
    """Return the results of single inputs, filled up to `inputs` where fewer were measured."""
    missing = inputs - len(found.positions)
    filled = {
        name: np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)], constant_values=np.nan)
        for name, values in {name: getattr(found, name) for name in ("error", "loss", "rate", "ce")}.items()
    }
    return {"position": np.pad(found.positions, (0, missing), constant_values=-1), **filled}


def _stacked(sketches: Mapping[str, SketchSummary]) -> dict[str, Any]:
    return {
        "counts": np.stack([s.counts for s in sketches.values()]),
        "scalars": np.stack([s.scalars for s in sketches.values()]),
    }
