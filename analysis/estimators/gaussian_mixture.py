"""A layer with Gaussian noise added: the mixture of normal laws around its activations, and how much its parts overlap.

With X uniform on the n samples and Z ~ N(0, sigma^2 I), T + Z is the mixture 1/n sum_j N(t_j, sigma^2 I), and

    I(T + Z; X) = H(T + Z) - H(Z),    I(T + Z; Y) = H(T + Z) - sum_y p(y) H(T + Z | Y = y).

Kolchinsky & Tracey 2017 (Entropy 19, 361; Section 3) bound the entropy of a mixture through pairwise distances D of its
parts: H(Z) - 1/n sum_i log 1/n sum_j exp(-D_ij) is too high with the Kullback-Leibler divergence and too low with the
Chernoff alpha-divergence, of which the Bhattacharyya distance (alpha = 1/2) is the best for parts of one shape. For
normal parts of equal covariance (Section 4; Eq. 15 with alpha = 1/2) they are

    D_KL = |t_i - t_j|^2 / (2 sigma^2),    D_B = |t_i - t_j|^2 / (8 sigma^2).

So exp(-D_KL) is the fourth power of exp(-D_B), and one pass over the pairs gives both bounds. Distances come from a
matrix product in float64, tile by tile: memory O(n d), never n x n. Their rounding error is some 1e-15 times the
squared norm of the centred activations over sigma^2. Equal activations are merged first, so that their distance is 0.
"""

import math
import numbers
from dataclasses import dataclass
from typing import Literal

import numpy as np

from infoplane.analysis.errors import InputError, one_of
from infoplane.analysis.estimators.count_table import plugin_entropy
from infoplane.analysis.estimators.method import Floats, Kind, Labels
from infoplane.analysis.finding import Finding
from infoplane.analysis.rows import row_groups

_TILE = 512
_ONE_THREAD = 2**18  # multiplications of a matrix product for which OpenBLAS starts no thread
_FAR = 170.0  # a Bhattacharyya distance whose overlap counts nothing, and whose fourth power float64 still holds
_MOST_LOST = 1e-3  # of an exponent, and so of an overlap, to rounding
_SCALES = ("absolute", "layer")


@dataclass(frozen=True)
class Noise:
    """The noise that is added to a layer.

    Attributes
    ----------
    noise_variance : float
        sigma^2, of each neuron.
    scale : {"absolute", "layer"}
        Unit of `noise_variance`: squared activations, or the mean variance of the layer's neurons that vary. The
        latter is scale-free: a layer and ten times that layer read alike.
    """

    noise_variance: float = 0.1
    scale: Literal["absolute", "layer"] = "absolute"

    def __post_init__(self) -> None:
        value = self.noise_variance
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < math.inf:
            raise InputError(f"noise_variance is {value!r}, but a variance is a finite number above 0")
        one_of("scale", self.scale, _SCALES)

    def variance(self, t: Floats) -> float:
        """Return sigma^2 for the layer `t`, shape (n, d), in squared activations."""
        unit = 1.0 if self.scale == "absolute" else float(t.var(axis=0).mean())
        return float(self.noise_variance) * unit


@dataclass(frozen=True)
class EntropyBounds:
    """Bounds on H(T + Z) - H(Z) and on its conditional twin H(T + Z | Y) - H(Z), in nats."""

    lower: float
    upper: float
    lower_given_y: float
    upper_given_y: float


def entropy_bounds(t: Floats, labels: Labels, variance: float) -> EntropyBounds:
    """Return bounds on the entropy of a layer with noise, for all samples and given their label.

    Parameters
    ----------
    t : numpy.ndarray
        Shape (n, d): activations.
    labels : numpy.ndarray
        Shape (n,): labels 0 .. K - 1.
    variance : float
        sigma^2.

    Returns
    -------
    EntropyBounds
        In nats, less H(Z) = d/2 log(2 pi e sigma^2).
    """
    lower, upper = _mixture(t, variance)
    order = np.argsort(labels, kind="stable")
    ends = np.cumsum(np.bincount(labels))
    within = np.zeros(2)
    for start, end in zip(np.concatenate([[0], ends[:-1]]), ends, strict=True):
        if end - start > 1:  # a sample alone has the entropy of the noise
            within += (end - start) / len(t) * np.array(_mixture(t[order[start:end]], variance))
    return EntropyBounds(lower, upper, float(within[0]), float(within[1]))


def scaled_parts(centres: Floats, variance: float) -> tuple[Floats, Floats]:
    """Return matrices L, R of shape (n, d + 2) with L_i . R_j = -|t_i - t_j|^2 / `variance`; R_j ends in -|.|^2, 1."""
    scaled = (centres - centres.mean(axis=0)) / math.sqrt(variance)
    norms = np.einsum("ij,ij->i", scaled, scaled)[:, None]
    one = np.ones_like(norms)
    return np.hstack([2 * scaled, one, -norms]), np.hstack([scaled, -norms, one])


def products(left: Floats, right: Floats, *, out: Floats) -> Floats:
    """Return left @ right.T in `out`, of shape (rows of left, rows of right)."""
    # Few dimensions make small products. BLAS takes one thread for them if they are small enough, and where the cores
    # are shared with other work, waiting for a second thread would cost many times what it gains.
    strip = _ONE_THREAD // left.size
    if strip < 8:
        return np.matmul(left, right.T, out=out)
    for start in range(0, len(right), strip):
        part = slice(start, min(start + strip, len(right)))
        np.matmul(left, right[part].T, out=out[:, part])
    return out


def noise_findings(nats: float, kind: Kind, apart: float, labels: Labels) -> tuple[Finding, ...]:
    """Return what to know of a value that comes from a layer with noise.

    ``saturated``: the parts of the mixture hardly overlap (`apart`, the information about the sample itself, is within
    a thousandth of log n), so that any such layer reads the same. ``vacuous``: a bound that says no more than
    0 <= I <= H(Y) does.
    """
    n, found = len(labels), []
    if apart > (1 - 1e-3) * math.log(n):
        text = f"at this noise each of the {n} samples stands alone, as in every layer that is spread this wide"
        found.append(Finding("saturated", "x", text, advice="take more noise or more samples"))
    most = plugin_entropy(np.bincount(labels))
    if (kind == "lower_bound" and nats <= 0) or (kind == "upper_bound" and nats >= most):
        text = "the bound says no more than that an information is at least 0 and at most H(Y)"
        found.append(Finding("vacuous", "value", text, nats, "nat", "use sample_propagation, or another noise"))
    return tuple(found)


def rounding_findings(t: Floats, variance: float) -> tuple[Finding, ...]:
    """Return ``rounding`` where distances lose what tells near samples apart, with the error of an exponent.

    A squared distance is a difference of squared norms, so that it errs by the rounding error of the largest of these.
    """
    centred = t - t.mean(axis=0)
    lost = float(np.finfo(np.float64).eps * np.einsum("ij,ij->i", centred, centred).max() / variance)
    if lost <= _MOST_LOST:
        return ()
    text = "activations spread so far against the noise that rounding changes exponents of the distances"
    advice = "samples that lie near each other are misread: take more noise, or leave out what lies far off"
    return (Finding("rounding", "x", text, lost, "1", advice),)


def _mixture(t: Floats, variance: float) -> tuple[float, float]:
    """Return the lower and the upper bound of one mixture, in nats above H(Z)."""
    groups = row_groups(t)
    weights = np.bincount(groups) / len(t)
    first = np.empty(len(weights), dtype=np.int64)
    first[groups] = np.arange(len(t))
    left, right = scaled_parts(t[first], 8 * variance)
    n = len(weights)
    sums = np.zeros((2, n))  # over j, of exp(-D_B) and of its fourth power
    scratch = np.empty(min(n, _TILE) ** 2)
    for i in range(0, n, _TILE):
        rows = slice(i, min(i + _TILE, n))
        for j in range(i, n, _TILE):
            columns = slice(j, min(j + _TILE, n))
            shape = rows.stop - rows.start, columns.stop - columns.start
            overlap = products(left[rows], right[columns], out=scratch[: shape[0] * shape[1]].reshape(shape))
            np.clip(overlap, -_FAR, 0, out=overlap)
            if i == j:
                np.fill_diagonal(overlap, 0)
            np.exp(overlap, out=overlap)
            for power in range(2):
                if power:
                    np.square(overlap, out=overlap)
                    np.square(overlap, out=overlap)
                sums[power, rows] += overlap @ weights[columns]
                if i != j:
                    sums[power, columns] += weights[rows] @ overlap
    lower, upper = -(np.log(sums) @ weights)
    return float(lower), float(upper)
