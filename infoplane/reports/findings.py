"""The findings of a run, one entry per kind: at how many rows, at which places, by how much at most, and what to do.

A run file holds one finding per row and place, so that a rate beyond log n alone makes hundreds; read by their kind
they are a few lines.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from infoplane.printable import NAME, printable
from infoplane.runfile.access import reading
from infoplane.runfile.reader import Run, open_run

CONTEXT = frozenset(
    {
        "rate_above_log_n",
        "label_bound_below_zero",
        "one_class",
        "rate_still_falling",
        "collapsed_dimensions",
        "duplicate_inputs",
        "sandwich_missing",
    }
)
"""Codes that say how to read what was measured. All others say that a value cannot be used as it stands."""

_CONTROL = "@untrained"
_LISTED = 4
_HUGE = 1e9


@dataclass(frozen=True)
class FindingSummary:
    """All findings of one code about one stream of a run.

    Attributes
    ----------
    stream, code : str
        What they are about, and their fixed word.
    places : tuple of str
        Probes, sites or parameters, in the order in which they were first concerned.
    rows, of : int
        Rows of the stream that they are about, and rows that it has.
    amount : float
        The largest in magnitude, NaN where there is none.
    unit : str
        Of the amount.
    text, advice : str
        What was found, as it was said last, and what to do.
    """

    stream: str
    code: str
    places: tuple[str, ...]
    rows: int
    of: int
    amount: float
    unit: str
    text: str
    advice: str

    @property
    def extent(self) -> str:
        """Where, how often and by how much, safe to print: ``hidden1, hidden2: 10 of 10 rows, by up to 85 bit``."""
        number = f"{self.amount:,.0f}" if 999.5 <= abs(self.amount) < _HUGE else f"{self.amount:.3g}"
        size = f"{number}{'' if self.unit == '1' else f' {printable(self.unit, NAME)}'}"
        most = f"{'' if self.unit == '1' else 'by '}{'up to ' if self.rows > 1 else ''}{size}"
        rows = f"{self.rows} of {self.of} row{'s' if self.of > 1 else ''}"
        return f"{_listed(self.places)}: {rows}{'' if math.isnan(self.amount) else f', {most}'}"

    def __str__(self) -> str:
        return f"{printable(self.code, NAME)} at {self.extent}"


def findings(run: Run | str | PathLike[str]) -> tuple[FindingSummary, ...]:
    """Return the findings of a run by kind, those first that say that a value cannot be used.

    Parameters
    ----------
    run : Run or path-like
        An open run, which stays open, or a run file; of any format version.

    Returns
    -------
    tuple of FindingSummary
        Empty where there is none. ``run.findings().to_dataframe()`` has every single one.

    Raises
    ------
    RunFileError
        When the file is no run file, or its findings cannot be read.
    """
    if not isinstance(run, Run):
        with open_run(run) as opened:
            return findings(opened)
    if "findings" not in run.streams:
        return ()
    table = run.findings().to_dataframe()
    for name, missing in (("amount", math.nan), ("unit", ""), ("advice", "")):
        if name not in table:  # format 1.0 had none
            table[name] = missing
    with reading(run.path):
        groups = [_summary(run, rows) for _, rows in table.groupby(["stream", "code"], sort=False)]
    return tuple(sorted(groups, key=lambda group: group.code in CONTEXT))


def in_words(code: str) -> str:
    """Return the code of a finding as it is written in a sentence, safe to print."""
    return printable(code.replace("_", " "), NAME)


def codes_of_points(run: Run) -> dict[tuple[int, str], list[str]]:
    """Return the codes of the findings about the plane by step and probe."""
    if "findings" not in run.streams:
        return {}
    view, codes = run.findings(), dict[tuple[int, str], list[str]]()
    for step, stream, where, code in zip(*(view[c].tolist() for c in ("step", "stream", "where", "code")), strict=True):
        if stream == "plane":
            codes.setdefault((step, where), []).append(code)
    return codes


def _summary(run: Run, rows: Any) -> FindingSummary:
    last, stream = rows.iloc[-1], str(rows["stream"].iloc[0])
    known = rows.dropna(subset="amount")
    largest = known.loc[known["amount"].abs().idxmax()] if len(known) else last
    return FindingSummary(
        stream=stream,
        code=str(last["code"]),
        places=tuple(map(str, dict.fromkeys(rows["where"]))),
        rows=int(rows["step"].nunique()),
        of=len(run.stream(stream)) if stream in run.streams else int(rows["step"].nunique()),
        amount=float(largest["amount"]),
        unit=str(largest["unit"]),
        text=str(last["text"]),
        advice=str(last["advice"]),
    )


def _listed(places: Sequence[str]) -> str:
    hosts = [printable(place, NAME) for place in places if not place.endswith(_CONTROL)]
    controls = [printable(place.removesuffix(_CONTROL), NAME) for place in places if place.endswith(_CONTROL)]
    if not controls:
        return _joined(hosts)
    if not hosts:
        return f"the control of {_joined(controls)}"
    if hosts == controls:
        return f"{_joined(hosts)} and {'their controls' if len(hosts) > 1 else 'its control'}"
    return f"{_joined(hosts)} and the control of {_joined(controls)}"


def _joined(names: Sequence[str]) -> str:
    if len(names) <= _LISTED:
        return ", ".join(names)
    return f"{', '.join(names[: _LISTED - 1])} and {len(names) - _LISTED + 1} more"
