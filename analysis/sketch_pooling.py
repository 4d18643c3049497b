"""One sketch of several: what the sketch of all their values together would be."""

import math
from collections.abc import Sequence

import numpy as np

from infoplane.analysis.sketch import QUANTITIES, SketchSummary

_SIGNS = ("negative", "positive")
_EXTREMES = ("minimum", "maximum", "mean_log", "std_log")


def pooled(sketches: Sequence[SketchSummary]) -> SketchSummary:
    """Return the sketch of all the values behind several sketches.

    Counts add up, extremes are the outermost ones, and mean and standard deviation (1/n) of ln|x| follow from those of
    the parts: the variance within them and that between their means.

    Parameters
    ----------
    sketches : sequence of SketchSummary
        At least one.

    Returns
    -------
    SketchSummary
    """
    found = {
        name: sum(sketch[name] for sketch in sketches)
        for name in QUANTITIES
        if name.rpartition("_")[0] not in _EXTREMES
    }
    for sign in _SIGNS:
        parts = [sketch for sketch in sketches if sketch[f"count_{sign}"]]
        if not parts:
            found |= {f"{name}_{sign}": math.nan for name in _EXTREMES}
            continue
        weights = [part[f"count_{sign}"] for part in parts]
        means = np.array([part[f"mean_log_{sign}"] for part in parts])
        within = np.array([part[f"std_log_{sign}"] for part in parts]) ** 2
        mean = float(np.average(means, weights=weights))
        found[f"minimum_{sign}"] = min(part[f"minimum_{sign}"] for part in parts)
        found[f"maximum_{sign}"] = max(part[f"maximum_{sign}"] for part in parts)
        found[f"mean_log_{sign}"] = mean
        found[f"std_log_{sign}"] = math.sqrt(float(np.average(within + (means - mean) ** 2, weights=weights)))
    counts = np.sum([sketch.counts for sketch in sketches], axis=0)
    return SketchSummary(counts, np.array([found[name] for name in QUANTITIES]))
