"""What else may receive a recording's measurements, beside the run file: a tracker, a database, a plot that is alive.

``infoplane.record(..., sinks=(sink, ...))`` calls every sink once per row, in the process that writes the run file.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from infoplane.probes.measurement import Measurement
from infoplane.probes.probe_info import ProbeInfo


@runtime_checkable
class Sink(Protocol):
    """Receives each measurement of a recording; `infoplane.integrations.tensorboard.TensorBoardSink` is one."""

    def measurement(self, measurement: Measurement, probes: Sequence[ProbeInfo], *, epoch: float | None) -> None:
        """Take one row.

        Parameters
        ----------
        measurement : Measurement
            Arrays and sketches without tensors; informations in bit.
        probes : sequence of ProbeInfo
            What each entry of the arrays in ``measurement.bounds`` is of, in their order.
        epoch : float or None
            As it was given to ``measure``.
        """

    def close(self) -> None:
        """Write what is left; called once, when the recording ends or is interrupted."""
