"""What `auto` keeps of a choice: which candidate, why, and the values and scores of all."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from infoplane.analysis.estimators.method import Reading


def choice(name: str, why: str, reading: Reading, kept: Mapping[str, Any]) -> Reading:
    """Return `reading` as that of the candidate `name`; `kept` holds values and scores by candidate."""
    return replace(reading, chosen={"chosen": name, "why": why, **kept})
