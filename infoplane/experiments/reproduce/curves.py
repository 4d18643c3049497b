"""What a run was over its epochs: a metric of the network, a divergence, or the bounds of a probe; means over runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.samples import Floats
from infoplane.analysis.sketch_pooling import pooled
from infoplane.errors import InputError
from infoplane.plane_probes import plain_probes
from infoplane.runfile.reader import Run, open_run

_SKETCHED = {"jsd_weights": "weights", "jsd_activations": "activations"}


@dataclass(frozen=True, eq=False)
class Curve:
    """Epochs, and the mean of a quantity over the runs at each; both of shape (rows,)."""

    epoch: Floats
    mean: Floats


def mean_curve(paths: Sequence[Path], metric: str, site: str = "", *, host: str = "trained") -> Curve:
    """Return the mean of a metric over runs that were measured at the same epochs.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        At least one run file.
    metric : str
        ``error`` (in per cent), ``loss``, ``jsd_weights``, ``jsd_activations`` (pooled, bit), or of the plane.
    site : str
        Of a quantity of the plane.
    host : {"trained", "untrained"}
        Of a quantity of the plane: the network, or its frozen untrained copy, the control.

    Raises
    ------
    InputError
        When there is no run, or their epochs differ.
    """
    found = []
    for path in paths:
        with open_run(path) as run:
            found.append(_curve(run, metric, site, host))
    if not found:
        raise InputError(f"there is no run of which {metric} could be drawn")
    if any(not np.array_equal(one.epoch, found[0].epoch) for one in found):
        raise InputError(f"the runs {paths[0]} ... were not measured at the same epochs")
    return Curve(found[0].epoch, np.mean([one.mean for one in found], axis=0))


def has_control(paths: Sequence[Path]) -> bool:
    """Return whether all these runs have the same probes on the frozen untrained network."""
    found = []
    for path in paths:
        with open_run(path) as run:
            found.append("untrained" in run.plane()["host"].tolist())
    return bool(found) and all(found)


def _curve(run: Run, metric: str, site: str, host: str) -> Curve:
    if metric in _SKETCHED:
        stream = _SKETCHED[metric]
        view = run.stream(stream)
        names = run.sketch_names(stream)
        values = np.array(
            [
                lognormal_jsd(pooled([run.sketch(stream, name, row) for name in names]), bootstrap=0).divergence
                for row in range(len(view))
            ]
        )
    elif site:
        view = run.plane()
        at = plain_probes(view) & (view["site"] == site) & (view["host"] == host)
        probe, quantity = int(np.flatnonzero(at)[0]), view["quantity"].tolist().index(metric)
        values = view["values"][:, probe, quantity]
    else:
        view = run.metrics()
        values = view["values"][:, view["quantity"].tolist().index(metric)] * (100 if metric == "error" else 1)
    return Curve(view["epoch"].astype(np.float64), values.astype(np.float64))
