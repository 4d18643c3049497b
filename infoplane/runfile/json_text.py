"""JSON as a run file holds it: strict, so that every program reads it, and yet with all numbers that Python has.

JSON has no NaN and no infinities, and what Python writes for them is no JSON. Here each is an object of its own,
``{"non_finite": "NaN"}`` (or ``"Infinity"``, ``"-Infinity"``), which reads back as the number, whoever wrote it. Older
files may have the bare words, which are read too.
"""

import json
import math
from typing import Any

import numpy as np

from infoplane.errors import InputError

MOST_LEVELS = 200
"""Levels of nesting; what nests deeper, as only a text made to end the stack does, is neither written nor read."""

_KEY = "non_finite"
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_json(value: Any, *, sort_keys: bool = False) -> str:
    """Return a value as strict JSON text; what JSON does not have is written as its text (`plain`).

    Raises
    ------
    InputError
        When it nests deeper than `MOST_LEVELS`, or has a whole number of thousands of digits.
    """
    strict = _strict(value, 0)
    try:
        return json.dumps(strict, allow_nan=False, sort_keys=sort_keys)
    except ValueError as error:  # of Python's limit on the digits of a number
        raise InputError(f"a value cannot be kept as JSON ({error})") from error


def from_json(text: str) -> Any:
    """Return what a text of `to_json`, or any other JSON, holds.

    Raises
    ------
    ValueError, RecursionError
        When it is no JSON, or nests deeper than `MOST_LEVELS`.
    """
    value = json.loads(text, object_hook=_number_or_object)
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _inside(one)]
        if not level:
            return value
    raise ValueError(f"it nests deeper than {MOST_LEVELS} levels")


def plain(value: object) -> object:
    """Return what JSON has for `value`: a numpy scalar's number, an array's list, else its text."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    number = value.item() if isinstance(value, np.generic) else value
    return str(number) if number is value or isinstance(number, np.generic) else number  # np.longdouble stays itself


def _strict(value: Any, level: int) -> Any:
    if level > MOST_LEVELS:
        raise InputError(f"a value to be kept as JSON nests deeper than {MOST_LEVELS} levels, which is the most")
    if isinstance(value, dict):
        return {_name(key): _strict(inner, level + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner, level + 1) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {_KEY: _word(value)}
    return value if isinstance(value, str | int | float | None) else _strict(plain(value), level)


def _name(key: Any) -> Any:
    if isinstance(key, float) and not math.isfinite(key):
        return _word(key)
    return key if isinstance(key, str | int | float | None) else str(key)


def _word(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _number_or_object(found: dict[str, Any]) -> Any:
    word = found.get(_KEY) if len(found) == 1 else None
    return _NUMBERS.get(word, found) if isinstance(word, str) else found


def _inside(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value
