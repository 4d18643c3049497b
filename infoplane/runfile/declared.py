"""What the streams of an open run file are, as the declarations from which the same file is laid out again."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from infoplane.errors import InputError, RunFileError
from infoplane.runfile.layout import fixed_text
from infoplane.runfile.reader import Run
from infoplane.runfile.stream import Companion, Coordinate, Stream, Variable
from infoplane.runfile.view import StreamView

_OF_STREAM = {"NX_class", "row", "table", "signal", "axes", "title"}
# What layout writes of the rest of a declaration, and what libraries add for themselves.
_OF_DATASET = {"units", "long_name", "dimensions", "coordinates", "CLASS", "NAME"}


def declared_streams(run: Run) -> tuple[Stream, ...]:
    """Return the streams of a run, in the order of the file.

    Parameters
    ----------
    run : Run
        Open.

    Returns
    -------
    tuple of Stream
        As `infoplane.runfile.layout.create_layout` takes them. What follows from another stream is not said in a file:
        every one stands for itself.

    Raises
    ------
    RunFileError
        When a stream cannot be read, or has what no stream can have.
    """
    return tuple(declared_stream(run.stream(name)) for name in run.streams)


def declared_stream(view: StreamView) -> Stream:
    """Return one of them; see `declared_streams`."""
    coordinates, companions, variables = [], [], []
    for name in view.names:
        dims, (dtype, is_compressed, attrs) = view.dims(name), view.storage(name)
        described = str(attrs.get("units", "")), str(attrs.get("long_name", ""))
        if name == view.row:
            continue
        if dims[:1] == (view.row,):
            own = _own(attrs, _OF_DATASET)
            variables.append(Variable(name, dims, dtype, *described, attrs=own, compress=is_compressed))
        elif dims == (name,):
            coordinates.append(Coordinate(name, _values(view, name), *described))
        elif len(dims) == 1:
            companions.append(Companion(name, dims[0], _values(view, name), *described))
        else:
            raise RunFileError(f"{view.path}: {name!r} of stream {view.name!r} is nothing that this version knows")
    try:
        return Stream(
            view.name,
            view.row,
            variables=tuple(variables),
            coordinates=tuple(coordinates),
            companions=tuple(companions),
            signal=str(view.attrs.get("signal", "")),
            axes=tuple(np.atleast_1d(view.attrs.get("axes", ())).tolist()),
            table=str(view.attrs.get("table", "")),
            title=str(view.attrs.get("title", "")),
            attrs=_own(view.attrs, _OF_STREAM),
        )
    except InputError as error:
        raise RunFileError(f"{view.path}: stream {view.name!r} is damaged ({error})") from error


def _values(view: StreamView, name: str) -> Any:
    values = view[name]
    return values.tolist() if values.dtype.kind == "U" else values


def _own(attrs: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """Return the attributes that the other fields of a declaration do not hold."""
    own = {key: value for key, value in attrs.items() if key not in known and not key.startswith("_Netcdf4")}
    return {key: fixed_text(value.ravel().tolist()) if _is_text(value) else value for key, value in own.items()}


def _is_text(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "U" and value.size > 0
