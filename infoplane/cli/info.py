"""``infoplane info``: what a run file holds, and what can still be read of a damaged one."""

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer


def info(
    runs: Annotated[list[Path], typer.Argument(help="Run files.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run.")] = False,
) -> None:
    """Say what a run file holds.

    Status, streams with their rows, probes, findings by kind, configuration and provenance; of a damaged file what can
    still be read.

    Example: infoplane info run.h5
    """
    for k, path in enumerate(runs):
        facts = _facts(path)
        if json:
            print(json_format.dumps(facts))
        else:
            print("\n" * bool(k) + _page(facts))


def _facts(path: Path) -> dict[str, Any]:
    import infoplane as ip

    with ip.open_run(path) as run:
        check = run.check()
        facts: dict[str, Any] = {
            "path": str(path),
            "bytes": path.stat().st_size,
            "format_version": run.format_version,
            "status": run.status,
            "streams": {name: {"committed": rows[0], "readable": rows[1]} for name, rows in check.items()},
            "probes": run.plane()["probe"].tolist() if "plane" in run.streams else [],
            "configuration": run.configuration,
            "provenance": {k: v for k, v in run.provenance.items() if k != "configuration"},
        }
        if "findings" in check and check["findings"][0] == check["findings"][1]:
            table = run.findings().to_dataframe()
            facts["findings"] = table["code"].value_counts().to_dict() if len(table) else {}
            facts["finding_texts"] = {str(group): f"{group.text}; {group.advice}" for group in ip.reports.findings(run)}
    return facts


def _page(facts: dict[str, Any]) -> str:
    from infoplane.cli.tables import wrapped

    lines = [
        f"{facts['path']}  ({facts['bytes']:,} bytes, format {facts['format_version']})",
        f"status: {facts['status']}",
    ]
    damaged = {n: s for n, s in facts["streams"].items() if s["readable"] < s["committed"]}
    if damaged:
        lines.append("the file is cut off or damaged; what can still be read stands below")
    lines.append("rows:")
    width = max((len(name) for name in facts["streams"]), default=0)
    for name, rows in facts["streams"].items():
        lost = f"  ({rows['readable']} can be read)" if name in damaged else ""
        lines.append(f"  {name:<{width}}{rows['committed']:>7}{lost}")
    lines.append(wrapped(f"probes: {_short(', '.join(facts['probes']) or 'none')}"))
    if facts.get("findings"):
        kinds = ", ".join(f"{_short(code)} ({count})" for code, count in facts["findings"].items())
        lines.append(wrapped(f"findings: {kinds}"))
        for where, text in facts["finding_texts"].items():
            lines += [wrapped(_short(where), 2), wrapped(_short(text), 4, 4)]
    elif "findings" in facts:
        lines.append("findings: none")
    # A setting that is null is one; what is not known of the run's origin is no line.
    known = {key: value for key, value in facts["provenance"].items() if value not in (None, "", {}, [])}
    for title, entries in (("configuration", facts["configuration"]), ("provenance", known)):
        if entries:
            lines.append(f"{title}:")
            lines += [wrapped(f"{_short(key)}: {_short(value)}", 2) for key, value in entries.items()]
    return "\n".join(lines)


def _short(value: Any, limit: int = 2000) -> str:
    text = value if isinstance(value, str) else json_format.dumps(value)
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
