"""Three tests that a good estimator of mutual information passes on images, without a known truth.

With Y_r an image of which all but the first r rows are set to 0, and h that hides `hidden` more of its rows:

1. more rows tell more: I(X; Y_r) rises with r, from 0 at r = 0;
2. data processing: I([X, X]; [Y_r, h(Y_r)]) / I(X; Y_r) = 1, since h(Y_r) adds nothing to Y_r;
3. additivity: I([X, X']; [Y_r, Y'_r]) / I(X; Y_r) = 2, with X' another image, independent of X.

Reference: Song and Ermon 2020, "Understanding the limitations of variational mutual information estimators", section
6.2. There, as here, only ratios are compared: of images without noise the information itself can be infinite.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.known.known import Floats

if TYPE_CHECKING:
    from infoplane.analysis.estimate import Estimate

Estimator = Callable[[Floats, Floats], "float | Estimate"]


@dataclass(frozen=True)
class SelfConsistency:
    """What an estimator says of masked images; each tuple has one entry per entry of `rows`.

    Attributes
    ----------
    rows : tuple of int
        Numbers of rows r that are left visible.
    values : tuple of float
        I(X; Y_r) in the estimator's unit.
    at_zero : float
        I(X; Y_0), all rows hidden. Ideal: 0.
    shares : tuple of float
        `values` over that of the whole image. Ideal: rising, up to 1.
    data_processing : tuple of float
        Ratios of test 2. Ideal: 1.
    additivity : tuple of float
        Ratios of test 3. Ideal: 2.
    """

    rows: tuple[int, ...]
    values: tuple[float, ...]
    at_zero: float
    shares: tuple[float, ...]
    data_processing: tuple[float, ...]
    additivity: tuple[float, ...]

    IDEAL_AT_ZERO: ClassVar[float] = 0.0
    IDEAL_DATA_PROCESSING: ClassVar[float] = 1.0
    IDEAL_ADDITIVITY: ClassVar[float] = 2.0

    @property
    def monotone(self) -> bool:
        """Whether the values never fall as more rows become visible."""
        return all(b >= a for a, b in zip((self.at_zero, *self.values[:-1]), self.values, strict=True))


def self_consistency(
    estimator: Estimator, images: ArrayLike, *, rows: Sequence[int] | None = None, hidden: int = 1, seed: int = 0
) -> SelfConsistency:
    """Return what an estimator says of masked images, beside what it should say.

    Parameters
    ----------
    estimator : callable
        ``estimator(x, y)`` gives a number or an `Estimate`, from float64 arrays (n, d); columns of hidden pixels are
        constant.
    images : array_like
        Shape (n, height, width).
    rows : sequence of int, optional
        Numbers of visible rows, rising, 1 .. height; every one by default. The estimator runs three times for each,
        and twice more.
    hidden : int
        Rows that h hides of those that are visible; 3 of 28 in the reference.
    seed : int
        Draws which image X' goes with which X.

    Raises
    ------
    InputError
        When the images have another shape or are not finite, or an option is out of range.
    """
    pictures = np.asarray(images, dtype=np.float64)
    if pictures.ndim != 3 or not pictures.size or len(pictures) < 2:
        raise InputError(f"images has shape {pictures.shape}, but it must be (n, height, width) with n of at least 2")
    if not np.isfinite(pictures).all():
        raise InputError("images holds NaN or infinite values; an estimate needs finite ones")
    n, height, _ = pictures.shape
    visible = [whole_number("rows", r, least=1, most=height) for r in (range(1, height + 1) if rows is None else rows)]
    if not visible or visible != sorted(set(visible)):
        raise InputError(f"rows is {rows!r}, but it must rise and have at least one entry")
    hidden = whole_number("hidden", hidden, least=0)
    other = pictures[np.random.default_rng(whole_number("seed", seed, least=0)).permutation(n)]

    def masked(of: Floats, r: int) -> Floats:
        shown = np.zeros_like(of)
        shown[:, :r] = of[:, :r]
        return shown.reshape(n, -1)

    x, x_other = masked(pictures, height), masked(other, height)
    values, processing, additivity = [], [], []
    for r in visible:
        y = masked(pictures, r)
        value = _value(estimator(x, y))
        twice = _value(estimator(np.hstack([x, x]), np.hstack([y, masked(pictures, max(0, r - hidden))])))
        both = _value(estimator(np.hstack([x, x_other]), np.hstack([y, masked(other, r)])))
        values.append(value)
        processing.append(_ratio(twice, value))
        additivity.append(_ratio(both, value))
    whole = values[-1] if visible[-1] == height else _value(estimator(x, x))
    return SelfConsistency(
        rows=tuple(visible),
        values=tuple(values),
        at_zero=_value(estimator(x, masked(pictures, 0))),
        shares=tuple(_ratio(value, whole) for value in values),
        data_processing=tuple(processing),
        additivity=tuple(additivity),
    )


def _value(said: "float | Estimate") -> float:
    value: Any = getattr(said, "value", said)
    return float(value)


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0 else math.nan
