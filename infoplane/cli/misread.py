"""What is said of a call that the parser cannot read: its own words, what was given, and which help to read.

The releases of typer differ in the classes of their exceptions, so that only what all of them have is used here.
"""

import re
from collections.abc import Sequence
from typing import Any


def misread(error: Any, words: Sequence[str]) -> str:
    """Return the sentence.

    Parameters
    ----------
    error : exception
        Of the parser: it has ``format_message``.
    words : sequence of str
        The call, without the program's name.
    """
    text: str = error.format_message().rstrip(".")
    if getattr(error, "possibilities", None) and hasattr(error, "option_name"):
        text = f"No such option: {error.option_name}{_near_options(error.option_name, error.possibilities)}"
    given = _given(getattr(getattr(error, "param", None), "opts", ()), words)
    if given is not None:
        text = text.replace(": ", f" ({given!r}): ", 1)
    known = getattr(getattr(error, "ctx", None), "command_path", None)
    command = known or ("infoplane" if words[0].startswith("-") else f"infoplane {words[0]}")
    where = "shows what it takes" if " " in command else "lists the commands"
    return f"{text}{'' if text.endswith('?') else ';'} '{command} --help' {where}"


def _near_options(name: str, options: Sequence[str]) -> str:
    from infoplane.analysis.errors import near_names

    near = near_names(name.lstrip("-"), [option.lstrip("-") for option in options])
    return re.sub("'([^']+)'", r"'--\1'", near)


def _given(options: Sequence[str], words: Sequence[str]) -> str | None:
    """Return the last value that stands in the call behind an option, or None for an argument."""
    for k, word in reversed(list(enumerate(words))):
        name, is_joined, value = word.partition("=")
        if name.startswith("-") and name in options and (is_joined or k + 1 < len(words)):
            return value if is_joined else words[k + 1]
    return None
