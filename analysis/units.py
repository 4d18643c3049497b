"""The unit of an information: base 2 is bit, base e nat, base 10 hartley.

Formulas are computed in nats; one unit of base k is ln k nats.
"""

import math
import numbers

from infoplane.analysis.errors import InputError


def nats_per_unit(base: float) -> float:
    """Return ln(base): how many nats one unit holds.

    Parameters
    ----------
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    float
        ln 2 for bits, 1.0 for nats.

    Raises
    ------
    InputError
        When `base` is no finite number above 1.
    """
    if isinstance(base, bool) or not isinstance(base, numbers.Real) or not (1 < base < math.inf):
        raise InputError(
            f"base is {base!r}, but a base of the logarithm is a finite number above 1: 2 for bits, math.e for nats"
        )
    return math.log(base)


def unit_name(base: float) -> str:
    """Return ``"bit"``, ``"nat"``, ``"hartley"``, or ``"log<base>"`` for any other base above 1."""
    nats_per_unit(base)
    return {2.0: "bit", math.e: "nat", 10.0: "hartley"}.get(float(base), f"log{base:g}")
