"""Means over windows of consecutive rows, as every dot of the paper's Fig. 5 is "a mean of 50 runs and 10 epochs"."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.path import ProbePath, RunPaths
from infoplane.printable import NAME, printable


def windowed(run: RunPaths, window: int) -> RunPaths:
    """Return a run with every `window` rows, one window after the other, replaced by their mean.

    Parameters
    ----------
    run : RunPaths
        With all its rows.
    window : int
        Rows per mean, from 1 to all rows. The last mean has the rows that are left.

    Raises
    ------
    InputError
        When the window is larger than the run has rows.

    Notes
    -----
    Steps and epochs are those of the last row of each window. Rows in which a bound is not finite are left out of the
    means and counted. The rows share their inputs, so that the standard error of a mean is at most the mean of the
    standard errors, which stands for it. A point is doubtful where one of its rows is.
    """
    if window == 1:
        return run
    count = run.step.size
    if window > count:
        rows = f"{count} rows: at most {count} can be averaged" if count > 1 else "one row, which is its own mean"
        raise InputError(f"window is {window}, but {printable(run.name, NAME)} has {rows}")
    starts = np.arange(0, count, window)
    last = np.append(starts[1:], count) - 1
    paths = tuple(_mean(path, starts) for path in run.paths)
    rest = count % window
    left = f" (the last point of {rest} alone)" if rest else ""
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
