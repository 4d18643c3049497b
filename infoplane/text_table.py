"""Tables as text: aligned for a screen, or in Markdown. The last columns, from the first number on, align right."""

from collections.abc import Sequence

SCREEN = 100


def aligned(head: Sequence[str], cells: Sequence[Sequence[str]], *, text_columns: int, width: int = SCREEN) -> str:
    """Return a table of at most `width` columns; long text is cut in its middle, numbers never are.

    Parameters
    ----------
    head : sequence of str
        One per column.
    cells : sequence of sequence of str
        Rows of as many.
    text_columns : int
        How many columns, from the left, hold text.
    width : int
        Of the screen.

    Returns
    -------
    str
        Lines without a newline at the end.
    """
    rows = [list(head), *map(list, cells)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(head))]
    while sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max(range(text_columns), key=lambda k: widths[k])
        if widths[widest] <= 11:
            break
        widths[widest] -= 1
    lines = []
    for row in rows:
        fitted = [
            _shortened(cell, size).ljust(size) if k < text_columns else cell.rjust(size)
            for k, (cell, size) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(fitted).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown(head: Sequence[str], cells: Sequence[Sequence[str]], *, text_columns: int) -> str:
    """Return the same table in Markdown, nothing cut."""
    rule = [":--" if k < text_columns else "--:" for k in range(len(head))]
    return "\n".join(f"| {' | '.join(map(escaped, row))} |" for row in (head, rule, *cells))


def _shortened(text: str, size: int) -> str:
    if len(text) <= size:
        return text
    left = size // 2
    return f"{text[: size - left - 1]}…{text[-left:]}"


def escaped(text: str) -> str:
    """Return `text` with the signs escaped that are markup to Markdown; links, pictures, HTML and formulas."""
    for sign in "\\|`*<[$":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
