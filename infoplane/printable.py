"""Text from a file, made safe to show: it may come from anyone, and it may be meant to mislead whoever reads it.

A terminal obeys control characters: they clear the screen, move the cursor over what stood there, or set its title.
Marks of the writing direction turn the order of a whole line around, and some characters have no shape at all.
"""

from infoplane.analysis.errors import one_line

NAME = 120
"""Characters of one name in a table, a picture or a sentence; names of modules in real networks have up to 70."""


def printable(text: object, limit: int | None = None) -> str:
    r"""Return `text` in one line, with every character that does not print replaced by what Python writes for it.

    Parameters
    ----------
    text : object
        Text, or what ``str`` makes text of.
    limit : int, optional
        Characters of the result; longer text ends in an ellipsis.

    Returns
    -------
    str
        Control characters, line ends, marks of direction, surrogates and all else of which ``str.isprintable`` is
        false are written as in ``repr``: ``\x1b``, ``\n``, ``\u202e``. Letters of every script stay.

    Examples
    --------
    >>> print(printable("fc1\x1b[2J"))
    fc1\x1b[2J
    >>> print(printable("a" * 30, 5))
    aaaa…
    """
    shown = str(text)
    if limit is not None:
        shown = shown[: limit + 1]  # what is cut anyway need not be looked at, however long
    shown = one_line(shown)
    return shown if limit is None or len(shown) <= limit else f"{shown[: limit - 1]}…"
