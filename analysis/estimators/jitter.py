"""Columns of one scale, and of different values: what the estimators from neighbours take for granted.

The maximum norm compares columns, so each is centred and divided by its standard deviation (population form); no
information changes. Equal values in a column (rectified or saturated units, rounded data) are a point mass, where the
distance to a neighbour is 0 and the estimates of Kraskov et al. fall far below the truth. Such a column is moved by
independent uniform numbers in ± `SIZE` standard deviations. A jitter of one side given its value carries nothing about
the other side, and only rounded-off digits are lost: the information stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.finding import Finding
from infoplane.analysis.generator import own_generator

SIZE = 1e-10
"""Half width of the jitter, in standard deviations of the column."""
_WORTH_SAYING = 0.01  # single precision ties a few of thousands by chance


@dataclass(frozen=True, eq=False)
class Untied:
    """Sides without ties.

    Attributes
    ----------
    sides : list of numpy.ndarray
        Shapes (n, d) as given; standardised, and with a jitter on the columns that had ties.
    findings : tuple of Finding
        Code ``ties`` per side with more than one tied sample in a hundred, with their share.
    chosen : mapping
        What was done to the columns.
    """

    sides: list[Floats]
    findings: tuple[Finding, ...]
    chosen: Mapping[str, Any]


def standardised(side: Floats) -> Floats:
    """Return the columns, shape (n, d), centred and divided by their standard deviations; none may be constant."""
    # A power of two changes no digit, and brings squares of columns near 1e-200 or 1e200 back into range.
    near_one = np.ldexp(side, -np.frexp(np.abs(side).max(axis=0))[1])
    centred = near_one - near_one.mean(axis=0)
    scaled: Floats = centred / centred.std(axis=0)
    return scaled


def untied(seed: int, **named: Floats) -> Untied:
    """Return the sides standardised and without ties.

    Parameters
    ----------
    seed : int
        Of the jitter.
    **named : numpy.ndarray
        Each side by its name, shape (n, d), without constant columns.
    """
    rng = own_generator(seed)
    sides, findings = [], []
    chosen: dict[str, Any] = {"columns": "standardised"}
    for name, given in named.items():
        side = standardised(given)
        tied = _tied(given)
        columns = tied.any(axis=0)
        share = float(tied.any(axis=1).mean())
        if columns.any():
            side[:, columns] += rng.uniform(-SIZE, SIZE, (len(side), np.count_nonzero(columns)))
            chosen |= {f"jitter_{name}": SIZE, f"tied_{name}": share}
        if share > _WORTH_SAYING:
            text = "a share of the samples has values of other samples, and only a small jitter tells them apart"
            advice = "mixed_ksg counts ties instead; for a finite set take exact"
            findings.append(Finding("ties", name, text, share, "1", advice))
        sides.append(side)
    return Untied(sides, tuple(findings), chosen)


def _tied(side: Floats) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Return which entries equal another one of their column, shape (n, d)."""
    tied = np.zeros(side.shape, bool)
    repeats = (np.diff(np.sort(side, axis=0), axis=0) == 0).any(axis=0)
    for column in np.flatnonzero(repeats):
        order = np.argsort(side[:, column])
        same = np.diff(side[order, column]) == 0
        tied[order, column] = np.append(same, False) | np.append(False, same)
    return tied
