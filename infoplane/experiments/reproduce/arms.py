"""`Arm`: one way of training in an experiment; and all arms with all seeds run as one sweep, each point to a file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infoplane.analysis.errors import one_of
from infoplane.errors import InputError
from infoplane.experiments.reproduce.experiment import Request
from infoplane.sweep import Plan, Point
from infoplane.sweep.engine import Engine
from infoplane.sweep.naming import point_name
from infoplane.sweep.planned import with_plan
from infoplane.sweep.points import EPOCH
from infoplane.sweep.run import run_plan
from infoplane.training import TrainingError, read_settings
from infoplane.training.assembly import load_data

PLAIN: Mapping[str, Any] = {
    # Where probes are not what is looked at they are as small as they can be, and so is what they cost.
    "probes.latent": 2,
    "probes.draws": 1,
    "probes.control": False,
    "probes.probe_every": 1000,
    "probes.neurons": False,
    "probes.gradients": 0,
    "probes.sandwich": 2,
    "probes.sketch_at": "never",
    "training.measure_every": 1000,
}
"""Settings of trainings of which only the last row's error and sketches count."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One way of training.

    Attributes
    ----------
    name : str
        In tables and claims.
    settings : mapping of str to object
        By dotted name, ``preset`` and ``method`` among them.
    of_seed : callable, optional
        From a seed to settings of its own, as the fold of a cross-validation.
    """

    name: str
    settings: Mapping[str, Any]
    of_seed: Callable[[int], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Trained:
    """The run files of the arms.

    Attributes
    ----------
    paths : mapping of str to tuple of pathlib.Path
        The finished runs of every arm that was asked for, by seed; one whose trainings failed is there with none.
    failed : tuple of str
        What failed, and why.
    seconds : float
        Of training, in this call: runs that were finished before have cost it nothing.
    """

    paths: Mapping[str, tuple[Path, ...]]
    failed: tuple[str, ...] = field(default=())
    seconds: float = 0.0


def train_arms(
    arms: Sequence[Arm], seeds: Iterable[int], request: Request, *, metric: str, folder: str = ""
) -> Trained:
    """Train every arm with every seed; what is finished in the folder is kept.

    Parameters
    ----------
    arms : sequence of Arm
        With different names.
    seeds : iterable of int
        Of all arms: runs are paired by them.
    request : Request
        Its folder, arms, device, root and number of jobs are used.
    metric : str
        What is compared first; fixed in every run file before it begins.
    folder : str
        Inside that of the runs, where an experiment has several sets of arms.

    Raises
    ------
    DatasetError
        When the data of an arm are absent.
    InputError
        When settings cannot be used, or `request` names an arm that there is not.
    RunFileError
        When the folder has runs of other settings under the same names.
    TrainingError
        When not one training came to its end.
    """
    for name in request.arms:
        one_of("arm", name, [arm.name for arm in arms])
    asked = [arm for arm in arms if not request.arms or arm.name in request.arms]
    chosen = tuple(seeds)
    fixed = {"metric": metric, "epoch": EPOCH, "seeds": list(chosen)}
    its: dict[str, Any] = {"training.device": request.device, "training.keep_checkpoint": False}
    if request.root is not None:
        its["data.root"] = request.root
    if request.download:
        its["data.download"] = True
    arm_of: dict[str, str] = {}
    points = []
    for seed in chosen:  # seed by seed, so that what is stopped has as many of one arm as of another
        for arm in asked:
            own = {} if arm.of_seed is None else arm.of_seed(seed)
            settings = read_settings(None, {**arm.settings, **own, **its, "seed": seed})
            shown = {"arm": arm.name}
            name = point_name({"method": arm.name}, seed, ("method",))
            if name in arm_of:
                raise InputError(f"two arms of one experiment are named {arm.name!r}")
            arm_of[name] = arm.name
            points.append(Point(name, shown, with_plan(settings, fixed)))
    # Absent data are one sentence here, and not one failure for every point.
    load_data(points[0].settings)
    plan = Plan(metric, EPOCH, chosen, {"arm": [arm.name for arm in asked]}, tuple(points))
    result = run_plan(plan, request.out / "runs" / folder, engine=Engine(jobs=request.jobs), quiet=request.quiet)
    if not result.paths:
        raise TrainingError(
            f"no training of {request.out / 'runs' / folder} came to its end: {result.failed[0].reason}"
        )
    paths: dict[str, list[Path]] = {arm.name: [] for arm in asked}
    for outcome in result.outcomes:
        if outcome.status in ("finished", "kept"):
            paths[arm_of[outcome.point.name]].append(outcome.path)
    failed = tuple(f"{outcome.point.name} failed and is left out: {outcome.reason}" for outcome in result.failed)
    return Trained(
        {name: tuple(found) for name, found in paths.items()}, failed, sum(o.seconds for o in result.outcomes)
    )
