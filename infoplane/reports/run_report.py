"""The report on one or several runs in every form: a page that explains itself, Markdown, CSV, JSON.

All forms hold what `infoplane.reports.page.run_data.run_data` reads, once.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from infoplane.errors import InputError
from infoplane.html_table import html_table
from infoplane.reports.document import to_markdown
from infoplane.reports.page.page import LARGEST, page, title
from infoplane.reports.page.plane_data import QUANTITIES
from infoplane.reports.page.run_data import run_data
from infoplane.spreadsheet import as_text_cell

ROWS = 300
_FEWEST = 20
COLUMNS = ("run", "part", "place", "name", "step", "epoch", "value", "standard_error", "unit", "kind", "n", "text")


@dataclass(frozen=True, eq=False, repr=False)
class RunReport:
    """A report on runs; see `run_report`.

    Attributes
    ----------
    data : dict
        Everything in it, as docs/report.md says.
    """

    data: Mapping[str, Any]

    @property
    def damaged(self) -> tuple[str, ...]:
        """The paths of the runs whose files cannot be read whole."""
        return tuple(run["path"] for run in self.data["runs"] if run["unreadable"])

    def to_html(self) -> str:
        """Return one page that needs nothing else: text, tables and charts (needs the extra ``html``)."""
        return page(self.data)

    def to_markdown(self) -> str:
        """Return the text and the tables."""
        return to_markdown(self.data["sections"], title(self.data))

    def to_json(self) -> str:
        """Return `data` as one JSON object and a line end; what is no finite number is null."""
        return json.dumps(self.data, allow_nan=False) + "\n"

    def to_csv(self) -> str:
        """Return every number as one line: bounds and metrics of the rows drawn, divergences, findings, provenance.

        Text that a spreadsheet may run as a formula has an apostrophe in front: a name may be a stranger's.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for run in self.data["runs"]:
            for line in _lines(run):
                cells = (line.get(column, "") for column in COLUMNS[1:])
                writer.writerow([as_text_cell(run["name"]), *map(_cell, cells)])
        return text.getvalue()

    def _repr_html_(self) -> str:
        (table, *_) = next(one["blocks"] for one in self.data["sections"] if one["id"] == "rows")
        rows = [[cell if isinstance(cell, str) else cell["name"] for cell in row] for row in table["rows"]]
        return html_table(table["head"], rows, text_columns=table["text_columns"], caption=table["caption"])

    def __repr__(self) -> str:
        return f"<RunReport of {', '.join(run['name'] for run in self.data['runs'])}>"


def run_report(runs: Sequence[str | PathLike[str]], *, rows: int = ROWS) -> RunReport:
    """Return the report on runs; growing, killed and damaged files are read as far as they go.

    Parameters
    ----------
    runs : sequence of path-like
        Run files, each once.
    rows : int
        Of each run at most so many rows are kept for the charts, evenly spaced from the first on, and the last. It says
        how many there are.

    Raises
    ------
    InputError
        When there is no run, one twice, or `rows` is no whole number from 2 on.
    RunFileError
        When a file is no run file.

    Examples
    --------
    >>> report = run_report(["baseline.h5", "synscaw.h5"])  # doctest: +SKIP
    >>> Path("report.html").write_text(report.to_html(), encoding="utf-8", newline="")  # doctest: +SKIP
    """
    return RunReport(run_data([Path(run) for run in runs], rows=rows))


def html_report(runs: Sequence[str | PathLike[str]], *, rows: int = ROWS) -> str:
    """Return the page of `run_report` in less than 6 MB: of many long runs fewer rows are kept, which it says.

    Raises
    ------
    InputError
        When even a page of few rows is larger.
    """
    return fitting_page(runs, rows=rows)[1]


def fitting_page(runs: Sequence[str | PathLike[str]], *, rows: int = ROWS) -> tuple[RunReport, str]:
    """Return the report of which a page has less than 6 MB, and the page.

    Raises
    ------
    InputError
        When even a page of few rows is larger.
    """
    while True:
        made = run_report(runs, rows=rows)
        text = made.to_html()
        if len(text.encode()) < LARGEST:
            return made, text
        if rows <= _FEWEST:
            raise InputError(f"a page of these {len(runs)} runs would have more than 6 MB; report on fewer at once")
        rows = max(_FEWEST, rows // 2)


def _lines(run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    facts = {"status": run["status"], "method": run["method"], "model": run["model"], "data": run["data"]}
    yield from ({"part": "run", "name": name, "text": text} for name, text in facts.items())
    yield from _of_plane(run["plane"] or {"probes": []})
    for name, unit in (("loss", "bit"), ("error", "1")):
        metrics = run["metrics"] or {}
        for k, value in enumerate(metrics.get(name, ())):
            at = {"step": metrics["step"][k], "epoch": metrics["epoch"][k], "kind": "estimate"}
            yield at | {"part": "metrics", "name": name, "value": value, "unit": unit}
    for row in run["divergence"]:
        at = {"part": f"divergence of {row['stream']}", "place": row["name"], "step": row["step"], "n": row["n"]}
        for name, unit in (
            ("divergence", row["unit"]),
            ("floor", row["unit"]),
            ("distance", ""),
            ("zero_fraction", "1"),
            ("positive_fraction", "1"),
        ):
            yield at | {"name": name, "value": row[name], "unit": unit, "kind": "estimate"}
        yield from (at | {"name": "finding", "text": text} for text in row["findings"])
    for found in run["findings"]:
        at = {"part": f"findings of {found['stream']}", "place": ", ".join(found["places"]), "name": found["code"]}
        text = f"{found['rows']} of {found['of']} rows; {found['text']}; {found['advice']}"
        yield at | {"value": found["amount"], "unit": found["unit"], "text": text}
    yield from ({"part": "damage", "text": text} for text in run["unreadable"])
    yield from ({"part": "provenance", "name": name, "text": text} for name, text in run["provenance"].items())


def _of_plane(plane: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for probe in plane["probes"]:
        for name in QUANTITIES:
            for k, value in enumerate(probe.get(name, ())):
                yield {
                    "part": "plane",
                    "place": probe["probe"],
                    "name": name,
                    "step": plane["step"][k],
                    "epoch": plane["epoch"][k],
                    "value": value,
                    "standard_error": probe.get(f"se_{name}", {k: None})[k],
                    "unit": plane["units"][name],
                    "kind": plane["kinds"][name],
                    "n": plane["n"][k],
                    "text": "; ".join(code for code, rows in probe["findings"].items() if k in rows),
                }


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return as_text_cell(value) if isinstance(value, str) else value
