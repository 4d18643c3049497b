"""Writing a drawn figure to a file."""

from collections.abc import Sequence
from os import PathLike

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from infoplane.plots.theme import theme


def save(drawn: Axes | Sequence[Axes] | NDArray[np.object_], path: str | PathLike[str]) -> None:
    """Write the figure of what a plot returned, with editable text in PDF and SVG, and close it.

    Parameters
    ----------
    drawn : matplotlib.axes.Axes or sequence of them
        What `plane`, `planes`, `surface`, `histogram` or `histograms` returned.
    path : path-like
        Its ending says the format: ``.png``, ``.pdf``, ``.svg``.
    """
    first = np.ravel(np.asarray(drawn, dtype=object))[0]
    figure: Figure | SubFigure = first.figure
    while isinstance(figure, SubFigure):
        figure = figure.figure
    with theme():
        figure.savefig(path)
    plt.close(figure)
