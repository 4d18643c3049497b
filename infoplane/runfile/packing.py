"""Compressed rows: what HDF5's own filters (shuffle, deflate) would make of them, put into the file as a chunk.

Counts are 64-bit integers whose upper bytes are all zero, as a rule. Sorted by their weight, as shuffle does, these
zeros are most of a row, and deflating them takes as long as all the rest. Here they are deflated once and for all; what
that saves goes into a better level for the lower bytes. A reader sees zlib's format (RFC 1950, RFC 1951) alone.
"""

import zlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 6
"""Of deflate: zlib's own default. Level 1 takes 10 % more bytes; level 9 takes 3 % less, and five times as long."""

_RAW = -zlib.MAX_WBITS  # deflate without zlib's header and checksum, so that two pieces make one stream
_HEADER = b"\x78\x9c"  # a window of 32 KiB, the default level: RFC 1950, section 2.2


def is_shuffled(dtype: np.dtype[Any]) -> bool:
    """Whether the bytes of such numbers are sorted by their weight first, which makes floating-point ones larger."""
    return dtype.kind in "iu"


def pack_row(row: NDArray[Any]) -> bytes:
    """Return one row as HDF5 stores a chunk with the filters of `infoplane.runfile.layout`.

    Parameters
    ----------
    row : numpy.ndarray
        Any shape, in the type of the file.

    Returns
    -------
    bytes
        Its bytes, shuffled where `is_shuffled` says so, in zlib's format.
    """
    if not is_shuffled(row.dtype):
        return zlib.compress(row.tobytes(), LEVEL)
    bits = np.asarray(np.bitwise_or.reduce(row, axis=None), row.dtype)
    used = len(bits.tobytes().rstrip(b"\0"))
    lower = row.reshape(-1, 1).view(np.uint8)[:, :used].T.tobytes()
    upper, packed_upper = _zeros((row.itemsize - used) * row.size)
    deflate = zlib.compressobj(LEVEL, wbits=_RAW)
    packed_lower = deflate.compress(lower) + deflate.flush(zlib.Z_SYNC_FLUSH)
    checksum = zlib.adler32(upper, zlib.adler32(lower))
    return _HEADER + packed_lower + packed_upper + checksum.to_bytes(4, "big")


@lru_cache(maxsize=64)
def _zeros(count: int) -> tuple[bytes, bytes]:
    """Return so many zeros, as they are and as the end of a deflated stream."""
    zeros, deflate = bytes(count), zlib.compressobj(9, wbits=_RAW)
    return zeros, deflate.compress(zeros) + deflate.flush()
