"""Measurements where TensorBoard reads them.

``infoplane.record(..., sinks=[TensorBoardSink("logs/run")])`` writes scalars, ``i_zx/fc1``, with unit and direction of
the bound in the description, and histograms, ``activations/fc1``. The run file holds more: standard errors, findings.
A histogram has the exact counts and extremes of its sketch, and `sum` and `sum_squares` of its bins' centres.
"""

from collections.abc import Sequence
from os import PathLike, fspath

import numpy as np

from infoplane.analysis.importing import importing
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.measurement import Measurement
from infoplane.probes.probe_info import ProbeInfo
from infoplane.rows import plane_values
from infoplane.runfile.schema import PLANE_QUANTITIES

with importing("the sink of TensorBoard", extra="tensorboard"):
    from tensorboard.compat.proto.histogram_pb2 import HistogramProto
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from torch.utils.tensorboard import FileWriter

# {kind} is that of the label bound: an estimate where the entropy of real labels is one, a lower bound otherwise.
_PROBE = {
    "i_zx": "rate of the probe's code Z: upper bound on I(Z;X), in bit",
    "i_zx_lower": "sandwich of the probe's known code Z: lower bound on I(Z;X), in bit",
    "i_zx_upper": "sandwich of the probe's known code Z: upper bound on I(Z;X), in bit",
    "i_zx_given_y": "rate given the label: upper bound on I(Z;X|Y), in bit",
    "i_zy": "{kind} of I(Z;Y) of the probe's code Z, in bit",
    "i_ty_chain": "{kind} of I(T;Y) of the site T, by the best reading at or after it, in bit",
    "error": "share of inputs that the probe's decoder puts into a wrong class; of real labels 1 - R^2",
}
_HOST = {
    "loss": "cross-entropy of the network's own output, in bit",
    "error": "share of inputs that the network's own output puts into a wrong class; of real labels 1 - R^2",
}


class TensorBoardSink:
    """A sink of `infoplane.record` that writes TensorBoard's event files.

    Parameters
    ----------
    logdir : path-like
        Folder of this run.
    """

    def __init__(self, logdir: str | PathLike[str]) -> None:
        self._logdir = fspath(logdir)
        self._writer: FileWriter | None = None

    def measurement(self, measurement: Measurement, probes: Sequence[ProbeInfo], *, epoch: float | None) -> None:
        """Write one row; see `infoplane.sink.Sink`."""
        values, kind = [], measurement.bounds.kind.replace("_", " ")
        plane = dict(zip(PLANE_QUANTITIES, plane_values(measurement).T, strict=True))
        for quantity, description in _PROBE.items():
            text, each = description.format(kind=kind), zip(probes, plane[quantity], strict=True)
            values += [_scalar(f"{quantity}/{probe.name}", value, text) for probe, value in each]
        host = {quantity: getattr(measurement, quantity) for quantity in _HOST}
        values += [_scalar(f"network/{name}", v, _HOST[name]) for name, v in host.items() if v is not None]
        for stream, sketches in (("activations", measurement.activations), ("weights", measurement.weights)):
            values += [_histogram(f"{stream}/{name}", sketch) for name, sketch in sketches.items()]
        # Only now: of several processes, the one that gets here is the one that writes.
        self._writer = self._writer or FileWriter(self._logdir)
        self._writer.add_summary(Summary(value=values), measurement.step)
        self._writer.flush()

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()


def _scalar(tag: str, value: float, description: str) -> Summary.Value:
    return Summary.Value(tag=tag, simple_value=value, metadata=SummaryMetadata(summary_description=description))


def _histogram(tag: str, sketch: SketchSummary) -> Summary.Value:
    # From left to right: the negative bins, one between the signs that holds the zeros, the positive bins.
    (below, negative), (above, positive) = sketch.histogram(-1), sketch.histogram(1)
    zeros = [sketch["zeros"]] if sketch["zeros"] or (below.size and above.size) else []
    edges = np.concatenate([side if side.size or not zeros else [0.0] for side in (-below[::-1], above)])
    counts = np.concatenate([negative[::-1], zeros, positive])
    centres = (edges[:-1] + edges[1:]) / 2
    centres[negative.size : negative.size + len(zeros)] = 0.0
    proto = HistogramProto(
        min=edges[0],
        max=edges[-1],
        num=counts.sum(),
        sum=counts @ centres,
        sum_squares=counts @ centres**2,
        bucket_limit=edges[1:],
        bucket=counts,
    )
    return Summary.Value(tag=tag, histo=proto)
