"""In how many decimals a number is written, wherever it is shown in text: one in bit, and a time of the training."""

import math

from infoplane.analysis.two_digits import two_digits

_MOST = 4


def decimals(value: float, error: float = math.nan) -> int:
    """Return the decimals of a number: to the second digit of its standard error, from 0 to 4 of them.

    Parameters
    ----------
    value : float
        In bit; finite.
    error : float
        Its standard error. Without one, or where it is 0, a number below 10 has three decimals and another one.
    """
    if math.isfinite(error) and error > 0:
        return min(_MOST, two_digits(error))
    return 3 if abs(value) < 10 else 1


def time_text(time: float) -> str:
    """Return an epoch or a step as it is read: whole, or with three digits (``24.6``) and at least one decimal."""
    if not math.isfinite(time):
        return f"{time:g}"
    digits = 0 if time == round(time) else max(1, 2 - math.floor(math.log10(abs(time))))
    shown = f"{time:,.{digits}f}"
    return shown.rstrip("0").rstrip(".") if digits else shown
