"""Figures 4, 5 and 6 as numbers, read off the vector graphics of the published article."""

import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from infoplane.experiments.paper.source import text

if TYPE_CHECKING:
    import pandas as pd

FIG4_STEP = 0.0048
"""Bit between two neighbouring colours of Fig. 4: no cell is known more precisely."""


def fig4() -> npt.NDArray[np.float64]:
    """Return the cells of Fig. 4.

    Returns
    -------
    numpy.ndarray
        Shape (99, 99), in bit: row k from the bottom, at (k + 0.5) / 99 of the vertical axis (labelled zhat, from 0 to
        1); column k from the left, at (k + 0.5) / 99 of the horizontal one (labelled synaptic strength, -1 to 1).
    """
    return np.loadtxt(io.StringIO(text("fig4.csv")), delimiter=",")


def fig5() -> "pd.DataFrame":
    """Return the dots of Fig. 5.

    Returns
    -------
    pandas.DataFrame
        ``run`` (baseline or scaling), ``layer`` (1 is blue, 4 yellow), ``shade`` (0 dark and early, 1 light and late),
        ``i_zx_bit`` within 0.05, and ``i_zy`` within 0.002 (the caption calls both axes bit).
    """
    return _frame("fig5.csv")


def fig6() -> "pd.DataFrame":
    """Return the lines of Fig. 6.

    Returns
    -------
    pandas.DataFrame
        ``panel`` (a to d), ``curve``, ``x`` (epoch in a and c, scaling rate in b and d) and ``y`` (per cent for an
        error, as plotted for a divergence, whose unit the paper does not give).
    """
    return _frame("fig6.csv")


def _frame(name: str) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_csv(io.StringIO(text(name)), comment="#")
