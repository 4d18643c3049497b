"""Findings of runs as lines of the screen's width."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TextIO

from infoplane.printable import NAME, printable
from infoplane.reports.findings import FindingSummary
from infoplane.text_table import SCREEN

_SENTENCES = 2000


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
