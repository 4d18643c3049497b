"""The findings about a plane as a picture needs them: one per code and place, however many rows they are about."""

import math
from dataclasses import dataclass

import numpy as np

from infoplane.errors import RunFileError
from infoplane.printable import NAME, printable
from infoplane.runfile.reader import Run


@dataclass(frozen=True)
class PlaneFinding:
    """The findings of one code about one place of the plane, in all rows of the file.

    Attributes
    ----------
    place, code : str
        Probe or inputs that they are about, and their fixed word.
    steps : frozenset of int
        Of the rows.
    amount : float
        The largest in magnitude, NaN where there is none.
    unit : str
        Of the amount.
    """

    place: str
    code: str
    steps: frozenset[int]
    amount: float
    unit: str


def plane_findings(run: Run) -> tuple[PlaneFinding, ...] | None:
    """Return the findings about the plane as they come first in the file, or None where they cannot be read."""
    if "findings" not in run.streams:
        return ()
    try:
        view = run.findings()
        missing = {"amount": np.full(len(view), np.nan), "unit": np.full(len(view), "")}  # format 1.0 had none
        names = ("step", "stream", "where", "code", "amount", "unit")
        columns = [(view[name] if name in view.names else missing[name]).tolist() for name in names]
    except RunFileError:
        return None
    groups: dict[tuple[str, str], list[tuple[int, float, str]]] = {}
    for step, stream, where, code, amount, unit in zip(*columns, strict=True):
        if stream == "plane":
            groups.setdefault((where, code), []).append((step, amount, unit))
    found = []
    for (where, code), group in groups.items():
        _, amount, unit = max(group, key=lambda one: magnitude(one[1]))
        found.append(PlaneFinding(where, printable(code, NAME), frozenset(one[0] for one in group), amount, unit))
    return tuple(found)


def magnitude(amount: float) -> float:
    """Return by what amounts are compared: one that is not there is the least."""
    return -1.0 if math.isnan(amount) else abs(amount)
