"""What the data sets of a file of unknown health hold.

What a file claims to hold is checked against its size before anything is allocated: plain numbers cannot take more than
the file, and compressed ones not more than deflate's largest factor times as much; what is large is measured by what
the data set itself takes of the file. What lies beyond its end is never taken for zeros, as HDF5 itself would. Called
inside `infoplane.runfile.access.reading`.
"""

import os
from collections import Counter
from math import prod
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5t
from numpy.typing import NDArray

from infoplane.printable import printable
from infoplane.runfile.access import MOST_MEMBERS
from infoplane.runfile.labels import read_labels
from infoplane.runfile.stream import decode

# The largest factor by which deflate can shrink is 1032. What a cut-off file claims is measured by the rest of it.
_MOST_COMPRESSION = 1100
_REST = 2**20
# What does not shrink grows by 5 bytes in 16 KiB, and a checksum: a longer chunk would unpack to more than it claims.
_MOST_EXPANSION = 1.01
_FEW_CHUNKS = 4
# What a data set takes is found by going through all its chunks, which for small reads would cost more than they do.
_LARGE = 2**24
_MOST_ATTRIBUTE_BYTES = 2**16


def read_fixed(dset: h5py.Dataset) -> NDArray[Any]:
    """Return all of a data set of fixed size; text as an array of str.

    Raises
    ------
    ValueError
        When it claims more than the file can hold, or lies beyond its end. Called inside `reading`.
    """
    size = file_size(dset)
    _check_claim(dset, dset.shape, size)
    if dset.chunks is None:
        offset = dset.id.get_offset()
        if offset is not None and offset + dset.id.get_storage_size() > size:
            raise ValueError(f"{printable(dset.name)} lies beyond the end of the file")
    elif stored_rows(dset, dset.shape[0]) < dset.shape[0]:
        raise ValueError(f"{printable(dset.name)} is not all inside the file")
    if dset.dtype.kind == "O":
        return read_labels(dset, size)
    return as_text(dset[()]) if dset.dtype.kind == "S" else np.asarray(dset[()])


def read_rows(
    dset: h5py.Dataset, rows: int, key: int | slice = slice(None), columns: int | slice = slice(None)
) -> NDArray[Any]:
    """Return the first `rows` rows of a growing data set, or those of them, and of its last dimension, that are asked.

    Raises
    ------
    ValueError
        When they claim more than the file can hold. Called inside `reading`.
    """
    _check_claim(dset, (rows, *dset.shape[1:]), file_size(dset))
    chosen = range(rows)[key] if isinstance(key, int) else slice(*key.indices(rows))
    values = dset[(chosen, ..., columns) if dset.ndim > 1 else chosen]
    return as_text(values) if dset.dtype.kind == "S" else np.asarray(values)


def stored_rows(dset: h5py.Dataset, rows: int, known: int = 0) -> int:
    """Return how many of the first `rows` rows lie inside the file.

    Parameters
    ----------
    dset : h5py.Dataset
        Growing along its first dimension.
    rows : int
        At most this many are looked at.
    known : int
        So many are known to be there already.
    """
    rows = min(rows, int(dset.shape[0]))
    size = file_size(dset)
    if rows * dset.dtype.itemsize * prod(dset.shape[1:]) > size * _MOST_COMPRESSION + _REST:
        raise ValueError(f"{printable(dset.name)} claims {rows} rows, more than the file can hold")
    if dset.chunks is None:
        offset = dset.id.get_offset()
        row_bytes = dset.dtype.itemsize * prod(dset.shape[1:])
        return 0 if offset is None else int(min(rows, max(0, size - offset) // max(row_bytes, 1)))
    if dset.shape[1:] != dset.chunks[1:]:
        return _stored_by_count(dset, rows, size)
    per: int = dset.chunks[0]
    first, end = known // per, -(-rows // per)
    if end - first > _FEW_CHUNKS:
        try:
            return max(known, _stored_by_count(dset, rows, size))
        except (OSError, RuntimeError):
            pass  # the index itself is cut off: ask for single chunks
    good, bad = first, end
    while good < bad:
        middle = (good + bad) // 2 if end - first > _FEW_CHUNKS else good
        if _chunk_lies_inside(dset, middle, size):
            good = middle + 1
        else:
            bad = middle
    return max(known, min(rows, good * per))


def as_text(values: Any) -> NDArray[np.str_]:
    """Return bytes (an array of them, or one) as an array of str."""
    raw = np.asarray(values, dtype=object)
    items = raw.ravel().tolist()
    texts = {item: decode(item) for item in set(items)}  # most columns of text have few different ones
    return np.array([texts[item] for item in items], dtype=np.str_).reshape(raw.shape)


def attributes(thing: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """Return all attributes that are numbers or text of fixed length, text as str; others are left unread.

    Raises
    ------
    ValueError
        When there are more of them, or one is larger, than in any run file. Called inside `reading`.
    """
    found = {}
    if h5a.get_num_attrs(thing.id) > MOST_MEMBERS:
        raise ValueError(
            f"{printable(thing.name)} has {h5a.get_num_attrs(thing.id)} attributes, more than any run file"
        )
    for name in thing.attrs:
        attribute = h5a.open(thing.id, thing._e(name))
        kind = attribute.get_type().get_class()
        if kind not in (h5t.INTEGER, h5t.FLOAT, h5t.STRING) or attribute.dtype.kind not in "iufS":
            continue
        if max(attribute.get_storage_size(), prod(attribute.shape) * attribute.dtype.itemsize) > _MOST_ATTRIBUTE_BYTES:
            raise ValueError(f"the attribute {name!r} of {printable(thing.name)} claims the shape {attribute.shape}")
        value = np.empty(attribute.shape, attribute.dtype)
        attribute.read(value)
        text = as_text(value) if kind == h5t.STRING else value
        found[name] = text if text.ndim else text.item() if kind == h5t.STRING else text[()]
    return found


def file_size(thing: h5py.Dataset | h5py.Group) -> int:
    """Return the true size of the file that `thing` lies in, in bytes."""
    return int(os.fstat(thing.file.id.get_vfd_handle()).st_size)


def _stored_by_count(dset: h5py.Dataset, rows: int, size: int) -> int:
    per: int = dset.chunks[0]
    across = prod(-(-length // chunk) for length, chunk in zip(dset.shape[1:], dset.chunks[1:], strict=True))
    seen: Counter[int] = Counter()
    most = _most_stored(dset)

    def visit(chunk: Any) -> None:
        if _is_inside(chunk, most, size):
            seen[chunk.chunk_offset[0] // per] += 1

    dset.id.chunk_iter(visit)
    block = 0
    while block * per < rows and seen[block] >= max(across, 1):
        block += 1
    return min(rows, block * per)


def _chunk_lies_inside(dset: h5py.Dataset, block: int, size: int) -> bool:
    try:
        chunk = dset.id.get_chunk_info_by_coord((block * dset.chunks[0],) + (0,) * (dset.ndim - 1))
    except (OSError, RuntimeError, ValueError):
        return False
    return _is_inside(chunk, _most_stored(dset), size)


def _most_stored(dset: h5py.Dataset) -> int:
    """Return how many bytes a chunk takes in the file at most."""
    return int(prod(dset.chunks) * dset.dtype.itemsize * _MOST_EXPANSION + 64)


def _is_inside(chunk: Any, most: int, size: int) -> bool:
    """Whether a chunk lies in the file, and takes no more of it than its values can."""
    return chunk.byte_offset is not None and chunk.size <= most and chunk.byte_offset + chunk.size <= size


def _check_claim(dset: h5py.Dataset, shape: tuple[int, ...], size: int) -> None:
    factor = 1 if dset.compression is None else _MOST_COMPRESSION
    # HDF5 unpacks whole chunks.
    held = max(prod(shape), prod(dset.chunks or ()) if shape[:1] != (0,) else 0) * dset.dtype.itemsize
    if held > size * factor or (held > _LARGE and held > dset.id.get_storage_size() * factor):
        raise ValueError(f"{printable(dset.name)} claims the shape {shape}, more than the file can hold")
