"""Reading the paths of a run from its file."""

from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import whole_number
from infoplane.errors import InputError, RunFileError
from infoplane.plane_probes import check_quantities, plane_probes, plane_values, settings_phrase
from infoplane.plots.path import ProbePath, RunPaths
from infoplane.plots.window import windowed
from infoplane.printable import NAME, printable
from infoplane.reports.findings import CONTEXT
from infoplane.reports.plane_findings import plane_findings
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.view import StreamView

PROBES = ("plain", "all")


def read_paths(
    run: Run | str | PathLike[str], *, rows: int | None = None, window: int = 1, probes: str = "plain"
) -> RunPaths:
    """Read the paths of a run; an open run stays open.

    Parameters
    ----------
    run : Run or path-like
        An open run or a run file.
    rows : int, optional
        Return at most so many rows, evenly spaced from the first on, and the last; all if left out.
    window : int
        Average so many consecutive rows first, at most all; see `windowed`.
    probes : {"plain", "all"}
        One per site and network, or also those at other betas and on scaled activations.

    Raises
    ------
    RunFileError
        When the file is no run file, or has no plane with both bounds.
    InputError
        When the run has not measured yet, `rows` is no whole number from 2 on, `window` none from 1 to its
        rows, or there is no such choice of probes.
    """
    if rows is not None:
        whole_number("rows", rows, least=2)
    whole_number("window", window, least=1)
    if probes not in PROBES:
        raise InputError(f"probes is {probes!r}, but it must be one of {', '.join(map(repr, PROBES))}")
    if isinstance(run, Run):
        return _read(run, rows, window, probes)
    with open_run(run) as opened:
        return _read(opened, rows, window, probes)


def thinned(run: RunPaths, rows: int | None) -> RunPaths:
    """Return at most so many rows of a run, evenly spaced from the first on, and the last; all for None."""
    count = run.step.size
    every = _every(count, rows)
    if every == 1:
        return run
    keep = np.append(np.arange(0, count - 1, every), count - 1)
    names = ("i_zx", "i_zy", "se_i_zx", "se_i_zy", "i_zx_lower", "i_zx_upper", "doubtful")
    paths = [
        replace(
            path,
            **{name: getattr(path, name)[keep] for name in names},
            covariance=None if path.covariance is None else path.covariance[keep],
        )
        for path in run.paths
    ]
    return replace(run, step=run.step[keep], epoch=run.epoch[keep], paths=tuple(paths), every=every * run.every)


def _every(count: int, rows: int | None) -> int:
    return 1 if rows is None else max(1, -(-(count - 1) // (rows - 1)))


def _read(run: Run, rows: int | None, window: int, probes: str) -> RunPaths:
    view = run.plane()
    if not len(view) and view.committed:
        reason = f"{view.committed} rows of its plane were committed, but none can be read: it is cut off or damaged"
        raise RunFileError(f"{run.path}: {reason}")
    if not len(view):
        raise InputError(f"{run.path} has no plane to draw: nothing has been measured yet")
    if window > 1:
        return thinned(windowed(_all_rows(run, view, 1, probes), window), rows)
    return _all_rows(run, view, _every(len(view), rows), probes)


def _all_rows(run: Run, view: StreamView, every: int, probes: str) -> RunPaths:
    of = len(view)

    parts = slice(0, of - 1, every), slice(of - 1, of)

    def read(name: str) -> NDArray[Any]:
        return np.concatenate([view.read(name, part) for part in parts])

    check_quantities(view, ("i_zx", "i_zy"))
    steps = read(view.row)
    values: Any = np.concatenate([plane_values(view, part, (*_QUANTITIES, "h_y")) for part in parts])
    known = plane_probes(view)
    shown = [one for one in known if one.is_plain or (probes == "all" and one.host in ("trained", "untrained"))]
    found = plane_findings(run)
    unusable = [one for one in found or () if one.code not in CONTEXT]
    paths = [
        ProbePath(
            probe=one.probe,
            site=one.site,
            host=one.host,
            beta=one.beta,
            scale=one.scale,
            doubtful=np.isin(steps, [step for each in unusable if each.place == one.probe for step in each.steps]),
            **{name: values[:, one.at, k] for k, name in enumerate(_QUANTITIES)},
        )
        for one in sorted(shown, key=lambda one: one.is_control)
    ]
    kind = str(view["kind"][view["quantity"].tolist().index("i_zy")])
    real = _real_labels(run, kind)
    settings = f"Probes: {settings_phrase(view, shown)}"
    return RunPaths(
        name=run.path.stem,
        step=steps.astype(np.float64),
        epoch=read("epoch"),
        paths=tuple(paths),
        h_y=np.nan if real else float(values[-1, 0, -1]),
        label_kind=kind,
        real_labels=real,
        n=int(view.read("n", -1)),
        n_sandwich=int(view.read("n_sandwich", -1)) if "n_sandwich" in view.names else 0,
        settings=f"{settings}, {_updates(view)}. {_measured(view)}",
        probes=settings,
        found=found,
        others=tuple(one.probe for one in known if one not in shown),
        every=every,
        of=of,
    )


_QUANTITIES = ("i_zx", "i_zy", "se_i_zx", "se_i_zy", "i_zx_lower", "i_zx_upper")


def _real_labels(run: Run, kind: str) -> bool:
    """Whether labels are real numbers, whose differential entropy is no limit of an information."""
    probes = run.provenance.get("probes")
    return kind != "lower_bound" or (isinstance(probes, dict) and probes.get("dimensions") is not None)


def _updates(view: StreamView) -> str:
    updates = int(view.read("updates", -1))
    return f"trained for {updates} step{'' if updates == 1 else 's'}"


def _measured(view: StreamView) -> str:
    known = view.attrs
    draws = f", {printable(known['draws'], NAME)} draws each" if "draws" in known else ""
    return f"Measured on the {printable(known.get('split', 'unknown'), NAME)} split, n = {view.read('n', -1)}{draws}."
