"""The paths of a run through the information plane, read from its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Self

import numpy as np
from numpy.typing import NDArray

from infoplane.errors import InputError, RunFileError
from infoplane.plain_probes import plain_probes
from infoplane.reports.findings import CONTEXT, FindingSummary, codes_of_points, findings
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.view import StreamView


@dataclass(frozen=True)
class ProbePath:
    """What one probe measured, row by row; arrays of shape (rows,), in bit.

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
        Shape (rows,), steps of the host's training and epochs; an epoch is NaN where none was given.
    paths : tuple of ProbePath
        The trained host's first.
    h_y : float
        H(Y) of the labels measured last, in bit.
    n : int
        Inputs measured last.
    settings : str
        Sentence with N, beta, probe steps, split and n.
    findings : tuple of FindingSummary, or None
        Those about the plane, by kind; None where they cannot be read.
    others : int
        Probes of the file that have no path here: other betas, scale twins, refitted ones.
    """

    name: str
    step: NDArray[np.float64]
    epoch: NDArray[np.float64]
    paths: tuple[ProbePath, ...]
    h_y: float
    n: int
    settings: str
    findings: tuple[FindingSummary, ...] | None
    others: int = 0

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


def read_paths(run: Run | str | PathLike[str]) -> RunPaths:
    """Read the paths of a run; an open run stays open.

    Raises
    ------
    RunFileError
        When the file is no run file, or has no plane.
    InputError
        When the run has not measured yet.
    """
    if isinstance(run, Run):
        return _read(run)
    with open_run(run) as opened:
        return _read(opened)


def _read(run: Run) -> RunPaths:
    view = run.plane()
    if not len(view):
        raise InputError(f"{run.path} has no plane to draw: nothing has been measured yet")
    values = view["values"]
    at = {str(name): k for k, name in enumerate(view["quantity"])}
    sites, hosts = view["site"], view["host"]
    plain = plain_probes(view)
    found, doubtful = _findings(run)
    paths = [
        ProbePath(
            probe=str(name),
            site=str(sites[k]),
            host=str(hosts[k]),
            i_zx=values[:, k, at["i_zx"]],
            i_zy=values[:, k, at["i_zy"]],
            se_i_zx=values[:, k, at["se_i_zx"]],
            se_i_zy=values[:, k, at["se_i_zy"]],
            doubtful=np.isin(view.row_values, doubtful.get(str(name), [])),
        )
        for k, name in enumerate(view["probe"])
        if plain[k]
    ]
    return RunPaths(
        name=run.path.stem,
        step=view.row_values.astype(np.float64),
        epoch=view["epoch"],
        paths=tuple(sorted(paths, key=lambda path: path.host != "trained")),
        h_y=float(values[-1, 0, at["h_y"]]),
        n=int(view["n"][-1]),
        settings=_settings(view),
        findings=found,
        others=int((~plain).sum()),
    )


def _findings(run: Run) -> tuple[tuple[FindingSummary, ...] | None, dict[str, list[int]]]:
    """Return the findings about the plane by kind, and by probe the steps that cannot be used as they stand."""
    try:
        found = tuple(group for group in findings(run) if group.stream == "plane")
    except RunFileError:
        return None, {}
    steps: dict[str, list[int]] = {}
    for (step, probe), codes in codes_of_points(run).items():
        if not CONTEXT.issuperset(codes):
            steps.setdefault(probe, []).append(step)
    return found, steps


def _settings(view: StreamView) -> str:
    shown = plain_probes(view)
    latent, beta = (" or ".join(f"{value:g}" for value in np.unique(view[name][shown])) for name in ("latent", "beta"))
    steps = f"trained for {view['updates'][-1]} steps"
    known = view.attrs
    mode = f"mode {known['probe_mode']}, " if "probe_mode" in known else ""
    draws = f", {known['draws']} draws each" if "draws" in known else ""
    where = f"Measured on the {known.get('split', 'unknown')} split, n = {view['n'][-1]}{draws}."
    return f"Probes: {mode}N = {latent}, beta = {beta}, {steps}. {where}"
