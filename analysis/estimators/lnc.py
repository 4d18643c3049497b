"""Neighbours with local non-uniformity correction (Gao, Ver Steeg & Galstyan 2015), for strong dependence.

    I = I_KSG2 - 1/n sum_i [log(W_i / V_i) where W_i / V_i < alpha, else 0]      [nat]

The second form of Kraskov et al. takes the density as constant over the rectangle of volume V_i around the k nearest
neighbours of pair i. Under strong dependence they lie along a line or a plane inside it. W_i is the volume of the
smallest box around them whose axes are the principal axes of the neighbours about the pair. The paper has single
columns; where x has several, the rectangle's side along x is here the like box of the neighbours' x alone (y likewise),
so that columns of x that depend on each other, or repeat each other, are not taken for dependence on y.

**The rule for alpha**: k points of a constant density also leave some of the rectangle empty. alpha is the ratio W / V
below which they fall with probability `false_alarm`, by `_DRAWS` draws of k uniform points in dx + dy dimensions.

**Ties**: a neighbour that has a value of the pair (both rectified to 0, say) differs there by the jitter only, so that
the box of W_i is as thin as the jitter where the rectangle is not. A pair with such a neighbour is not corrected:
independent rectified layers of three columns a side would read 0.6 nat (n = 2000).
"""

import numbers
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import psi

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.estimators.jitter import SIZE, untied
from infoplane.analysis.estimators.method import Floats, Method, Reading, need
from infoplane.analysis.estimators.neighbours import neighbourhoods, rectangle
from infoplane.analysis.estimators.resolution import wide_neighbourhoods
from infoplane.analysis.finding import Finding

_DRAWS = 20_000
_FLAT = 1e-13  # of the widest axis
_TIED = 3 * SIZE  # two jitters are at most 2 * SIZE apart
_AT_ONCE = 2**20  # numbers of neighbours held at once


@dataclass(frozen=True)
class LNC:
    """Parameters of `lnc`.

    Attributes
    ----------
    k : int
        Neighbours; more than dx + dy, since fewer lie in a plane whatever the density.
    false_alarm : float
        Share of pairs of a locally constant density that are corrected for nothing; it sets alpha.
    seed : int
        Of the jitter, which only columns with ties get.
    """

    k: int = 10
    false_alarm: float = 0.005
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("k", self.k, least=3)
        whole_number("seed", self.seed, least=0)
        share = self.false_alarm
        if isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0 < share < 0.5:
            raise InputError(f"false_alarm is {share!r}, but it must be a share between 0 and 0.5")


def lnc(x: Floats, y: Floats, parameters: LNC) -> Reading:
    """Return the information with the emptiness of the neighbours' rectangles taken into account.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (n, dx) and (n, dy); columns are standardised, ties get a jitter.
    parameters : LNC
        Neighbours, rate of false corrections, seed.

    Returns
    -------
    Reading
        In nats. `chosen` has alpha and the share of pairs that were corrected. Unlike `ksg2` it has no ceiling at
        log(n / k); for weak dependence it is `ksg2`.

    Raises
    ------
    InputError
        When n is not above k, or k not above dx + dy.
    """
    n, k, split, columns = len(x), parameters.k, x.shape[1], x.shape[1] + y.shape[1]
    if k <= columns:
        raise InputError(
            f"k is {k}, but the {columns} columns of x and y together need more neighbours than columns to show the "
            f"shape of a neighbourhood: at least {columns + 1}"
        )
    need(n, k + 1, f"each sample's neighbour number {k}")
    data = untied(parameters.seed, x=x, y=y)
    found = neighbourhoods(data.sides[0], data.sides[1], k, rectangle)
    pairs = np.hstack(data.sides)
    step = max(1, _AT_ONCE // (k * columns))
    parts = []
    for i in range(0, n, step):
        offsets = pairs[found.nearest[i : i + step]] - pairs[i : i + step, None]
        parts.append((*_log_ratio(offsets, split), (np.abs(offsets) < _TIED).any(axis=(1, 2))))
    ratios, flat, tied = (np.concatenate(column) for column in zip(*parts, strict=True))
    threshold = log_alpha(k, split, columns - split, parameters.false_alarm)
    empty = (ratios < threshold) & ~tied
    plain = psi(k) - 1 / k + psi(n) - np.mean(psi(found.count_x) + psi(found.count_y))
    nats = plain - np.where(empty, ratios, 0).mean()
    chosen = {**data.chosen, "alpha": float(np.exp(threshold)), "corrected": float(empty.mean())}
    said = data.findings
    if empty.mean() < 0.5:  # else the boxes, not the distances, are the scale
        said += wide_neighbourhoods(plain, found.radius, k, min(split, columns - split))
    if flat.any():
        text = "a share of the pairs has neighbours that lie on a line or plane but for rounding, which sets the value"
        advice = "the information there is infinite; quantise, or add noise of stated variance"
        said += (Finding("deterministic", "x, y", text, float(flat.mean()), "1", advice),)
    return Reading(float(nats), findings=said, chosen=chosen)


@lru_cache(maxsize=64)
def log_alpha(k: int, dx: int, dy: int, false_alarm: float) -> float:
    """Return the logarithm of alpha: the quantile of W / V for k uniform points, by a fixed simulation.

    Parameters
    ----------
    k : int
        Neighbours.
    dx, dy : int
        Columns of x and of y.
    false_alarm : float
        The probability of a smaller ratio.
    """
    rng = np.random.default_rng(0)
    step = max(1, _AT_ONCE // (k * (dx + dy)))
    sizes = [min(step, _DRAWS - i) for i in range(0, _DRAWS, step)]
    ratios = [_log_ratio(rng.uniform(-1, 1, (size, k, dx + dy)), dx)[0] for size in sizes]
    return float(np.quantile(np.concatenate(ratios), false_alarm))


def _log_ratio(offsets: Floats, split: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return log(W / V) of neighbours at these offsets from their pairs, and where W is 0 but for rounding.

    Parameters
    ----------
    offsets : numpy.ndarray
        Shape (pairs, k, dx + dy).
    split : int
        dx, where y begins.
    """
    joint, along_x, along_y = (_box(part) for part in (offsets, offsets[:, :, :split], offsets[:, :, split:]))
    return joint[0] - along_x[0] - along_y[0], joint[1] > along_x[1] + along_y[1]


def _box(offsets: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return the log volume, up to a constant, of the box around points along their principal axes, and its flat axes.

    An axis along which the box is thinner than rounding shows is flat, and counts as that thin.
    """
    if offsets.shape[2] > 1:
        offsets = offsets @ np.linalg.eigh(offsets.swapaxes(1, 2) @ offsets)[1]
    widths = np.abs(offsets).max(axis=1)
    least = _FLAT * widths.max(axis=1, keepdims=True)
    return np.log(np.maximum(widths, least)).sum(axis=1), np.count_nonzero(widths <= least, axis=1)


METHOD = Method(
    name="lnc",
    function=lnc,
    parameters=LNC,
    kind="estimate",
    x="continuous",
    y="continuous",
    assumes="the density is constant over the box around the k nearest neighbours along their principal axes",
    wrong_when="the dependence bends within a neighbourhood, pairs have ties (which are not corrected), or there are "
    "nearly as many columns as neighbours",
    source="Gao, Ver Steeg & Galstyan 2015 (local non-uniformity correction), on Kraskov et al. 2004, Eq. 9",
    least_n=4,
)
