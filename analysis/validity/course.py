"""What a course over time, a pair of twins, or a pair of splits gives reason to say."""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infoplane.analysis.errors import InputError
from infoplane.analysis.finding import Finding
from infoplane.analysis.units import unit_name
from infoplane.analysis.validity.bounds import ROUNDING, SIGNIFICANT

WINDOW = 4
"""Changes of the rate that `rate_still_falling` looks at, at most: those between the last five rows."""
SETTLED = 0.04


def rate_still_falling(rates: ArrayLike, *, where: str = "code", base: float = 2) -> Finding | None:
    """Say that the rate of a probe still falls while its host is fixed: it is the probe that moves on the plane.

    Parameters
    ----------
    rates : array_like
        Shape (rows,): the rate of one probe on a host that does not change (the control), the latest last, each on
        the same inputs, in units of `base`. Only the last five are looked at.
    where : str
        The probe.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``rate_still_falling`` with the fall over the rows looked at. Each of the last four changes (fewer where there
        are fewer) must be downward, and together they must exceed 4 % of the rate divided by their number: 1 % over
        four changes, 4 % where there is one. Rates are closed forms on the same inputs, so that what has settled
        moves by the wobble of the optimizer alone. Where that is 0.5 % a row (0.3 % was seen), independent, fewer
        than 1 in 100 rows raise it.

    Raises
    ------
    InputError
        When `rates` is not one-dimensional.
    """
    last = _series("rates", rates)[-WINDOW - 1 :]
    if last.size < 2 or not np.isfinite(last).all() or not all(after < before for before, after in pairwise(last)):
        return None
    fall = float(last[0] - last[-1])
    changes = last.size - 1
    if fall <= SETTLED / changes * last[0]:
        return None
    over = "since the last row" if changes == 1 else f"over the last {changes} rows"
    text = f"the rate still fell {over} though the network is frozen: the probe is not trained out"
    advice = "compare with this path, not with 0, or train the probes longer"
    return Finding("rate_still_falling", where, text, fall, unit_name(base), advice)


def twins_disagree(
    absolute: ArrayLike,
    relative: ArrayLike,
    *,
    se_absolute: float,
    se_relative: float,
    where: str = "layer",
    base: float = 2,
) -> Finding | None:
    """Say that a change seen at fixed bins or noise is not seen at bins or noise relative to the layer's scale.

    Parameters
    ----------
    absolute, relative : array_like
        Shape (rows,) each: one layer's information over time by an estimator with absolute bins or noise, and by its
        scale-relative twin (equal-mass bins; noise in proportion to the layer's deviation), in units of `base`.
    se_absolute, se_relative : float
        Standard error of one value of each; 0 where it counts, and NaN, an unknown error, never gives a finding.
    where : str
        The layer.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``twins_disagree`` with the absolute change less the relative one, when from first to last the absolute one
        changes, its twin does not change in that direction, and the two changes differ, all beyond `SIGNIFICANT`
        added errors. Scaling a layer changes no information, so that such a change is one of scale.

    Raises
    ------
    InputError
        When the two are not one-dimensional and of one length, at least 2.
    """
    one, two = _series("absolute", absolute), _series("relative", relative)
    if one.size != two.size or one.size < 2:
        raise InputError(f"the twins have {one.size} and {two.size} values, but they need the same number, at least 2")
    change, twin = float(one[-1] - one[0]), float(two[-1] - two[0])
    margin, twin_margin = (2 * SIGNIFICANT * se + ROUNDING for se in (se_absolute, se_relative))
    sign = math.copysign(1, change)
    moved, followed = abs(change) > margin, sign * twin > twin_margin
    if not moved or followed or not sign * (change - twin) > margin + twin_margin:
        return None
    verb = "rises" if change > 0 else "falls"
    text = f"at absolute bins or noise the information {verb}, at scale-relative ones it does not"
    advice = "the scale of the layer changed; do not call this compression or growth"
    return Finding("twins_disagree", where, text, change - twin, unit_name(base), advice)


def train_test_gap(
    train: float, test: float, *, se_train: float, se_test: float, where: str = "code", base: float = 2
) -> Finding | None:
    """Say that a value on the training data differs from that on held-out data.

    Parameters
    ----------
    train, test : float
        One quantity of one code or network on either split, in units of `base`.
    se_train, se_test : float
        Standard errors over the inputs; NaN, an unknown error, never gives a finding.
    where : str
        Site or probe.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``train_test_gap`` with train less test, beyond `SIGNIFICANT` standard errors of the difference. The splits are
        disjoint, so that the squares of the errors add.
    """
    gap = train - test
    if not (math.isfinite(gap) and abs(gap) > SIGNIFICANT * math.hypot(se_train, se_test) + ROUNDING):
        return None
    text = "the value on the training data is not that on held-out data"
    advice = "quote the held-out value; the probe or the network has learned its training inputs"
    return Finding("train_test_gap", where, text, gap, unit_name(base), advice)


def _series(name: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"{name} has shape {array.shape}, but one number per row is needed")
    return array
