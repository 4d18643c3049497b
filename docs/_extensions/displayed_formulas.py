"""Formulas in docstrings are shown letter by letter.

Docstrings are written to be read as they stand, with |w| for a modulus and with formulas set in from their paragraph.
The marks that reStructuredText wants are put in here: a directive in front of what is set in, a backslash before a bar.
"""

import re
from typing import Any

from sphinx.application import Sphinx

_LIST = re.compile(r"([-*+]|\d+\.|\(?[a-z]\)) ")
_RULE = re.compile(r"[-=]{3,}( |$)")
_QUOTED = re.compile(r"(``.+?``|`.+?`)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to autodoc, before numpydoc has its turn."""
    app.connect("autodoc-process-docstring", _process, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = with_bars(with_marks(lines))


def with_marks(lines: list[str]) -> list[str]:
    """Return the lines with ``code-block`` in front of every block that is set in from the paragraph before it."""
    done: list[str] = []
    before = ""  # first line of the paragraph before
    for number, line in enumerate(lines):
        starts = bool(line.strip()) and (number == 0 or not lines[number - 1].strip())
        if number + 1 < len(lines) and line and _RULE.match(lines[number + 1]) and not _RULE.match(line):
            return done + lines[number:]  # a section of numpydoc: parameters and all that follows
        if starts:
            is_text = before and not before.startswith((" ", ".. ")) and not _LIST.match(before)
            if line.startswith("    ") and is_text and not done[-2].endswith("::"):
                done += [".. code-block:: text", ""]
            if not line.startswith(" "):
                before = line
        done.append(line)
    return done


def with_bars(lines: list[str]) -> list[str]:
    """Return the lines with a backslash before every bar that is in no literal text."""
    done: list[str] = []
    literal: int | None = None  # how far the paragraph is set in that introduces a literal block
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if literal is not None and line.strip() and depth <= literal:
            literal = None
        if literal is None and not line.lstrip().startswith((">>>", "...")):
            parts = _QUOTED.split(line)
            parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
            line = "".join(parts)
        if literal is None and (line.endswith("::") or line.lstrip().startswith(".. code-block::")):
            literal = depth
        done.append(line)
    return done
