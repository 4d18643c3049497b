"""Names of run files from what varies: ``synscaw,rate=0.03,seed=4``.

The method stands there by its name alone, all else as ``name=value`` with the last part of its dotted name (the section
where that is ``name``: ``data=mnist``), or the whole of it where two end alike. A name depends on which settings vary
and on their values, not on how many values there are: a sweep that is made longer finds what it has.

Letters, digits and ``._+=-,`` are kept; they need no quotes in a shell and are allowed by every file system. Where
another character was replaced or a value is long, six digits of its SHA-256 follow a ``~``, so that two values that
look alike stay apart.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

_LONGEST = 48


def point_name(values: Mapping[str, Any], seed: int, varied: Iterable[str]) -> str:
    """Return the name of a point, without the ending of a file.

    Parameters
    ----------
    values : mapping of str to object
        What varies and belongs to the point, by dotted name, with the values that the settings have.
    seed : int
        Of the point.
    varied : iterable of str
        All dotted names that vary in the sweep.
    """
    short = _short_names(varied)
    parts = [_safe(str(values["method"]))] if "method" in values else []
    parts += [f"{short[name]}={_safe(_text(value))}" for name, value in values.items() if name != "method"]
    return ",".join([*parts, f"seed={seed}"])


def _short_names(varied: Iterable[str]) -> dict[str, str]:
    names = list(varied)
    last = {}
    for name in names:
        section, _, rest = name.partition(".")
        last[name] = section if rest in ("", "name") else rest
    counted = Counter([*last.values(), "seed"])
    return {name: _safe(short if counted[short] == 1 else name) for name, short in last.items()}


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    if isinstance(value, list | tuple):
        return "-".join(map(_text, value))
    return str(value)


def _safe(text: str) -> str:
    kept = re.sub(r"[^A-Za-z0-9._+-]+", "-", text)
    if kept == text and len(text) <= _LONGEST:
        return text
    return f"{kept[:_LONGEST]}~{hashlib.sha256(text.encode()).hexdigest()[:6]}"
