"""Text on its way into a CSV file, which spreadsheet programs open and whose cells they may run as formulas.

A cell that begins with one of ``= + - @``, a tab or a carriage return is a formula to them, and a formula can send the
other cells to a stranger. An apostrophe in front makes it text again. Numbers are no text: -1 stays -1.
"""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet may take a cell with `text` for a formula."""
    return text.startswith(_FORMULA)


def as_text_cell(text: str) -> str:
    """Return `text`, with an apostrophe in front where a spreadsheet may take it for a formula."""
    return f"'{text}" if is_formula(text) else text
