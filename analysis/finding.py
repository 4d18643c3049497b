"""A finding: what cannot be true of a number, or what to know before believing it."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Finding:
    """One finding, as a record that is stored, shown and tested by its code.

    Attributes
    ----------
    code : str
        A fixed word to select by, as ``"negative"``.
    where : str
        What it concerns: a variable, a site, a probe.
    text : str
        What was found, without a full stop and without the amount.
    amount : float
        By how much, in `unit`; NaN where there is no number to give.
    unit : str
        Of the amount: ``"bit"``, ``"1"`` for shares and counts, ``""`` where there is none.
    advice : str
        What to do about it.
    """

    code: str
    where: str
    text: str
    amount: float = math.nan
    unit: str = ""
    advice: str = ""

    def __str__(self) -> str:
        by = "" if math.isnan(self.amount) else f" ({self.amount:.4g}{'' if self.unit == '1' else ' ' + self.unit})"
        return f"{self.code}: {self.where}: {self.text}{by}{'; ' if self.advice else ''}{self.advice}"

    def in_units(self, unit: str, nats: float) -> "Finding":
        """Return it with an amount in nats expressed in `unit`, which holds `nats` of them; others stay."""
        return replace(self, amount=self.amount / nats, unit=unit) if self.unit == "nat" else self
