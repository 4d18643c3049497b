"""Streams: one kind of measurement in a run file, declared before the first row is written.

A stream is one HDF5 group. Its variables share one growing row dimension; every other dimension is fixed and carries
a coordinate. Nothing here knows a network or touches a file.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.errors import InputError

Values = NDArray[Any] | Sequence[str]
Rows = tuple[NDArray[np.int64], dict[str, NDArray[Any]]]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Coordinate:
    """A fixed dimension with its labels or positions.

    Attributes
    ----------
    name : str
        Of the dimension and of its data set.
    values : numpy array (length,) or sequence of str
        Labels, or positions in `units`.
    units, long_name : str
        As written into the file.
    """

    name: str
    values: Values
    units: str = ""
    long_name: str = ""


@dataclass(frozen=True)
class Companion:
    """Fixed values along one coordinate that are not its labels: the site of each probe, the unit of each quantity.

    Attributes
    ----------
    name : str
        Of its data set.
    over : str
        The coordinate that it runs along.
    values : numpy array (length,) or sequence of str
        One per label of that coordinate.
    units, long_name : str
        As written into the file.
    """

    name: str
    over: str
    values: Values
    units: str = ""
    long_name: str = ""


@dataclass(frozen=True)
class Variable:
    """What one row holds.

    Attributes
    ----------
    name : str
        Of its data set.
    dims : tuple of str
        The stream's row dimension first, then coordinates.
    dtype : str
        A numpy dtype; ``S200`` is UTF-8 text of at most 200 bytes (longer text is cut, never refused).
    units, long_name : str
        As written into the file.
    attrs : mapping
        Further attributes: text, numbers or arrays of numbers.
    compress : bool
        Whether each row is a chunk of its own and compressed, as `infoplane.runfile.packing` does. Small numbers are
        kept plain, many rows a chunk, which appends faster and is no larger.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str = ""
    long_name: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    compress: bool = False


@dataclass(frozen=True)
class Stream:
    """One kind of measurement with its own steps and its own counter of committed rows.

    Attributes
    ----------
    name : str
        Of the group.
    row : str
        Name of the growing dimension and of its coordinate (int64, strictly increasing). Any other than ``step`` is a
        running number that the writer gives.
    variables : tuple of Variable
        What one row holds.
    coordinates : tuple of Coordinate
        The fixed dimensions.
    companions : tuple of Companion
        Fixed values along them.
    signal : str
        The variable that a viewer plots by itself (NeXus), empty for none.
    axes : tuple of str
        What it is plotted over: its dimensions, or for a scatter one variable per axis.
    table : str
        The variable that a tidy table unrolls; empty for one table row per row.
    title : str
        Of its picture.
    attrs : mapping
        Attributes of the group: text, numbers or arrays of numbers.
    derived_from : str
        The stream of whose rows `derive` makes this one's; the writer appends them by itself.
    derive : callable, optional
        Maps (row value, arrays of that row) to the arrays to append here, each with a leading axis of rows.
    """

    name: str
    row: str
    variables: tuple[Variable, ...]
    coordinates: tuple[Coordinate, ...] = ()
    companions: tuple[Companion, ...] = ()
    signal: str = ""
    axes: tuple[str, ...] = ()
    table: str = ""
    title: str = ""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    derived_from: str = ""
    derive: Callable[[int, Mapping[str, NDArray[Any]]], dict[str, NDArray[Any]]] | None = None

    def __post_init__(self) -> None:
        parts: tuple[Coordinate | Companion | Variable, ...] = (*self.coordinates, *self.companions, *self.variables)
        names = [self.row, "committed", "title", *(part.name for part in parts)]
        for name in (self.name, *names):
            if not _NAME.fullmatch(name):
                raise InputError(f"{name!r} cannot be a name in a run file: letters, digits and _ are accepted")
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"stream {self.name!r} has two data sets named {name!r}")
        lengths = self.lengths
        for variable in self.variables:
            if variable.dims[:1] != (self.row,) or not set(variable.dims[1:]) <= lengths.keys():
                raise InputError(
                    f"variable {variable.name!r} of stream {self.name!r} has the dimensions {variable.dims}, but the "
                    f"first must be {self.row!r} and the others among {', '.join(lengths) or 'none'}"
                )
            if len(set(variable.dims)) < len(variable.dims):
                raise InputError(f"variable {variable.name!r} of stream {self.name!r} has one dimension twice")
        for companion in self.companions:
            if lengths.get(companion.over) != len(companion.values):
                raise InputError(
                    f"companion {companion.name!r} of stream {self.name!r} has {len(companion.values)} values, but "
                    f"{companion.over!r} has {lengths.get(companion.over, 'no')}"
                )
        for coordinate in self.coordinates:
            if not len(coordinate.values):
                raise InputError(f"coordinate {coordinate.name!r} of stream {self.name!r} is empty")

    @property
    def lengths(self) -> dict[str, int]:
        """Length of every fixed dimension."""
        return {coordinate.name: len(coordinate.values) for coordinate in self.coordinates}

    def row_shape(self, variable: Variable) -> tuple[int, ...]:
        """Shape of one row of `variable`."""
        return tuple(self.lengths[name] for name in variable.dims[1:])


EPOCH = Variable("epoch", ("step",), "f8", "1", "epochs of training before this row, NaN where none was given")
"""The variable that every stream with steps has beside them."""


def encode(text: str, limit: int | None = None) -> bytes:
    """Return `text` as UTF-8 of at most `limit` bytes, cut between characters, without NUL and never refused."""
    raw = text.replace("\0", "\\0").encode("utf-8", "backslashreplace")
    return raw if limit is None or len(raw) <= limit else raw[:limit].decode("utf-8", "ignore").encode()


def decode(raw: object) -> str:
    """Return text read from a file as str; whatever is no UTF-8 becomes U+FFFD."""
    if isinstance(raw, str):
        raw = raw.encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
