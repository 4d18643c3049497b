"""The look of the pictures: one journal column wide, editable as vectors, told apart without colour.

Every site has a colour and a marker. The colours are those of Okabe and Ito (2008), which people with the common forms
of colour blindness tell apart; the markers do the same in grey print.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap, to_rgb

COLUMN = 85 / 25.4
PAGE = 180 / 25.4

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
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
    "legend.frameon": False,
    "figure.figsize": (COLUMN, 0.85 * COLUMN),
    "figure.dpi": 150,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.fonttype": "none",
}


@contextmanager
def theme() -> Iterator[None]:
    """Set the look inside a ``with`` block, and leave matplotlib's settings as they were after it.

    The plots make their own figure under this theme when they are given no ``ax``. Make your figure inside the block
    to have it look alike, and save it inside the block to have text in PDF and SVG that an editor can change.

    Yields
    ------
    None

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> with theme():
    ...     ax = Figure(figsize=(COLUMN, 2.5), layout="constrained").subplots()
    """
    with mpl.rc_context(_SETTINGS):
        yield


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
