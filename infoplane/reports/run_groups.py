"""Which runs of a report have one setting: all but their seeds the same, as for the two arms of a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from infoplane.reports.run_facts import RunFacts
from infoplane.runfile.run_settings import differing, is_seed, setting_key

MOST_DRAWN = 6
"""So many runs are drawn from the start; of more, one per setting."""


def setting_numbers(lines: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Return the setting of each run, counted from 0 in the order in which they appear.

    Parameters
    ----------
    lines : sequence of mapping
        Of `infoplane.runfile.run_settings.run_settings`, one per run.
    """
    varied = [one for one in differing(lines) if not is_seed(one)]
    known: dict[tuple[str, ...], int] = {}
    return tuple(known.setdefault(tuple(setting_key(line, one) for one in varied), len(known)) for line in lines)


def with_settings(facts: Sequence[RunFacts], settings: Sequence[int]) -> list[RunFacts]:
    """Return the facts with the setting of each run, and whether it is drawn from the start.

    Of up to `MOST_DRAWN` runs all are; of more, the first of each setting, and of more than `MOST_DRAWN` settings the
    first ones.
    """
    numbered = [replace(one, setting=setting) for one, setting in zip(facts, settings, strict=True)]
    if len(numbered) <= MOST_DRAWN:
        return numbered
    drawn = [id(group[0]) for group in by_setting(numbered)[:MOST_DRAWN]]
    return [replace(one, drawn=id(one) in drawn) for one in numbered]


def by_setting(facts: Sequence[RunFacts]) -> list[list[RunFacts]]:
    """Return the runs of each setting: those that have rows first, then by their seeds."""
    groups: dict[int, list[RunFacts]] = {}
    for one in facts:
        groups.setdefault(one.setting, []).append(one)
    return [sorted(group, key=lambda one: (not one.rows, one.seed is None, one.seed or 0)) for group in groups.values()]
