"""What became of the points of a sweep."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from infoplane.errors import InputError, RunFileError
from infoplane.reports.run_values import run_value, sites_of, unit_of
from infoplane.runfile.reader import open_run
from infoplane.sweep.points import Plan, Point
from infoplane.text_table import aligned

if TYPE_CHECKING:
    import pandas as pd

STATUSES = ("finished", "kept", "failed", "interrupted")


@dataclass(frozen=True)
class Outcome:
    """What became of one point.

    Attributes
    ----------
    point : Point
        Which.
    path : pathlib.Path
        Its run file.
    status : {"finished", "kept", "failed", "interrupted"}
        ``kept``: it was finished before. ``interrupted``: it was stopped or not begun, and the next call goes on.
    reason : str
        Of a failure; empty otherwise.
    seconds : float
        That this call spent on it.
    """

    point: Point
    path: Path
    status: str
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class SweepResult:
    """What became of all of them.

    Attributes
    ----------
    plan : Plan
        What was to be done.
    outcomes : tuple of Outcome
        One per point, in the plan's order.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The run files that are finished."""
        return tuple(o.path for o in self.outcomes if o.status in ("finished", "kept"))

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The points that failed."""
        return tuple(o for o in self.outcomes if o.status == "failed")

    def to_dataframe(self) -> "pd.DataFrame":
        """Return the planned metric at the last row, over the seeds of each setting.

        Returns
        -------
        pandas.DataFrame
            One row per setting and site: ``setting`` (the names of the run files without the seed), ``metric``,
            ``site`` (empty for the network's own metrics), ``unit``, ``mean``, ``sd`` (over seeds, with n - 1; NaN for
            one), ``n`` (finished runs) and ``points`` (planned ones). NaN where no run is finished.

        Raises
        ------
        InputError
            When a run does not have the metric, or no finite value of it.
        RunFileError
            When a run file cannot be read.
        """
        import pandas as pd

        return pd.DataFrame(self._lines(), columns=list(_Line._fields))

    def _lines(self) -> "list[_Line]":
        metric = self.plan.metric
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            groups.setdefault(outcome.point.group, []).append(outcome)
        lines = []
        for group, outcomes in groups.items():
            found: dict[str, list[float]] = {}
            unit = ""
            for outcome in outcomes:
                if outcome.status in ("finished", "kept"):
                    with open_run(outcome.path) as run:
                        unit = unit_of(metric, run)
                        for site in sites_of(run, metric):
                            found.setdefault(site, []).append(run_value(run, metric, site).value)
            for site, values in (found or {"": []}).items():
                mean = float(np.mean(values)) if values else math.nan
                sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
                lines.append(_Line(group, metric, site, unit, mean, sd, len(values), len(outcomes)))
        return lines

    def __str__(self) -> str:
        counts = {status: sum(o.status == status for o in self.outcomes) for status in STATUSES}
        words = {"finished": "finished", "kept": "finished before", "failed": "failed", "interrupted": "not finished"}
        said = ", ".join(f"{count} {words[status]}" for status, count in counts.items() if count)
        lines = [f"{len(self.outcomes)} point{'' if len(self.outcomes) == 1 else 's'}: {said}"]
        try:
            table = self._lines()
        except (InputError, RunFileError) as error:
            return "\n".join([*lines, f"no table of {self.plan.metric}: {error}"])
        sited = any(line.site for line in table)
        unit = next((line.unit for line in table if line.unit), "-")
        head = ["setting", *(["site"] if sited else []), f"{self.plan.metric} [{unit}]", "sd", "seeds"]
        cells = [
            [
                line.setting or "all",
                *([line.site] if sited else []),
                _number(line.mean),
                _number(line.sd),
                f"{line.n}" if line.n == line.points else f"{line.n} of {line.points}",
            ]
            for line in table
        ]
        return "\n".join([*lines, aligned(head, cells, text_columns=1 + sited)])


class _Line(NamedTuple):
    setting: str
    metric: str
    site: str
    unit: str
    mean: float
    sd: float
    n: int
    points: int


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"
