"""Going on with a run file: whether it is the same recording, how far it came, and what is written of that.

A file is resumed by the recording that made it: the same format version, network, sites, probes and options, and the
same seed, for the noise of a step depends on the seed and on the number of the step alone.
"""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from infoplane.errors import RunFileError
from infoplane.printable import NAME, printable
from infoplane.probes.schedule import Schedule
from infoplane.runfile.declared import declared_streams
from infoplane.runfile.difference import leaves
from infoplane.runfile.json_text import from_json, to_json
from infoplane.runfile.reader import Run
from infoplane.runfile.rebuild import steps_told
from infoplane.runfile.same_streams import differing, stream_differences
from infoplane.runfile.schema import FORMAT_VERSION
from infoplane.runfile.stream import Stream
from infoplane.runfile.writer import RunWriter

_OF_A_CONTINUATION = ("versions", "argv", "git_commit", "git_dirty", "hostname", "device")
_SITE = ("shape", "type", "reduction", "width")
_MOST = 5


def check_resumable(run: Run, header: Mapping[str, Any]) -> None:
    """Refuse a file that cannot be gone on with, as far as is known before the first step.

    Parameters
    ----------
    run : Run
        The file, open.
    header : mapping
        ``probes``, the options of the recording, ``seed``, and ``scaling`` where passes are kept.

    Raises
    ------
    RunFileError
        When the file has another format version, rows that cannot be read, or other options.
    """
    _check_version(run)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = run.check()
    for name, (committed, readable) in found.items():
        if readable < committed:
            raise RunFileError(
                f"{run.path}: cannot be resumed, because {committed - readable} of {committed} rows of {name!r} cannot "
                "be read; save the others first (infoplane recover), and resume what that gives"
            )
    then = {**_mapping(run.provenance.get("probes")), "seed": run.provenance.get("seed")}
    now = _as_json({**header["probes"], "seed": header["seed"]})
    # An option that came after the file was written, and that is off, is none that it lacks.
    now = {name: value for name, value in now.items() if value or name in then}
    scaling = [_mapping(_as_json(of)) for of in (run.provenance.get("scaling"), header.get("scaling"))]
    # Where one of them has none, that its stream is missing says more.
    _refuse(run, [*differing("", then, now), *(differing(" of scaling", *scaling) if all(scaling) else [])])


def check_same_streams(run: Run, streams: Sequence[Stream]) -> None:
    """Refuse a file with other streams than those of this recording.

    Parameters
    ----------
    run : Run
        The file, open.
    streams : sequence of Stream
        What would be appended.

    Raises
    ------
    RunFileError
        With what differs: sites, parameters, probes, streams, their shapes and units; or the format version.
    """
    _check_version(run)
    _refuse(run, stream_differences(declared_streams(run), streams))


@dataclass(frozen=True)
class SoFar:
    """How far a run came.

    Attributes
    ----------
    steps : int
        Training steps that its rows tell of.
    measurements, raw_rows : int
        Rows of the plane, and of raw activations.
    run : str
        Which run it is; see `RunWriter.identity`.
    """

    steps: int
    measurements: int
    raw_rows: int
    run: str


def so_far(run: Run) -> SoFar:
    """Return how far an open run came."""
    measurements, raw_rows = (len(run.stream(name)) if name in run.streams else 0 for name in ("plane", "raw"))
    return SoFar(steps_done(run), measurements, raw_rows, run.start_time)


def calls_of(measure_at: Schedule, measurements: int, *, most: int) -> int:
    """Return how often `Recording.measure` was called at least, at most `most` times, where so many calls measured."""
    due = (call + 1 for call in range(most) if measure_at.due(call))
    return next(islice(due, measurements - 1, None), most) if measurements else 0


def steps_done(run: Run) -> int:
    """Return how many training steps the rows of a run tell of; 0 where there are none."""
    told = [steps_told(run.stream(name)) for name in run.streams]
    return max((int(steps.max()) for steps in told if steps is not None and steps.size), default=0)


def go_on(
    writer: RunWriter,
    streams: Sequence[Stream],
    provenance: Mapping[str, Any],
    *,
    step: int,
    rows: Mapping[str, int],
) -> tuple[list[str], list[str]]:
    """Start a writer that resumes a file, and return what there is to say of it.

    Parameters
    ----------
    writer : RunWriter
        With something to resume, not started.
    streams : sequence of Stream
        What will be appended.
    provenance : mapping
        Of this continuation. That of the first start stays, and its ``resumed`` has one entry more.
    step : int
        Training steps before the first one to come. Rows that tell of later ones are left out.
    rows : mapping of str to int
        How many of each stream there were at that step, as far as that is known.

    Returns
    -------
    tuple of two lists of str
        What belongs among the events, and what the user must be told as well.

    Raises
    ------
    RunFileError
        When the file was made by another recording, or cannot be written.
    """
    run = writer.resumed
    assert run is not None
    _refuse(run, _network_differences(run.provenance, _as_json(provenance)))
    check_same_streams(run, streams)
    warned = _missing_and_left_out(run, streams, step, rows)
    for name in ("configuration", "data"):
        then, now = _mapping(run.provenance.get(name)), _as_json(provenance.get(name) or {})
        if now and (changed := _changes(then, now)):
            more = f" and {len(changed) - _MOST} more" if len(changed) > _MOST else ""
            warned.append(f"{name} is not that of the file: {', '.join(changed[:_MOST])}{more}")
    writer.start(streams, _continued(run.provenance, provenance, step), last_step=step)
    return [f"recording went on at step {step}"], warned


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what is no longer what it was, by dotted name, with both values."""
    before, after = ({".".join(path): to_json(leaf) for path, leaf in leaves(one).items()} for one in (then, now))
    return [
        f"{printable(name, NAME)} was {printable(was, NAME)} and is {printable(now_is, NAME)}"
        for name in {**before, **after}
        if (was := before.get(name, "not there")) != (now_is := after.get(name, "not there"))
    ]


def _missing_and_left_out(run: Run, streams: Sequence[Stream], step: int, rows: Mapping[str, int]) -> list[str]:
    """Return a sentence on rows up to `step` that the file lacks, and one on those after it, where there are any."""
    missing, later = Counter[bool](), Counter[bool]()
    for name in (stream.name for stream in streams if not stream.derived_from):
        told = steps_told(run.stream(name))
        if told is not None:
            later[name == "plane"] += (after := int((told > step).sum()))
            missing[name == "plane"] += max(0, rows.get(name, 0) - (len(told) - after))
    texts = []
    if missing.total():
        texts.append(f"{_counted(missing)} up to step {step}, which the state counts, are missing from the file")
    if later.total():
        texts.append(f"{_counted(later)} after step {step} were left out, for training goes on from there")
    return texts


def _counted(rows: Mapping[bool, int]) -> str:
    """Say how many rows of the plane (True) and of the other streams there are."""
    named = {"measurement": rows[True], "other row" if rows[True] else "row": rows[False]}
    return " and ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in named.items() if count)


def _continued(first: Mapping[str, Any], now: Mapping[str, Any], step: int) -> dict[str, Any]:
    """Return the provenance of the first start with one more entry of ``resumed``."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    entry = {"time": time, "from_step": step, **{name: now.get(name) for name in _OF_A_CONTINUATION}}
    before = first.get("resumed")
    return {**first, "resumed": [*(before if isinstance(before, list) else []), entry]}


def _network_differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return in which sizes two networks differ that observe sites of the same names."""
    sites = [{site["name"]: site for site in _list(of.get("sites")) if "name" in site} for of in (then, now)]
    found = []
    for name in sites[0].keys() & sites[1].keys():
        each = [{key: of[name][key] for key in _SITE if key in of[name]} for of in sites]
        found += differing(f" of site {name!r}", *each)
    counts = [{"number of parameters": of.get("parameters")} for of in (then, now)]
    return [*sorted(found), *differing("", *counts)]


def _check_version(run: Run) -> None:
    if run.format_version != FORMAT_VERSION:
        raise RunFileError(
            f"{run.path}: cannot be resumed, because it has the format version {run.format_version}, and this version "
            f"of infoplane goes on with files of {FORMAT_VERSION} alone; it reads this one, and records to another path"
        )


def _refuse(run: Run, differences: Sequence[str]) -> None:
    if differences:
        more = f"; and {len(differences) - _MOST} more" if len(differences) > _MOST else ""
        listed = "; ".join(differences[:_MOST])
        raise RunFileError(f"{run.path}: cannot be resumed, because this recording is another: {listed}{more}")


def _as_json(value: Any) -> Any:
    """Return `value` as it comes back from a file."""
    return from_json(to_json(value))


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
