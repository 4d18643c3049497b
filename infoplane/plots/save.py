"""Writing a drawn figure to a file."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from infoplane.errors import InputError
from infoplane.plots.theme import theme


def save(drawn: Axes | Sequence[Axes] | NDArray[np.object_], path: str | PathLike[str]) -> None:
    """Write the figure of what a plot returned, with editable text in PDF and SVG, and close it.

    Parameters
    ----------
    drawn : matplotlib.axes.Axes or sequence of them
        What `plane`, `planes`, `surface`, `histogram` or `histograms` returned.
    path : path-like
        Its ending says the format: ``.png``, ``.pdf``, ``.svg``, or another that matplotlib writes. A file that is
        there is replaced.

    Raises
    ------
    InputError
        When no picture ends like that, or it cannot be written.
    """
    first = np.ravel(np.asarray(drawn, dtype=object))[0]
    figure: Figure | SubFigure = first.figure
    while isinstance(figure, SubFigure):
        figure = figure.figure
    target = Path(path)
    if target.suffix.lower().removeprefix(".") not in figure.canvas.get_supported_filetypes():
        raise InputError(f"{target} does not end in .png, .pdf or .svg, as a picture does")
    with theme():
        try:
            figure.savefig(target)
        except OSError as error:
            raise InputError(f"{target} cannot be written ({error.strerror or error})") from error
    plt.close(figure)
