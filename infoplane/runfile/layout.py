"""How streams become HDF5: every group, data set and attribute of a run file, created before the first row.

After SWMR writing has started a new group stays invisible and a rewritten text attribute breaks every reader, so all
of it exists before. The file is NeXus (``NX_class``, ``signal``, ``axes``, ``default``) and netCDF-like (a dimension
scale on every dimension, creation order tracked) at once. Each data set also names its dimensions in the attribute
``dimensions``, so that reading and rebuilding need no object references. Labels that
never change are text of variable length, which is what xarray reads as str with either of its engines. Attributes and
whatever is written after the start are UTF-8 text of fixed length: the other kind breaks live readers.
"""

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import h5py
import numpy as np

from infoplane.errors import InputError
from infoplane.runfile.json_text import plain, to_json
from infoplane.runfile.packing import LEVEL, is_shuffled
from infoplane.runfile.schema import FORMAT, FORMAT_VERSION, STATUSES
from infoplane.runfile.stream import Companion, Coordinate, Stream, Variable, encode

__all__ = [
    "LIBVER",
    "TIME_BYTES",
    "chunk_rows",
    "create_layout",
    "empty_file",
    "fixed_text",
    "is_key",
    "plain",
    "text_limit",
]

# Format 1.10 of HDF5 is the oldest with SWMR, so that programs with an older HDF5 library than ours read the file.
LIBVER = ("v110", "v110")
_TEXT = h5py.string_dtype("utf-8")
TIME_BYTES = 32

_CHUNK_BYTES = 4096


def create_layout(file: h5py.File, streams: Sequence[Stream], provenance: Mapping[str, Any], start_time: str) -> None:
    """Write everything of a run file but its rows.

    Parameters
    ----------
    file : h5py.File
        Empty, created with ``libver=LIBVER`` and ``track_order=True``.
    streams : sequence of Stream
        What will be appended. A viewer opens on the first scatter among them, or else on the first that has a signal.
    provenance : mapping
        Scalars are stored as they are, everything else as JSON (`infoplane.runfile.json_text`).
    start_time : str
        ISO 8601.

    Raises
    ------
    InputError
        When a name cannot stand in a file, or a value has no place in it.
    """
    entry = _group(file, "entry", "NXentry")
    signals = [s for s in streams if s.signal]
    scatters = [s for s in signals if s.row not in s.axes and len(s.axes) > 1]
    _attributes(file, {"NX_class": "NXroot", "default": "entry", "format": FORMAT, "format_version": FORMAT_VERSION})
    if signals:
        _attributes(entry, {"default": (scatters or signals)[0].name})
    status = entry.create_dataset("status", data=np.int8(0))
    status.attrs["flag_values"] = np.arange(len(STATUSES), dtype=np.int8)
    _attributes(status, {"flag_meanings": " ".join(STATUSES)})
    _time(entry, "start_time", start_time)
    _time(entry, "end_time", "")
    _provenance(entry, provenance)
    for stream in streams:
        _stream(entry, stream)


def empty_file(streams: Sequence[Stream], provenance: Mapping[str, Any], start_time: str) -> bytes:
    """Return a whole file without rows. It is made in memory, where HDF5 cannot run out of disk halfway."""
    with h5py.File("layout", "w", driver="core", backing_store=False, libver=LIBVER, track_order=True) as file:
        create_layout(file, streams, provenance, start_time)
        file.flush()
        return bytes(file.id.get_file_image())


def fixed_text(texts: Sequence[str], limit: int | None = None) -> np.ndarray[Any, Any]:
    """Return `texts` as an array (length,) of UTF-8 text of `limit` bytes each, or as long as the longest."""
    raw = [encode(text, limit) for text in texts]
    length = limit or max(1, *map(len, raw))
    return np.array(raw, dtype=f"S{length}").astype(h5py.string_dtype("utf-8", length))


def is_key(name: str) -> bool:
    """Whether a name can be one in the provenance: a letter, then letters, digits and ``_``."""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) is not None


def text_limit(dtype: str) -> int | None:
    """Return the bytes of a text dtype such as ``S200``, None for numbers."""
    return int(dtype[1:]) if re.fullmatch(r"S\d+", dtype) else None


def chunk_rows(variable: Variable, shape: tuple[int, ...]) -> int:
    """Return how many rows (of `shape` each) of a variable lie together in the file."""
    row_bytes = prod(shape) * (text_limit(variable.dtype) or np.dtype(variable.dtype).itemsize)
    return 1 if variable.compress else min(max(_CHUNK_BYTES // row_bytes, 1), 1024)


def _group(parent: h5py.Group, name: str, kind: str) -> h5py.Group:
    group = parent.create_group(name, track_order=True)
    _attributes(group, {"NX_class": kind})
    return group


def _attributes(thing: h5py.Group | h5py.Dataset, attrs: Mapping[str, Any]) -> None:
    for key, value in attrs.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float | np.ndarray | np.generic):
            raise InputError(f"attribute {key!r} is {value!r}, but text, numbers and arrays of numbers are accepted")
        thing.attrs[key] = fixed_text([value])[0] if isinstance(value, str) else value


def _provenance(entry: h5py.Group, provenance: Mapping[str, Any]) -> None:
    group = _group(entry, "provenance", "NXcollection")
    for key, value in provenance.items():
        if not is_key(key):
            raise InputError(f"{key!r} cannot be a name in the provenance: letters, digits and _ are accepted")
        if isinstance(value, str):
            group.create_dataset(key, data=encode(value), dtype=_TEXT)
        elif isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**63:
            group.create_dataset(key, data=value)
        else:
            dset = group.create_dataset(key, data=encode(to_json(value)), dtype=_TEXT)
            _attributes(dset, {"media_type": "application/json"})


def _stream(entry: h5py.Group, stream: Stream) -> None:
    group = _group(entry, stream.name, "NXdata" if stream.signal else "NXcollection")
    _attributes(group, {"row": stream.row, **({"table": stream.table} if stream.table else {}), **stream.attrs})
    if stream.signal:
        _attributes(group, {"signal": stream.signal})
        group.attrs["axes"] = fixed_text(stream.axes)
    row = Variable(stream.row, (stream.row,), "i8", "1", stream.row)
    scales = {stream.row: _variable(group, row, (), {})}
    scales[stream.row].make_scale(stream.row)
    for coordinate in stream.coordinates:
        scales[coordinate.name] = _fixed(group, coordinate, coordinate.name)
        scales[coordinate.name].make_scale(coordinate.name)
    for companion in stream.companions:
        _fixed(group, companion, companion.over).dims[0].attach_scale(scales[companion.over])
    for variable in stream.variables:
        dset = _variable(group, variable, stream.row_shape(variable), _auxiliary(stream, variable))
        for position, name in enumerate(variable.dims):
            dset.dims[position].attach_scale(scales[name])
    if stream.title:
        group.create_dataset("title", data=encode(stream.title), dtype=_TEXT)
    committed = group.create_dataset("committed", data=np.int64(0))
    _attributes(committed, {"long_name": "complete rows; written after each row"})


def _auxiliary(stream: Stream, variable: Variable) -> dict[str, str]:
    """Name, as CF does, what else labels the dimensions of a variable: companions, and per-row numbers."""
    if len(variable.dims) == 1:
        return {}
    names = [c.name for c in stream.companions if c.over in variable.dims]
    names += [v.name for v in stream.variables if v.dims == (stream.row,)]
    return {"coordinates": " ".join(names)} if names else {}


def _fixed(group: h5py.Group, part: Coordinate | Companion, dimension: str) -> h5py.Dataset:
    if isinstance(part.values, np.ndarray):
        dset = group.create_dataset(part.name, data=part.values)
    else:
        texts = np.array([encode(value) for value in part.values], dtype=object)
        dset = group.create_dataset(part.name, data=texts, dtype=_TEXT)
    _describe(dset, part, dimension)
    return dset


def _describe(dset: h5py.Dataset, part: Coordinate | Companion | Variable, dimensions: str) -> None:
    attrs = {"long_name": part.long_name, "units": part.units, "dimensions": dimensions}
    _attributes(dset, {key: value for key, value in attrs.items() if value})


def _time(group: h5py.Group, name: str, text: str) -> None:
    value = fixed_text([text], TIME_BYTES)
    group.create_dataset(name, shape=(), dtype=value.dtype)[()] = value[0]


def _variable(group: h5py.Group, variable: Variable, shape: tuple[int, ...], extra: Mapping[str, Any]) -> h5py.Dataset:
    limit = text_limit(variable.dtype)
    dtype = np.dtype(variable.dtype) if limit is None else h5py.string_dtype("utf-8", limit)
    rows = chunk_rows(variable, shape)
    packed: dict[str, Any] = {"compression": "gzip", "compression_opts": LEVEL, "shuffle": is_shuffled(dtype)}
    dset = group.create_dataset(
        variable.name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=(rows, *shape),
        dtype=dtype,
        **(packed if variable.compress else {}),
    )
    _describe(dset, variable, " ".join(variable.dims))
    _attributes(dset, {**variable.attrs, **extra})
    return dset
