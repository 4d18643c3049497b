"""Small text and legends outside of the axes, wrapped to their width, so that they never cover a point."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.text import Annotation
from matplotlib.textpath import text_to_path
from matplotlib.transforms import ScaledTranslation

from infoplane.plots.theme import QUIET, pt
from infoplane.printable import NAME, printable

GAP = 4.0


def small() -> float:
    """Return the size of small text in points: 6.5 under the theme's 8."""
    return 0.8125 * float(mpl.rcParams["font.size"])


def as_is(text: str) -> str:
    """Return `text` with its dollars escaped, so that matplotlib draws it as it is and finds no formula in it."""
    return text.replace("$", r"\$")


def name_as_is(name: str) -> str:
    """Return a name from a file as it is drawn: in one line, nothing in it unseen, and no formula."""
    return as_is(printable(name, NAME))


def wrapped(text: str, width: float, *, size: float | None = None) -> str:
    """Return `text` broken into lines of at most `width` points as set in `size` points (small text if left out).

    Longer words stay whole, and so do equations ("n = 450") and what is held together by no-break spaces.
    """
    words = text.replace(" = ", "\u00a0=\u00a0").split(" ")
    return _filled(words, " ", width, small() if size is None else size)


def _filled(parts: Sequence[str], between: str, width: float, size: float) -> str:
    font = FontProperties(size=size)
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and text_to_path.get_text_width_height_descent(longer, font, ismath=False)[0] <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(lines)


def width_of(ax: Axes) -> float:
    """Return the width of the axes in points, as they stand before the layout has run."""
    return float(ax.bbox.width / ax.figure.dpi * 72)


def height_of(ax: Axes) -> float:
    """Return the height of the axes in points, as they stand before the layout has run."""
    return float(ax.bbox.height / ax.figure.dpi * 72)


def caption_below(ax: Axes, text: str, *, under: Artist | None = None, share: float = 1.0) -> Annotation:
    """Write plain `text`, wrapped to a share of the axes' width, under the label of the x axis or another artist."""
    return ax.annotate(
        as_is(wrapped(text, share * width_of(ax))),
        xy=(0, 0),
        xycoords=("axes fraction", ax.xaxis.label if under is None else under),
        xytext=(0, -pt(GAP)),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=small(),
        color=QUIET,
        annotation_clip=False,
        gid="caption",
    )


def legend_below(ax: Axes, handles: Sequence[Any], labels: Sequence[str], **options: Any) -> Legend:
    """Set a legend under the label of the x axis, in as many columns as the width of the axes holds.

    Labels too wide for one column are broken before a bracket, after a dot, colon, underscore or space, or else where
    they have to be.
    """
    pixels = ax.figure.dpi / 72
    axis = ax.xaxis.get_tightbbox(None)
    depth = 0.0 if axis is None else (ax.get_window_extent().y0 - axis.y0) / pixels
    below = ScaledTranslation(0, -(depth + pt(GAP)) / 72, ax.figure.dpi_scale_trans)
    options |= {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": ax.transAxes + below}
    for columns in range(_most_columns(ax, handles, labels, options), 0, -1):
        legend = ax.legend(handles, labels, ncols=columns, borderpad=0, borderaxespad=0, **options)
        if legend.get_window_extent().width / pixels <= width_of(ax):
            return legend
    texts = legend.get_texts()
    beside = legend.get_window_extent().width - max(text.get_window_extent().width for text in texts)
    for text in texts:
        words = re.split(r"(?:(?<=[.:_ ])|(?=\[))(?![^$]*\$)", text.get_text())
        parts = [part for word in words for part in re.findall(r"(?:\\\$|.){1,24}", word)]
        text.set_text(_filled(parts, "", width_of(ax) - beside / pixels, float(text.get_fontsize())))
    return legend


def _most_columns(ax: Axes, handles: Sequence[Any], labels: Sequence[str], options: Mapping[str, Any]) -> int:
    """Return how many columns a legend has at most: each is as wide as its narrowest entry. Trying takes long."""
    legend = ax.legend(handles, labels, ncols=1, borderpad=0, **{**options, "title": None})
    widths = [text.get_window_extent().width for text in legend.get_texts()]
    narrowest = legend.get_window_extent().width - max(widths) + min(widths)
    return max(1, min(len(handles), int(width_of(ax) * ax.figure.dpi / 72 // narrowest)))


def height_outside(ax: Axes) -> float:
    """Return how many points title, labels, legend and caption take above and below the axes."""
    box = ax.get_tightbbox()
    return 0.0 if box is None else float((box.height - ax.bbox.height) / ax.figure.dpi * 72)


def legend_on_top(figure: Figure, handles: Sequence[Any], labels: Sequence[str], **options: Any) -> Legend:
    """Set one legend over all the axes of a figure with constrained layout, in as many columns as its width holds."""
    for columns in range(len(handles), 0, -1):
        legend = figure.legend(handles, labels, ncols=columns, loc="outside upper left", borderpad=0, **options)
        if columns == 1 or legend.get_window_extent().width <= 0.97 * figure.bbox.width:
            break
        legend.remove()
    return legend
