"""Rows as single integers: what makes two rows the same is decided once, by their values; wide rows are never compared.

Whole numbers of a small range (the codes of bins, labels) are multiplied by a matrix of whole numbers in float64.
Every sum stays below 2^53 and is therefore exact, whatever the order of summation. Where the range allows it, the
multipliers are powers of it: one number per row, and different rows have different numbers. Else they are drawn from
0 .. M - 1 for r columns with M^r >= 2^64: two different rows agree in all r sums with a probability of at most M^-r.
The r sums make one key of 64 bits, s_1 a + s_2 modulo 2^64 for an odd a, and so on; different sums share one with a
probability of about 2^-63.

In all other rows every entry is mixed to 64 bits, and the mixed entries are summed with odd random multipliers modulo
2^64; different rows share a key with a probability of about 2^-64.

Either way, n rows hold a collision anywhere with a probability of at most some n^2 / 2^63: 1.1e-11 for n = 10,000.
"""

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.analysis.row_blocks import row_blocks

_SEED = 0x1F0
_EXACT = 2**53  # up to which float64 holds every whole number
CACHED = 2**17  # entries that are worked on at a time, so that they stay in the cache
_ODD = np.uint64(0xD1342543DE82EF95)  # odd, with no pattern in its bits: multiplies one exact sum before the next
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio, odd: spreads keys over slots
Keys = NDArray[np.uint64]
Labels = NDArray[np.int64]
Floats = NDArray[np.float64]


def row_keys(rows: NDArray[Any]) -> Keys:
    """Return one integer per row; equal rows, and practically only those, have equal integers.

    Parameters
    ----------
    rows : numpy.ndarray
        Shape (n,) or (n, d), integers, booleans or floats without NaN; -0.0 equals 0.0, and a float equals the
        float64 of the same value.

    Returns
    -------
    numpy.ndarray
        Shape (n,), uint64. The same rows give the same keys in every process.
    """
    table = rows.reshape(len(rows), -1)
    if table.dtype.kind == "f":
        bits = (table.astype(np.float64) + 0.0).view(np.uint64)  # + 0.0 turns -0.0 into 0.0
    else:
        bits = table.astype(np.int64).view(np.uint64)
    multipliers = np.random.default_rng(_SEED).integers(0, 2**64, bits.shape[1], dtype=np.uint64) | np.uint64(1)
    keys: Keys = _mixed(bits) @ multipliers
    return keys


def row_symbols(rows: Tensor | ArrayLike) -> Labels:
    """Return one label per row: 0 .. K - 1 for K different rows, equal rows alike.

    ``estimate(activations, row_symbols(inputs), ...)`` is then I(T;X), the information on the input, of a finite set.

    Parameters
    ----------
    rows : torch.Tensor or array_like
        Shape (n, ...), numbers without NaN; what follows the first dimension is one row. -0.0 equals 0.0.

    Returns
    -------
    numpy.ndarray
        Shape (n,), int64. A single column keeps its order: a larger value has a larger label. Which label a row has
        depends on the rows that there are, not on their order.

    Raises
    ------
    InputError
        When there is no row, or the rows are not real numbers or hold NaN.
    """
    return np.unique(_narrowed(_numbers(rows)), return_inverse=True)[1].astype(np.int64).ravel()


def row_groups(rows: NDArray[Any]) -> Labels:
    """Return labels as `row_symbols` does, without sorting; which row has which label means nothing.

    Parameters
    ----------
    rows : numpy.ndarray
        As in `row_keys`.

    Returns
    -------
    numpy.ndarray
        Shape (n,), int64, 0 .. K - 1 for K different rows.
    """
    return _groups(_narrowed(rows))


def code_groups(blocks: Iterable[Floats], *, columns: int, codes: int) -> Labels:
    """Return the groups of rows of codes that come block by block and are never held at once.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray
        Shapes (rows, columns): whole numbers from 0 to `codes` - 1 as float64. A block may be overwritten by the next.
    columns, codes : int
        Length of a row, and how many different codes there are.

    Returns
    -------
    numpy.ndarray
        As `row_groups`.
    """
    multipliers = _multipliers(columns, codes)
    if multipliers is None:
        return row_groups(np.concatenate([block.astype(np.int64) for block in blocks]))
    return _groups(_of_sums([block @ multipliers for block in blocks]))


def _numbers(rows: Tensor | ArrayLike) -> NDArray[Any]:
    if isinstance(rows, Tensor):
        tensor = rows.detach().cpu()
        rows = tensor.double() if tensor.is_floating_point() else tensor
    try:
        array = np.asarray(rows)
    except (ValueError, TypeError) as error:
        raise InputError(f"rows cannot be read as one array of numbers: {error}") from error
    if array.dtype.kind not in "biuf" or array.ndim == 0 or not array.size:
        raise InputError(f"rows have type {array.dtype} and shape {array.shape}, but numbers (n, ...) are needed")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InputError("rows hold NaN, which equals nothing, not even itself; leave these rows out")
    return array


def _narrowed(rows: NDArray[Any]) -> NDArray[Any]:
    """Return one value per row, different for different rows."""
    table = rows.reshape(len(rows), -1)
    if table.shape[1] == 1:
        return table[:, 0]
    if table.dtype.kind in "biu" and table.size:
        low, high = _range(table)
        multipliers = _multipliers(table.shape[1], high - low + 1)
        if multipliers is not None and max(-low, high) < _EXACT:
            return _of_sums([block @ multipliers for block in _blocks_above(table, low)])
    return row_keys(table)


def _range(table: NDArray[Any]) -> tuple[int, int]:
    """Return an interval of whole numbers that holds all entries: from 0 on where none is negative."""
    # Read as unsigned, a negative number is the larger half: one pass over the table instead of two.
    high = int(table.view(f"u{table.dtype.itemsize}").max())
    if table.dtype.kind != "i" or high <= np.iinfo(table.dtype).max:
        return 0, high
    return int(table.min()), int(table.max())


def _blocks_above(table: NDArray[Any], low: int) -> Iterator[Floats]:
    """Yield blocks of rows as floats less `low`: how large sums grow depends on the range of the codes alone."""
    parts = row_blocks(*table.shape, entries=CACHED)
    scratch = np.empty(table[parts[0]].shape)
    for part in parts:
        block = scratch[: part.stop - part.start]
        block[:] = table[part]
        if low:
            block -= low
        yield block


@lru_cache(maxsize=64)
def _multipliers(columns: int, codes: int) -> Floats | None:
    """Return the matrix, shape (columns, r), that turns rows of codes into few exact sums, ``rows @ matrix``.

    None where there are too many codes for the sums to be fewer than the columns.
    """
    if columns * math.log2(codes) < 54 and codes**columns <= _EXACT:
        return float(codes) ** np.arange(columns, dtype=np.float64)[::-1, None]
    most = _EXACT // (columns * codes)
    sums = math.ceil(64 / math.log2(most)) if most > 1 else columns
    if sums >= columns:
        return None
    return np.random.default_rng(_SEED).integers(0, most, (columns, sums)).astype(np.float64)


def _of_sums(blocks: list[Floats]) -> NDArray[Any]:
    """Return one integer per row of exact sums."""
    sums = (blocks[0] if len(blocks) == 1 else np.concatenate(blocks)).astype(np.int64).view(np.uint64)
    keys = sums[:, 0]
    for column in sums.T[1:]:
        keys = keys * _ODD + column
    return keys


def _groups(values: NDArray[Any]) -> Labels:
    """Return a label per value through a table of slots: the last of the samples in a slot stands for its equals."""
    keys = values if values.dtype in (np.int64, np.uint64) else row_keys(values)
    n = len(keys)
    bits = (8 * n).bit_length()
    slots = ((keys.view(np.uint64) * _GOLDEN) >> np.uint64(64 - bits)).view(np.int64)
    holder = np.empty(1 << bits, dtype=np.int64)
    samples = np.arange(n)
    holder[slots] = samples
    first = holder.take(slots)
    # Equal keys have one slot, so a key that lost its slot to another lost it for all its samples.
    lost = np.flatnonzero(keys.take(first) != keys)
    if lost.size:
        lost = lost[keys.take(lost).argsort()]
        sorted_keys = keys.take(lost)
        begins = np.ones(lost.size, dtype=np.bool_)
        np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=begins[1:])
        first[lost] = lost[begins].take(np.cumsum(begins) - 1)
    labels: Labels = (np.cumsum(first == samples) - 1).take(first)
    return labels


def _mixed(bits: Keys) -> Keys:
    """Return each entry scrambled (the finalizer of Stafford's variant 13), so that a sum of multiples is a hash."""
    mixed = bits ^ (bits >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
