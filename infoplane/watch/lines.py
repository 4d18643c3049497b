"""What is watched as lines: one per new row and one per change of a run's status, for logs, pipes and programs."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from infoplane.printable import NAME, printable
from infoplane.watch.figures import bound, direction, error_of, figure, of_site, says_nothing, status_sentence
from infoplane.watch.rows import Row
from infoplane.watch.state import RunState


class Lines:
    """Turns looks at runs into lines: give it every look."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[int, str]] = {}

    def of(self, state: RunState) -> tuple[list[str], list[str]]:
        """Return the lines on the new rows of a run, and those on what became of it otherwise.

        The latter follow the rows where the run is over, and come before them else.
        """
        return [_line(state, row) for row in state.new], list(self._changes(state))

    def objects(self, state: RunState) -> list[str]:
        """Return both as JSON, one object a line, in this order; a change of the status has null for its row."""
        rows = [json_line(state, row) for row in state.new]
        changes = [json_line(state, None) for _ in self._changes(state)]
        return [*rows, *changes] if state.is_over else [*changes, *rows]

    def _changes(self, state: RunState) -> Iterator[str]:
        if state.is_behind and state.status != "replaced":
            return
        now = (state.file, state.status)
        before = self._said.get(str(state.path))
        if now == before:
            return
        self._said[str(state.path)] = now
        is_another = before is not None and 0 < before[0] < state.file
        yield f"{printable(state.path)}: {status_sentence(state, is_another=is_another)}"


def json_line(state: RunState, row: Row | None) -> str:
    """Return one row of a run as a JSON object in one line, or without a row how it stands.

    Numbers are exact, and null where they are not finite. The error is in per cent, as every command says it that
    sums up runs; what prints a run file's own tables has the share that is stored.
    """
    said: dict[str, Any] = {
        "run": str(state.path),
        "status": state.status,
        "reason": state.reason or None,
        "rows": state.rows,
        "findings": state.findings,
        "findings_unusable": state.unusable,
        "row": None,
    }
    if row is not None and state.meaning is not None:
        said |= {
            "row": row.number,
            "step": row.step,
            "epoch": _number(row.epoch),
            "time": _time(row.time),
            "n": row.n,
            "split": state.meaning.split,
            "estimator": state.meaning.estimator,
            "error": _number(100 * row.error),
            "loss": _number(row.loss),
            "units": {"i_zx": "bit", "i_zy": "bit", "error": state.meaning.error_unit, "loss": "bit"},
            "kinds": {"i_zx": state.meaning.kind_i_zx, "i_zy": state.meaning.kind_i_zy},
            "probes": [
                {key: _number(value) for key, value in asdict(one).items() if key not in ("at", "is_plain")}
                for one in row.probes
            ],
        }
    return json.dumps(said)


def _line(state: RunState, row: Row) -> str:
    parts = [f"{printable(state.path)}: row {row.number + 1}, step {row.step}"]
    if math.isfinite(row.epoch):
        parts.append(f"epoch {row.epoch:g}{'' if state.epochs is None else f' of {state.epochs}'}")
    parts.append(error_of(state, row))
    head = ", ".join(part for part in parts if part)
    meaning = state.meaning
    assert meaning is not None  # there is no row without a plane
    sites = []
    for site, (probe, control) in of_site(row).items():
        said = []
        for name, kind, value, error, other in (
            ("I(Z;X)", meaning.kind_i_zx, probe.i_zx, probe.se_i_zx, control.i_zx if control else None),
            ("I(Z;Y)", meaning.kind_i_zy, probe.i_zy, probe.se_i_zy, control.i_zy if control else None),
        ):
            beside = "no control" if other is None else f"control {figure(other, error)}"
            if name == "I(Z;X)" and says_nothing(value, row.n):
                beside += f", above log2 n = {math.log2(row.n):.2f}"
            said.append(f"{name} {direction(kind, ascii_only=True)} {bound(value, error, ascii_only=True)} ({beside})")
        sites.append(f"{printable(site, NAME)} {', '.join(said)}")
    found = f"{state.findings} findings" if state.findings else ""
    tail = f"bit, {printable(meaning.estimator, NAME)}, {printable(meaning.split, NAME)}, n {row.n}"
    return "; ".join(part for part in (head, *sites, found, tail) if part)


def _number(value: Any) -> Any:
    return value if not isinstance(value, float) or math.isfinite(value) else None


def _time(seconds: float) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):  # NaN, and what a made-up file may claim
        return None
