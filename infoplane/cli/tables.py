"""The short table that ends ``demo`` and ``train``, and the findings of runs as lines."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from infoplane.plain_probes import plain_probes
from infoplane.printable import NAME, printable
from infoplane.reports.findings import FindingSummary, findings
from infoplane.reports.jsd import POOLED, jsd
from infoplane.reports.run_values import unit_of
from infoplane.runfile.reader import open_run
from infoplane.text_table import SCREEN

if TYPE_CHECKING:
    import pandas as pd

_SENTENCES = 2000


def print_summary(runs: Mapping[str, Path]) -> None:
    """Print, per run and probe, the last row: error, rate, label bound (control in brackets), divergences in bit."""
    lines = [
        (
            "run",
            "error",
            "site",
            "rate (control)",
            "I(Z;Y) bound (control)",
            "JSD weights",
            "JSD activations",
        ),
        *(line for name, path in runs.items() for line in _lines(name, path)),
    ]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    for line in lines:
        print(
            "  ".join(
                cell.ljust(w) if k in (0, 2) else cell.rjust(w)
                for k, (cell, w) in enumerate(zip(line, widths, strict=True))
            )
        )
    print("error: test error of the network; all else in bit, at the last epoch. rate: upper bound on I(Z;X) of the")
    print("probe's code; control: the same probe on the frozen untrained network. JSD: from the log-normal fit.")
    for name, path in runs.items():
        with open_run(path) as run:
            others = int((~plain_probes(run.plane())).sum())
        if others:
            print(f"{name}: not shown are {others} probes at other betas, on scaled activations, or refitted.")
    print_findings({name: findings(path) for name, path in runs.items()})


def wrapped(text: str, indent: int = 0, hang: int | None = None) -> str:
    """Return `text` in lines of the screen's width, the later ones indented by `hang` (default: 4 more).

    A word longer than a line stays whole: names and paths are there to be copied.
    """
    return textwrap.fill(
        text,
        SCREEN,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4 if hang is None else hang),
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_findings(found: Mapping[str, Sequence[FindingSummary]], *, file: TextIO | None = None) -> None:
    """Print what was found in each run, once per kind: where, how often, by how much; then what it means."""
    for code in dict.fromkeys(group.code for groups in found.values() for group in groups):
        extents: dict[str, list[str]] = {}
        for name, groups in found.items():
            for group in groups:
                if group.code == code:
                    extents.setdefault(group.extent, []).append(name)
                    last = group
        print(f"finding: {printable(code, NAME)}", file=file)
        for extent, names in extents.items():
            print(wrapped(f"{printable(', '.join(names), _SENTENCES)}: {extent}", 2), file=file)
        meaning = f"{last.text}; {last.advice}" if last.advice else last.text
        print(wrapped(printable(meaning, _SENTENCES), 2, 2), file=file)


def print_difference(first: Path, second: Path) -> None:
    """Print what changes from the first run to the second, at the last row: error in points, the bounds in bit."""
    (before, error), (after, other_error) = _last_row(first), _last_row(second)
    change = (after - before).xs("trained", level="host")
    parts = [
        f"{printable(site, NAME)}: rate {change[site, 'i_zx']:+.1f}, I(Z;Y) bound {change[site, 'i_zy']:+.3f}"
        for site in dict.fromkeys(site for site, _ in change.index)
    ]
    print(f"{second.stem} less {first.stem}: error {100 * (other_error - error):+.2f} points; {'; '.join(parts)}.")
    print("One seed decides nothing: it takes several, paired, to tell a difference from chance.")


def _last_row(path: Path) -> "tuple[pd.Series[float], float]":
    """Return the plane's values by (site, host, quantity) at the last row, and the network's error (NaN if unknown)."""
    with open_run(path) as run:
        view = run.plane()
        plane = view.to_dataframe()
        plane = plane[plane["probe"].isin(view["probe"][plain_probes(view)])]
        metrics = run.metrics().to_dataframe() if "metrics" in run.streams else None
    last = plane[plane["step"] == plane["step"].max()].set_index(["site", "host", "quantity"])["value"]
    error = math.nan if metrics is None else float(metrics[metrics["quantity"] == "error"]["value"].iloc[-1])
    return last, error


def _lines(name: str, path: Path) -> list[tuple[str, ...]]:
    value, share = _last_row(path)
    divergence = jsd([path]).to_dataframe().set_index(["stream", "name"])["divergence"]
    with open_run(path) as run:
        unit = unit_of("error", run)
    error = "-" if math.isnan(share) else f"{100 * share:.2f} {unit}"
    rows = []
    for k, site in enumerate(dict.fromkeys(site for site, _, _ in value.index)):
        cells = []
        for quantity, form in (("i_zx", ".1f"), ("i_zy", ".3f")):
            control = value.get((site, "untrained", quantity))
            bracket = "" if control is None else f" ({control:{form}})"
            cells.append(f"{value[site, 'trained', quantity]:{form}}{bracket}")
        weights = f"{divergence.get(('weights', POOLED), float('nan')):.4f}" if not k else ""
        rows.append(
            (
                name if not k else "",
                error if not k else "",
                printable(site, NAME),
                *cells,
                weights,
                f"{divergence.get(('activations', site), float('nan')):.4f}",
            )
        )
    return rows
