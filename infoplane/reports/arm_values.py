"""What two arms of paired runs end with: every value that is asked for, all of one epoch."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from infoplane.analysis.verdicts import PairedSeeds, paired_seeds
from infoplane.errors import InputError
from infoplane.reports.arms import Pair
from infoplane.reports.run_values import RunValue, run_value
from infoplane.runfile.reader import Run, open_run

_MOST_OPEN = 64  # a process may have some 256 files open where nobody has changed that


class ArmValues:
    """The values of paired runs at their last rows; a context manager that holds runs open, of many the latest.

    Parameters
    ----------
    pairs : sequence of Pair
        At least one.

    Attributes
    ----------
    epoch : float
        Of the last rows, known after the first value; NaN where the runs kept none.
    """

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self._runs: dict[Path, Run] = {}
        self._last: tuple[Path, float] | None = None
        self._read: dict[tuple[str, str, float], list[tuple[RunValue, RunValue]]] = {}
        self.epoch = math.nan

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._runs.values():
            run.close()

    def run(self, path: Path) -> Run:
        """Return one of the runs, open until as many others have been asked for as are held open."""
        run = self._runs.pop(path, None) or open_run(path)
        if len(self._runs) >= _MOST_OPEN:
            self._runs.pop(next(iter(self._runs))).close()
        self._runs[path] = run
        return run

    def read(self, metric: str, site: str = "", scale: float = 1.0) -> list[tuple[RunValue, RunValue]]:
        """Return a metric of both runs of every pair; see `infoplane.reports.run_values.run_value`.

        Raises
        ------
        InputError
            When a run does not have it, or ends at another epoch than the first run that was read (at another step,
            where no epochs were kept).
        RunFileError
            When a file lacks the stream, or is damaged.
        """
        key = metric, site, scale
        if key not in self._read:
            self._read[key] = [(self._one(pair.first, *key), self._one(pair.second, *key)) for pair in self._pairs]
        return self._read[key]

    def pair(self, metric: str, site: str = "", scale: float = 1.0) -> PairedSeeds:
        """Return the paired seeds of a metric, by image where every run kept the outcomes of the same images."""
        first, second = zip(*self.read(metric, site, scale), strict=True)
        outcomes = [one.outcomes for one in (*first, *second) if one.outcomes is not None]
        if len(outcomes) == 2 * len(first) and len({one.shape for one in outcomes}) == 1:
            return paired_seeds(np.stack(outcomes[: len(first)]), np.stack(outcomes[len(first) :]))
        return paired_seeds([one.value for one in first], [one.value for one in second])

    def _one(self, path: Path, metric: str, site: str, scale: float) -> RunValue:
        value = run_value(self.run(path), metric, site, scale=scale)
        at = value.step if math.isnan(value.epoch) else value.epoch
        if self._last is None:
            self._last, self.epoch = (path, at), value.epoch
        elif at != self._last[1]:
            kind = "step" if math.isnan(value.epoch) else "epoch"
            raise InputError(
                f"the last rows are not of one epoch: {self._last[0]} ends at {self._last[1]:g}, but {path} at {kind} "
                f"{at:g}; which one counts is fixed before the runs, and it is the last"
            )
        return value
