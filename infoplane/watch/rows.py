"""The rows of a run as they are watched: per measurement the network's own error and loss, and what each probe gave.

Information is in bit. ``i_zx`` is the rate of a probe's code, an upper bound on I(Z;X); ``i_zy`` is H(Y) less the
cross-entropy, a lower bound on I(Z;Y) of class labels (for other labels the file says what it is).
"""

import math
from dataclasses import dataclass

import numpy as np

from infoplane.plane_probes import PlaneProbe, plane_probes, plane_values
from infoplane.reports.run_values import unit_of
from infoplane.runfile.access import reading
from infoplane.runfile.reader import Run

QUANTITIES = ("i_zx", "se_i_zx", "i_zy", "se_i_zy")
"""What is read of the plane: two bounds and their standard errors over the inputs."""


@dataclass(frozen=True)
class ProbeValues(PlaneProbe):
    """What one probe gave at one row.

    Attributes
    ----------
    i_zx, se_i_zx, i_zy, se_i_zy : float
        In bit; NaN where the file has no such quantity.
    """

    i_zx: float
    se_i_zx: float
    i_zy: float
    se_i_zy: float


@dataclass(frozen=True)
class Row:
    """One measurement.

    Attributes
    ----------
    number : int
        Of the row, from 0.
    step, n : int
        Steps of training before it, and inputs measured.
    epoch, time : float
        NaN where the file does not say; the time in seconds since 1970, UTC.
    error, loss : float
        Of the network itself: a share of the inputs (of real labels 1 - R²), and bit. NaN where not recorded.
    probes : tuple of ProbeValues
        All of them, controls too.
    """

    number: int
    step: int
    n: int
    epoch: float
    time: float
    error: float
    loss: float
    probes: tuple[ProbeValues, ...]


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a run are: the same for all of its rows.

    Attributes
    ----------
    estimator, split : str
        Of the plane.
    kind_i_zx, kind_i_zy : str
        Direction of the bound, as ``upper_bound``.
    error_unit : str
        ``%``, or for real labels ``% (1 - R²)``, of a hundred times `Row.error`.
    probes_left_out : int
        Probes at other betas, scale twins and refitted ones.
    """

    estimator: str
    split: str
    kind_i_zx: str
    kind_i_zy: str
    error_unit: str
    probes_left_out: int


class RowReader:
    """Reads rows of an open run that has a plane.

    Parameters
    ----------
    run : Run
        Open; whoever opened it refreshes it and closes it.

    Raises
    ------
    RunFileError
        When the labels of its plane cannot be read.
    """

    def __init__(self, run: Run) -> None:
        self._run, self._plane = run, run.plane()
        self._metrics = run.metrics() if "metrics" in run.streams else None
        with reading(run.path):
            plane = self._plane
            kinds = dict(zip(plane["quantity"].tolist(), plane["kind"].tolist(), strict=True))
            self._probes = [vars(probe) for probe in plane_probes(plane)]
            self._of_host = self._metrics["quantity"].tolist() if self._metrics is not None else []
            self.meaning = Meaning(
                estimator=str(plane.attrs.get("estimator", "")),
                split=str(plane.attrs.get("split", "")),
                kind_i_zx=str(kinds.get("i_zx", "")),
                kind_i_zy=str(kinds.get("i_zy", "")),
                error_unit=unit_of("error", run),
                probes_left_out=sum(not probe["is_plain"] for probe in self._probes),
            )

    def count(self) -> int:
        """Return how many rows there are, without one whose metrics are still to be written."""
        rows = len(self._plane)
        is_growing = self._run.status.startswith("recording")
        if is_growing and self._metrics is not None and len(self._metrics) == rows - 1:
            return rows - 1
        return rows

    def read(self, start: int, stop: int) -> list[Row]:
        """Return the rows from `start` to before `stop`.

        Raises
        ------
        RunFileError
            When they cannot be read.
        """
        if stop <= start:
            return []
        rows, plane = slice(start, stop), self._plane
        with reading(self._run.path):
            steps, n = plane.read(plane.row, rows).tolist(), plane.read("n", rows).tolist()
            epochs = plane.read("epoch", rows).tolist()
            values = plane_values(plane, rows, QUANTITIES)
            of_host = self._of_host_at(steps)
            return [
                Row(
                    number=start + k,
                    step=int(steps[k]),
                    n=int(n[k]),
                    epoch=float(epochs[k]),
                    time=of_host[k]["time"],
                    error=of_host[k]["error"],
                    loss=of_host[k]["loss"],
                    probes=tuple(
                        ProbeValues(**probe, **dict(zip(QUANTITIES, numbers, strict=True)))
                        for probe, numbers in zip(self._probes, values[k].tolist(), strict=True)
                    ),
                )
                for k in range(len(steps))
            ]

    def _of_host_at(self, steps: list[int]) -> list[dict[str, float]]:
        """Return error, loss and time at each of some steps, which increase; NaN where there is no such row."""
        found = [dict.fromkeys(("error", "loss", "time"), math.nan) for _ in steps]
        view = self._metrics
        if view is None or not len(view):
            return found
        known = view.row_values
        first = int(np.searchsorted(known, steps[0]))
        # A row of metrics is written after that of the plane, so a few may be later than what was asked for.
        rows = slice(first, int(np.searchsorted(known, steps[-1], side="right")))
        of_step = {step: k for k, step in enumerate(known[rows].tolist())}
        values = view.read("values", rows)
        times = view.read("time", rows) if "time" in view.variables else np.full(len(values), math.nan)
        for at, step in zip(found, steps, strict=True):
            if step in of_step:
                k = of_step[step]
                at["time"] = float(times[k])
                at |= {name: float(values[k, c]) for c, name in enumerate(self._of_host) if name in at}
        return found
