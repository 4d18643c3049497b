"""The plan of a sweep, before anything runs: every point with its settings and its name, and what will be compared."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from infoplane.analysis.errors import one_of, whole_number
from infoplane.errors import InputError
from infoplane.reports.run_values import METRICS
from infoplane.sweep.base import Base
from infoplane.sweep.naming import point_name
from infoplane.sweep.planned import with_plan
from infoplane.training import Settings
from infoplane.training.assembly import load_data

EPOCH = "last"
"""Which epoch is compared: the best on the test set would have been chosen by the test set."""


@dataclass(frozen=True)
class Point:
    """One training of a sweep.

    Attributes
    ----------
    name : str
        Of its run file, without the ending.
    values : mapping
        What varies, by dotted name, without the seed.
    settings : Settings
        All of it, and the plan.
    """

    name: str
    values: Mapping[str, Any]
    settings: Settings

    @property
    def group(self) -> str:
        """The name without the seed: the same for all seeds of a setting; empty where nothing but the seed varies."""
        return self.name.rpartition("seed=")[0].rstrip(",")


@dataclass(frozen=True)
class Plan:
    """What `plan` makes.

    Attributes
    ----------
    metric, epoch, seeds
        What will be compared, at which epoch, of which seeds.
    grid : mapping
        Dotted name to the values that it takes.
    points : tuple of Point
        Seed by seed: a sweep that is stopped has as many seeds of one setting as of another, but for one.
    """

    metric: str
    epoch: str
    seeds: tuple[int, ...]
    grid: Mapping[str, Sequence[Any]]
    points: tuple[Point, ...]

    @property
    def fixed(self) -> dict[str, Any]:
        """What each run file keeps of it."""
        return {"metric": self.metric, "epoch": self.epoch, "seeds": list(self.seeds)}


def plan(
    settings: Settings | str | PathLike[str],
    *,
    seeds: int | Iterable[int] = 1,
    grid: Mapping[str, Iterable[Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    metric: str = "error",
) -> Plan:
    """Return the points of a sweep, all of them checked.

    Parameters
    ----------
    settings : Settings or path-like
        What all points share, or the TOML file of it.
    seeds : int or iterable of int
        The seeds, or how many, from that of the settings on.
    grid : mapping of str to iterable, optional
        Dotted name of a setting to the values that it takes, such as ``{"scaling.rate": [0, 0.03]}``. Every combination
        is a point; a parameter that the method of a point lacks does not multiply it.
    overrides : mapping of str to object, optional
        What is said otherwise than in `settings`, by dotted name.
    metric : str
        What will be compared, one of `infoplane.reports.run_values.METRICS`: where nothing is said the error, the share
        of wrong classes or 1 - R² of real labels.

    Raises
    ------
    DatasetError
        When `metric` is the loss, which not all labels have, and the data are absent.
    InputError
        When a setting, a seed or the metric cannot be used, a value is there twice, or no point takes what the grid
        varies.
    """
    base = Base(settings, overrides or {})
    values = {name: _values(name, given) for name, given in (grid or {}).items()}
    combinations = _combinations(base, values)
    # Settings with the seed of the base, each of which is checked once for all seeds.
    groups = [(own, base.settings(own)) for own in combinations]
    chosen = _seeds(seeds, groups[0][1].seed)
    one_of("metric", metric, METRICS)
    if metric == "loss" and (data := load_data(groups[0][1])).classes is None:
        raise InputError(
            f"metric is 'loss', but of real labels, as {data.name!r} has, runs keep the error alone: 1 - R²"
        )
    for name in values:
        if all(name not in own for own in combinations):
            raise InputError(f"{name} is in the grid, but the method of no point has it")
    fixed = {"metric": metric, "epoch": EPOCH, "seeds": list(chosen)}
    points: dict[str, Point] = {}
    for seed in chosen:
        for own, shared in groups:
            its = with_plan(shared.changed({"seed": seed}), fixed)
            shown = {name: _found(its, name) for name in own}
            point = Point(point_name(shown, seed, values), shown, its)
            if (key := point.name.casefold()) in points:
                other = points[key]
                raise InputError(
                    f"two points are named {point.name}"
                    + (f" and {other.name}" if other.name != point.name else "")
                    + ": a value is in the grid twice, or two values differ in capital letters alone"
                )
            points[key] = point
    # The values as the settings have them, whether they came as texts or numbers.
    taken: dict[str, list[Any]] = {name: [] for name in values}
    for point in points.values():
        for name, value in point.values.items():
            if value not in taken[name]:
                taken[name].append(value)
    return Plan(metric, EPOCH, chosen, taken, tuple(points.values()))


def _values(name: str, given: Iterable[Any]) -> list[Any]:
    if name == "seed":
        raise InputError("seed is in the grid, but seeds are given as seeds (--seeds)")
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"the grid has {given!r} for {name}, but it takes a list of values")
    values = list(given)
    if not values:
        raise InputError(f"the grid has no value for {name}")
    return values


def _combinations(base: Base, values: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Return what varies in each point; points that differ only in what their method lacks are one."""
    result, seen = [], set()
    for chosen in itertools.product(*(range(len(given)) for given in values.values())):
        point = {name: values[name][k] for name, k in zip(values, chosen, strict=True)}
        if "method" in point:
            point["method"] = base.method(point)
        own = base.own(point)
        key = tuple((name, k) for name, k in zip(values, chosen, strict=True) if name in own)
        if key not in seen:
            seen.add(key)
            result.append(own)
    return result


def _seeds(given: int | Iterable[int], first: int) -> tuple[int, ...]:
    if isinstance(given, Iterable) and not isinstance(given, str):
        seeds = tuple(whole_number("a seed", seed, least=0) for seed in given)
        if not seeds or len(set(seeds)) < len(seeds):
            raise InputError(f"seeds are {list(seeds)}, but a sweep takes at least one, and each once")
        return seeds
    count = whole_number("seeds", given, least=1)
    return tuple(range(first, first + count))


def _found(settings: Settings, name: str) -> Any:
    section, _, rest = name.partition(".")
    value = settings.configuration.get(section)
    return value.get(rest) if rest and isinstance(value, Mapping) else value
