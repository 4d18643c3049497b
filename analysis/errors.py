"""The root of infoplane's exceptions, and the one that every bad argument raises."""

import difflib
import math
from collections.abc import Iterable
from numbers import Real

import numpy as np


def one_line(text: str) -> str:
    r"""Return `text` with every character that does not print as Python writes it: ``\x1b``, ``\n``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class InfoplaneError(Exception):
    """Root of every exception that infoplane raises on purpose; its text is one clear sentence.

    Many sentences name what stands in a file or what a user has typed, and a terminal obeys control characters: what
    does not print is escaped here, for all of them at once (`one_line`).
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(one_line(arg) if isinstance(arg, str) else arg for arg in args))


class InputError(InfoplaneError, ValueError):
    """An argument has a value that cannot be used; the text names it, why, and what is accepted."""


def near_names(name: str, known: Iterable[str], limit: int = 3) -> str:
    """Return ``"; did you mean 'a' or 'b'?"`` for the known names that resemble `name`, else ``""``.

    Names that go on from `name` come first; small and capital letters are the same. Alike are names of which six
    letters in ten agree in their order, or the first half.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    longer = [lower for lower in by_lower if name and lower.startswith(name.lower())]
    alike = [
        one for one in difflib.get_close_matches(name.lower(), by_lower, limit, 0.5) if _is_alike(name.lower(), one)
    ]
    close = [by_lower[lower] for lower in dict.fromkeys([*longer, *([] if longer else alike)])][:limit]
    return f"; did you mean {' or '.join(repr(c) for c in close)}?" if close else ""


def _is_alike(name: str, other: str) -> bool:
    half = (max(len(name), len(other)) + 1) // 2
    return name[:half] == other[:half] or difflib.SequenceMatcher(None, other, name).ratio() >= 0.6


def one_of(name: str, value: object, accepted: Iterable[str]) -> None:
    """Raise InputError with the near names unless `value`, called `name`, is one of the names `accepted`."""
    known = list(accepted)
    if not isinstance(value, str) or value not in known:
        names = ", ".join(map(repr, known))
        raise InputError(f"{name} is {value!r}, but it is one of {names}{near_names(str(value), known)}")


def whole_number(name: str, value: object, *, least: int, most: int | None = None) -> int:
    """Return `value`, called `name`, as an int; InputError unless it is a whole number from `least` to `most`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < least
        or (most is not None and value > most)
    ):
        upper = "" if most is None else f" and at most {most}"
        raise InputError(f"{name} is {value!r}, but it must be a whole number of at least {least}{upper}")
    return int(value)


def true_or_false(name: str, value: object) -> bool:
    """Return `value`, called `name`; InputError unless it is True or False: ``"no"`` is true in Python."""
    if not isinstance(value, bool):
        raise InputError(f"{name} is {value!r}, but it must be True or False")
    return value


def positive_number(name: str, value: object) -> float:
    """Return `value`, called `name`, as a float; InputError unless it is a finite number above 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value <= 0:
        raise InputError(f"{name} is {value!r}, but it must be a finite number above 0")
    return float(value)
