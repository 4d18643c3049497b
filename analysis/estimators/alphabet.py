"""How many symbols two discrete variables can take: stated by the user, or as many as were seen."""

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.estimators.count_table import CountTable


def check_alphabet(name: str, size: int | None) -> None:
    """Raise InputError unless `size`, called `name`, is a whole number of at least 1, or None."""
    if size is not None:
        whole_number(name, size, least=1)


def alphabet_size(name: str, stated: int | None, seen: int, otherwise: int) -> int:
    """Return the stated size, or `otherwise`; InputError when more than the stated were seen."""
    if stated is not None and stated < seen:
        raise InputError(f"{name} is {stated}, but the samples hold {seen} different symbols: it is at least that")
    return otherwise if stated is None else stated


def alphabet_sizes(table: CountTable, x: int | None, y: int | None) -> tuple[int, int]:
    """Return the sizes of both alphabets: those stated, else those seen."""
    seen_x, seen_y = table.x.size, table.y.size
    return alphabet_size("alphabet_x", x, seen_x, seen_x), alphabet_size("alphabet_y", y, seen_y, seen_y)
