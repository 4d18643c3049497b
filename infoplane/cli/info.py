"""``infoplane info``: what a run file holds, and what can still be read of a damaged one."""

import json as json_format
import shlex
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from infoplane.runfile.reader import Run

_LONGEST = 2000


def info(
    runs: Annotated[list[Path], typer.Argument(help="Run files.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run.")] = False,
) -> None:
    """Say what a run file holds.

    Status (recording, killed, replaced, finished, interrupted), last event, streams with their rows, probes,
    findings by kind, configuration and provenance; of a damaged file what is wrong, and what can still be read.

    Example: infoplane info run.h5
    """
    from infoplane.runfile.json_text import to_json

    for k, path in enumerate(runs):
        facts = _facts(path)
        if json:
            print(to_json(facts))
        else:
            print("\n" * bool(k) + _page(facts))


def _facts(path: Path) -> dict[str, Any]:
    import infoplane as ip

    with warnings.catch_warnings():
        # What is lost is what the page itself says.
        warnings.filterwarnings("ignore", message=".* rows of .* can be read")
        warnings.filterwarnings("ignore", message=".* of the provenance .* cannot be read")
        with ip.open_run(path) as run:
            return _facts_of(run)


def _facts_of(run: "Run") -> dict[str, Any]:
    facts: dict[str, Any] = {
        "path": str(run.path),
        "bytes": run.path.stat().st_size,
        "format_version": run.format_version,
        "status": run.status,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "last_event": _last_event(run),
        "damage": list(run.damage()),
        "streams": {name: {"committed": rows[0], "readable": rows[1]} for name, rows in run.check().items()},
        "probes": _probes(run),
        "configuration": run.configuration,
        "provenance": {k: v for k, v in run.provenance.items() if k != "configuration"},
    }
    return facts | _findings(run, facts["streams"].get("findings"))


def _last_event(run: "Run") -> dict[str, Any] | None:
    """Return the last event; None where there is none to read."""
    from infoplane.errors import InfoplaneError

    try:
        events = run.events()
        return {name: events.read(name, -1).item() for name in ("step", "text")} if len(events) else None
    except (InfoplaneError, ValueError):  # ValueError: a made-up file has several texts per event
        return None


def _probes(run: "Run") -> list[str] | None:
    """Return the names of the probes; None where the file is too damaged to tell."""
    from infoplane.errors import InfoplaneError

    try:
        return [str(name) for name in run.plane()["probe"]] if "plane" in run.streams else []
    except InfoplaneError:
        return None


def _findings(run: "Run", rows: dict[str, int] | None) -> dict[str, Any]:
    """Return the findings by code and by place; nothing where there are none to read."""
    from infoplane.errors import InfoplaneError
    from infoplane.reports.findings import findings

    if rows is None or rows["readable"] < rows["committed"]:
        return {}
    try:
        table, groups = run.findings().to_dataframe(), findings(run)
    except InfoplaneError:
        return {}
    return {
        "findings": table["code"].value_counts().to_dict() if len(table) else {},
        "finding_texts": {str(group): f"{group.text}; {group.advice}" for group in groups},
    }


def _page(facts: dict[str, Any]) -> str:
    from tqdm import tqdm

    from infoplane.cli.finding_lines import wrapped
    from infoplane.printable import NAME, printable

    path, status = printable(facts["path"]), facts["status"]
    size = f"{tqdm.format_sizeof(facts['bytes'], 'B')}, {facts['bytes']:,} bytes"
    lines = [
        f"{path}  ({size}, format {printable(facts['format_version'], NAME)})",
        f"status: {status}{_since(facts)}",
    ]
    streams = {printable(name, NAME): rows for name, rows in facts["streams"].items()}
    damaged = {name for name, rows in streams.items() if rows["readable"] < rows["committed"]}
    again = f"infoplane recover {printable(shlex.quote(facts['path']))}"
    if status.endswith("killed"):
        # One line, so that it can be copied.
        lines.append(f"{_IF_KILLED[status]}{again} makes a normal file of it; record(..., resume=True) goes on")
    if facts["last_event"]:
        step, text = (printable(facts["last_event"][key], _LONGEST) for key in ("step", "text"))
        lines.append(wrapped(f"last event: step {step}: {text}"))
    if damaged or facts["damage"]:
        lines.append("the file is cut off or damaged; what can still be read stands below")
        lines += [wrapped(_short(text), 2, 4) for text in facts["damage"]]
        if not status.endswith("killed"):
            lines.append(f"{again} saves what can still be read")
    lines.append("rows:")
    width = max(map(len, streams), default=0)
    for name, rows in streams.items():
        lost = f"  ({rows['readable']} can be read)" if name in damaged else ""
        lines.append(f"  {name:<{width}}{rows['committed']:>7}{lost}")
    probes = facts["probes"]
    names = "cannot be read" if probes is None else ", ".join(printable(p, NAME) for p in probes) or "none"
    lines.append(wrapped(f"probes: {_short(names)}"))
    if facts.get("findings"):
        kinds = ", ".join(f"{printable(code, NAME)} ({count})" for code, count in facts["findings"].items())
        lines.append(wrapped(f"findings: {_short(kinds)}"))
        for where, text in facts["finding_texts"].items():
            lines += [wrapped(_short(where), 2), wrapped(_short(text), 4, 4)]
    elif "findings" in facts:
        lines.append("findings: none")
    # A setting that is null is one; what is not known of the run's origin is no line.
    known = {key: value for key, value in facts["provenance"].items() if value not in (None, "", {}, [])}
    for title, entries in (("configuration", facts["configuration"]), ("provenance", known)):
        if entries:
            lines.append(f"{title}:")
            lines += [wrapped(f"{printable(key, NAME)}: {_short(value)}", 2) for key, value in entries.items()]
    return "\n".join(lines)


_IF_KILLED = {"killed": "", "recording or killed": "if it was killed: "}


def _since(facts: dict[str, Any]) -> str:
    from re import sub

    from infoplane.printable import NAME, printable

    # Microseconds tell runs apart, and people nothing.
    start, end = (sub(r"\.\d+", "", printable(facts[key], NAME)) for key in ("start_time", "end_time"))
    return f" (begun {start}{f', ended {end}' if end else ''})" if start else ""


def _short(value: Any) -> str:
    from infoplane.printable import printable

    return printable(value if isinstance(value, str) else json_format.dumps(value), _LONGEST)
