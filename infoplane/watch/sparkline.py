"""A sparkline: the course of a few numbers as marks of eight heights, one character each."""

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-~=+*#"
"""The same for terminals whose encoding has no blocks."""

NOT_FINITE = "?"


def sparkline(values: Sequence[float], width: int, *, marks: str = BLOCKS) -> str:
    """Return the last values as marks from the lowest to the highest of them.

    It has no axis and no zero: the lowest mark is the smallest value shown, whatever its sign, and the highest mark the
    largest. The numbers stand beside it.

    Parameters
    ----------
    values : sequence of float
        The oldest first.
    width : int
        How many of the last ones, at least 0.
    marks : str
        From low to high.

    Returns
    -------
    str
        One character per value; ``?`` for NaN and infinities, and a middle mark where all values are the same.

    Examples
    --------
    >>> print(sparkline([-1.0, 0.0, float("nan"), 1.0], 10))
    ▁▅?█
    """
    shown = list(values)[-width:] if width > 0 else []
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return NOT_FINITE * len(shown)
    low, high = min(finite), max(finite)
    # Halves, for the difference of two large numbers may overflow.
    span = high / 2 - low / 2
    line = []
    for value in shown:
        if not math.isfinite(value):
            line.append(NOT_FINITE)
        elif span == 0:
            line.append(marks[len(marks) // 2])
        else:
            share = (value / 2 - low / 2) / span
            line.append(marks[min(len(marks) - 1, int(share * len(marks)))])
    return "".join(line)
