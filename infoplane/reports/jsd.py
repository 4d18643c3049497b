"""The report on log-normal Jensen-Shannon divergences: weights and activations of one or several runs.

A row is one run, one stream and one layer, or all layers of the stream pooled. Divergence and distance (its root) are
those of `infoplane.analysis.lognormal.lognormal_jsd` on the sketches in the run file, of the positive values.
"""

import csv
import io
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.sketch import SketchSummary
from infoplane.analysis.sketch_pooling import pooled
from infoplane.errors import InputError
from infoplane.html_table import html_table
from infoplane.printable import NAME, printable
from infoplane.runfile.reader import Run, open_run
from infoplane.runfile.short_names import short_names
from infoplane.spreadsheet import as_text_cell
from infoplane.text_table import SCREEN, aligned, escaped, markdown

if TYPE_CHECKING:
    import pandas as pd

STREAMS = ("weights", "activations")
POOLED = "(all)"


@dataclass(frozen=True)
class JSDRow:
    """One line of a `JSDReport`.

    Attributes
    ----------
    run : str
        The file's name without its ending; with its folder where two files have one name.
    stream : str
        ``weights`` or ``activations``.
    name : str
        Parameter or site; ``(all)`` for all of the stream together.
    step : int or None
        Of training; None where nothing was recorded.
    divergence, floor : float
        In `unit`; the floor is what as many draws from the fitted law give.
    distance : float
        Root of the divergence.
    mu, sigma : float
        Mean and standard deviation of ln x.
    n : int
        Positive values.
    zero_fraction, positive_fraction : float
        Zeros, and positive values, among all finite ones; the rest are negative, and no part of a divergence.
    unit : str
        Of divergence and floor: ``bit``, ``nat``, ...
    findings : tuple of str
        What to know before believing the value, each as ``code: sentence``.
    """

    run: str
    stream: str
    name: str
    step: int | None
    divergence: float
    distance: float
    floor: float
    mu: float
    sigma: float
    n: int
    zero_fraction: float
    positive_fraction: float
    unit: str
    findings: tuple[str, ...]


HEAD = ("run", "stream", "name", "step", "divergence", "distance", "floor", "mu", "sigma", "n", "positive", "zeros")
COLUMNS = tuple(field.name for field in fields(JSDRow))


@dataclass(frozen=True, repr=False)
class JSDReport:
    """Divergences of runs from log-normal laws; ``str(report)`` is a table for a screen of 100 columns.

    Attributes
    ----------
    rows : tuple of JSDRow
        By run, weights before activations, the layers in the order of the file and then all of them together. A stream
        that a run did not record has one row with no numbers and the finding ``missing``.
    base : float
        Of the logarithm.
    """

    rows: tuple[JSDRow, ...]
    base: float = 2

    def to_dataframe(self) -> "pd.DataFrame":
        """Return the rows as a table with a column per attribute of `JSDRow`; findings are joined by semicolons."""
        import pandas as pd

        return pd.DataFrame(list(self._records()), columns=list(COLUMNS)).astype({"step": "Int64"})

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write the rows as CSV with a head line, unrounded; an empty field is a number that does not exist.

        Text that a spreadsheet may run as a formula has an apostrophe in front: a name may be a stranger's.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for record in self._records():
            writer.writerow([_csv_cell(value) for value in record])
        Path(path).write_text(text.getvalue(), encoding="utf-8")

    def to_markdown(self, path: str | PathLike[str] | None = None) -> str:
        """Return the report as Markdown (a table, the findings, how to read it), and write it to `path` if given."""
        parts = [markdown(HEAD, self._cells(), text_columns=3)]
        findings = [f"- {escaped(line)}" for line in self._findings()]
        if findings:
            parts.append("\n".join(findings))
        parts.append(self.closing)
        text = "\n\n".join(parts) + "\n"
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @property
    def closing(self) -> str:
        """How to read the numbers."""
        return (
            f"divergence in {self.rows[0].unit} (0 to {1 / math.log2(self.base):.3g}) of the n positive values alone, "
            "distance = its root; floor = what this many draws from the fitted law give; compare within your own runs "
            "only"
        )

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        # Seven numbers leave room for names on a screen; the others stand in the other forms, and the positive share of
        # each stream below the table.
        keep = [k for k, name in enumerate(HEAD) if name not in ("mu", "sigma", "positive")]
        head, *cells = ([line[k] for k in keep] for line in (HEAD, *self._cells()))
        said = [textwrap.fill(text, SCREEN, subsequent_indent="  ") for text in self._findings()]
        closing = textwrap.fill(f"{self.closing}{self._positive()}", SCREEN)
        return "\n".join([aligned(head, cells, text_columns=3), *said, closing])

    def _positive(self) -> str:
        """Return between which shares of all finite values the positive ones lie, by stream."""
        said = []
        for stream in STREAMS:
            shares = [row.positive_fraction for row in self.rows if row.stream == stream]
            ends = [f"{100 * end:.1f}" for end in _ends([share for share in shares if math.isfinite(share)])]
            said += [f"{' to '.join(ends)} % of {stream}"] if ends else []
        return f"; positive are {' and '.join(said)}" if said else ""

    def _repr_html_(self) -> str:
        notes = [*self._findings(), self.closing]
        return html_table(HEAD, self._cells(), text_columns=3, notes=notes)

    def _records(self) -> Iterator[tuple[object, ...]]:
        for row in self.rows:
            yield (*(getattr(row, name) for name in COLUMNS[:-1]), "; ".join(row.findings))

    def _cells(self) -> list[list[str]]:
        return [
            [
                printable(row.run, NAME),
                row.stream,
                printable(row.name, NAME),
                "-" if row.step is None else str(row.step),
                *(_rounded(value) for value in (row.divergence, row.distance, row.floor, row.mu, row.sigma)),
                f"{row.n:,}",
                *(
                    "-" if math.isnan(share) else f"{100 * share:.1f} %"
                    for share in (row.positive_fraction, row.zero_fraction)
                ),
            ]
            for row in self.rows
        ]

    def _findings(self) -> list[str]:
        return [
            f"{printable(row.run, NAME)}, {row.stream}, {printable(row.name, NAME)}: {text}"
            for row in self.rows
            for text in row.findings
        ]


def jsd(
    paths: Sequence[Run | str | PathLike[str]] | Run | str | PathLike[str], *, row: int = -1, base: float = 2
) -> JSDReport:
    """Return the divergences of the weights and activations of runs from log-normal laws.

    Parameters
    ----------
    paths : sequence of path-like or Run, or one of them
        Run files, or open runs, which stay open.
    row : int
        Which measurement, counted from the end where negative.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.

    Returns
    -------
    JSDReport

    Raises
    ------
    RunFileError
        When a file is no run file.
    InputError
        When there is no file, a run has no such row, or `base` is no base.
    """
    runs = [paths] if isinstance(paths, Run | str | PathLike) else list(paths)
    if not runs:
        raise InputError("paths is empty, but a report needs at least one run file")
    files = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    rows: list[JSDRow] = []
    for run, name in zip(runs, short_names(files), strict=True):
        if isinstance(run, Run):
            rows += _rows(run, name, row, base)
        else:
            with open_run(run) as opened:
                rows += _rows(opened, name, row, base)
    return JSDReport(tuple(rows), base)


def _rows(run: Run, label: str, row: int, base: float) -> Iterator[JSDRow]:
    for stream in STREAMS:
        if stream not in run.streams:
            yield _missing(label, stream, f"this run recorded no {stream}", base)
        elif not len(run.stream(stream)):
            yield _missing(label, stream, f"no {stream} have been measured yet", base)
        else:
            layers = run.sketch_names(stream)
            sketches = [run.sketch(stream, layer, row) for layer in layers]
            step = int(run.stream(stream).read("step", row))
            for layer, sketch in zip((*layers, POOLED), (*sketches, pooled(sketches)), strict=True):
                yield _measured(sketch, label, stream, layer, step, base)


def _measured(sketch: SketchSummary, run: str, stream: str, name: str, step: int, base: float) -> JSDRow:
    found = lognormal_jsd(sketch, base=base)
    finite = sketch["n"] - sketch["nans"] - sketch["infinities"]
    return JSDRow(
        run=run,
        stream=stream,
        name=name,
        step=step,
        divergence=found.divergence,
        distance=found.distance,
        floor=found.floor,
        mu=found.mu,
        sigma=found.sigma,
        n=found.n,
        zero_fraction=found.zero_fraction,
        positive_fraction=found.n / finite if finite else math.nan,
        unit=found.unit,
        findings=found.findings,
    )


def _missing(run: str, stream: str, reason: str, base: float) -> JSDRow:
    empty = lognormal_jsd([], base=base)
    nan = math.nan
    return JSDRow(run, stream, "-", None, nan, nan, nan, nan, nan, 0, nan, nan, empty.unit, (f"missing: {reason}",))


def _ends(values: Sequence[float]) -> tuple[float, ...]:
    """Return the least and the greatest value, one where they are the same, none of none."""
    return tuple(dict.fromkeys((min(values), max(values)))) if values else ()


def _rounded(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}"


def _csv_cell(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return as_text_cell(value) if isinstance(value, str) else value
