"""Tables of arms: what they end with, mean and spread over the seeds, beside what the paper prints."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.sketch_pooling import pooled
from infoplane.errors import InputError
from infoplane.experiments.reproduce.outcome import Table
from infoplane.reports.run_values import run_value
from infoplane.runfile.reader import open_run


def value_table(
    title: str,
    runs: Mapping[str, Sequence[Path]],
    columns: Sequence[tuple[str, str, str]],
    printed: Mapping[str, str] | None = None,
) -> Table:
    """Return a table of metrics.

    Parameters
    ----------
    title : str
        Above it.
    runs : mapping of str to sequence of pathlib.Path
        One row per arm.
    columns : sequence of (str, str, str)
        Head, metric and site of each.
    printed : mapping of str to str, optional
        What the paper prints of an arm, for a column of its own.
    """
    head = ["arm", *(["paper"] if printed is not None else []), *(column[0] for column in columns), "seeds"]
    cells = []
    for name, paths in runs.items():
        values = [mean_and_sd([_value(path, metric, site) for path in paths]) for _, metric, site in columns]
        cells.append([name, *([printed.get(name, "-")] if printed is not None else []), *values, f"{len(paths)}"])
    return Table(title, head, cells)


def divergence_table(title: str, runs: Mapping[str, Sequence[Path]], stream: str, printed: Mapping[str, str]) -> Table:
    """Return the divergence of pooled weights or activations from their log-normal fit, and its root, per arm.

    Parameters
    ----------
    title : str
        Above it.
    runs : mapping of str to sequence of pathlib.Path
        One row per arm.
    stream : str
        ``weights`` or ``activations``.
    printed : mapping of str to str
        What the paper prints of an arm.
    """
    head = ["arm", "paper", "JSD [bit]", "distance", "zeros [%]", "seeds"]
    cells = []
    for name, paths in runs.items():
        found = []
        for path in paths:
            with open_run(path) as run:
                names = run.sketch_names(stream)
                found.append(lognormal_jsd(pooled([run.sketch(stream, one) for one in names]), bootstrap=0))
        cells.append(
            [
                name,
                printed.get(name, "-"),
                mean_and_sd([one.divergence for one in found]),
                mean_and_sd([one.distance for one in found]),
                mean_and_sd([100 * one.zero_fraction for one in found]),
                f"{len(paths)}",
            ]
        )
    return Table(title, head, cells)


def mean_and_sd(values: Sequence[float]) -> str:
    """Return mean and standard deviation over seeds (n - 1), two digits of the latter deciding the decimals."""
    if not values or not np.isfinite(values).all():
        return "-"
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    if not sd > 0:
        return f"{mean:.4g}"
    decimals = min(max(1 - math.floor(math.log10(sd)), 0), 6)
    return f"{mean:.{decimals}f} ± {sd:.{decimals}f}"


def _value(path: Path, metric: str, site: str) -> float:
    with open_run(path) as run:
        try:
            return run_value(run, metric, site).value
        except InputError:
            return math.nan  # an arm that has no such site, as the code that only one of them has
