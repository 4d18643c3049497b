"""The tidy table of a stream: one line per value, with everything that says what it is beside it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from infoplane.runfile.view import StreamView

_AFTER_VALUE = ("unit", "kind", "standard_error_of")


def tidy_table(view: "StreamView") -> "pd.DataFrame":
    """Return the table of `StreamView.to_dataframe`.

    Raises
    ------
    LookupError, ValueError, TypeError
        When the stream's parts do not fit together. Called inside `infoplane.runfile.access.reading`.
    """
    import pandas as pd

    # Text is held once and pointed to: copied into every line, one long label could fill any memory.
    columns = {name: pd.Series(v, dtype=object if v.dtype.kind == "O" else None) for name, v in _columns(view).items()}
    return pd.DataFrame(columns)


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
    places = np.indices(values.shape).reshape(values.ndim, -1)
    places[-1] = kept[places[-1]]
    columns: dict[str, NDArray[Any]] = {}
    after: dict[str, NDArray[Any]] = {}
    for dim, place in zip(dims, places, strict=True):
        for name in (dim, *(per_row if dim == view.row else _companions(view, dim))):
            (after if name in _AFTER_VALUE else columns)[name] = _pointed(view[name])[place]
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
