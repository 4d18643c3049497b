"""Histogram of magnitudes with the log-normal law fitted to them, and how far the two lie apart.

On a logarithmic axis the bars are the density of ln x (counts over n and over the width of each bin in ln x, so that
bins of unequal width compare) and the line is the normal density of ln x with the maximum-likelihood mean and
deviation. On a linear axis, as in the paper's Fig. 3, both are the density of x, which is that of ln x over x. The area
of bars and of line is 1 each; the text gives their Jensen-Shannon divergence, which is the same on every axis. Zeros
are left out and their share is given.
"""

from typing import Literal, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from torch import Tensor

from infoplane.analysis.joined_bins import joined_bins
from infoplane.analysis.lognormal import LognormalJSD, lognormal_jsd
from infoplane.analysis.sketch import QUANTITIES, LogHistogram, SketchSummary
from infoplane.errors import InputError
from infoplane.plots.caption import height_of, in_words, legend_below, small, width_of, wrapped
from infoplane.plots.common_looks import LEGEND
from infoplane.plots.own_axes import on_axes
from infoplane.plots.ticks import plain_log

Scale = Literal["log", "linear", "semilogy"]
Y_LABEL = {
    "log": "density of ln x",
    "linear": "density of x [1 / unit of x]",
    "semilogy": "density of x [1 / unit of x]",
}
BARS, LINE = "#8FB4D3", "#B0341D"
LINE_LABEL = "log-normal, maximum likelihood"


def histogram(
    values: LogHistogram | SketchSummary | Tensor | ArrayLike,
    *,
    ax: Axes | None = None,
    sign: int = 1,
    scale: Scale = "log",
    label: str | None = None,
    title: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the density of values and of the log-normal law fitted to them.

    Parameters
    ----------
    values : LogHistogram, SketchSummary, torch.Tensor or array_like
        A sketch as the recorders make it, or the values themselves, of any shape.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of one column's width, under `infoplane.plots.theme`, if left out.
    sign : {1, -1, 0}
        Values above zero, values below it by magnitude, or both by magnitude.
    scale : {"log", "linear", "semilogy"}
        x on a logarithmic axis and the density of ln x; x on a linear one and the density of x, which ends at the
        largest value; or this with the density on a logarithmic axis, which shows the tail as the paper's Fig. 3 does.
    label : str, optional
        Of the bars in the legend; ``values`` if left out.
    title : str, optional
        Above the axes: of what layer and step the values are, which a sketch does not know.
    legend : bool
        Below the axes.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        When the values are no real numbers, none of them is finite and of that sign, or `sign` or `scale` is none of
        these.

    Notes
    -----
    The sketch's bins are joined until they are about as wide as Scott's rule asks, 3.49 s n^(-1/3) in ln x or in x. The
    divergence is in bit and is computed from the sketch, as `infoplane.reports.jsd` does.
    """
    if scale not in get_args(Scale):
        raise InputError(f"scale is {scale!r}, but it must be one of {', '.join(map(repr, get_args(Scale)))}")
    summary = summary_of(values)
    if not summary.magnitudes(sign).count:
        kind = {1: "above 0", -1: "below 0", 0: "other than 0"}[sign]
        raise InputError(f"there is no histogram to draw: of {summary['n']:.0f} values none is finite and {kind}")

    def draw(axes: Axes) -> Axes:
        return _draw(axes, summary, sign, scale, label, title, legend)

    return on_axes(ax, draw, height=0.9)


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


def joined_linear(
    edges: NDArray[np.float64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Join neighbouring bins until each is as wide in x as Scott's rule asks; return edges and density of x."""
    total, centers = int(counts.sum()), (edges[:-1] + edges[1:]) / 2
    mean = float(np.average(centers, weights=counts))
    deviation = float(np.sqrt(np.average((centers - mean) ** 2, weights=counts)))
    width = max(3.49 * deviation * total ** (-1 / 3), (edges[-1] - edges[0]) / 200)
    first = [0]
    for k, edge in enumerate(edges[1:-1], start=1):
        if edge - edges[first[-1]] >= width:
            first.append(k)
    if len(first) > 1 and edges[-1] - edges[first[-1]] < width / 2:
        del first[-1]
    cuts = np.append(first, len(edges) - 1)
    return edges[cuts], np.add.reduceat(counts, first) / (total * np.diff(edges[cuts]))


def _draw(
    ax: Axes, summary: SketchSummary, sign: int, scale: Scale, label: str | None, title: str | None, legend: bool
) -> Axes:
    result = _divergence(summary, sign)
    edges, counts = summary.histogram(sign)
    facts = _facts(result)
    if scale == "log":
        ax.set_xscale("log")
    bottom = 0.0
    if edges[0] < edges[-1]:
        cuts, density = joined_bins(edges, counts) if scale == "log" else joined_linear(edges, counts)
        x, line = _law(result, cuts, scale)
        ax.stairs(density, cuts, fill=True, color=BARS, label=label)
        ax.plot(x, line, color=LINE, linewidth=1.1, label=LINE_LABEL)
        top = float(max(density.max(), line.max()))
        if scale == "log":
            # As wide as law and data can be seen: single values far below would squeeze all the rest.
            seen = edges[int(np.searchsorted(np.cumsum(counts) / counts.sum(), 1e-3))]
            ax.set_xlim(min(seen, x[0]), max(edges[-1], x[-1]))
        else:
            ax.set_xlim(0, 1.02 * edges[-1])
            facts += "; " + f"law beyond the largest {100 * _beyond(result, edges[-1]):.2g} %".replace(" ", "\u00a0")
            # A law of large deviation has a needle near zero, beside which no bar would be seen.
            top = min(top, 2 * float(density.max()))
        if scale == "semilogy":
            # From half a value in the last bar.
            bottom = 0.5 / (int(counts.sum()) * float(cuts[-1] - cuts[-2]))
    else:
        ax.plot(edges, [0, 1], color=BARS, linewidth=2, label=label)
        top = 1.0
    text = wrapped(facts, 0.94 * width_of(ax))
    # Room for the text above the highest bar, whatever the shape.
    room = min(0.6, (text.count("\n") + 1.8) * 1.25 * small() / height_of(ax))
    if bottom:
        plain_log(ax)
        ax.set_ylim(bottom, bottom * (top / bottom) ** (1 / (1 - room)))
    else:
        ax.set_ylim(0, top / (1 - room))
    ax.text(0.03, 0.97, text, transform=ax.transAxes, va="top", fontsize=small(), linespacing=1.2, gid="facts")
    ax.set_xlabel(x_label(sign))
    ax.set_ylabel(Y_LABEL[scale])
    if title is not None:
        ax.set_title(title)
    if legend:
        handles = [Patch(facecolor=BARS), Line2D([], [], color=LINE, linewidth=1.1)]
        names, shown = ["values" if label is None else label, LINE_LABEL], 2 if edges[0] < edges[-1] else 1
        legend_below(ax, handles[:shown], names[:shown], **LEGEND)
    return ax


def _law(
    result: LognormalJSD, cuts: NDArray[np.float64], scale: Scale
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fitted law: x, and its density of ln x or of x."""
    z = np.linspace(-3.5, 3.5, 300)
    if scale != "log":
        z = np.union1d(
            np.linspace(-6, 3.5, 500), (np.log(np.linspace(0, cuts[-1], 300)[1:]) - result.mu) / result.sigma
        )
    x, density = np.exp(result.mu + result.sigma * z), np.exp(-(z**2) / 2) / (result.sigma * np.sqrt(2 * np.pi))
    return x, density if scale == "log" else density / x


def _beyond(result: LognormalJSD, largest: float) -> float:
    """Return the share of the fitted law beyond the largest value, which a linear axis cuts off."""
    return float(ndtr(-(np.log(largest) - result.mu) / result.sigma))


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
        facts.append("finding: " + " and ".join(map(in_words, codes)))
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
