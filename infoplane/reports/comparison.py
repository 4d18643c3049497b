"""The page that a comparison of two arms makes: which runs, a table of the claims, and what each verdict says."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infoplane.analysis.verdicts import OneTestSet, Verdict
from infoplane.html_table import html_table
from infoplane.printable import NAME, printable
from infoplane.reports.arms import Arms
from infoplane.reports.run_values import values_unit
from infoplane.text_table import SCREEN, aligned

_PATHS = 1000


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What two arms say of a family of claims; ``str(comparison)`` is a page for a screen of 100 columns.

    Attributes
    ----------
    arms : Arms
        Which runs were paired, in what the arms differ, and what was left out.
    epoch : float
        Of the last rows; NaN where the runs kept none.
    verdicts : tuple of Verdict
        In the order of the claims; a claim about a probe without a site has one per site.
    networks : OneTestSet or None
        Where there is one seed and a claim is about the error: the two networks on their images.
    notes : tuple of str
        What to know before believing it.
    """

    arms: Arms
    epoch: float
    verdicts: tuple[Verdict, ...]
    networks: OneTestSet | None
    notes: tuple[str, ...]

    def records(self) -> list[dict[str, Any]]:
        """Return one dictionary per verdict, as JSON has it: its numbers, its text, and the runs behind it."""
        behind = {
            "a": [str(pair.first) for pair in self.arms.pairs],
            "b": [str(pair.second) for pair in self.arms.pairs],
            "paired_by_seed": [pair.seed for pair in self.arms.pairs],
            "epoch": self.epoch if math.isfinite(self.epoch) else None,
            "differences": {name: list(values) for name, values in self.arms.differences.items()},
            "networks": None if self.networks is None else vars(self.networks) | {"text": str(self.networks)},
            "notes": list(self.notes),
        }
        return [verdict.record() | behind for verdict in self.verdicts]

    def _repr_html_(self) -> str:
        return html_table(self._heads(), [cells(one) for one in self.verdicts], text_columns=2, notes=self._sentences())

    def __repr__(self) -> str:
        words = ", ".join(f"{verdict.claim.name}: {verdict.word}" for verdict in self.verdicts)
        return f"<Comparison of {len(self.arms.pairs)} pairs: {printable(words, 2000)}>"

    def __str__(self) -> str:
        return "\n".join(
            [*self._head(), "", self._table(), "", *(wrapped(printable(sentence)) for sentence in self._sentences())]
        )

    def _sentences(self) -> list[str]:
        return [*map(str, self.verdicts), *([str(self.networks)] if self.networks else []), *self.notes]

    def _head(self) -> list[str]:
        pairs = self.arms.pairs
        lines = [
            wrapped(f"{name}: {printable(_ends([str(getattr(pair, side)) for pair in pairs]), _PATHS)}")
            for name, side in (("A", "first"), ("B", "second"))
        ]
        at = f" (epoch {self.epoch:g})" if math.isfinite(self.epoch) else ""
        seeds = ", ".join(str(pair.seed) for pair in pairs)
        lines.append(wrapped(f"Paired by seed: {seeds}. Compared at the last row{at}."))
        if self.arms.differences:
            lines.append("B differs from A in:")
        lines += [
            wrapped(f"  {printable(name, NAME)}: {printable(a, NAME)} -> {printable(b, NAME)}", indent=6)
            for name, (a, b) in self.arms.differences.items()
        ]
        return lines

    def _heads(self) -> list[str]:
        level = f"{100 * self.verdicts[0].level:g} %"
        several = len(self.verdicts) > 1
        head = ["claim", "verdict", "A", "B", "B - A"]
        return [*head, *([f"{level}, Holm", "p (Holm)"] if several else [f"{level} interval", "p"])]

    def _table(self) -> str:
        return aligned(self._heads(), [cells(verdict) for verdict in self.verdicts], text_columns=2)


def wrapped(text: str, *, indent: int = 4) -> str:
    """Return `text` in lines of the screen's width, the later ones indented; words stay whole."""
    hang = " " * indent
    for pair in (" %", " = "):  # textwrap does not break lines at this space
        text = text.replace(pair, pair.replace(" ", "\N{NO-BREAK SPACE}"))
    lines = textwrap.fill(text, SCREEN, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\N{NO-BREAK SPACE}", " ")


def cells(verdict: Verdict) -> list[str]:
    """Return the line of a verdict in a table: claim, verdict, the means of both arms, difference, interval, p."""
    pair = verdict.pair
    return [
        printable(f"{verdict.claim.name} [{values_unit(verdict.claim.unit)}]", NAME),
        verdict.word,
        *(f"{float(arm.mean()):.{verdict.decimals}f}" for arm in (pair.first, pair.second)),
        verdict.difference,
        verdict.between,
        f"{verdict.p_zero_holm:.2g}" if pair.has_spread else "-",
    ]


def _ends(paths: Sequence[str]) -> str:
    return f"1 run, {paths[0]}" if len(paths) == 1 else f"{len(paths)} runs, {paths[0]} to {paths[-1]}"
