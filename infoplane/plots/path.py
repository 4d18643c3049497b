"""The paths of a run through the information plane, read from its file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import whole_number
from infoplane.errors import InputError, RunFileError
from infoplane.plain_probes import plain_probes
from infoplane.plots.plane_findings import PlaneFinding, magnitude, plane_findings
from infoplane.printable import NAME, printable
from infoplane.reports.findings import CONTEXT, FindingSummary
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.view import StreamView


@dataclass(frozen=True)
class ProbePath:
    """What one probe measured in the rows drawn; arrays of shape (rows,), in bit.

    Attributes
    ----------
    probe, site, host : str
        Its name, where it sits, and whether that network is the ``trained`` or the ``untrained`` one.
    i_zx, i_zy : numpy.ndarray
        Upper bound on I(Z;X) and lower bound on I(Z;Y).
    se_i_zx, se_i_zy : numpy.ndarray
        Their standard errors over the inputs.
    doubtful : numpy.ndarray
        Rows of which a finding says that they cannot be used as they stand.
    """

    probe: str
    site: str
    host: str
    i_zx: NDArray[np.float64]
    i_zy: NDArray[np.float64]
    se_i_zx: NDArray[np.float64]
    se_i_zy: NDArray[np.float64]
    doubtful: NDArray[np.bool_]

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
        H(Y) of the labels measured last, in bit.
    n : int
        Inputs measured last.
    settings : str
        Sentence with N, beta, probe steps, split and n.
    found : tuple of PlaneFinding, or None
        Those about the plane, of every probe of the file; None where they cannot be read.
    others : tuple of str
        Probes of the file that have no path here: other betas, scale twins, refitted ones.
    every, of : int
        One row in `every` is drawn, and the last, of the `of` rows of the file.
    """

    name: str
    step: NDArray[np.float64]
    epoch: NDArray[np.float64]
    paths: tuple[ProbePath, ...]
    h_y: float
    n: int
    settings: str
    found: tuple[PlaneFinding, ...] | None
    others: tuple[str, ...]
    every: int
    of: int

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
            return f"{self.name} {self.last:g}"
        return f"{self.name} {self.first:g} (light) to {self.last:g} (dark, black edge)"


def read_paths(run: Run | str | PathLike[str], *, rows: int | None = None) -> RunPaths:
    """Read the paths of a run; an open run stays open.

    Parameters
    ----------
    run : Run or path-like
        An open run or a run file.
    rows : int, optional
        Read at most so many rows, evenly spaced from the first on, and the last; all if left out.

    Raises
    ------
    RunFileError
        When the file is no run file, or has no plane.
    InputError
        When the run has not measured yet, or `rows` is no whole number from 2 on.
    """
    if rows is not None:
        whole_number("rows", rows, least=2)
    if isinstance(run, Run):
        return _read(run, rows)
    with open_run(run) as opened:
        return _read(opened, rows)


def _read(run: Run, rows: int | None) -> RunPaths:
    view = run.plane()
    if not len(view) and view.committed:
        reason = f"{view.committed} rows of its plane were committed, but none can be read: it is cut off or damaged"
        raise RunFileError(f"{run.path}: {reason}")
    if not len(view):
        raise InputError(f"{run.path} has no plane to draw: nothing has been measured yet")
    of = len(view)
    every = 1 if rows is None else max(1, -(-(of - 1) // (rows - 1)))

    def read(name: str) -> NDArray[Any]:
        return np.concatenate([view.read(name, slice(0, of - 1, every)), view.read(name, slice(of - 1, of))])

    steps, values = read(view.row), read("values")
    at = {str(name): k for k, name in enumerate(view["quantity"])}
    sites, hosts = view["site"], view["host"]
    plain = plain_probes(view)
    found = plane_findings(run)
    unusable = [one for one in found or () if one.code not in CONTEXT]
    paths = [
        ProbePath(
            probe=str(name),
            site=str(sites[k]),
            host=str(hosts[k]),
            i_zx=values[:, k, at["i_zx"]],
            i_zy=values[:, k, at["i_zy"]],
            se_i_zx=values[:, k, at["se_i_zx"]],
            se_i_zy=values[:, k, at["se_i_zy"]],
            doubtful=np.isin(steps, [step for one in unusable if one.place == name for step in one.steps]),
        )
        for k, name in enumerate(view["probe"])
        if plain[k]
    ]
    return RunPaths(
        name=run.path.stem,
        step=steps.astype(np.float64),
        epoch=read("epoch"),
        paths=tuple(sorted(paths, key=lambda path: path.host != "trained")),
        h_y=float(values[-1, 0, at["h_y"]]),
        n=int(view.read("n", -1)),
        settings=_settings(view),
        found=found,
        others=tuple(str(name) for name in view["probe"][~plain]),
        every=every,
        of=of,
    )


def _settings(view: StreamView) -> str:
    shown = plain_probes(view)
    latent, beta = (" or ".join(f"{value:g}" for value in np.unique(view[name][shown])) for name in ("latent", "beta"))
    updates = int(view.read("updates", -1))
    steps = f"trained for {updates} step{'' if updates == 1 else 's'}"
    known = view.attrs
    mode = f"mode {printable(known['probe_mode'], NAME)}, " if "probe_mode" in known else ""
    draws = f", {printable(known['draws'], NAME)} draws each" if "draws" in known else ""
    where = f"Measured on the {printable(known.get('split', 'unknown'), NAME)} split, n = {view.read('n', -1)}{draws}."
    return f"Probes: {mode}N = {latent}, beta = {beta}, {steps}. {where}"
