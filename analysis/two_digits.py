"""How many decimals show a scale with two digits, which is how far a number with that error or interval is known."""

import math


def two_digits(scale: float) -> int:
    """Return the decimals of the second digit of a positive number, from 0 to 9; 1 for 0."""
    scale = float(f"{scale:.2g}")  # 0.00999... is 0.01
    return min(max(1 - math.floor(math.log10(scale)), 0), 9) if scale else 1
