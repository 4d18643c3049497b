"""Small text and legends outside of the axes, wrapped to their width, so that they never cover a point."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.text import Annotation
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox, ScaledTranslation

from infoplane.plots.theme import QUIET, pt
from infoplane.printable import NAME, printable
from infoplane.reports.findings import in_words as code_in_words

GAP = 4.0
_WHOLE = 24  # characters of a word that is not broken
_HEAD = 255  # characters of a file's name, at most
_LEAST = 8  # characters that are left of a name


def small() -> float:
    """Return the size of small text in points: 6.5 under the theme's 8."""
    return 0.8125 * float(mpl.rcParams["font.size"])


def as_is(text: str) -> str:
    """Return `text` with its dollars escaped, so that matplotlib draws it as it is and finds no formula in it."""
    return text.replace("$", r"\$")


def name_as_is(name: str) -> str:
    """Return a name from a file as it is drawn: in one line, nothing in it unseen, and no formula."""
    return as_is(printable(name, NAME))


def head_as_is(name: str) -> str:
    """Return a name from a file at its length, which `shortened` fits in: what tells two apart is often at the end."""
    return as_is(printable(name, _HEAD))


def both_ends(name: str) -> str:
    """Return a name from a file as `name_as_is` does, but long ones without their middle: both ends tell two apart."""
    shown = printable(name)
    half = NAME // 2
    return as_is(shown if len(shown) <= NAME else f"{shown[:half]}\u2026{shown[1 - half :]}")


def in_words(code: str) -> str:
    """Return the code of a finding as the report has it, ``rate above log n``, and as it is drawn."""
    return as_is(code_in_words(code))


def title_of(ax: Axes, name: str) -> str:
    """Return the name of a file as far as it is a title above these axes; its middle is left out where it is long."""
    return shortened(head_as_is(name), width_of(ax), float(ax.title.get_fontsize()))


def wrapped(text: str, width: float, *, size: float | None = None) -> str:
    """Return `text` broken into lines of at most `width` points as set in `size` points (small text if left out).

    Equations ("n = 450") and what is held together by no-break spaces stay whole. A longer word is broken after a dot,
    colon or underscore, or else where it has to be.
    """
    size = small() if size is None else size
    pieces: list[tuple[str, str]] = []
    for word in text.replace(" = ", "\u00a0=\u00a0").split(" "):
        first, *rest = _parts(word) if _width(word, size) > width else [word]
        pieces += [(" ", first), *(("", part) for part in rest)]
    return _filled(pieces, width, size)


def shortened(text: str, width: float, size: float) -> str:
    """Return `text` with its middle left out as far as `width` points in `size` points ask for.

    A text of several lines or with a formula stays as it is.
    """
    signs = re.findall(r"\\\$|.", text, flags=re.DOTALL)
    if "\n" in signs or "$" in signs:
        return text
    kept, shown = len(signs), text
    while kept > _LEAST and _width(shown, size) > width:
        kept -= 1
        shown = "".join([*signs[: kept - kept // 2], "\u2026", *signs[len(signs) - kept // 2 :]])
    return shown


def _parts(word: str) -> list[str]:
    words = [part for part in re.split(r"(?:(?<=[.:_ ])|(?=\[))(?![^$]*\$)", word) if part]
    return [
        part for one in words for part in ([one] if len(one) <= _WHOLE else re.findall(r"(?:\\\$|.){1,3}", one))
    ] or [word]


def _width(text: str, size: float) -> float:
    return float(text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)[0])


def _filled(pieces: Sequence[tuple[str, str]], width: float, size: float) -> str:
    """Return pieces, each with what stands between it and the one before, set into lines."""
    lines: list[str] = []
    for between, part in pieces:
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and _width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(lines)


def width_of(ax: Axes) -> float:
    """Return the width of the axes in points, as they stand before the layout has run."""
    return float(ax.bbox.width / ax.figure.dpi * 72)


def room_of(ax: Axes) -> float:
    """Return how many points there are from the left of the axes to the right of their cell of the figure.

    As constrained layout will leave them: labels and ticks beside the axes of each column are taken off. Without that
    layout it is the width of the axes as they stand.
    """
    figure, cell = ax.figure, ax.get_subplotspec()
    if cell is None or not isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
        return width_of(ax)
    columns = cell.get_gridspec().ncols
    beside: dict[int, float] = {}
    for other in figure.axes:
        spec, box = other.get_subplotspec(), other.get_tightbbox()
        if spec is not None and box is not None and spec.get_gridspec() is cell.get_gridspec():
            taken = max(0.0, other.bbox.x0 - _left_of(other))
            beside[spec.colspan.start] = max(taken, beside.get(spec.colspan.start, 0.0))
    pixels = (figure.bbox.width - sum(beside.values())) / columns
    pad: float = mpl.rcParams["figure.constrained_layout.w_pad"]
    return float(pixels / figure.dpi * 72 - 2 * 72 * pad)


def _left_of(ax: Axes) -> float:
    """Return where the ticks and the label of the vertical axis begin, in pixels."""
    box = ax.yaxis.get_tightbbox(None) if ax.axison else None
    return float(ax.bbox.x0 if box is None else box.x0)


def height_of(ax: Axes) -> float:
    """Return the height of the axes in points, as they stand before the layout has run."""
    return float(ax.bbox.height / ax.figure.dpi * 72)


def caption_below(ax: Axes, text: str, *, under: Artist | None = None, share: float = 1.0) -> Annotation:
    """Write plain `text`, wrapped to a share of the room there is, under the label of the x axis or another artist."""
    caption = ax.annotate(
        as_is(wrapped(text, 0.98 * share * room_of(ax))),
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
    caption.__class__ = _Caption
    return caption


class _Caption(Annotation):
    """A caption that the layout makes room for below the axes alone: to their right it has what `room_of` says."""

    def get_tightbbox(self, renderer: Any = None) -> Any:
        return _below(super().get_tightbbox(renderer), self.axes)


class _LegendBelow(Legend):
    """The same of a legend."""

    def get_tightbbox(self, renderer: Any = None) -> Any:
        return _below(super().get_tightbbox(renderer), self.axes)


def _below(box: Any, ax: Any) -> Any:
    # What stands out to the right is no reason to make the axes narrower, which would move it along.
    return None if box is None else Bbox.from_extents(box.x0, box.y0, max(box.x0, min(box.x1, ax.bbox.x1)), box.y1)


def legend_below(ax: Axes, handles: Sequence[Any], labels: Sequence[str], **options: Any) -> Legend:
    """Set a legend under the label of the x axis, in as many columns as the room beside their left edge holds.

    Labels too wide for one column are broken before a bracket, after a dot, colon, underscore or space, or else where
    they have to be.
    """
    pixels = ax.figure.dpi / 72
    axis = ax.xaxis.get_tightbbox(None)
    depth = 0.0 if axis is None else (ax.get_window_extent().y0 - axis.y0) / pixels
    below = ScaledTranslation(0, -(depth + pt(GAP)) / 72, ax.figure.dpi_scale_trans)
    options |= {"loc": "upper left", "bbox_to_anchor": (0, 0), "bbox_transform": ax.transAxes + below}
    room = room_of(ax)
    for columns in range(_most_columns(ax, handles, labels, options, room), 0, -1):
        legend = ax.legend(handles, labels, ncols=columns, borderpad=0, borderaxespad=0, **options)
        if legend.get_window_extent().width / pixels <= room:
            break
    else:
        texts = legend.get_texts()
        beside = legend.get_window_extent().width - max(text.get_window_extent().width for text in texts)
        for text in texts:
            text.set_text(
                _filled(
                    [("", part) for part in _parts(text.get_text())], room - beside / pixels, float(text.get_fontsize())
                )
            )
    legend.__class__ = _LegendBelow
    return legend


def _most_columns(
    ax: Axes, handles: Sequence[Any], labels: Sequence[str], options: Mapping[str, Any], room: float
) -> int:
    """Return how many columns a legend has at most: each is as wide as its narrowest entry. Trying takes long."""
    legend = ax.legend(handles, labels, ncols=1, borderpad=0, **{**options, "title": None})
    widths = [text.get_window_extent().width for text in legend.get_texts()]
    narrowest = legend.get_window_extent().width - max(widths) + min(widths)
    return max(1, min(len(handles), int(room * ax.figure.dpi / 72 // narrowest)))


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
