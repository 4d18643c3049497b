"""The tidy table of a stream: one line per value, with everything that says what it is beside it."""

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from infoplane.errors import RunFileError

if TYPE_CHECKING:
    import pandas as pd

    from infoplane.runfile.view import StreamView

_AFTER_VALUE = ("unit", "kind", "standard_error_of")
_MOST_CELLS = 2**27  # of eight bytes each; a plane of 10,000 rows and 20 sites with their controls has half as many


def tidy_table(view: "StreamView") -> "pd.DataFrame":
    """Return the table of `StreamView.to_dataframe`.

    Raises
    ------
    LookupError, ValueError, TypeError
        When the stream's parts do not fit together. Called inside `infoplane.runfile.access.reading`.
    """
    import pandas as pd

    check_size(view, str(view.attrs.get("table", "")) or view.row)
    # Text is held once and pointed to: copied into every line, one long label could fill any memory.
    columns = {name: pd.Series(v, dtype=object if v.dtype.kind == "O" else None) for name, v in _columns(view).items()}
    return pd.DataFrame(columns, copy=False)


def check_size(view: "StreamView", table: str) -> None:
    """Refuse a table of this data set that would fill the memory: packed, a small file can hold a huge one.

    Raises
    ------
    RunFileError
        With what to do instead.
    """
    shape = view.shape(table)
    lines = max(prod(shape), *shape)
    if lines * len(view.names) > _MOST_CELLS:
        part = max(1, _MOST_CELLS // (len(view.names) * max(1, prod(shape[1:]))))
        raise RunFileError(
            f"{view.path}: a table of stream {view.name!r} would have {lines:,} lines, too many to be made at once; "
            f"read parts of its arrays instead, as stream({view.name!r}).read({table!r}, slice({part}))"
        )


def _columns(view: "StreamView") -> dict[str, NDArray[Any]]:
    per_row = [name for name in view.variables if view.dims(name) == (view.row,) and name != view.row]
    table = str(view.attrs.get("table", ""))
    if not table:
        return {name: _pointed(view[name]) for name in (view.row, *per_row)}
    values, dims = view[table], view.dims(table)
    errors = np.full(values.shape, np.nan)
    if "standard_error_of" in _companions(view, dims[-1]):
        values, errors, kept = _standard_errors(view, values, dims[-1])
    else:
        kept = np.arange(values.shape[-1])
    columns: dict[str, NDArray[Any]] = {}
    after: dict[str, NDArray[Any]] = {}
    for axis, dim in enumerate(dims):
        along = [1] * axis + [-1] + [1] * (values.ndim - axis - 1)
        for name in (dim, *(per_row if dim == view.row else _companions(view, dim))):
            labels = _pointed(view[name])
            labels = labels[kept] if axis == values.ndim - 1 else labels
            (after if name in _AFTER_VALUE else columns)[name] = np.broadcast_to(
                labels.reshape(along), values.shape
            ).flatten()
    after.pop("standard_error_of", None)
    if "kind" in after:
        after["standard_error"] = errors.ravel()
    return {**columns, "value": values.ravel(), **after}


def _pointed(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(object) if values.dtype.kind == "U" else values


def _companions(view: "StreamView", dim: str) -> list[str]:
    return [name for name in view.names if view.dims(name) == (dim,) and name != dim]


def _standard_errors(
    view: "StreamView", values: NDArray[Any], quantity: str
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Split the values (..., quantity) into those that are no standard error, their errors, and their places."""
    names, belongs_to = view[quantity].tolist(), view["standard_error_of"].tolist()
    kept = [k for k, owner in enumerate(belongs_to) if owner not in names]
    error_at = {owner: k for k, owner in enumerate(belongs_to) if owner in names}
    errors = np.full((*values.shape[:-1], len(kept)), np.nan)
    for k, place in enumerate(kept):
        if names[place] in error_at:
            errors[..., k] = values[..., error_at[names[place]]]
    return values[..., kept], errors, np.array(kept, dtype=np.intp)
