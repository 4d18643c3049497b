"""In how many decimals a number in bit is written, wherever it is shown in text."""

import math

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
        return min(_MOST, max(0, 1 - math.floor(math.log10(error))))
    return 3 if abs(value) < 10 else 1
