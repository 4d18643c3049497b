"""The information-bottleneck curve of a joint table: the most that a code T of X tells about Y at a given rate.

    F(r) = max I(T;Y)    over p(t|x) with I(X;T) <= r,    T - X - Y a Markov chain

No layer of a network that sees X alone can lie above it in an information plane of (I(X;T), I(T;Y)). F is concave and
rises from (0, 0) to I(X;Y), which it reaches at the entropy of the minimal sufficient statistic of X, not above H(X).

Its points minimise I(X;T) - beta I(T;Y) (Tishby, Pereira & Bialek 1999, physics/0004057), by
`infoplane.analysis.bottleneck_codes`. The betas are not laid out beforehand: between two points of the curve the next
beta is the inverse slope of their chord, started from the codes of both neighbours (annealing from either side) and
from a soft copy of X. A point above the chord refines the curve; if there is none, the chord is the curve.

Each beta also has a floor that no code falls below, as far as a local search for one better codeword can tell. It is a
line of slope 1 / beta above the curve, so the curve lies between chords and lines: `error` is their largest distance.
"""

import itertools
import math
import numbers
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from infoplane.analysis.bottleneck_codes import Source, best_codes
from infoplane.analysis.errors import InputError
from infoplane.analysis.finding import Finding
from infoplane.analysis.information import probability_table
from infoplane.analysis.rows import row_symbols
from infoplane.analysis.units import nats_per_unit, unit_name

Floats = NDArray[np.float64]

_SAME = 12  # decimals of p(y|x) up to which two inputs are one
_ROUNDING = 1e-13  # of rates in nats, and of areas between three points
_MOST = 4_000_000  # entries of encoders iterated at once


@dataclass(frozen=True, eq=False)
class BottleneckCurve:
    """Points of the curve with the betas that led to them, and their upper concave envelope.

    Attributes
    ----------
    beta : numpy.ndarray
        Shape (B,), ascending from 1 to infinity: inverse slopes of the curve at the points.
    i_xt, i_ty : numpy.ndarray
        Shape (B,), in `unit`: I(X;T) and I(T;Y) of the code found for each beta, from nothing to the minimal
        sufficient statistic.
    envelope_i_xt, envelope_i_ty : numpy.ndarray
        Shape (M,), ascending, in `unit`: corners of the upper concave envelope of the points, from (0, 0) through the
        minimal sufficient statistic to (H(X), I(X;Y)).
    error : float
        In `unit`: the curve is nowhere higher above the envelope than this.
    h_x, h_y, i_xy : float
        H(X), H(Y) and I(X;Y) of the table, in `unit`.
    base : float
        Base of the logarithm.
    findings : tuple of Finding
        ``not_certified`` where `error` stayed above the tolerance.
    """

    beta: Floats
    i_xt: Floats
    i_ty: Floats
    envelope_i_xt: Floats
    envelope_i_ty: Floats
    error: float
    h_x: float
    h_y: float
    i_xy: float
    base: float
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        return (
            f"information-bottleneck curve of {len(self.beta)} points within {self.error:.2g} {self.unit}: "
            f"H(X) = {self.h_x:.4f}, H(Y) = {self.h_y:.4f}, I(X;Y) = {self.i_xy:.4f}"
        )

    @property
    def unit(self) -> str:
        """``"bit"``, ``"nat"``, ...: the unit of all informations."""
        return unit_name(self.base)

    def at(self, i_xt: ArrayLike) -> Floats:
        """Return the envelope's I(T;Y) at rates `i_xt` of any shape, in `unit`; constant beyond H(X), NaN below 0."""
        rates = np.asarray(i_xt, np.float64)
        return np.interp(rates, self.envelope_i_xt, self.envelope_i_ty, left=math.nan)


def bottleneck_curve(joint: ArrayLike, *, base: float = 2, tolerance: float = 1e-4) -> BottleneckCurve:
    """Return the information-bottleneck curve of a joint table.

    Parameters
    ----------
    joint : array_like
        Shape (values of X, values of Y): p(x, y). Inputs of equal p(y|x) are taken together, which changes no point
        of the curve; with S different ones a round of iterations costs some S^2 (values of Y) for each beta.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.
    tolerance : float
        In units of `base`: betas are added until the curve is within it of the envelope.

    Returns
    -------
    BottleneckCurve
        No random number is drawn.

    Raises
    ------
    InputError
        When `joint` is no table of probabilities of two dimensions, or `tolerance` no finite number above 0.

    Examples
    --------
    A label that is a function of X: every bit about X may be one about Y, up to H(Y) = 1 bit.

    >>> curve = bottleneck_curve([[0.25, 0], [0.25, 0], [0, 0.25], [0, 0.25]])
    >>> curve.at([0.5, 1.0, 2.0]).round(6).tolist()
    [0.5, 1.0, 1.0]
    """
    nats = nats_per_unit(base)
    p = probability_table("joint", joint)
    if p.ndim != 2:
        raise InputError(f"joint has shape {p.shape}, but a joint table has two dimensions: (values of X, values of Y)")
    if isinstance(tolerance, bool) or not isinstance(tolerance, numbers.Real) or not 0 < tolerance < math.inf:
        raise InputError(f"tolerance is {tolerance!r}, but it must be a finite number above 0")
    source = _sufficient_statistic(p)
    found, error = _refined(source, float(tolerance) * nats)
    h_x, h_y = (float(entr(p.sum(axis=axis)).sum()) for axis in (1, 0))
    corners = [found[k] for k in _corners(found)]
    rates = [corner.rate for corner in corners] + ([h_x] if h_x > corners[-1].rate else [])
    heights = [corner.height for corner in corners] + [source.i_xy] * (len(rates) - len(corners))
    found.sort(key=lambda point: (point.beta, point.rate))
    findings: tuple[Finding, ...] = ()
    if error > tolerance * nats:
        text = "betas were tried between all points, but the curve may lie above the envelope"
        findings = (Finding("not_certified", "curve", text, error / nats, unit_name(base), "read it as a lower bound"),)
    return BottleneckCurve(
        beta=np.array([point.beta for point in found]),
        i_xt=np.array([point.rate for point in found]) / nats,
        i_ty=np.array([point.height for point in found]) / nats,
        envelope_i_xt=np.array(rates) / nats,
        envelope_i_ty=np.array(heights) / nats,
        error=error / nats,
        h_x=h_x / nats,
        h_y=h_y / nats,
        i_xy=source.i_xy / nats,
        base=float(base),
        findings=findings,
    )


@dataclass(frozen=True, eq=False)
class _Point:
    """A code of the plane, in nats, and the line height <= start + rate / beta that bounds the curve."""

    beta: float
    rate: float
    height: float
    start: float
    encoder: Floats

    def line(self, rate: float) -> float:
        return self.start + rate / self.beta


def _sufficient_statistic(p: Floats) -> Source:
    """Return X with the inputs of equal p(y|x) taken together, and values of no probability left out."""
    p = p[p.sum(axis=1) > 0][:, p.sum(axis=0) > 0]
    of_x = p.sum(axis=1)
    same = row_symbols((p / of_x[:, None]).round(_SAME))
    merged = np.zeros((same.max() + 1, p.shape[1]))
    np.add.at(merged, same, p)
    shares = merged.sum(axis=1)
    return Source(shares, merged / shares[:, None])


def _refined(source: Source, tolerance: float) -> tuple[list[_Point], float]:
    """Return points, the two ends first, and how far above their envelope the curve may lie, in nats."""
    copy = np.eye(source.p.size)
    nothing = np.zeros_like(copy)
    nothing[:, 0] = 1
    points = [_Point(1.0, 0.0, 0.0, 0.0, nothing), _Point(math.inf, source.h_x, source.i_xy, source.i_xy, copy)]
    tried: set[tuple[int, int]] = set()
    while True:
        corners = _corners(points)
        segments = list(itertools.pairwise(corners))
        open_ = [_room(points, *segment) for segment in segments]
        todo = [s for s, room in zip(segments, open_, strict=True) if room > tolerance and s not in tried]
        if not todo:
            return points, max([0.0, *open_])
        tried.update(todo)
        at_once = max(1, _MOST // (3 * copy.size))
        for first in range(0, len(todo), at_once):
            points += _between(source, points, todo[first : first + at_once], tolerance)


def _between(source: Source, points: list[_Point], segments: list[tuple[int, int]], tolerance: float) -> list[_Point]:
    """Return the point whose tangent is parallel to the chord, for each pair of points."""
    soft = 0.9 * np.eye(source.p.size) + 0.1 * source.p
    pairs = [(points[a], points[b]) for a, b in segments]
    betas = np.array([(right.rate - left.rate) / (right.height - left.height) for left, right in pairs])
    starts = np.array([[_softened(left.encoder), _softened(right.encoder), soft] for left, right in pairs])
    codes = best_codes(source, betas, starts, tolerance=tolerance / 10)
    columns = zip(betas, codes.i_xt, codes.i_ty, codes.floor, codes.encoders, strict=True)
    return [
        _Point(float(beta), float(rate), float(height), -float(floor) / float(beta), encoder)
        for beta, rate, height, floor, encoder in columns
    ]


def _softened(encoder: Floats) -> Floats:
    """Return the encoder with some weight for every codeword: one that is 0 would stay so."""
    return (encoder + 1e-3 * np.eye(len(encoder))) / (1 + 1e-3)


def _room(points: list[_Point], left: int, right: int) -> float:
    """Return how far above the chord of two corners the lowest of all lines rises."""
    a, b = points[left], points[right]
    slope = (b.height - a.height) / (b.rate - a.rate)
    rising, falling = (min(points, key=lambda point: point.line(end.rate)) for end in (a, b))
    for _ in points:
        bend = 1 / rising.beta - 1 / falling.beta
        meets = (falling.start - rising.start) / bend if bend > 0 else a.rate
        rate = min(max(meets, a.rate), b.rate)
        lowest = min(points, key=lambda point: point.line(rate))
        if lowest.line(rate) > min(rising.line(rate), falling.line(rate)) - _ROUNDING:
            break
        rising, falling = (lowest, falling) if 1 / lowest.beta > slope else (rising, lowest)
    rates = (a.rate, rate, b.rate)
    return max(min(rising.line(r), falling.line(r)) - a.height - slope * (r - a.rate) for r in rates)


def _corners(points: list[_Point]) -> list[int]:
    """Return the points on the upper concave envelope by ascending rate; the first two points are its ends."""
    start, end = points[0].rate + _ROUNDING, points[1].rate - _ROUNDING
    corners = [0]
    inner = [k for k, point in enumerate(points) if start < point.rate < end]
    for k in [*sorted(inner, key=lambda k: points[k].rate), *([1] if end > start else [])]:
        while len(corners) > 1 and _turn(*(points[j] for j in (corners[-2], corners[-1], k))) >= -_ROUNDING:
            corners.pop()
        corners.append(k)
    return corners


def _turn(a: _Point, b: _Point, c: _Point) -> float:
    """Return a number below 0 when b lies above the chord from a to c."""
    return (b.rate - a.rate) * (c.height - a.height) - (b.height - a.height) * (c.rate - a.rate)
