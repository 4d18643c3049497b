"""Tables as JSON, one object per line: every number exact, what is no finite number null, text escaped by JSON."""

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def json_lines(table: "pd.DataFrame") -> Iterator[str]:
    """Yield the rows of a table as JSON objects, each with its line end.

    Parameters
    ----------
    table : pandas.DataFrame
        Numbers, text, truth values and lists of text; single-precision numbers are written as the doubles that they
        equal. NaN, infinities and missing values become null.
    """
    names = [str(name) for name in table.columns]
    for row in zip(*(table[name].tolist() for name in table.columns), strict=True):
        yield json.dumps({name: _value(value) for name, value in zip(names, row, strict=True)}) + "\n"


def _value(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    # What pandas writes for a missing whole number is a class of its own.
    return value if isinstance(value, str | int | list) else None
