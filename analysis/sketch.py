"""A streaming histogram in log space: fixed size, exactly mergeable, for any number of values.

Magnitudes are counted per sign in 32 bins of equal width per octave, numbered by their float32 bits (see
`infoplane.analysis.sketch_codes`). Zeros, NaN and infinities are counted apart; the smallest and largest
magnitude of each sign are exact. `LogHistogram.summary` folds this to 8 bins per octave, which is what a run
file stores.

Moments of ln|x| come from the 32 bins per octave (see `infoplane.analysis.log_moments`). Against exact moments
they are off by 5e-5 for smooth laws with a standard deviation near 1, and by a random 0.006/sqrt(n) besides, far under
the standard error.

Units: edges and extremes are in the unit of the values; mean_log and std_log are natural logarithms of it.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from infoplane.analysis import sketch_codes as codes
from infoplane.analysis.errors import InputError
from infoplane.analysis.flat_values import check_tensor, flat_values
from infoplane.analysis.log_moments import Run, log_moments
from infoplane.analysis.sketch_summary import (
    BIN_CENTERS,
    BIN_EDGES,
    BINS,
    HIGHEST_OCTAVE,
    LOWEST_OCTAVE,
    QUANTITIES,
    UNITS,
    SketchSummary,
    close_last_bin,
    rows_of,
    split_at_extremes,
)

__all__ = ["BIN_CENTERS", "BIN_EDGES", "QUANTITIES", "UNITS", "LogHistogram", "SketchSummary", "summarize"]

# Where the octaves of a summary begin and end among the bins of codes.EDGES: bin 0 is code 1, exponents have
# a bias of 127.
_SUMMARY_START = (LOWEST_OCTAVE + 127) * 32 - 1
_SUMMARY_STOP = (HIGHEST_OCTAVE + 127) * 32 - 1

Integers = npt.NDArray[np.int64]


class LogHistogram:
    """Counts of values in 32 bins per octave and sign, with zeros, NaN, infinities and exact extremes.

    The state does not depend on how the values were cut into updates, on their order, on the device, or on
    merging: the same values give an equal histogram. It takes 128 KiB whatever the number of values. It can
    be copied and pickled.

    Values are taken as float32: float16 and bfloat16 exactly, float64 and integers rounded, where finite
    values beyond float32's range count as its largest number (never as infinite) and non-zero values that
    would round to zero as its smallest (never as zeros). Minimum and maximum are those of the float32 values.

    Examples
    --------
    >>> import numpy as np
    >>> sketch = LogHistogram()
    >>> sketch.update(np.array([0.5, -2.0, 0.0, np.nan, 3.0]))
    >>> sketch
    LogHistogram(n=5, n_positive=2, n_negative=1, n_zero=1, n_nan=1, n_infinite=0)
    >>> sketch.summary()["maximum_positive"]
    3.0
    """

    def __init__(self) -> None:
        self._table = codes.CodeTable()
        self._devices: dict[torch.device, codes.DeviceTable] = {}

    def update(self, values: torch.Tensor | npt.ArrayLike) -> None:
        """Count values.

        On CUDA nothing is read back: counts and extremes stay on the device until a property, `merge`,
        `summary`, a comparison or a copy asks for them. Tensors on other accelerators are copied to the CPU
        first.

        Parameters
        ----------
        values : torch.Tensor or array_like
            Any shape (also empty), any real floating or integer dtype, any device; gradients are ignored.

        Raises
        ------
        InputError
            If the values are complex, boolean, no numbers, masked, sparse, quantized, or on the meta device.
        """
        if not (isinstance(values, torch.Tensor) and values.is_cuda):
            self._table.count(flat_values(values))
            return
        check_tensor(values)
        # An inference tensor could not be updated outside of inference mode later on.
        with torch.inference_mode(False), torch.no_grad():
            if values.device not in self._devices:
                self._devices[values.device] = codes.DeviceTable(values.device)
            self._devices[values.device].count(values.detach().resolve_neg())

    def merge(self, other: "LogHistogram") -> None:
        """Add the values that another histogram has counted; exact.

        Parameters
        ----------
        other : LogHistogram
            Left as it is.

        Raises
        ------
        InputError
            If `other` is no LogHistogram.
        """
        if not isinstance(other, LogHistogram):
            raise InputError(f"other is a {type(other).__name__}; only a LogHistogram can be merged into one")
        theirs = other._state()
        self._state().add(theirs.counts.copy(), theirs.lowest, theirs.highest)

    @property
    def n(self) -> int:
        """All values seen; the sum of the five counts below."""
        return int(self._state().counts.sum())

    @property
    def n_zero(self) -> int:
        """Exact zeros, of either sign."""
        return self._special(0)

    @property
    def n_nan(self) -> int:
        """Values that are no number."""
        return self._special(codes.INFINITY_CODE + 1)

    @property
    def n_infinite(self) -> int:
        """Infinities, of either sign."""
        return self._special(codes.INFINITY_CODE)

    @property
    def n_positive(self) -> int:
        """Finite values above zero."""
        return int(self._binned(1).sum())

    @property
    def n_negative(self) -> int:
        """Finite values below zero."""
        return int(self._binned(0).sum())

    def histogram(self, sign: int = 1) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Return edges and counts at 32 bins per octave, the outer edges being the exact extremes.

        Parameters
        ----------
        sign : {1, -1, 0}
            Positive values, negative values (by magnitude), or both (by magnitude).

        Returns
        -------
        edges : array of float64, shape (m + 1,)
            In the unit of the values; empty if there is no such value.
        counts : array of int64, shape (m,)

        Raises
        ------
        InputError
            If `sign` is none of these.
        """
        return close_last_bin(*self._split(sign))

    def summary(self) -> SketchSummary:
        """Fold to 8 bins per octave over 2^-40 .. 2^24, with all scalars: what a run file stores.

        Returns
        -------
        SketchSummary
        """
        return summarize([self])[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LogHistogram):
            return NotImplemented
        mine, theirs = self._state(), other._state()
        same_ends = (mine.lowest, mine.highest) == (theirs.lowest, theirs.highest)
        return same_ends and np.array_equal(mine.counts, theirs.counts)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        names = ("n", "n_positive", "n_negative", "n_zero", "n_nan", "n_infinite")
        return f"LogHistogram({', '.join(f'{name}={getattr(self, name)}' for name in names)})"

    def __getstate__(self) -> dict[str, Any]:
        table = codes.CodeTable()
        mine = self._state()
        table.add(mine.counts.copy(), mine.lowest, mine.highest)
        return {"_table": table, "_devices": {}}

    def _state(self) -> codes.CodeTable:
        """Return the table, after bringing home what the devices hold."""
        for device in self._devices.values():
            if device.pending:
                self._table.add(*device.take())
        return self._table

    def _rows(self) -> npt.NDArray[np.int64]:
        """Return counts per code, rows as in SketchSummary: 0 negative, 1 positive."""
        return self._state().counts.reshape(2, codes.HALF)[::-1]

    def _binned(self, row: int) -> npt.NDArray[np.int64]:
        """Return counts of the finite non-zero values of one sign, one per bin of codes.EDGES."""
        return self._rows()[row, 1 : codes.INFINITY_CODE]

    def _special(self, code: int) -> int:
        counts = self._state().counts
        return int(counts[code]) + int(counts[codes.HALF + code])

    def _run(self, row: int) -> Run | None:
        """Return the occupied bins of one sign."""
        table = self._state()
        lowest, highest = table.lowest[row], table.highest[row]
        if not highest:
            return None
        first, last = codes.bin_of_bits(lowest), codes.bin_of_bits(highest)
        return Run(first, self._binned(row)[first : last + 1], lowest, highest)

    def _extremes(self, *rows: int) -> tuple[float, float]:
        """Return the smallest and the largest magnitude of one sign or of both."""
        table = self._state()
        lowest, highest = min(table.lowest[row] for row in rows), max(table.highest[row] for row in rows)
        return codes.float_of_bits(lowest), codes.float_of_bits(highest)

    def _split(self, sign: int) -> tuple[npt.NDArray[np.float64], Integers]:
        rows = rows_of(sign)
        counts = np.sum([self._binned(row) for row in rows], axis=0)
        return split_at_extremes(codes.EDGES, counts, *self._extremes(*rows))


def summarize(sketches: Sequence[LogHistogram]) -> list[SketchSummary]:
    """Return the `LogHistogram.summary` of each; of several at once in less than half the time.

    Parameters
    ----------
    sketches : sequence of LogHistogram
        Left as they are.

    Returns
    -------
    list of SketchSummary
    """
    counts = np.empty((len(sketches), 2, BINS), dtype=np.int64)
    n_found = np.zeros((len(sketches), 2, 3))
    runs: dict[tuple[int, int], Run] = {}
    for k, sketch in enumerate(sketches):
        for row in range(2):
            binned, run = sketch._binned(row), sketch._run(row)
            inside = binned[_SUMMARY_START:_SUMMARY_STOP]
            # Slices are added several times faster than an axis of four is summed.
            np.add(inside[0::4] + inside[1::4], inside[2::4] + inside[3::4], out=counts[k, row])
            if run is not None:
                runs[k, row] = run
                if run.first < _SUMMARY_START:
                    n_found[k, row, 1] = binned[:_SUMMARY_START].sum()
                if run.first + run.counts.size > _SUMMARY_STOP:
                    n_found[k, row, 2] = binned[_SUMMARY_STOP:].sum()
    n_found[..., 0] = counts.sum(axis=2) + n_found[..., 1] + n_found[..., 2]
    moments = np.full((len(sketches), 2, 4), np.nan)
    if runs:
        moments[tuple(np.transpose(list(runs)))] = log_moments(list(runs.values()))
    special = np.array([(sketch.n_zero, sketch.n_nan, sketch.n_infinite) for sketch in sketches])
    n = n_found[..., 0].sum(axis=1) + special.sum(axis=1)
    per_sign = np.concatenate([n_found, moments], axis=2).reshape(len(sketches), -1)
    scalars = np.column_stack([n, special, per_sign])
    return [SketchSummary(*pair) for pair in zip(counts, scalars, strict=True)]
