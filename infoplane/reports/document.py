"""A report as a tree of text: sections of paragraphs, lists and tables, from which every format is written.

A text is a row of pieces: words of ours, and names that came from a file (`Name`). The pieces keep apart who wrote
what: a page sets each name in an element of its own, so that its direction of writing and its signs stay inside it,
and Markdown escapes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infoplane.printable import NAME, printable
from infoplane.text_table import escaped, markdown

LONGEST = 2000
"""Characters that are shown of one value of a file."""


@dataclass(frozen=True)
class Name:
    """Text from a file, as it may be shown: see `name`."""

    text: str


Text = tuple[str | Name, ...]


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    text: Text


@dataclass(frozen=True)
class Heading:
    """The title of what follows within a section."""

    text: Text


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    head : tuple of str
        One per column.
    rows : tuple of tuple of (str or Name)
        As many cells in each.
    text_columns : int
        How many columns, from the left, hold text; the others hold numbers.
    caption : str
        What the numbers are.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str | Name, ...], ...]
    text_columns: int
    caption: str


Block = Paragraph | Heading | Bullets | Table
_KINDS = {Paragraph: "paragraph", Heading: "heading", Bullets: "list", Table: "table"}


@dataclass(frozen=True)
class Section:
    """One part of a report: its short name, its title, and what stands in it."""

    id: str
    title: str
    blocks: tuple[Block, ...]


def name(text: object, limit: int = NAME) -> Name:
    """Return text from a file in one line of at most `limit` characters, with nothing in it unseen."""
    return Name(printable(text, limit))


def listed(names: Iterable[object], most: int = 8) -> Text:
    """Return names in a row; of many the first, and how many more there are."""
    known = list(names)
    shown = known if len(known) <= most else known[: most - 1]
    pieces: list[str | Name] = []
    for one in shown:
        pieces += [", "] * bool(pieces) + [name(one)]
    return (*pieces, f" and {len(known) - len(shown)} more") if len(shown) < len(known) else tuple(pieces)


def to_data(sections: Iterable[Section]) -> list[dict[str, Any]]:
    """Return sections as JSON has them: a name is an object with the key ``name``, words are a string."""
    return [{"id": one.id, "title": one.title, "blocks": [_block(block) for block in one.blocks]} for one in sections]


def to_markdown(sections: Iterable[Mapping[str, Any]], title: str) -> str:
    """Return sections, as `to_data` has them, as Markdown, everything escaped."""
    parts = [f"# {escaped(title)}"]
    for section in sections:
        parts += [f"## {escaped(section['title'])}", *(_markdown(block) for block in section["blocks"])]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> dict[str, Any]:
    kind = {"kind": _KINDS[type(block)]}
    if isinstance(block, Bullets):
        return kind | {"items": [_pieces(item) for item in block.items]}
    if isinstance(block, Table):
        rows = [_pieces(row) for row in block.rows]
        beside = {"head": list(block.head), "text_columns": block.text_columns, "caption": block.caption}
        return kind | beside | {"rows": rows}
    return kind | {"text": _pieces(block.text)}


def _pieces(text: Iterable[str | Name]) -> list[str | dict[str, str]]:
    return [{"name": piece.text} if isinstance(piece, Name) else piece for piece in text]


def _markdown(block: Mapping[str, Any]) -> str:
    if block["kind"] == "list":
        return "\n".join(f"- {escaped(_joined(item))}" for item in block["items"])
    if block["kind"] == "table":
        cells = [[_joined([cell]) for cell in row] for row in block["rows"]]
        return f"{escaped(block['caption'])}\n\n{markdown(block['head'], cells, text_columns=block['text_columns'])}"
    return f"{'### ' if block['kind'] == 'heading' else ''}{escaped(_joined(block['text']))}"


def _joined(pieces: Iterable[str | Mapping[str, str]]) -> str:
    return "".join(piece if isinstance(piece, str) else piece["name"] for piece in pieces)
