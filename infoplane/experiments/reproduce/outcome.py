"""`Reproduction`: what an experiment gave, as a page for a screen, as Markdown, and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infoplane.experiments.paper import CITATION
from infoplane.experiments.reproduce.claims import Statement
from infoplane.printable import printable
from infoplane.reports.comparison import wrapped
from infoplane.text_table import aligned, escaped, markdown


@dataclass(frozen=True)
class Table:
    """A table of text: a title, a head, rows of as many cells, and how many columns, from the left, are words."""

    title: str
    head: Sequence[str]
    cells: Sequence[Sequence[str]]
    text_columns: int = 1

    def record(self) -> dict[str, Any]:
        """Return it as JSON has it: one dictionary per row."""
        rows = [dict(zip(self.head, row, strict=True)) for row in self.cells]
        return {"title": self.title, "rows": rows}


@dataclass(frozen=True)
class Reproduction:
    """What an experiment gave.

    Attributes
    ----------
    name, scale : str
        Which experiment, at which scale.
    setting : str
        What was run, in a sentence, and what the paper did where that is another thing.
    statements : tuple of Statement
        One per claim that was judged.
    tables : tuple of Table
        Numbers beside the paper's.
    notes : tuple of str
        What to know before believing them.
    failed : tuple of str
        Which trainings failed, and why: they are left out of everything.
    files : tuple of pathlib.Path
        What was written.
    details : dict
        More of it for `record`, as JSON has it.
    """

    name: str
    scale: str
    setting: str
    statements: tuple[Statement, ...]
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "experiment": self.name,
            "scale": self.scale,
            "setting": self.setting,
            "statements": [statement.record() for statement in self.statements],
            "tables": [table.record() for table in self.tables],
            "notes": list(self.notes),
            "failed": list(self.failed),
            "files": [str(path) for path in self.files],
            "paper": CITATION,
            **self.details,
        }

    def markdown(self) -> str:
        """Return the page in Markdown."""
        parts = [f"# {self.name}, scale {self.scale}", escaped(self.setting)]
        parts += [
            f"## {escaped(table.title)}\n\n{markdown(table.head, table.cells, text_columns=table.text_columns)}"
            for table in self.tables
        ]
        if self.statements:
            lines = [f"- **{one.verdict}**: {escaped(_after_verdict(one))}" for one in self.statements]
            parts.append("## Verdicts\n\n" + "\n".join(lines))
        if notes := (*self.failed, *self.notes):
            parts.append("## Notes\n\n" + "\n".join(f"- {escaped(note)}" for note in notes))
        if self.details:
            parts.append(_made(**self.details))
        parts.append(f"The paper's numbers: {CITATION}.")
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        lines = [wrapped(f"{self.name}, scale {self.scale}: {self.setting}"), ""]
        for table in self.tables:
            lines += [wrapped(table.title), aligned(table.head, table.cells, text_columns=table.text_columns), ""]
        lines += [wrapped(printable(str(statement), _LONG)) for statement in self.statements]
        if notes := (*self.failed, *self.notes):
            lines += ["", *(wrapped(printable(note, _LONG)) for note in notes)]
        return "\n".join(lines)


_LONG = 4000


def _after_verdict(statement: Statement) -> str:
    return str(statement).partition(" - ")[2]


def _made(
    *, command: str, seconds: float, seeds: Sequence[int], training_seconds: float, versions: dict[str, str]
) -> str:
    """Return in sentences, in Markdown, what `record` has of how it was made."""
    code = command.replace("`", "'").replace("\n", " ")
    said = f"Made by `{code}` with {', '.join(f'{name} {number}' for name, number in versions.items())}"
    if not seeds:
        return f"{said}, in {seconds:g} s."
    listed = ", ".join(str(seed) for seed in seeds)
    return (
        f"{said}; seed{'' if len(seeds) == 1 else 's'} {listed}. The trainings took {training_seconds:,.0f} s in all, "
        f"each from its begin to its end; this call {seconds:g} s."
    )
