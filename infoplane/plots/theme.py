"""The look of the pictures: one journal column wide or one slide, editable as vectors, told apart without colour.

Every site has a colour and a marker. The colours are those of Okabe and Ito (2008), which people with the common forms
of colour blindness tell apart; the markers do the same in grey print.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError
from infoplane.site_marks import COLORS, MARKERS

COLUMN = 85 / 25.4
PAGE = 180 / 25.4
SLIDE = 254 / 25.4

QUIET = "#555555"

# Any: newer matplotlib types its settings by a literal of all their names, which older ones do not have.
_SETTINGS: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.title_fontsize": 7,
    "figure.titlesize": 8,
    "mathtext.fontset": "dejavusans",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.0,
    "grid.color": "#D9D9D9",
    "grid.linewidth": 0.4,
    "legend.frameon": False,
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
}


@dataclass(frozen=True)
class Paper:
    """What a theme is made for; lengths in inches.

    Attributes
    ----------
    column, page : float
        Widths of figures with one panel and with several.
    height : float
        Of the axes of one panel, without its labels, legend and caption.
    scale : float
        Of text and lines, 1 where text has 8 points.
    """

    column: float
    page: float
    height: float
    scale: float


_PAPERS = {"paper": Paper(COLUMN, PAGE, 0.65 * COLUMN, 1.0), "slide": Paper(SLIDE, SLIDE, 0.34 * SLIDE, 1.75)}
_paper: ContextVar[Paper] = ContextVar("paper", default=_PAPERS["paper"])


@contextmanager
def _settings_of(paper: Paper) -> Iterator[None]:
    """Set the look and put matplotlib's settings back, but for one: whether figures show by themselves.

    A notebook's backend loads with the first figure, here inside, and says so then.
    """
    with mpl.rc_context(_settings(paper)):
        try:
            yield
        finally:
            interactive = mpl.rcParams["interactive"]
    mpl.rcParams["interactive"] = interactive


@contextmanager
def theme(name: str = "paper") -> Iterator[None]:
    """Set the look inside a ``with`` block, and leave matplotlib's settings as they were after it.

    The plots make their own figure under this theme when they are given no ``ax``. Make your figure inside the block
    to have it look alike, and save it inside the block to have text in PDF and SVG that an editor can change.

    Parameters
    ----------
    name : {"paper", "slide"}
        For what: a journal's column of 85 mm with text of 8 points, or a slide 254 mm wide with text and lines 1.75
        times as large. The planes, `bounds`, `surface` and `surface3d` make their figures as wide as that.

    Yields
    ------
    None

    Raises
    ------
    InputError
        When there is no such theme.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> with theme():
    ...     ax = Figure(figsize=(COLUMN, 2.5), layout="constrained").subplots()
    """
    if name not in _PAPERS:
        raise InputError(f"there is no theme {name!r}{near_names(name, _PAPERS)}; there are {', '.join(_PAPERS)}")
    paper = _PAPERS[name]
    before = _paper.set(paper)
    try:
        with _settings_of(paper):
            yield
    finally:
        _paper.reset(before)


@contextmanager
def own_figure() -> Iterator[Paper]:
    """Set the look of the enclosing `theme` block, or of paper, for a figure that a plot makes; yield its sizes."""
    paper = _paper.get()
    with _settings_of(paper):
        yield paper


def _settings(paper: Paper) -> Any:
    sized = {
        name: value * paper.scale
        for name, value in _SETTINGS.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and not name.endswith(("dpi", "fonttype"))
    }
    return _SETTINGS | sized | {"figure.figsize": (paper.column, 0.85 * paper.height / 0.65)}


def pt(points: float) -> float:
    """Return a length in points as it is where text has 8 points, in proportion to the text around it."""
    return points * float(mpl.rcParams["font.size"]) / 8


def site_styles(sites: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a marker for every site, in the order given.

    Parameters
    ----------
    sites : sequence of str
        Names without repetition. The first 56 pairs differ.

    Returns
    -------
    dict of str to (str, str)
        Colour as hexadecimal text, and matplotlib's sign of the marker.
    """
    # 7 colours and 8 markers share no divisor, so that both move on by one and pairs repeat only after 56 sites.
    return {site: (COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)]) for i, site in enumerate(sites)}


def shades(color: str) -> LinearSegmentedColormap:
    """Return the colours from a light tint of `color` (0, early) to a dark shade of it (1, late)."""
    red, green, blue = to_rgb(color)
    light = tuple(0.25 * c + 0.75 for c in (red, green, blue))
    dark = tuple(0.6 * c for c in (red, green, blue))
    return LinearSegmentedColormap.from_list(f"shades of {color}", [light, (red, green, blue), dark])
