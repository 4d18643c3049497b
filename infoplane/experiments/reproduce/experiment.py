"""`Experiment`: one figure or table of the paper, as it is done again; all of it fixed before it runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infoplane.experiments.reproduce.claims import PaperClaim
from infoplane.experiments.reproduce.outcome import Reproduction

SCALES = ("smoke", "small", "full")
"""``smoke``: seconds, to see that it works; ``small``: minutes to an hour on two cores; ``full``: as in the paper."""


@dataclass(frozen=True)
class Scale:
    """What an experiment is at one scale.

    Attributes
    ----------
    text : str
        The setting, in a few words.
    time : str
        What it takes on two cores, with the data there.
    needs : str
        The data.
    """

    text: str
    time: str
    needs: str = "nothing"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a user asks for.

    Attributes
    ----------
    scale : str
        One of `SCALES`.
    out : pathlib.Path
        The folder for all that is written.
    seed : int
        The first seed.
    seeds : int, optional
        How many; the experiment's own number when left out.
    columns : tuple of str
        Which columns of a table, by name; the scale's own when empty.
    arms : tuple of str
        Which ways of training, by name; all when empty.
    jobs : int
        Trainings side by side.
    device : str
        Of the trainings.
    root : str, optional
        Where the data lie.
    download : bool
        Whether absent data may be fetched.
    weights : tuple of str
        Files of a user's own weights, for ``fig3``.
    quiet : bool
        No progress bars.
    """

    scale: str
    out: Path
    seed: int = 0
    seeds: int | None = None
    columns: tuple[str, ...] = ()
    arms: tuple[str, ...] = ()
    jobs: int = 1
    device: str = "cpu"
    root: str | None = None
    download: bool = False
    weights: tuple[str, ...] = ()
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One figure or table.

    Attributes
    ----------
    name : str
        As the command has it.
    about : str
        What it is, in a few words.
    claims : tuple of PaperClaim
        What the paper says of it; for a table of trainings, which has one per cell, those of the text.
    scales : mapping of str to Scale
        By name; a scale that it does not have is absent.
    work : callable
        From a `Request` to a `Reproduction`.
    takes : frozenset of str
        Which fields of a `Request`, beside scale, out and quiet, it takes notice of.
    folder : str
        Name of its folder where none is given; experiments that share their trainings share it.
    """

    name: str
    about: str
    claims: tuple[PaperClaim, ...]
    scales: Mapping[str, Scale]
    work: Callable[[Request], Reproduction]
    takes: frozenset[str] = frozenset()
    folder: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)
