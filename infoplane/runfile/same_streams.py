"""In what the streams of two recordings differ, told in the words of their users: sites, probes, options."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infoplane.runfile.stream import Companion, Coordinate, Stream

_LONGEST = 60  # characters of a value
_MOST = 4  # names in a list


def stream_differences(then: Sequence[Stream], now: Sequence[Stream]) -> list[str]:
    """Return one clause per difference, the causes first: what follows from other sites is not told.

    Parameters
    ----------
    then : sequence of Stream
        Those of the file.
    now : sequence of Stream
        Those of the recording.

    Returns
    -------
    list of str
        Empty where rows of the second can be appended to the first.
    """
    old, new = {stream.name: stream for stream in then}, {stream.name: stream for stream in now}
    found = _absent("stream", list(old), list(new))
    both = [(old[name], new[name]) for name in old if name in new]
    for kind in ("site", "parameter"):
        found += _absent(kind, _labels(then, kind), _labels(now, kind))
    if not found:
        found += _absent("probe", _labels(then, "probe"), _labels(now, "probe"))
    if not found:
        for a, b in both:
            found += _within(a, b)
    return list(dict.fromkeys(found))


def differing(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return one clause per key that has two values, or is in one mapping alone; `where` stands behind the key."""
    keys = [key for key in {**then, **now} if not _are_equal(then.get(key), now.get(key))]
    return [f"{key}{where} is {_short(then.get(key))} in the file and {_short(now.get(key))} now" for key in keys]


def _within(then: Stream, now: Stream) -> list[str]:
    """Return the differences of two streams whose sites, parameters and probes have the same names."""
    of_stream = f" of stream {then.name!r}"
    found = differing("", then.attrs, now.attrs)
    parts = [{part.name: part for part in _parts(stream)} for stream in (then, now)]
    found += _absent("dimension", list(parts[0]), list(parts[1]), of_stream)
    common = [(parts[0][name], parts[1][name]) for name in parts[0] if name in parts[1]]
    widths = [clause for a, b in common for clause in _widths(a, b)]
    found += widths or [clause for a, b in common for clause in _values(then, a, b)]
    variables = [{variable.name: variable for variable in stream.variables} for stream in (then, now)]
    found += _absent("variable", list(variables[0]), list(variables[1]), of_stream)
    for name in (name for name in variables[0] if name in variables[1]):
        kept = [{"dimensions": list(v[name].dims), "type": v[name].dtype, "units": v[name].units} for v in variables]
        found += differing(f" of variable {name!r}{of_stream}", *kept)
    return found


def _widths(then: Coordinate | Companion, now: Coordinate | Companion) -> list[str]:
    """Return which sites have other numbers of neurons or features, where these are what is labelled with sites."""
    if not isinstance(then, Companion) or then.name != "site" or then.over == "probe":
        return []
    counts = [Counter(part.values) for part in (then, now)]
    return differing("", *({f"number of {then.over}s of site {site!r}": of[site] for site in of} for of in counts))


def _values(stream: Stream, then: Coordinate | Companion, now: Coordinate | Companion) -> list[str]:
    """Return the differences of the values along one dimension."""
    a, b = list(then.values), list(now.values)
    if isinstance(then, Coordinate) and isinstance(a[0], str):
        return _absent(then.name, a, b, f" of stream {stream.name!r}")
    if len(a) != len(b):
        return differing("", *({f"number of {then.name}s": len(values)} for values in (a, b)))
    labels = next((list(c.values) for c in stream.coordinates if c.name == getattr(then, "over", "")), a)
    places = [k for k in range(len(a)) if not _are_equal(a[k], b[k])]
    return [c for k in places for c in differing(f" of {labels[k]!r}", {then.name: a[k]}, {then.name: b[k]})]


def _absent(kind: str, then: Sequence[str], now: Sequence[str], where: str = "") -> list[str]:
    """Return which names are on one side alone, or that they come in another order."""
    found = []
    for names, others, text in ((then, now, "the file alone"), (now, then, "this recording alone")):
        alone = [repr(name) for name in names if name not in others]
        if alone:
            more = f" and {len(alone) - _MOST} more" if len(alone) > _MOST else ""
            nouns, verb = (f"{kind}s", "are") if len(alone) > 1 else (kind, "is")
            found.append(f"{nouns} {', '.join(alone[:_MOST])}{more}{where} {verb} in {text}")
    if not found and list(then) != list(now):
        found.append(f"the {kind}s{where} come in another order")
    return found


def _parts(stream: Stream) -> tuple[Coordinate | Companion, ...]:
    return (*stream.coordinates, *stream.companions)


def _labels(streams: Sequence[Stream], kind: str) -> list[str]:
    """Return what all dimensions and companions of this name hold, each once, in their order."""
    parts = [part for stream in streams for part in _parts(stream) if part.name == kind]
    return list(dict.fromkeys(str(value) for part in parts for value in part.values))


def _are_equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b))
    return bool(a == b or (a != a and b != b))  # NaN is no other setting than NaN


def _short(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
