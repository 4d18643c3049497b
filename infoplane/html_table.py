"""Tables as HTML for notebooks: small, without scripts and styles, every text escaped."""

from collections.abc import Sequence
from html import escape

from infoplane.printable import printable

LONGEST = 300


def html_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    text_columns: int,
    caption: str = "",
    notes: Sequence[str] = (),
) -> str:
    """Return a table.

    Parameters
    ----------
    head : sequence of str
        One per column.
    rows : sequence of sequence of str
        Rows of as many cells.
    text_columns : int
        How many columns, from the left, hold text; the others align right.
    caption : str
        What stands above it.
    notes : sequence of str
        What stands under it, one paragraph each.

    Returns
    -------
    str
        Of every text at most 300 characters, in one line, nothing in it unseen, and isolated from the direction of
        writing around it: it may come from a file, and the file from anyone.
    """
    parts = ["<table>"]
    if caption:
        parts.append(f"<caption>{_text(caption)}</caption>")
    parts.append(f"<thead><tr>{''.join(f'<th>{_text(cell)}</th>' for cell in head)}</tr></thead><tbody>")
    parts += [f"<tr>{''.join(_cell(cell, k < text_columns) for k, cell in enumerate(row))}</tr>" for row in rows]
    parts += ["</tbody></table>", *(f"<p>{_text(note)}</p>" for note in notes)]
    return "".join(parts)


def _cell(text: str, is_text: bool) -> str:
    return f'<td style="text-align:{"left" if is_text else "right"}">{_text(text)}</td>'


def _text(text: str) -> str:
    return f"<bdi>{escape(printable(text, LONGEST))}</bdi>"
