"""The one number that a run ends with: a metric at its last row, and where they were kept the outcomes behind it.

The last row is the only one that may be compared: the best on the test set was chosen by the test set.
"""

import math
from dataclasses import dataclass

import numpy as np

from infoplane.analysis.errors import near_names
from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.samples import Floats
from infoplane.analysis.sketch_pooling import pooled
from infoplane.errors import InputError
from infoplane.plane_probes import plain_probes
from infoplane.reports.jsd import POOLED
from infoplane.runfile.reader import Run
from infoplane.runfile.view import StreamView

_OF_HOST = ("error", "loss")
_OF_PROBES = ("i_zx", "i_zy", "i_zx_lower", "i_zx_upper", "i_zx_given_y", "i_ty_chain", "ce")
_OF_SKETCHES = {"jsd_weights": "weights", "jsd_activations": "activations"}
METRICS = (*_OF_HOST, *_OF_PROBES, *_OF_SKETCHES)
"""What can be compared: the network's own error and loss, its probes' bounds, divergences from log-normal laws."""

UNEXPLAINED = "1 - R²"
"""What the error of real labels is: the mean squared error over the variance of the labels."""

BY_IMAGE = ("error", "loss", "i_zx", "i_zy", "ce")
"""Those that are means over inputs, whose outcomes a run may keep."""

# Single-precision outcomes whose mean is the recorded number, up to rounding.
_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class RunValue:
    """A metric at the last row of one run.

    Attributes
    ----------
    value : float
        Per cent of ``error`` (of real labels of `UNEXPLAINED`), else bit.
    step : int
        Of the row.
    epoch : float
        NaN where the run kept none.
    images : int or None
        Inputs measured; None where the file does not say.
    outcomes : numpy.ndarray or None
        Shape (images,): what each input contributes, whose mean is `value`, in their order; None where they were not
        kept of all inputs, or are not what the value is the mean of.
    """

    value: float
    step: int
    epoch: float
    images: int | None
    outcomes: Floats | None


def unit_of(metric: str, run: Run) -> str:
    """Return the unit of a metric's values in a run: of real labels the error is no share of the inputs."""
    if metric != "error":
        return "bit"
    return f"% ({UNEXPLAINED})" if has_real_labels(run) else "%"


def difference_unit(unit: str) -> str:
    """Return the unit of the difference of two values: points of per cent."""
    return unit.replace("%", "points")


def values_unit(unit: str) -> str:
    """Return the unit of the values whose difference is in `unit`."""
    return unit.replace("points", "%")


def has_real_labels(run: Run) -> bool:
    """Return whether a run's labels are real numbers: its network has an error then and no loss."""
    if "metrics" not in run.streams:
        return False
    names = run.stream("metrics")["quantity"].tolist()
    return "error" in names and "loss" not in names


def sites_of(run: Run, metric: str) -> tuple[str, ...]:
    """Return where a metric can be read in a run; one empty name where it has no place."""
    if metric in _OF_PROBES:
        plane = run.plane()
        return tuple(dict.fromkeys(plane["site"][_plain(plane)].tolist()))
    if metric in _OF_SKETCHES:
        return (POOLED, *run.sketch_names(_OF_SKETCHES[metric]))
    return ("",)


def scales_of(run: Run, site: str) -> tuple[float, ...]:
    """Return the factors of the scale twins at a site."""
    plane = run.plane()
    if "scale" not in plane.names:
        return ()
    at = (plane["site"] == site) & (plane["host"] == "trained") & (plane["scale"] != 1)
    return tuple(dict.fromkeys(plane["scale"][at].tolist()))


def run_value(run: Run, metric: str, site: str = "", *, scale: float = 1.0) -> RunValue:
    """Return a metric of one run at its last row.

    Parameters
    ----------
    run : Run
        Open.
    metric : str
        One of `METRICS`.
    site : str
        One of `sites_of`.
    scale : float
        Of a probe's metric: 1, or one of `scales_of` for that of a scale twin.

    Raises
    ------
    InputError
        When the run has no such site, no row, or a number that is not finite.
    RunFileError
        When it has no such stream, or cannot be read.
    """
    if site not in (known := sites_of(run, metric)):
        if known == ("",):
            raise InputError(f"{metric} is of the whole network and has no sites: leave {site!r} out")
        raise InputError(
            f"{run.path}: {metric} has no site {site!r}{near_names(site, known)}; there are "
            f"{', '.join(map(repr, known))}"
        )
    view = run.stream(_stream(metric))
    if not len(view):
        raise InputError(f"{run.path}: has no row of {view.name!r} yet, so that it has no {metric} to compare")
    outcomes: Floats | None = None
    if metric in _OF_SKETCHES:
        names = run.sketch_names(view.name) if site == POOLED else (site,)
        value = lognormal_jsd(pooled([run.sketch(view.name, name) for name in names])).divergence
    elif metric in _OF_PROBES:
        probe = _probe(view, site, scale)
        row = view.read("values", -1)[probe]
        quantity = view["quantity"].tolist()
        value = float(row[quantity.index(metric)])
        if metric in BY_IMAGE:
            outcomes = _outcomes(run, view, "rate" if metric == "i_zx" else "ce", str(view["probe"][probe]))
        if metric == "i_zy" and outcomes is not None:
            outcomes = float(row[quantity.index("h_y")]) - outcomes
    else:
        if metric not in (names := view["quantity"].tolist()):
            raise InputError(f"{run.path}: the network has no {metric}; its metrics are {', '.join(names)}")
        value, outcomes = float(view.read("values", -1)[names.index(metric)]), _outcomes(run, view, metric)
    if not math.isfinite(value):
        raise InputError(
            f"{run.path}: {metric} {site} is {value} in the last row; a run that failed is no missing value: leave its "
            "seed out of both arms, and say so".replace("  ", " ")
        )
    if outcomes is not None and abs(outcomes.mean() - value) > _TOLERANCE * max(abs(value), 1e-2):
        outcomes = None
    factor = 100 if metric == "error" else 1
    return RunValue(
        value=factor * value,
        step=int(view.row_values[-1]),
        epoch=float(view["epoch"][-1]) if "epoch" in view.variables else math.nan,
        images=int(run.plane()["n"][-1]) if "plane" in run.streams and len(run.plane()) else None,
        outcomes=None if outcomes is None else factor * outcomes,
    )


def _stream(metric: str) -> str:
    return "plane" if metric in _OF_PROBES else _OF_SKETCHES.get(metric, "metrics")


def _plain(plane: StreamView) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    mask: np.ndarray[tuple[int], np.dtype[np.bool_]] = plain_probes(plane) & (plane["host"] == "trained")
    return mask


def _probe(plane: StreamView, site: str, scale: float) -> int:
    if scale == 1:
        return int(np.flatnonzero(_plain(plane) & (plane["site"] == site))[0])
    found = np.flatnonzero((plane["site"] == site) & (plane["host"] == "trained") & (plane["scale"] == scale))
    if not len(found):
        raise InputError(f"{plane.path}: has no scale twin x{scale:g} at {site!r}, which other runs have")
    return int(found[0])


def _outcomes(run: Run, beside: StreamView, name: str, probe: str = "") -> Floats | None:
    """Return what each input gave in the last row of `beside`, by position; None where it was not kept of all."""
    if "inputs" not in run.streams or "plane" not in run.streams:
        return None
    view = run.stream("inputs")
    if not len(view) or view.row_values[-1] != beside.row_values[-1] or name not in view.variables:
        return None
    positions, values = view.read("position", -1), view.read(name, -1)
    if probe:
        if probe not in (probes := view["probe"].tolist()):
            return None
        values = values[probes.index(probe)]
    # A place without an input has position -1; a subset of the inputs has another mean than the number compared.
    if sorted(positions[positions >= 0].tolist()) != list(range(int(run.plane()["n"][-1]))):
        return None
    ordered: Floats = values[positions >= 0][np.argsort(positions[positions >= 0])].astype(np.float64)
    return ordered if np.isfinite(ordered).all() else None
