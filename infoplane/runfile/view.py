"""One stream of an open run: its committed rows as arrays, as a tidy table, or as a labelled data set."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import near_names
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.access import OpenFile, reading
from infoplane.runfile.content import attributes, read_fixed, read_rows, stored_rows

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


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
            for name in group:
                if name == "title":
                    self.attrs["title"] = str(read_fixed(opened.child(group, name, h5py.Dataset)))
                elif name != "committed":
                    self._dsets[name] = opened.child(group, name, h5py.Dataset)
            self._attrs = {name: attributes(dset) for name, dset in self._dsets.items()}
            self._dims = {name: tuple(str(a.get("dimensions", "")).split()) for name, a in self._attrs.items()}
            for name, dims in self._dims.items():
                if len(dims) != self._dsets[name].ndim or not set(dims) <= self._dsets.keys():
                    raise ValueError(f"{self._dsets[name].name} has the dimensions {dims}")
            if self._dims.get(self.row) != (self.row,):
                raise ValueError(f"{group.name} has no row dimension")
        self.refresh()

    def refresh(self) -> None:
        """Look again at what has been committed."""
        self._opened.check_open(self.path)
        with reading(self.path):
            self._counter.refresh()
            committed = int(read_fixed(self._counter))
            if committed == self._rows:
                return
            readable = committed
            for name in self.variables:
                dset = self._dsets[name]
                dset.refresh()
                self._stored[name] = stored_rows(dset, committed, self._stored.get(name, 0))
                readable = min(readable, self._stored[name])
        if committed < 0:
            raise RunFileError(f"{self.path}: stream {self.name!r} counts {committed} rows; the file is damaged")
        if readable < committed:
            cause = "the file is cut off, or another library holds it open in this process"
            text = f"{self.path}: {readable} of {committed} rows of {self.name!r} can be read; {cause}"
            warnings.warn(text, stacklevel=2)
        self.committed, self.readable, self._rows = committed, readable, committed

    def __repr__(self) -> str:
        return f"<{self.name} of {str(self.path)!r}: {len(self)} rows; {', '.join(self.names)}>"

    def __len__(self) -> int:
        return self.readable

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.read(name)

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

    def read(self, name: str, rows: int | slice | None = None) -> NDArray[Any]:
        """Return one data set, or some rows of it.

        Parameters
        ----------
        name : str
            Of the data set.
        rows : int or slice, optional
            Which rows of a variable, counted from the end where negative; nothing else is read.

        Raises
        ------
        InputError
            When there is no such data set or row.
        RunFileError
            When it cannot be read, or its run is closed.
        """
        self._known(name)
        self._opened.check_open(self.path)
        if name not in self.variables:
            if rows is not None:
                raise InputError(f"{name!r} of stream {self.name!r} has no rows to choose from")
            with reading(self.path):
                return read_fixed(self._dsets[name])
        if isinstance(rows, slice) and rows.step is not None and rows.step < 1:
            raise InputError(f"rows is {rows}, but its step must be at least 1")
        if isinstance(rows, int) and not -len(self) <= rows < len(self):
            raise InputError(f"there is no row {rows}: stream {self.name!r} of {self.path} has {len(self)} rows")
        with reading(self.path):
            return read_rows(self._dsets[name], len(self), slice(None) if rows is None else rows)

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a tidy table: one line per value, its unit and kind beside it.

        Returns
        -------
        pandas.DataFrame
            Columns: the row coordinate, per-row numbers, each dimension with its companions, ``value``, and where the
            stream has them ``unit``, ``kind``, ``standard_error`` (NaN where none is known). A stream of sketches
            gives their scalars (for the bins see `Run.sketch`); one without a table, as findings, one line per row.
        """
        import pandas as pd

        table = str(self.attrs.get("table", ""))
        per_row = [name for name in self.variables if self._dims[name] == (self.row,) and name != self.row]
        if not table:
            return pd.DataFrame({name: self[name] for name in (self.row, *per_row)})
        values, dims = self[table], self._dims[table]
        errors = np.full(values.shape, np.nan)
        if "standard_error_of" in self._companions(dims[-1]):
            values, errors, kept = self._standard_errors(values, dims[-1])
        else:
            kept = np.arange(values.shape[-1])
        places = np.indices(values.shape).reshape(values.ndim, -1)
        places[-1] = kept[places[-1]]
        columns: dict[str, NDArray[Any]] = {}
        after: dict[str, NDArray[Any]] = {}
        for dim, place in zip(dims, places, strict=True):
            for name in (dim, *(per_row if dim == self.row else self._companions(dim))):
                (after if name in _AFTER_VALUE else columns)[name] = self[name][place]
        after.pop("standard_error_of", None)
        if "kind" in after:
            after["standard_error"] = errors.ravel()
        return pd.DataFrame({**columns, "value": values.ravel(), **after})

    def to_xarray(self) -> "xr.Dataset":
        """Return a labelled data set of all committed rows, in memory (needs the extra ``xarray``).

        Raises
        ------
        RunFileError
            When xarray is not installed, or the file cannot be read.
        """
        try:
            import xarray as xr
        except ImportError as error:
            reason = "labelled data sets need xarray and h5netcdf (the extra 'xarray'): pip install xarray h5netcdf"
            raise RunFileError(f"{self.path}: {reason}") from error
        data = {}
        for name, attrs in self._attrs.items():
            kept = {key: attrs[key] for key in ("long_name", "units") if key in attrs}
            data[name] = (self._dims[name], self[name], kept)
        several = [name for name in self.variables if len(self._dims[name]) > 1]
        beside = (
            [n for n in self._dsets if n not in several] if several else list(set(self._dims) - set(self.variables))
        )
        dataset = xr.Dataset(data, attrs=self.attrs).set_coords(beside)
        return xr.decode_cf(dataset)

    def _companions(self, dim: str) -> list[str]:
        return [name for name, dims in self._dims.items() if dims == (dim,) and name != dim]

    def _standard_errors(self, values: NDArray[Any], quantity: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Split the values (..., quantity) into those that are no standard error, their errors, and their places."""
        names, belongs_to = self[quantity].tolist(), self["standard_error_of"].tolist()
        kept = [k for k, owner in enumerate(belongs_to) if owner not in names]
        error_at = {owner: k for k, owner in enumerate(belongs_to) if owner in names}
        errors = np.full((*values.shape[:-1], len(kept)), np.nan)
        for k, place in enumerate(kept):
            if names[place] in error_at:
                errors[..., k] = values[..., error_at[names[place]]]
        return values[..., kept], errors, np.array(kept, dtype=np.intp)

    def _known(self, name: str) -> None:
        if name not in self._dsets:
            hint = near_names(name, self._dsets)
            raise InputError(f"stream {self.name!r} has no {name!r}{hint}; it has {', '.join(self._dsets)}")


_AFTER_VALUE = ("unit", "kind", "standard_error_of")
