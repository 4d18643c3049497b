"""One stream of an open run: its committed rows as arrays, as a tidy table, or as a labelled data set."""

import warnings
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.analysis.importing import importing
from infoplane.errors import InputError, RunFileError
from infoplane.printable import NAME, printable
from infoplane.runfile.access import OpenFile, reading
from infoplane.runfile.content import attributes, read_fixed, read_rows, stored_rows
from infoplane.runfile.tidy import tidy_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

# What every plane has; without one of them it is no file that this package or the page docs/file-format.md would write.
_OF_EVERY_PLANE = {
    *("probe", "site", "host", "beta", "latent"),
    *("quantity", "unit", "kind", "standard_error_of"),
    *("epoch", "n", "updates", "values"),
}


class StreamView:
    """The rows of one stream that were committed when the run was opened or refreshed.

    Of a file that is cut off, the rows that can still be read, with a warning. ``len(view)`` is their number, and
    ``view["name"]`` the values of one data set: (rows, ...) of a variable, (length,) of a coordinate or companion, as
    numbers or str.

    Attributes
    ----------
    name : str
        Of the stream.
    row : str
        Name of its row dimension.
    attrs : dict
        Attributes of the group, as ``split`` and ``estimator``.
    """

    def __init__(self, opened: OpenFile, path: Path, group: h5py.Group) -> None:
        self.path, self.name, self._opened = path, group.name.rsplit("/", 1)[-1], opened
        self._dsets: dict[str, h5py.Dataset] = {}
        self._stored: dict[str, int] = {}
        self._rows: int | None = None
        with reading(path):
            self._counter = opened.child(group, "committed", h5py.Dataset)
            self.attrs = attributes(group)
            self.row = str(self.attrs.get("row", ""))
            for name in opened.members(group):
                if name == "title":
                    self.attrs["title"] = str(read_fixed(opened.child(group, name, h5py.Dataset)))
                elif name != "committed":
                    self._dsets[name] = opened.child(group, name, h5py.Dataset)
            self._attrs = {name: attributes(dset) for name, dset in self._dsets.items()}
            self._dims = {name: tuple(str(a.get("dimensions", "")).split()) for name, a in self._attrs.items()}
            for name in self._dsets:
                self._check_dims(name)
            if self._dims.get(self.row) != (self.row,):
                raise ValueError(f"{printable(group.name)} has no row dimension")
        self.refresh()

    def refresh(self) -> None:
        """Look again at what has been committed."""
        self._opened.check_open(self.path)
        with reading(self.path):
            self._counter.refresh()
            committed = int(read_fixed(self._counter))
            if committed == self._rows:
                return
            if committed < 0:
                raise ValueError(f"stream {self.name!r} counts {committed} rows")
            readable = committed
            for name in self.variables:
                dset = self._dsets[name]
                dset.refresh()
                self._stored[name] = stored_rows(dset, committed, self._stored.get(name, 0))
                readable = min(readable, self._stored[name])
        self.committed, self.readable, self._rows = committed, readable, committed
        if readable < committed:
            warnings.warn(f"{printable(self.path)}: {self._lost()}", stacklevel=2)

    def __repr__(self) -> str:
        names = printable(", ".join(self.names), 2000)
        return f"<{printable(self.name)} of {str(self.path)!r}: {len(self)} rows; {names}>"

    def __len__(self) -> int:
        return self.readable

    def __iter__(self) -> Iterator[str]:
        """Yield the names, as a data frame does: the length is that of the rows."""
        return iter(self.names)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.read(name)

    def damage(self) -> tuple[str, ...]:
        """Return what is wrong with the rows, one sentence each: some that cannot be read, or that are out of order."""
        found = [self._lost()] if self.readable < self.committed else []
        try:
            values = self.row_values
        except RunFileError:
            return (*found, f"{self.row!r} of {printable(self.name, NAME)!r} cannot be read")
        back = np.flatnonzero(values[1:] <= values[:-1])
        if back.size:
            k = int(back[0])
            row = f"row {k + 1} of {printable(self.name, NAME)!r}"
            found.append(f"{row} has the {self.row} {values[k + 1]} after {values[k]}, but they must increase")
        return tuple(found)

    @property
    def names(self) -> tuple[str, ...]:
        """Every data set of the stream."""
        return tuple(self._dsets)

    @property
    def variables(self) -> tuple[str, ...]:
        """The data sets that have rows, the row coordinate among them."""
        return tuple(name for name, dims in self._dims.items() if dims[:1] == (self.row,))

    @property
    def row_values(self) -> NDArray[np.int64]:
        """The row coordinate, shape (rows,)."""
        return self.read(self.row)

    def dims(self, name: str) -> tuple[str, ...]:
        """Return the names of the dimensions of one data set."""
        self._known(name)
        return self._dims[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of one data set, with as many rows as can be read."""
        self._known(name)
        rest = self._dsets[name].shape
        return (len(self), *rest[1:]) if name in self.variables else rest

    def storage(self, name: str) -> tuple[str, bool, dict[str, Any]]:
        """Return how a data set is kept: its type as in `Variable`, whether it is compressed, and its attributes."""
        self._known(name)
        self._opened.check_open(self.path)
        with reading(self.path):
            dtype = self._dsets[name].dtype
            kept = f"S{dtype.itemsize}" if dtype.kind == "S" else f"{dtype.kind}{dtype.itemsize}"
            return kept, self._dsets[name].compression is not None, dict(self._attrs[name])

    def read(
        self,
        name: str,
        rows: int | slice | None = None,
        columns: int | slice | str | Sequence[str] | None = None,
    ) -> NDArray[Any]:
        """Return one data set, or a part of it; nothing else is held in memory.

        Parameters
        ----------
        name : str
            Of the data set.
        rows : int or slice, optional
            Which rows of a variable, counted from the end where negative. A single one leaves out the dimension.
        columns : int, slice, str or sequence of str, optional
            Which places of the last dimension of a variable with several, or their labels: ``slice(2)`` for the first
            two quantities of the plane, ``"i_zx"`` for that one, without the dimension, and ``["i_zy", "i_zx"]`` for
            these two, in this order.

        Raises
        ------
        InputError
            When there is no such data set, row, dimension or label, or `rows` or `columns` is something else.
        RunFileError
            When it cannot be read, or its run is closed.
        """
        self._known(name)
        self._opened.check_open(self.path)
        dset = self._dsets[name]
        if name not in self.variables:
            self._check_text(name, 1)
            if rows is not None or columns is not None:
                raise InputError(f"{name!r} of stream {self.name!r} has no rows to choose from")
            with reading(self.path):
                return read_fixed(dset)
        if columns is not None and dset.ndim < 2:
            raise InputError(f"{name!r} of stream {self.name!r} has one number a row, so no columns to choose from")
        row = _place("rows", rows, "a whole number or a slice")
        if isinstance(row, int) and not -len(self) <= row < len(self):
            raise InputError(f"there is no row {row}: stream {self.name!r} of {self.path} has {len(self)} rows")
        named, column = self._columns(name, columns)
        self._check_text(name, 1 if isinstance(row, int) else len(range(*row.indices(len(self)))))
        with reading(self.path):
            values = read_rows(dset, len(self), row, column)
        return values if named is None else values[..., named]

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a tidy table: one line per value, its unit and kind beside it.

        Returns
        -------
        pandas.DataFrame
            Columns: the row coordinate, per-row numbers, each dimension with its companions, ``value``, and where the
            stream has them ``unit``, ``kind``, ``standard_error`` (NaN where none is known). A stream of sketches
            gives their scalars (for the bins see `Run.sketch`); one without a table, as findings, one line per row.

        Raises
        ------
        RunFileError
            When it cannot be read, or the table would fill the memory: `read` gives parts of the arrays.
        """
        with reading(self.path):
            return tidy_table(self)

    def to_xarray(self) -> "xr.Dataset":
        """Return a labelled data set of all committed rows, in memory (needs the extra ``xarray``).

        Raises
        ------
        MissingLibraryError
            xarray is not installed.
        RunFileError
            The file cannot be read.
        """
        with importing("a labelled data set", extra="xarray"):
            import xarray as xr
        several = [name for name in self.variables if len(self._dims[name]) > 1]
        beside = (
            [n for n in self._dsets if n not in several] if several else list(set(self._dims) - set(self.variables))
        )
        with reading(self.path):
            data = {}
            for name, attrs in self._attrs.items():
                kept = {key: attrs[key] for key in ("long_name", "units") if key in attrs}
                data[name] = (self._dims[name], self[name], kept)
            return xr.decode_cf(xr.Dataset(data, attrs=self.attrs).set_coords(beside))

    def _check_dims(self, name: str) -> None:
        """Refuse dimensions that are not there, or not as long as their coordinates."""
        dset, dims = self._dsets[name], self._dims[name]
        lengths = [self._dsets[dim].shape[:1] for dim in dims if dim in self._dsets]
        fixed = slice(1 if dims[:1] == (self.row,) else 0, None)  # the row dimension of a live file grows bit by bit
        if (
            len(lengths) != dset.ndim
            or len(set(dims)) < len(dims)
            or lengths[fixed] != [(n,) for n in dset.shape][fixed]
        ):
            raise ValueError(f"{printable(dset.name)} has the dimensions {dims} and the shape {dset.shape}")

    def _check_text(self, name: str, rows: int) -> None:
        """Refuse so much text of fixed length that Python's objects for it would fill the memory."""
        dset = self._dsets[name]
        per_row = prod(dset.shape[1:] if name in self.variables else dset.shape) * dset.dtype.itemsize
        if dset.dtype.kind == "S" and rows * per_row > _MOST_TEXT:
            raise RunFileError(
                f"{self.path}: {name!r} of {self.name!r} holds {rows * per_row:,} bytes of text, of which at most "
                f"{_MOST_TEXT:,} are read at once; read a part, as read({name!r}, slice({_MOST_TEXT // per_row}))"
            )

    def _columns(self, name: str, columns: Any) -> tuple[list[int] | int | None, int | slice]:
        """Return what to read of the last dimension, and what to take of that where it was asked for by labels."""
        if columns is None:
            return None, slice(None)
        dim = self._dims[name][-1]
        if isinstance(columns, str):
            return 0, slice(self._place_of(columns, dim), self._place_of(columns, dim) + 1)
        if isinstance(columns, Sequence) and columns and all(isinstance(one, str) for one in columns):
            places = [self._place_of(one, dim) for one in columns]
            # HDF5 reads places in their order alone.
            return [place - min(places) for place in places], slice(min(places), max(places) + 1)
        place = _place("columns", columns, "a whole number, a slice, a label or a list of labels")
        count = self._dsets[name].shape[-1]
        if isinstance(place, int) and not -count <= place < count:
            raise InputError(f"there is no column {place}: {name!r} of stream {self.name!r} has {count} along {dim!r}")
        return None, place

    def _place_of(self, label: str, dim: str) -> int:
        labels = [str(one) for one in self[dim].tolist()] if dim != self.row else []
        if label not in labels:
            hint = near_names(label, labels)
            known = f"; there are {', '.join(labels[:_MOST_NAMED])}{', ...' * (len(labels) > _MOST_NAMED)}"
            raise InputError(f"no {dim} of stream {self.name!r} is called {label!r}{hint or known}")
        return labels.index(label)

    def _lost(self) -> str:
        """Return the sentence on committed rows that cannot be read."""
        lengths = [self._dsets[name].shape[0] for name in self.variables]
        cause = "the file is cut off"
        if min(lengths, default=0) < self.committed:
            cause = "its counter says more than its data hold, so it is damaged (or another library hides some)"
        return f"{self.readable} of {self.committed} rows of {printable(self.name, NAME)!r} can be read; {cause}"

    def _known(self, name: str) -> None:
        if self.name == "plane" and name in _OF_EVERY_PLANE - self._dsets.keys():
            raise RunFileError(f"{self.path}: its plane lacks {name!r}, which every plane has (docs/file-format.md)")
        if name not in self._dsets:
            hint = near_names(str(name), self._dsets)
            raise InputError(f"stream {self.name!r} has no {name!r}{hint}; it has {', '.join(self._dsets)}")


_MOST_NAMED = 20
_MOST_TEXT = 2**26


def _place(what: str, chosen: Any, accepted: str) -> int | slice:
    """Return one place or a slice of places; None is all of them."""
    if chosen is None:
        return slice(None)
    if isinstance(chosen, int | np.integer) and not isinstance(chosen, bool):
        return int(chosen)
    if not isinstance(chosen, slice):
        raise InputError(f"{what} is {chosen!r}, but it must be {accepted}")
    parts = (chosen.start, chosen.stop, chosen.step)
    if any(part is not None and (isinstance(part, bool) or not isinstance(part, int | np.integer)) for part in parts):
        raise InputError(f"{what} is {chosen}, but a slice must be of whole numbers")
    if chosen.step is not None and chosen.step < 1:
        raise InputError(f"{what} is {chosen}, but its step must be at least 1")
    return chosen
