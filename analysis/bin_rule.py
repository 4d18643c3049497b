"""How bins are cut: by count, width or mass, from a range that is fixed or comes from a layer or from each neuron.

``"count"`` cuts a range into `number` bins of equal width, ``"width"`` into bins of that width from its lower end on,
``"equal_mass"`` at the quantiles k / `number`, so that about as many values fall into each. Bins of equal mass know
only the order of the values: scaling a layer, or bending it by a monotone function, changes nothing. The choice decides
the picture (Saxe et al. 2018; Chelombiev et al. 2019; Geiger 2021), so it is part of every result.
"""

import math
import numbers
from dataclasses import dataclass
from typing import Literal

from infoplane.analysis.errors import InputError, one_of, whole_number

Rule = Literal["count", "width", "equal_mass"]
Scope = Literal["layer", "neuron", "fixed"]
MOST_BINS = 2**31
_CHOICES = {"rule": ("count", "width", "equal_mass"), "scope": ("layer", "neuron", "fixed")}


@dataclass(frozen=True)
class BinRule:
    """How bins are cut.

    Attributes
    ----------
    rule : {"count", "width", "equal_mass"}
        What is given: the number of equally wide bins, their width, or the number of bins of equal mass.
    number : int
        Bins, for ``"count"`` and ``"equal_mass"``.
    width : float, optional
        Of a bin, in units of the activations; for ``"width"``.
    scope : {"layer", "neuron", "fixed"}
        Range from all values of the layer, of each column, or from `low` to `high`.
    low, high : float, optional
        The range; for ``"fixed"``.
    """

    rule: Rule = "count"
    number: int = 30
    width: float | None = None
    scope: Scope = "layer"
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        for name, accepted in _CHOICES.items():
            one_of(name, getattr(self, name), accepted)
        whole_number("number", self.number, least=1, most=MOST_BINS)
        _given_exactly_for("width", self.width, self.rule == "width", "rule='width'")
        for name in ("low", "high"):
            _given_exactly_for(name, getattr(self, name), self.scope == "fixed", "scope='fixed'")
        if self.width is not None and self.width <= 0:
            raise InputError(f"width is {self.width!r}, but a bin has a width above 0")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise InputError(f"the range goes from low={self.low!r} to high={self.high!r}, but low must be below high")
        if self.rule == "equal_mass" and self.scope == "fixed":
            raise InputError(
                "rule='equal_mass' takes its edges from the values, so its range cannot be fixed; scope is 'layer' or "
                "'neuron', and bins that several layers share come from Bins.fit(layer, layer, ...)"
            )


def _given_exactly_for(name: str, value: object, wanted: bool, where: str) -> None:
    if not wanted:
        if value is not None:
            raise InputError(f"{name} is {value!r}, but it is only used with {where}; leave it out")
        return
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise InputError(f"{name} is {value!r}, but {where} needs a finite number for it")
