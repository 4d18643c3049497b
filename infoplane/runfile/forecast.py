"""How large a run file gets: the bytes of every stream's rows, known before the first of them.

What is stored as it is takes its own size, in whole chunks. For what is compressed, sketches of 10,000 normal values
each are packed as the writer packs them: a sketch of one sign takes more than half of that, one of 1,000 values a third
less, one of 100,000 values a third more. Findings are taken as one per probe and measurement, which is what an
encoder's rate above the logarithm of the number of inputs gives; events and passes of synaptic scaling are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, inf, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.sketch import LogHistogram, summarize
from infoplane.probes.raw import RawRecorder
from infoplane.probes.schedule import Schedule
from infoplane.runfile.layout import chunk_rows, text_limit
from infoplane.runfile.packing import pack_row
from infoplane.runfile.rebuild import is_within_step
from infoplane.runfile.stream import Stream, Variable

_SKETCHES, _VALUES = 8, 10_000  # of the typical row; of more sites each takes as much as one of these
_INDEX_BYTES = 20  # of HDF5's list of chunks, for each: its address, and of a compressed one its size
_MEASUREMENTS, _STEPS = 1_000, 100_000  # which the sentence takes for a training


@dataclass(frozen=True)
class Growth:
    """How one data set grows.

    Attributes
    ----------
    chunk_bytes : int
        By so much at once.
    rows : float
        With every so many rows.
    most_rows : float
        No more after so many.
    """

    chunk_bytes: int
    rows: float
    most_rows: float = inf

    def total(self, rows: int) -> int:
        """Return the bytes after so many rows."""
        return ceil(min(rows, self.most_rows) / self.rows) * self.chunk_bytes


@dataclass(frozen=True)
class Forecast:
    """What a run file will take.

    Attributes
    ----------
    start_bytes : int
        Before the first row to come.
    measured, sketched, of_inputs : tuple of Growth
        By what each measurement, each sketched step of training, and the results of single inputs add to it.
    """

    start_bytes: int
    measured: tuple[Growth, ...]
    sketched: tuple[Growth, ...]
    of_inputs: tuple[Growth, ...] = ()

    @property
    def inputs_bytes(self) -> float:
        """Bytes that the results of single inputs add to a measurement that keeps them."""
        return sum(growth.chunk_bytes / growth.rows for growth in self.of_inputs)

    @property
    def measurement_bytes(self) -> float:
        """Bytes that a measurement adds on average, as long as raw activations are kept."""
        return sum(growth.chunk_bytes / growth.rows for growth in self.measured)

    @property
    def sketched_step_bytes(self) -> float:
        """Bytes that a sketched step adds on average."""
        return sum(growth.chunk_bytes / growth.rows for growth in self.sketched)

    def size(self, *, measurements: int, sketched_steps: int) -> int:
        """Return the bytes of the file after so many measurements and sketched steps."""
        grown = sum(growth.total(measurements) for growth in self.measured)
        return self.start_bytes + grown + sum(growth.total(sketched_steps) for growth in self.sketched)

    def sentence(self, name: str, sketch_at: Schedule, free_bytes: int) -> str:
        """Return it in one line; `name` of the file, `free_bytes` that its disk has left."""
        steps = sum(sketch_at.due(step) for step in range(_STEPS)) if self.sketched else 0
        each, after = f"{_in_words(self.measurement_bytes)} per measurement", f"{_MEASUREMENTS:,} measurements"
        limit = min((growth.most_rows for growth in self.measured), default=inf)
        if limit < _MEASUREMENTS:
            raw = sum(growth.chunk_bytes / growth.rows for growth in self.measured if growth.most_rows == limit)
            each += f" ({_in_words(raw)} of it raw activations, of the first {limit:,})"
        if steps:
            each += f" and {_in_words(self.sketched_step_bytes)} per sketched step"
            after += f" and {_STEPS:,} steps"
        if self.of_inputs:
            after += f", and up to {_in_words(self.inputs_bytes)} more per measurement that keeps its single inputs"
        size = self.size(measurements=_MEASUREMENTS, sketched_steps=steps)
        is_short = size - self.start_bytes > free_bytes
        return (
            f"{name} grows by about {each}: about {_in_words(size)} after {after}"
            + f", but its disk has {_in_words(free_bytes)} left" * is_short
        )


def forecast(streams: Sequence[Stream], *, start_bytes: int, raw_bytes: int) -> Forecast:
    """Foretell the size of a run file.

    Parameters
    ----------
    streams : sequence of Stream
        As they were given to `RunWriter.start`.
    start_bytes : int
        Of the file as `RunWriter.start` leaves it.
    raw_bytes : int
        Of raw activations that may still come.

    Returns
    -------
    Forecast
    """
    measured: list[Growth] = []
    sketched: list[Growth] = []
    of_inputs: list[Growth] = []
    for stream in streams:
        most, at_once = inf, _rows_at_once(stream, streams)
        if stream.name == "findings":
            at_once = next((other.lengths["probe"] for other in streams if other.name == "plane"), 1)
        if stream.name == "raw":
            inputs, features = stream.lengths["input"], stream.lengths["feature"]
            most = max(0, raw_bytes) // RawRecorder(inputs, limit_bytes=1).row_bytes({"all": features})
        if not most:
            continue
        row = Variable(stream.row, (stream.row,), "i8")
        grown = [_growth(stream, variable, at_once, most) for variable in (row, *stream.variables)]
        if is_within_step(stream.name):
            sketched += grown
        elif stream.name == "inputs":
            of_inputs += grown
        elif stream.name not in ("events", "scaling"):
            measured += grown
    return Forecast(start_bytes, tuple(measured), tuple(sketched), tuple(of_inputs))


def _growth(stream: Stream, variable: Variable, at_once: int, most_rows: float) -> Growth:
    shape = stream.row_shape(variable)
    rows = chunk_rows(variable, shape)
    size = prod(shape) * (text_limit(variable.dtype) or np.dtype(variable.dtype).itemsize) * rows
    if variable.name in _typical_row() and variable.compress:
        size = _packed_bytes(variable.name, shape[0])
    return Growth(size + _INDEX_BYTES, rows / at_once, most_rows)


def _rows_at_once(stream: Stream, streams: Sequence[Stream]) -> int:
    """Return how many rows a stream gets for each of the one it follows."""
    if stream.derive is None:
        return 1
    followed = next(other for other in streams if other.name == stream.derived_from)
    row = {variable.name: np.zeros(followed.row_shape(variable), variable.dtype) for variable in followed.variables}
    return len(next(iter(stream.derive(0, row).values())))


def _packed_bytes(name: str, sites: int) -> int:
    """Return what one packed row of sketches takes, of their ``counts`` or of their ``scalars``."""
    row = _typical_row()[name][:sites]
    return len(pack_row(row)) * sites // len(row)


@lru_cache(maxsize=1)
def _typical_row() -> dict[str, NDArray[Any]]:
    rng, sketches = np.random.default_rng(0), [LogHistogram() for _ in range(_SKETCHES)]
    for k, sketch in enumerate(sketches):
        sketch.update(rng.normal(0, 1.5**k, _VALUES).astype(np.float32))
    found = summarize(sketches)
    return {"counts": np.stack([s.counts for s in found]), "scalars": np.stack([s.scalars for s in found])}


def _in_words(size: float) -> str:
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}" if size < 10 * unit else f"{size / unit:.0f} {name}"
    return f"{size:.0f} bytes"
