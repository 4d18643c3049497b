"""Histogram of magnitudes in log space with the log-normal law fitted to them, and how far the two lie apart.

The bars are the density of ln x (counts over n and over the width of each bin in ln x, so that bins of unequal width
compare), the line is the normal density of ln x with the maximum-likelihood mean and deviation, and the text gives
their Jensen-Shannon divergence. The area of bars and of line is 1 each; zeros are left out and their share is given.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.lognormal import LognormalJSD, lognormal_jsd
from infoplane.analysis.sketch import BIN_EDGES, QUANTITIES, LogHistogram, SketchSummary
from infoplane.errors import InputError
from infoplane.plots.caption import height_of, small, width_of, wrapped
from infoplane.plots.theme import COLUMN, theme

Y_LABEL = "density of ln x"
BARS, LINE = "#8FB4D3", "#B0341D"
LINE_LABEL = "log-normal, maximum likelihood"


def histogram(
    values: LogHistogram | SketchSummary | Tensor | ArrayLike,
    *,
    ax: Axes | None = None,
    sign: int = 1,
    label: str | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the density of ln x and its log-normal fit, x on a logarithmic axis.

    Parameters
    ----------
    values : LogHistogram, SketchSummary, torch.Tensor or array_like
        A sketch as the recorders make it, or the values themselves, of any shape.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    sign : {1, -1, 0}
        Values above zero, values below it by magnitude, or both by magnitude.
    label : str, optional
        Of the bars, for a legend of yours.
    title : str, optional
        Above the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        When the values are no real numbers, none of them is finite and of that sign, or `sign` is none of these.

    Notes
    -----
    The sketch's bins are joined until they are about as wide as Scott's rule asks, 3.49 s n^(-1/3) in ln x. The
    divergence is in bit and is computed from the sketch, as `infoplane.reports.jsd` does.
    """
    summary = summary_of(values)
    if not summary.magnitudes(sign).count:
        kind = {1: "above 0", -1: "below 0", 0: "other than 0"}[sign]
        raise InputError(f"there is no histogram to draw: of {summary['n']:.0f} values none is finite and {kind}")
    if ax is None:
        with theme():
            ax = plt.subplots(figsize=(COLUMN, 0.7 * COLUMN), layout="constrained")[1]
            return _draw(ax, summary, sign, label, title)
    return _draw(ax, summary, sign, label, title)


def x_label(sign: int, noun: str = "values") -> str:
    """Return what x is."""
    return {1: f"x: positive {noun}", -1: f"x: negative {noun}, magnitude", 0: f"x: non-zero {noun}, magnitude"}[sign]


def summary_of(values: LogHistogram | SketchSummary | Tensor | ArrayLike) -> SketchSummary:
    """Return the sketch of what `histogram` was given."""
    if isinstance(values, SketchSummary):
        return values
    if isinstance(values, LogHistogram):
        return values.summary()
    sketch = LogHistogram()
    sketch.update(values)
    return sketch.summary()


def joined(edges: NDArray[np.float64], counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Join neighbouring bins until a picture of them is not noise; return edges of x and density of ln x."""
    logs, total = np.log(edges), int(counts.sum())
    centers = (logs[:-1] + logs[1:]) / 2
    mean = float(np.average(centers, weights=counts))
    deviation = float(np.sqrt(np.average((centers - mean) ** 2, weights=counts)))
    together = max(1, int(np.ceil(3.49 * deviation * total ** (-1 / 3) / (np.log(2) / 8))))
    group = np.searchsorted(BIN_EDGES, edges[:-1], side="right") // together
    first = np.flatnonzero(np.diff(group, prepend=-1))
    # The exact extremes can cut the outer bins to slivers in which one value would stand as a spike.
    widths = np.diff(logs[np.append(first, -1)])
    if first.size > 1 and widths[0] < np.median(widths) / 2:
        first = np.delete(first, 1)
    if first.size > 1 and widths[-1] < np.median(widths) / 2:
        first = first[:-1]
    cuts = np.append(first, logs.size - 1)
    return edges[cuts], np.add.reduceat(counts, first) / (total * np.diff(logs[cuts]))


def _draw(ax: Axes, summary: SketchSummary, sign: int, label: str | None, title: str | None) -> Axes:
    result = _divergence(summary, sign)
    edges, counts = summary.histogram(sign)
    ax.set_xscale("log")
    if edges[0] < edges[-1]:
        cuts, density = joined(edges, counts)
        ax.stairs(density, cuts, fill=True, color=BARS, label=label)
        z = np.linspace(-3.5, 3.5, 300)
        x, line = np.exp(result.mu + result.sigma * z), np.exp(-(z**2) / 2) / (result.sigma * np.sqrt(2 * np.pi))
        ax.plot(x, line, color=LINE, linewidth=1.1, label=LINE_LABEL)
        # As wide as law and data can be seen: single values far below would squeeze all the rest.
        seen = edges[int(np.searchsorted(np.cumsum(counts) / counts.sum(), 1e-3))]
        ax.set_xlim(min(seen, x[0]), max(edges[-1], x[-1]))
        top = float(max(density.max(), line.max()))
    else:
        ax.plot(edges, [0, 1], color=BARS, linewidth=2, label=label)
        top = 1.0
    text = wrapped(_facts(result), 0.94 * width_of(ax))
    # Room for the text above the highest bar, whatever the shape.
    room = min(0.6, (text.count("\n") + 1.8) * 1.25 * small() / height_of(ax))
    ax.set_ylim(0, top / (1 - room))
    ax.text(0.03, 0.97, text, transform=ax.transAxes, va="top", fontsize=small(), linespacing=1.2, gid="facts")
    ax.set_xlabel(x_label(sign))
    ax.set_ylabel(Y_LABEL)
    if title is not None:
        ax.set_title(title)
    return ax


def _facts(result: LognormalJSD) -> str:
    """Return the numbers beside the picture; spaces within one are protected, so that lines break between them."""
    unit = result.unit
    facts = ["no JSD"]
    if np.isfinite(result.divergence):
        facts = [f"JSD {result.divergence:.3g} {unit}", f"floor {result.floor:.1g} {unit}"]
        facts.append(f"distance {result.distance:.3g}")
    facts += [f"n = {result.n:,}", f"zeros {100 * result.zero_fraction:.3g} %"]
    if result.n_nonfinite:
        facts.append(f"{result.n_nonfinite:,} not finite")
    codes = [finding.partition(":")[0] for finding in result.findings if not finding.startswith("nonfinite")]
    if codes:
        facts.append("finding: " + " and ".join(codes))
    return "; ".join(fact.replace(" ", "\u00a0") for fact in facts)


def _divergence(summary: SketchSummary, sign: int) -> LognormalJSD:
    if sign >= 0:
        return lognormal_jsd(summary, values="positive" if sign else "abs")
    # `lognormal_jsd` looks at positive values: let the signs change places.
    mirrored = [QUANTITIES.index(_mirrored(name)) for name in QUANTITIES]
    return lognormal_jsd(SketchSummary(summary.counts[::-1], summary.scalars[mirrored]))


def _mirrored(name: str) -> str:
    if name.endswith("_negative"):
        return name.removesuffix("negative") + "positive"
    return name.removesuffix("positive") + "negative" if name.endswith("_positive") else name
