"""What a recording writes: its streams, and the rows of one measurement."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from infoplane.analysis.finding import Finding
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.measurement import Measurement
from infoplane.probes.observer import Observer
from infoplane.runfile.schema import PLANE_QUANTITIES, ProbeInfo, run_streams
from infoplane.runfile.stream import Stream
from infoplane.runfile.writer import RunWriter


def probes_of(observer: Observer) -> tuple[ProbeInfo, ...]:
    """Return the probes of `observer`, in the order of its ``probe_names``."""
    settings = observer.settings
    return tuple(
        ProbeInfo(name=name, site=site, host=host, beta=settings.beta, latent=settings.latent)
        for name, (host, site) in zip(observer.probe_names, observer.probe_places, strict=True)
    )


def streams_of(observer: Observer, *, split: str) -> tuple[Stream, ...]:
    """Return the streams of what `observer` measures; `split` is what it is measured on."""
    settings = observer.settings
    return run_streams(
        probes=probes_of(observer),
        sites=observer.sites if observer.record_activations else (),
        parameters=observer.weight_recorder.names if observer.weight_recorder else (),
        metrics={"loss": "bit", "error": "1"} if observer.scores else None,
        split=split,
        attrs={"draws": settings.draws, "probe_mode": settings.mode, "reduction": "flatten"},
    )


def append_finding(writer: RunWriter, step: int, stream: str, finding: Finding) -> None:
    """Append one finding about the row of `stream` at `step`."""
    writer.append("findings", None, step=step, stream=stream, **asdict(finding))


def append_measurement(writer: RunWriter, measurement: Measurement, *, epoch: float, updates: int) -> None:
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
