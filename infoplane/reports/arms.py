"""Two arms of runs, paired by their seeds: which runs belong together, and whether they can be compared at all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infoplane.errors import InputError
from infoplane.printable import NAME, printable
from infoplane.runfile.reader import open_run
from infoplane.runfile.run_settings import differing, is_seed, run_settings
from infoplane.runfile.study import Study

_SHOWN = 60
_METHOD = "configuration.method"
_SEED = "configuration.seed"
_PLAN = "configuration.plan."


@dataclass(frozen=True)
class Pair:
    """The two runs of one seed: of the first arm and of the second."""

    seed: int
    first: Path
    second: Path


@dataclass(frozen=True)
class Arms:
    """Two arms.

    Attributes
    ----------
    pairs : tuple of Pair
        By seed.
    differences : dict
        Settings in which the arms differ, by their dotted names: their values as JSON text, in the first arm and in the
        second.
    notes : tuple of str
        What to know before believing a comparison.
    """

    pairs: tuple[Pair, ...]
    differences: dict[str, tuple[str, str]]
    notes: tuple[str, ...]


def pair_arms(first: Study, second: Study) -> Arms:
    """Pair two sets of runs by their seeds, and check that the pairs differ in nothing else than the arms do.

    The seed of a run is its setting ``configuration.seed``, or where it has none that of its probes.

    Raises
    ------
    InputError
        When a file is in both arms, two runs of one arm have one seed, no seed is in both, the data are not the same,
        or one pair differs in other settings than another.
    RunFileError
        When a file is no run file, or is damaged.
    """
    for path in first.paths:
        for other in second.paths:
            if path.samefile(other):
                raise InputError(f"{path} is in both arms; a run cannot be compared with itself")
    arms = [_by_seed(study, name) for study, name in ((first, "A"), (second, "B"))]
    seeds = sorted(set(arms[0]) & set(arms[1]))
    if not seeds:
        raise InputError(
            f"no seed is in both arms: A has {_listed(arms[0])} and B has {_listed(arms[1])}; runs are paired by seed, "
            "for one seed makes one initialisation and one order of batches"
        )
    lines = [line for arm in arms for line in arm.values()]
    _check_data(lines)
    differences = _common_differences([(arms[0][seed], arms[1][seed]) for seed in seeds])
    notes = [
        f"Left out of {name}, without a partner: seed{'s' if len(rest) > 1 else ''} {_listed(rest)}."
        for name, arm in zip("AB", arms, strict=True)
        if (rest := sorted(set(arm) - set(seeds)))
    ]
    for name, arm in zip("AB", arms, strict=True):
        several = [
            name
            for name in differing([arm[seed] for seed in seeds])
            if not is_seed(name) and name != "versions" and not name.startswith(_PLAN)
        ]
        if several:
            notes.append(f"Arm {name} is not of one setting: its runs differ in {', '.join(several)}.")
    if not differences:
        notes.append("The settings of the two arms are the same; what was compared is not in the files.")
    if not any(name.startswith("data.") for name in lines[0]):
        notes.append("Nothing in the files says which data these are; that they are the same is not checked.")
    chosen = [arm[seed] for seed in seeds for arm in arms]
    if planned := [name.removeprefix(_PLAN) for name in differing(chosen) if name.startswith(_PLAN)]:
        notes.append(
            f"The runs were not planned alike: {', '.join(planned)} of their plans differ, as where seeds were added "
            "after others had been looked at."
        )
    if unended := [line["path"] for line in chosen if line["status"] != "finished"]:
        notes.append(f"Not finished, and compared as they stand: {', '.join(unended)}.")
    return Arms(
        tuple(Pair(seed, Path(arms[0][seed]["path"]), Path(arms[1][seed]["path"])) for seed in seeds),
        differences,
        (*map(printable, notes), *_versions(chosen)),
    )


def _by_seed(study: Study, arm: str) -> dict[int, dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for path in study.paths:
        with open_run(path) as run:
            line = run_settings(run) | {"versions": _text(run.provenance.get("versions"))}
        seed = line.get(_SEED, line["seed"])
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise InputError(
                f"{path}: has no seed to pair it by; give one to record(seed=), or as 'seed' of its configuration"
            )
        if seed in found:
            raise InputError(_twice(found[seed], line, seed, arm))
        found[seed] = line
    return found


def _twice(first: Mapping[str, Any], second: Mapping[str, Any], seed: int, arm: str) -> str:
    """Return why two runs of one seed are refused: of what the seed is, and how each gets its own."""
    both = f"{first['path']} and {second['path']} of arm {arm}"
    if all(_SEED in line for line in (first, second)):
        return (
            f"{both} both have seed {seed}; one arm has one run of each seed, and different settings are different arms"
        )
    whose = (
        "that of the probes, since neither has a seed in its configuration"
        if not any(_SEED in line for line in (first, second))
        else f"in {(first if _SEED not in first else second)['path']} that of the probes alone"
    )
    return (
        f"{both} both state seed {seed}, {whose}; how a network was seeded stands in no file unless it is said: give "
        "each run of an arm its own by ip.record(..., seed=k) or configuration={'seed': k}"
    )


def _check_data(lines: Sequence[Mapping[str, Any]]) -> None:
    for name in differing([{k: v for k, v in line.items() if k.startswith("data.")} for line in lines]):
        other = next(line for line in lines if line.get(name) != lines[0].get(name))
        remedy = "" if name in lines[0] and name in other else "; ip.record(..., data=) says of which data a run is"
        raise InputError(
            f"the runs are of different data: {name} is {_value(lines[0], name)} in {lines[0]['path']}, but "
            f"{_value(other, name)} in {other['path']}{remedy}"
        )


def _common_differences(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, tuple[str, str]]:
    """Return in what the two runs of every pair differ; InputError unless that is the same in all."""
    found = [
        {name: (_value(a, name), _value(b, name)) for name in differing([a, b]) if not _is_folded(name, a, b)}
        for a, b in pairs
    ]
    for (a, b), here in zip(pairs, found, strict=True):
        for name in {**found[0], **here}:
            if found[0].get(name) != here.get(name):
                raise InputError(
                    f"the pairs do not differ in the same way: {pairs[0][0]['path']} and {pairs[0][1]['path']} "
                    f"{_says(name, found[0])}, but {a['path']} and {b['path']} {_says(name, here)}"
                )
    return found[0]


def _is_folded(name: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Return whether a difference is no other training: of seeds, versions, plans, what a method stands for."""
    follows = name.startswith(f"{_METHOD}_configuration.") and a.get(_METHOD) != b.get(_METHOD)
    return is_seed(name) or name == "versions" or follows or name.startswith(_PLAN)


def _versions(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    made = [found if isinstance(found := json.loads(line["versions"]), Mapping) else {} for line in lines]
    names = dict.fromkeys(name for one in made for name in one)
    several = {name: sorted({str(one.get(name)) for one in made}) for name in names}
    shown = [f"{printable(name, _SHOWN)} {printable(', '.join(v), _SHOWN)}" for name, v in several.items() if v[1:]]
    return [f"The runs were made with different versions: {'; '.join(shown)}."] if shown else []


def _says(name: str, differences: Mapping[str, tuple[str, str]]) -> str:
    if name not in differences:
        return f"agree in {name}"
    a, b = differences[name]
    return f"have {name} {printable(a, NAME)} and {printable(b, NAME)}"


def _value(line: Mapping[str, Any], name: str) -> str:
    return _text(line[name]) if name in line else "not there"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _listed(seeds: Any) -> str:
    return ", ".join(map(str, sorted(seeds)))
