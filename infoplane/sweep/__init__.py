"""Many trainings from one plan: one run file a point, on one machine or a cluster, begun, stopped and gone on with.

`sweep` runs them, `plan` says which there are. The command is ``infoplane sweep``. The names below load on first use
(PEP 562): a worker of the sweep imports this package too, and needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infoplane.sweep.engine import Engine
    from infoplane.sweep.outcome import Outcome, SweepResult
    from infoplane.sweep.points import Plan, Point, plan
    from infoplane.sweep.run import run_plan, sweep

__all__ = ["Engine", "Outcome", "Plan", "Point", "SweepResult", "plan", "run_plan", "sweep"]

_HOMES = {
    "Engine": "infoplane.sweep.engine",
    "Outcome": "infoplane.sweep.outcome",
    "Plan": "infoplane.sweep.points",
    "Point": "infoplane.sweep.points",
    "SweepResult": "infoplane.sweep.outcome",
    "plan": "infoplane.sweep.points",
    "run_plan": "infoplane.sweep.run",
    "sweep": "infoplane.sweep.run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
