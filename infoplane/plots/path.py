"""The paths of a run through the information plane, as pictures need them, and the clock by which they are shaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from infoplane.reports.decimals import time_text
from infoplane.reports.findings import CONTEXT, FindingSummary
from infoplane.reports.plane_findings import PlaneFinding, magnitude


@dataclass(frozen=True)
class ProbePath:
    """What one probe measured in the rows drawn; arrays of shape (rows,), in bit.

    Attributes
    ----------
    probe, site, host : str
        Its name, where it sits, and whether that network is the ``trained`` or the ``untrained`` one.
    beta, scale : float
        Weight of the divergence in its training, and the factor on the activation that it reads.
    i_zx, i_zy : numpy.ndarray
        Upper bound on I(Z;X) and lower bound on I(Z;Y).
    se_i_zx, se_i_zy : numpy.ndarray
        Their standard errors: over the inputs of one run, over the runs where they are a mean of several. NaN where
        they were not recorded.
    i_zx_lower, i_zx_upper : numpy.ndarray
        Bounds below and above on I(Z;X) of the known code, the sandwich; NaN where they were not recorded.
    doubtful : numpy.ndarray
        Rows of which a finding says that they cannot be used as they stand.
    covariance : numpy.ndarray, optional
        Shape (rows, 2, 2), of (i_zx, i_zy) over the runs, divisor runs - 1; None for one run.
    averaged : int
        Rows that are not finite and were left out of a mean.
    """

    probe: str
    site: str
    host: str
    beta: float
    scale: float
    i_zx: NDArray[np.float64]
    i_zy: NDArray[np.float64]
    se_i_zx: NDArray[np.float64]
    se_i_zy: NDArray[np.float64]
    i_zx_lower: NDArray[np.float64]
    i_zx_upper: NDArray[np.float64]
    doubtful: NDArray[np.bool_]
    covariance: NDArray[np.float64] | None = None
    averaged: int = 0

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Rows in which both bounds are finite numbers, shape (rows,)."""
        return np.isfinite(self.i_zx) & np.isfinite(self.i_zy)


@dataclass(frozen=True)
class RunPaths:
    """The paths of one run and what must stand beside them.

    Attributes
    ----------
    name : str
        The file's name without its ending.
    step, epoch : numpy.ndarray
        Of the rows drawn, shape (rows,): steps of the host's training, and epochs, NaN where none was given.
    paths : tuple of ProbePath
        The trained host's first.
    h_y : float
        H(Y) of the labels measured last, in bit; NaN where it is no limit of I(Z;Y): of labels that are real numbers.
    label_kind : str
        What ``i_zy`` is: ``lower_bound`` or ``estimate``.
    real_labels : bool
        Whether labels are real numbers.
    n, n_sandwich : int
        Inputs measured last, and those behind the sandwich.
    settings : str
        Sentence with N, beta, probe steps, split and n.
    probes : str
        What of it must be the same in runs that are averaged.
    found : tuple of PlaneFinding, or None
        Those about the plane, of every probe of the file; None where they cannot be read.
    others : tuple of str
        Probes of the file that have no path here: other betas, scale twins, refitted ones.
    every, of : int
        One row in `every` is drawn, and the last, of the `of` rows of the file.
    runs : int
        Of how many runs it is the mean.
    said : tuple of str
        Sentences on how it was averaged, that must stand below it.
    """

    name: str
    step: NDArray[np.float64]
    epoch: NDArray[np.float64]
    paths: tuple[ProbePath, ...]
    h_y: float
    label_kind: str
    real_labels: bool
    n: int
    n_sandwich: int
    settings: str
    probes: str
    found: tuple[PlaneFinding, ...] | None
    others: tuple[str, ...]
    every: int
    of: int
    runs: int = 1
    said: tuple[str, ...] = ()

    @property
    def sites(self) -> tuple[str, ...]:
        """The sites, each once, in the order of the file."""
        return tuple(dict.fromkeys(path.site for path in self.paths))

    @property
    def has_control(self) -> bool:
        """Whether the same probes also learned on the frozen untrained host."""
        return any(path.host == "untrained" for path in self.paths)

    def drawn(self, *, control: bool) -> tuple[ProbePath, ...]:
        """Return the paths that a plane shows, with or without the control's."""
        return tuple(path for path in self.paths if path.host == "trained" or control)

    def beyond(self, *, control: bool) -> int:
        """Return how many of the points drawn have a rate at or above log2 n."""
        return sum(int((path.i_zx[path.finite] >= np.log2(self.n)).sum()) for path in self.drawn(control=control))

    def findings(self, *, control: bool) -> tuple[FindingSummary, ...]:
        """Return the findings about the paths drawn and about the inputs by kind, named by site as the legend is."""
        drawn = self.drawn(control=control)
        names = {path.probe: path.site if path.host == "trained" else f"{path.site}@untrained" for path in drawn}
        hidden = {path.probe for path in self.paths}.union(self.others) - names.keys()
        groups: dict[str, list[PlaneFinding]] = {}
        for finding in self.found or ():
            if finding.place not in hidden:
                groups.setdefault(finding.code, []).append(finding)
        return tuple(
            self._summary([replace(one, place=names.get(one.place, one.place)) for one in groups[code]])
            for code in sorted(groups, key=CONTEXT.__contains__)
        )

    def _summary(self, group: Sequence[PlaneFinding]) -> FindingSummary:
        largest = max(group, key=lambda one: magnitude(one.amount))
        return FindingSummary(
            stream="plane",
            code=group[0].code,
            places=tuple(dict.fromkeys(one.place for one in group)),
            rows=len(frozenset[int]().union(*(one.steps for one in group))),
            of=self.of,
            amount=largest.amount,
            unit=largest.unit,
            text="",
            advice="",
        )


@dataclass(frozen=True)
class Clock:
    """By what the dots of several runs are shaded, and from where to where.

    Attributes
    ----------
    name : str
        ``epoch`` where every row of every run has one, else ``step``.
    first, last : float
        Over all the runs, so that equal shades mean equal times.
    """

    name: str
    first: float
    last: float

    @classmethod
    def of(cls, runs: Sequence[RunPaths]) -> Self:
        """Return the clock that the runs share."""
        name = "epoch" if all(np.isfinite(run.epoch).all() for run in runs) else "step"
        times = np.concatenate([getattr(run, name) for run in runs])
        return cls(name, float(times.min()), float(times.max()))

    def share(self, run: RunPaths) -> NDArray[np.float64]:
        """Return how much of the time has passed at each row, 0 to 1; 1 where there is no span."""
        times: NDArray[np.float64] = getattr(run, self.name)
        if self.first == self.last:
            return np.ones_like(times)
        return (times - self.first) / (self.last - self.first)

    def __str__(self) -> str:
        if self.first == self.last:
            return f"{self.name} {time_text(self.last)}"
        return f"{self.name} {time_text(self.first)} (light) to {time_text(self.last)} (dark, black edge)"
