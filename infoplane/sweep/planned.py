"""`PlannedSettings`: settings of a training that is one of many, with what was fixed for all before the first began."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infoplane.training import Settings


@dataclass(frozen=True, kw_only=True)
class PlannedSettings(Settings):
    """Settings whose `configuration`, and so the run file, has the plan as well.

    Attributes
    ----------
    plan : dict
        ``metric`` (what will be compared), ``epoch`` (``"last"``: never the best one, which the test set would choose)
        and ``seeds`` (all of them, this one among them). Nothing in the training depends on it.
    """

    plan: dict[str, Any] = field(default_factory=dict)


def with_plan(settings: Settings, plan: Mapping[str, Any] | None) -> Settings:
    """Return settings with another plan in them, or None without any."""
    table = {name: value for name, value in settings.configuration.items() if name != "plan"}
    return Settings.of(table) if plan is None else PlannedSettings.of({**table, "plan": dict(plan)})
