"""Data processing: when information that rises along a chain is impossible, and when it proves nothing.

    T2 = f(T1)  =>  I(T2;X) <= I(T1;X)   and   I(T2;Y) <= I(T1;Y)

It binds the information itself. So it is required of exact counts on the same inputs; of bounds it is violated only
when the lower bound of the later exceeds the upper bound of the earlier. Estimates with bins or noise of their own
per layer estimate different quantities, and codes of probes are siblings: neither is a chain, and none of the first
two functions may be asked about them. What may be said of rising estimates is that their resolution differs.
"""

import math

from infoplane.analysis.finding import Finding
from infoplane.analysis.units import unit_name
from infoplane.analysis.validity.bounds import ROUNDING, SIGNIFICANT, violation


def counts_gain_information(earlier: float, later: float, *, where: str = "layer", base: float = 2) -> Finding | None:
    """Say that exact counts of T2 = f(T1) exceed those of T1.

    Parameters
    ----------
    earlier, later : float
        I(T1; .) and I(T2; .) by counting the same inputs, in units of `base`. T1 and T2 are the quantised codes
        themselves, T2 a function of the quantised T1.
    where : str
        The later one.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``counts_gain_information`` with the gain, beyond rounding: counting has no sampling error to allow for.
    """
    gain = later - earlier
    if not ROUNDING < gain < math.inf:
        return None
    text = "exact counts of a function of the earlier layer exceed those of that layer"
    advice = "do not use them; the codes are not from the same inputs, or not a function of each other"
    return Finding("counts_gain_information", where, text, gain, unit_name(base), advice)


def bounds_gain_information(
    upper_earlier: float,
    lower_later: float,
    *,
    se_upper: float,
    se_lower: float,
    where: str = "layer",
    base: float = 2,
) -> Finding | None:
    """Say that the lower bound of a later variable exceeds the upper bound of an earlier one.

    Parameters
    ----------
    upper_earlier, lower_later : float
        An upper bound of I(T1; .) and a lower bound of I(T2; .) where T2 depends on the inputs through T1 alone, in
        units of `base`. Not for codes of two probes, each of which reads its own layer.
    se_upper, se_lower : float
        Standard errors, 0 for what is exact.
    where, base
        As in `counts_gain_information`.

    Returns
    -------
    Finding or None
        ``bounds_gain_information`` with the gain, beyond `SIGNIFICANT` added errors.
    """
    gain = violation(lower_later, upper_earlier, se_lower, se_upper)
    if gain is None:
        return None
    text = "the lower bound exceeds the upper bound of an earlier layer, and processing adds no information"
    return Finding("bounds_gain_information", where, text, gain, unit_name(base), "do not use either bound")


def resolution_differs(
    earlier: float, later: float, *, se: float, where: str = "layer", base: float = 2
) -> Finding | None:
    """Say that estimates which rise along a chain do so by their resolution, the only way in which they can.

    Parameters
    ----------
    earlier, later : float
        Estimates of I(T1; .) and I(T2; .) along a feed-forward chain, in units of `base`, as by bins or noise. Not for
        inner sites of residual or attention blocks, past which information flows.
    se : float
        Standard error of the difference; 0 where the estimates count, and NaN, an unknown error, never gives a finding.
    where, base
        As in `counts_gain_information`.

    Returns
    -------
    Finding or None
        ``resolution_differs`` with the rise, beyond `SIGNIFICANT` errors. Nothing is impossible about it.
    """
    rise = later - earlier
    if not (math.isfinite(rise) and rise > SIGNIFICANT * se + ROUNDING):
        return None
    text = "resolution differs between layers: the estimate rises along the chain, the information cannot"
    advice = "do not compare layers at these bins or this noise; take scale-relative ones, and sweep them"
    return Finding("resolution_differs", where, text, rise, unit_name(base), advice)
