"""Slices that cut a table into blocks of rows, so that what is worked on at a time stays small."""


def row_blocks(rows: int, columns: int, *, entries: int) -> list[slice]:
    """Return slices of consecutive rows, together all of them, with at most `entries` entries each or a single row."""
    step = max(1, entries // columns)
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
