"""What the data sets of a file of unknown health hold.

What a file claims to hold is checked against its size before anything is allocated, and what lies beyond its end is
never taken for zeros, as HDF5 itself would. Called inside `infoplane.runfile.access.reading`.
"""

import os
from collections import Counter
from math import prod
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from infoplane.runfile.stream import decode

# The largest factor by which deflate can shrink, and room for what is stored beside the rows.
_MOST_COMPRESSION = 1100
_SLACK = 1 << 20
_FEW_CHUNKS = 4


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
            raise ValueError(f"{dset.name} lies beyond the end of the file")
    if dset.dtype.kind == "O":
        return _text_of_any_length(dset, size)
    return as_text(dset[()]) if dset.dtype.kind == "S" else np.asarray(dset[()])


def read_rows(dset: h5py.Dataset, rows: int, key: int | slice = slice(None)) -> NDArray[Any]:
    """Return the first `rows` rows of a growing data set, or those of them that `key` selects."""
    _check_claim(dset, (rows, *dset.shape[1:]), file_size(dset))
    values = dset[range(rows)[key]] if isinstance(key, int) else dset[slice(*key.indices(rows))]
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
    _check_claim(dset, (rows, *dset.shape[1:]), size)
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
    return np.array([decode(item) for item in raw.ravel()], dtype=np.str_).reshape(raw.shape)


def attributes(thing: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """Return all attributes that are numbers or text of fixed length, text as str; others are left unread."""
    found = {}
    for name in thing.attrs:
        kind = thing.attrs.get_id(name).dtype.kind
        if kind in "iufS":
            value = thing.attrs[name]
            text = as_text(value) if kind == "S" else value
            found[name] = text.item() if np.ndim(text) == 0 and kind == "S" else text
    return found


def file_size(thing: h5py.Dataset | h5py.Group) -> int:
    """Return the true size of the file that `thing` lies in, in bytes."""
    return int(os.fstat(thing.file.id.get_vfd_handle()).st_size)


def _stored_by_count(dset: h5py.Dataset, rows: int, size: int) -> int:
    per: int = dset.chunks[0]
    across = prod(-(-length // chunk) for length, chunk in zip(dset.shape[1:], dset.chunks[1:], strict=True))
    seen: Counter[int] = Counter()

    def visit(chunk: Any) -> None:
        if chunk.byte_offset + chunk.size <= size:
            seen[chunk.chunk_offset[0] // per] += 1

    dset.id.chunk_iter(visit)
    block = 0
    while block * per < rows and seen[block] >= across:
        block += 1
    return min(rows, block * per)


def _chunk_lies_inside(dset: h5py.Dataset, block: int, size: int) -> bool:
    try:
        chunk = dset.id.get_chunk_info_by_coord((block * dset.chunks[0],) + (0,) * (dset.ndim - 1))
    except (OSError, RuntimeError, ValueError):
        return False
    return bool(chunk.byte_offset is not None and chunk.byte_offset + chunk.size <= size)


def _check_claim(dset: h5py.Dataset, shape: tuple[int, ...], size: int) -> None:
    if prod(shape) * max(dset.dtype.itemsize, 1) > size * _MOST_COMPRESSION + _SLACK:
        raise ValueError(f"{dset.name} claims the shape {shape}, more than the file can hold")


def _text_of_any_length(dset: h5py.Dataset, size: int) -> NDArray[np.str_]:
    """Read text of variable length without HDF5.

    It lies in a heap without checksums, and on a damaged one HDF5 loops for ever. Layout: the data set holds, per
    text, its length (4 bytes), the address of a collection (8) and its index there (4), all little-endian.
    """
    offset = dset.id.get_offset()
    if offset is None or dset.chunks is not None:
        raise ValueError(f"{dset.name} does not keep its text in one piece")
    handle, count = dset.file.id.get_vfd_handle(), prod(dset.shape)
    raw = os.pread(handle, 16 * count, offset)
    if len(raw) < 16 * count:
        raise ValueError(f"{dset.name} lies beyond the end of the file")
    heaps: dict[int, dict[int, bytes]] = {}
    texts = []
    for entry in (raw[at : at + 16] for at in range(0, len(raw), 16)):
        length, address, index = (int.from_bytes(entry[a:b], "little") for a, b in ((0, 4), (4, 12), (12, 16)))
        if length and address not in heaps:
            heaps[address] = _heap(handle, address, size)
        texts.append(heaps[address][index][:length] if length else b"")
    return as_text(np.array(texts, dtype=object).reshape(dset.shape))


def _heap(handle: int, address: int, size: int) -> dict[int, bytes]:
    """Return the objects of one global heap collection by index (HDF5 file format, III.E)."""
    head = os.pread(handle, 16, address) if address < size else b""
    length = int.from_bytes(head[8:16], "little")
    if head[:5] != b"GCOL\x01" or address + length > size:
        raise ValueError("a collection of text is damaged")
    body, at, objects = os.pread(handle, length, address), 16, {}
    while at + 16 <= len(body):
        index, held = int.from_bytes(body[at : at + 2], "little"), int.from_bytes(body[at + 8 : at + 16], "little")
        if index == 0:
            break
        objects[index] = body[at + 16 : at + 16 + held]
        at += 16 + -(-held // 8) * 8
    return objects
