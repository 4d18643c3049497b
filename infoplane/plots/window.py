"""Means over windows of consecutive rows, as every dot of the paper's Fig. 5 is "a mean of 50 runs and 10 epochs"."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.plots.path import ProbePath, RunPaths


def windowed(run: RunPaths, window: int) -> RunPaths:
    """Return a run with every `window` rows, one window after the other, replaced by their mean.

    Parameters
    ----------
    run : RunPaths
        With all its rows.
    window : int
        Rows per mean, from 1 on. The last mean has the rows that are left.

    Notes
    -----
    Steps and epochs are those of the last row of each window. Rows in which a bound is not finite are left out of the
    means and counted. The rows share their inputs, so that the standard error of a mean is at most the mean of the
    standard errors, which stands for it. A point is doubtful where one of its rows is.
    """
    if window == 1:
        return run
    starts = np.arange(0, run.step.size, window)
    last = np.append(starts[1:], run.step.size) - 1
    paths = tuple(_mean(path, starts) for path in run.paths)
    rest = run.step.size % window
    left = f", the last of {rest}" if rest else ""
    said = f"Every point is the mean of {window} measured rows{left}, at the time of its last row."
    return replace(run, step=run.step[last], epoch=run.epoch[last], paths=paths, said=(*run.said, said))


def _mean(path: ProbePath, starts: NDArray[np.intp]) -> ProbePath:
    finite = path.finite
    count = np.add.reduceat(finite.astype(np.float64), starts)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):
            total: NDArray[np.float64] = np.add.reduceat(np.where(finite, values, 0.0), starts) / count
        return total

    names = ("i_zx", "i_zy", "se_i_zx", "se_i_zy", "i_zx_lower", "i_zx_upper")
    means: dict[str, Any] = {name: mean(getattr(path, name)) for name in names}
    doubtful = np.logical_or.reduceat(path.doubtful & finite, starts)
    whole = np.add.reduceat(np.ones(finite.size), starts)
    lost = int((whole - count)[count > 0].sum())
    return replace(path, **means, doubtful=doubtful, averaged=path.averaged + lost)
