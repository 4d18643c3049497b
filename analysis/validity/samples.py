"""What the samples, or the dimensions of a code, give reason to say."""

import numpy as np
from numpy.typing import ArrayLike

from infoplane.analysis.errors import InputError
from infoplane.analysis.finding import Finding
from infoplane.analysis.units import nats_per_unit, unit_name

COLLAPSED = 0.01
"""Nats below which a dimension of a code counts as collapsed.

A Gaussian channel carries as much at a signal of 2 % of the noise. It is far above rounding and far below what a used
dimension carries (posterior collapse is all but complete or absent); a hundred such dimensions hold one nat.
"""


def non_finite(count: float, n: float, *, where: str) -> Finding | None:
    """Say that `count` of `n` values are NaN or infinite; the amount is the count."""
    if not count:
        return None
    text = f"{count:.0f} of {n:.0f} values are NaN or infinite; they are counted, not binned"
    return Finding("non_finite", where, text, float(count), "1", "find the layer or step that made them")


def outside_bins(count: float, n: float, *, where: str, bins: str = "the bins") -> Finding | None:
    """Say that `count` of `n` values lie outside of `bins` (their name and range); the amount is the count.

    Bins that leave values out, as those on [-1, 1] under a rectified layer, make an information of them that falls and
    rises with the scale of the layer alone.
    """
    if not count:
        return None
    text = f"{count:.0f} of {n:.0f} values lie outside {bins}"
    return Finding("outside_bins", where, text, float(count), "1", "use bins that cover the values")


def duplicate_inputs(keys: ArrayLike, *, where: str = "inputs", base: float = 2) -> Finding | None:
    """Say that inputs repeat, so that they carry H(X) < log n.

    Parameters
    ----------
    keys : array_like
        Shape (n,): one integer per input, equal for equal inputs alone (`infoplane.analysis.rows.row_keys`).
    where : str
        What they are.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``duplicate_inputs`` with log n - H(X), H(X) the plug-in entropy, in units of `base`.

    Raises
    ------
    InputError
        When `keys` is no one-dimensional array of integers.
    """
    array = np.asarray(keys)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(f"keys have shape {array.shape} and type {array.dtype}, but one integer per input is needed")
    counts = np.unique(array, return_counts=True)[1]
    repeated = array.size - counts.size
    if not repeated:
        return None
    less = float(counts @ np.log(counts)) / array.size / nats_per_unit(base)
    text = f"{repeated} of {array.size} inputs repeat another, so that X carries less than log n"
    return Finding("duplicate_inputs", where, text, less, unit_name(base), "the ceiling of I(Z;X) is H(X), not log n")


def collapsed_dimensions(rates: ArrayLike, *, where: str = "code", base: float = 2) -> Finding | None:
    """Say how many dimensions of a code equal their prior whatever the input.

    Parameters
    ----------
    rates : array_like
        Shape (N,): mean over the inputs of each dimension's KL(p(z_k|x) || r(z_k)), in units of `base`.
    where : str
        Site or probe.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``collapsed_dimensions`` with their number where at least one is below `COLLAPSED` nats. A divergence is
        never negative, so that a small mean is small for nearly every input, and no error needs to be allowed for.

    Raises
    ------
    InputError
        When `rates` is not one-dimensional.
    """
    array = np.asarray(rates, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"rates have shape {array.shape}, but one number per dimension is needed")
    count = int(np.count_nonzero(array * nats_per_unit(base) < COLLAPSED))
    if not count:
        return None
    if count == array.size:
        text = f"all {count} dimensions of the code equal the prior: it carries nothing"
        advice = "a smaller beta, or more training of the probe"
    else:
        text = f"{count} of {array.size} dimensions of the code carry under {COLLAPSED} nat each"
        advice = "the code is narrower than its N says; a smaller N would do"
    return Finding("collapsed_dimensions", where, text, float(count), "1", advice)
