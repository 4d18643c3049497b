"""Text of variable length, read without HDF5, which loops for ever on some damaged heaps of it.

Labels and provenance are such text, since it is what xarray reads as str with either of its engines. Layout (HDF5 file
format, III.E): the data set holds, per text, its length (4 bytes), the address of a collection (8) and its index there
(4), all little-endian; a collection holds objects with index and length. No text lies in a file twice, so that all
collections, and all texts, are together no longer than the file: what claims more is refused before it is read.
"""

import os
from math import prod

import h5py
import numpy as np
from numpy.typing import NDArray

from infoplane.printable import printable
from infoplane.runfile.stream import decode

_ENTRY = 16
_HEAD = 16
# An array of str takes four bytes per character of its longest text for each of them. Labels of one kind are of about
# one length; one very long text among thousands of short ones is an attack on the memory.
_MOST_PADDING = 64


def read_labels(dset: h5py.Dataset, size: int) -> NDArray[np.str_]:
    """Return a data set of text of variable length as an array of str, in a file of `size` bytes.

    Raises
    ------
    ValueError
        When it is damaged, or claims more than the file holds. Called inside `reading`.
    """
    offset, count = dset.id.get_offset(), prod(dset.shape)
    if offset is None or dset.chunks is not None:
        raise ValueError(f"{printable(dset.name)} does not keep its text in one piece")
    if offset + _ENTRY * count > size:
        raise ValueError(f"{printable(dset.name)} lies beyond the end of the file")
    file = dset.file.id.get_vfd_handle()
    raw = os.pread(file, _ENTRY * count, offset)
    collections: dict[int, dict[int, bytes]] = {}
    texts, left_to_read, left_to_hold = [], size, size
    for at in range(0, len(raw), _ENTRY):
        length, address, index = (_number(raw, at + a, at + b) for a, b in ((0, 4), (4, 12), (12, 16)))
        if length and address not in collections:
            held = _length(file, address, left_to_read)
            left_to_read -= held
            collections[address] = _objects(os.pread(file, held, address))
        texts.append(collections[address][index][:length] if length else b"")
        left_to_hold -= len(texts[-1])
        if left_to_hold < 0:
            raise ValueError(f"{printable(dset.name)} claims more text than the file can hold")
    if 4 * count * max(map(len, texts), default=0) > _MOST_PADDING * size:
        raise ValueError(
            f"{printable(dset.name)} has a text of {max(map(len, texts))} bytes among {count}, too long for a label"
        )
    return np.array([decode(text) for text in texts], dtype=np.str_).reshape(dset.shape)


def _length(file: int, address: int, most: int) -> int:
    """Return the length of the collection at an address."""
    head = os.pread(file, _HEAD, address) if address < 2**63 else b""
    length = _number(head, 8, 16)
    if head[:5] != b"GCOL\x01" or not _HEAD <= length <= most:
        raise ValueError("a collection of text is damaged")
    return length


def _objects(collection: bytes) -> dict[int, bytes]:
    """Return the objects of one collection by index."""
    at, objects = _HEAD, {}
    while at + _HEAD <= len(collection):
        index, length = _number(collection, at, at + 2), _number(collection, at + 8, at + 16)
        if index == 0:
            break
        objects[index] = collection[at + _HEAD : at + _HEAD + length]
        at += _HEAD + -(-length // 8) * 8
    return objects


def _number(raw: bytes, start: int, end: int) -> int:
    return int.from_bytes(raw[start:end], "little")
