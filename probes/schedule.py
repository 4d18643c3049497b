"""When something is recorded: a rule that looks at a counter of steps or of epochs, and at nothing else.

A rule has no memory: the same count gives the same answer, in whatever order and however often it is asked.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from infoplane.analysis.errors import InputError, whole_number


class Schedule(ABC):
    """A rule for when something is due; made by `every`, `log_spaced`, or `never`."""

    @property
    @abstractmethod
    def description(self) -> str:
        """How the rule is written in a run file."""

    @abstractmethod
    def due(self, count: int) -> bool:
        """Return whether it is due at `count`, which starts at 0."""


@dataclass(frozen=True)
class Every(Schedule):
    """Due at 0, n, 2n, ...

    Attributes
    ----------
    n : int
        At least 1; InputError otherwise.
    """

    n: int

    def __post_init__(self) -> None:
        whole_number("n of every(n)", self.n, least=1)

    @property
    def description(self) -> str:
        """``every n``."""
        return f"every {self.n}"

    def due(self, count: int) -> bool:
        """Return whether `count` is a multiple of n."""
        return count % self.n == 0


@dataclass(frozen=True)
class LogSpaced(Schedule):
    """Due at 0 and at the distinct values of 10^(k / per_decade), k = 0, 1, ..., rounded.

    Attributes
    ----------
    per_decade : int
        At least 1; InputError otherwise. Early decades have fewer, because they have fewer whole numbers.
    """

    per_decade: int = 10

    def __post_init__(self) -> None:
        whole_number("per_decade", self.per_decade, least=1)

    @property
    def description(self) -> str:
        """``log-spaced, m per decade``."""
        return f"log-spaced, {self.per_decade} per decade"

    def due(self, count: int) -> bool:
        """Return whether `count` is 0 or one of the rounded powers."""
        if count < 1:
            return count == 0
        smallest = math.ceil(self.per_decade * math.log10(count - 0.5))  # power that may round to `count`
        return round(10 ** (smallest / self.per_decade)) == count


@dataclass(frozen=True)
class ByHand(Schedule):
    """Never due: what is recorded is asked for by name."""

    @property
    def description(self) -> str:
        """``by hand``."""
        return "by hand"

    def due(self, count: int) -> bool:
        """Return False."""
        return False


never = ByHand()


def every(n: int) -> Schedule:
    """Return the rule that is due at 0, n, 2n, ...; InputError unless n is a whole number of at least 1."""
    return Every(n)


def log_spaced(per_decade: int = 10) -> Schedule:
    """Return the rule that is due at 0 and at `per_decade` counts a decade, evenly spread in their logarithm.

    Counts are 10^(k / per_decade), rounded, each once: with 10 per decade 0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, ...
    InputError unless `per_decade` is a whole number of at least 1.
    """
    return LogSpaced(per_decade)


def schedule(value: object) -> Schedule:
    """Return the rule that `value` stands for.

    Parameters
    ----------
    value : Schedule, int or None
        A whole number n is ``every(n)``; None is ``never``.

    Raises
    ------
    InputError
        When it is something else, or below 1.
    """
    if value is None:
        return never
    if isinstance(value, Schedule):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(
            f"{value!r} is no schedule: give a whole number n (every n), every(n), log_spaced(per_decade), "
            "or None for by hand"
        )
    return Every(value)
