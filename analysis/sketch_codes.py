"""Float32 bits as bins: what a `LogHistogram` counts with, on the host and on an accelerator.

Sign, exponent and the first five mantissa bits of a float32 are the upper 14 of its 32 bits, so ``bits >>
18`` numbers 32 bins of equal width per octave, for each sign: 16,384 codes. One shift and one integer count
replace logarithm and search. Two codes need care to be the same on every path: +-0 shares its code with the
smallest subnormals (below 2^-131) and +-infinity with NaN of small payload; both kinds are moved to the next
code.

Extremes are kept as the bits of the smallest and largest finite non-zero magnitude, which order like the
numbers.
"""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

SHIFT = 18  # float32 has 23 mantissa bits; 5 of them stay
CODES = 1 << 14
HALF = CODES // 2  # the negative values' codes start here
INFINITY = 0x7F800000
INFINITY_CODE = INFINITY >> SHIFT  # NaN have the codes above it

EDGES: npt.NDArray[np.float64] = np.append(
    (np.arange(INFINITY_CODE, dtype=np.uint32) << SHIFT).view(np.float32).astype(np.float64), 2.0**128
)[1:]
"""Edges of the codes 1 .. INFINITY_CODE - 1; the first bin reaches down to 0 (subnormals are moved there)."""
EDGES[0] = 0.0
EDGES.setflags(write=False)

_SIGN_BIT = 0x80000000
_CHUNK = 1 << 17
_DEVICE_CHUNK = 1 << 20
_LARGEST = float(np.finfo(np.float32).max)
_SMALLEST = float(np.finfo(np.float32).smallest_subnormal)

Words = npt.NDArray[np.uint32]
Integers = npt.NDArray[np.int64]


class _Scratch(threading.local):
    """Working memory of one thread: one buffer, which numpy writes as words and torch counts as codes."""

    def __init__(self) -> None:
        self.words = np.empty(_CHUNK, dtype=np.uint32)
        self.codes = torch.from_numpy(self.words.view(np.int32))


_scratch = _Scratch()


class CodeTable:
    """Counts per code, int64 (16384,), and the extremes' bits per sign, int64 (2,): negative, positive."""

    def __init__(self) -> None:
        self.counts: Integers = np.zeros(CODES, dtype=np.int64)
        self.lowest: Integers = np.full(2, INFINITY, dtype=np.int64)
        self.highest: Integers = np.zeros(2, dtype=np.int64)

    def add(self, counts: Integers, lowest: Integers, highest: Integers) -> None:
        """Merge another table's arrays into this one."""
        self.counts += counts
        # Devices give NaN different signs and payloads; one place for all keeps the state the same
        # everywhere.
        nans = self.counts.reshape(2, HALF)[:, INFINITY_CODE + 1 :]
        n_nan = nans.sum()
        nans[...] = 0
        nans[0, 0] = n_nan
        np.minimum(self.lowest, lowest, out=self.lowest)
        np.maximum(self.highest, highest, out=self.highest)

    def count(self, flat: npt.NDArray[Any]) -> None:
        """Count a flat array of real numbers of any floating or integer dtype."""
        for start in range(0, flat.size, _CHUNK):
            chunk = flat[start : start + _CHUNK]
            bits = (chunk if chunk.dtype == np.float32 else _array_to_float32(chunk)).view(np.uint32)
            words, codes = _scratch.words[: bits.size], _scratch.codes[: bits.size]
            np.right_shift(bits, SHIFT, out=words)
            counts = torch.bincount(codes, minlength=CODES).numpy()  # numpy's would copy the codes to int64 first
            for sign_bit, row in ((0, counts[:HALF]), (_SIGN_BIT, counts[HALF:])):
                for special, code in ((0, 0), (INFINITY, INFINITY_CODE)):
                    if row[code]:
                        others = row[code] - np.count_nonzero(bits == np.uint32(special | sign_bit))
                        row[code] -= others
                        row[code + 1] += others
            self.add(counts, *_extremes(bits, words))


class DeviceTable:
    """Counts and extremes that stay on an accelerator; nothing here waits for it but `take`."""

    def __init__(self, device: torch.device) -> None:
        self.counts = torch.zeros(CODES, dtype=torch.int64, device=device)
        self.lowest = torch.full((2,), INFINITY, dtype=torch.int32, device=device)
        self.highest = torch.zeros(2, dtype=torch.int32, device=device)
        self.one = torch.ones(1, dtype=torch.int64, device=device)
        self.pending = False

    def count(self, tensor: torch.Tensor) -> None:
        """Count a tensor of real numbers without reading anything back (no boolean index, no ``item``)."""
        if tensor.numel() == 0:
            return
        self.pending = True
        flat = tensor.reshape(-1)
        for start in range(0, flat.numel(), _DEVICE_CHUNK):
            bits = _tensor_to_float32(flat[start : start + _DEVICE_CHUNK]).view(torch.int32)
            magnitude = bits & 0x7FFFFFFF
            negative, something, number = bits < 0, magnitude > 0, magnitude < INFINITY
            codes = magnitude >> SHIFT
            codes = torch.where(something, codes.clamp(min=1), codes)
            codes = torch.where(magnitude > INFINITY, codes.clamp(min=INFINITY_CODE + 1), codes)
            codes = (codes + negative * HALF).to(torch.int64)
            self.counts.scatter_add_(0, codes, self.one.expand_as(codes))
            for row, members in enumerate((something & number & negative, something & number & ~negative)):
                lowest = magnitude.masked_fill(~members, INFINITY).amin()
                highest = magnitude.masked_fill(~members, 0).amax()
                torch.minimum(self.lowest[row], lowest, out=self.lowest[row])
                torch.maximum(self.highest[row], highest, out=self.highest[row])

    def take(self) -> tuple[Integers, Integers, Integers]:
        """Return counts, lowest and highest bits on the host, and start again from nothing."""
        # Copies: where the device is the host (in tests) numpy would share the memory that is reset below.
        taken = [np.array(t.cpu().numpy(), dtype=np.int64) for t in (self.counts, self.lowest, self.highest)]
        with torch.inference_mode(False):
            self.counts.zero_()
            self.lowest.fill_(INFINITY)
            self.highest.zero_()
        self.pending = False
        return taken[0], taken[1], taken[2]


def float_of_bits(bits: int) -> float:
    """Return the float32 that has these bits."""
    return float(np.array(bits, dtype=np.uint32).view(np.float32))


def _extremes(bits: Words, words: Words) -> tuple[Integers, Integers]:
    """Bits of the smallest and largest finite non-zero magnitude per sign; `words` is overwritten.

    Read as signed and as unsigned integers, the same bits order the two signs differently. Subtracting one
    moves the zeros, and adding the gap above the largest finite number moves infinities and NaN, to the far
    ends.
    """
    np.subtract(bits, np.uint32(1), out=words)
    lowest = [int(words.view(np.int32).min()) + 2**31 + 1, int(words.min()) + 1]
    np.add(bits, np.uint32(2**31 - INFINITY), out=words)
    highest = [int(words.max()) - 2**32 + INFINITY, int(words.view(np.int32).max()) - 2**31 + INFINITY]
    return np.minimum(lowest, INFINITY), np.maximum(highest, 0)


def _array_to_float32(chunk: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        rounded = chunk.astype(np.float32)
    if chunk.dtype.kind == "f" and chunk.dtype.itemsize > rounded.itemsize:
        for lost, nearest in (
            (np.isinf(rounded) & np.isfinite(chunk), _LARGEST),
            ((rounded == 0) & (chunk != 0), _SMALLEST),
        ):
            rounded[lost] = np.copysign(np.float32(nearest), rounded[lost])
    return rounded


def _tensor_to_float32(chunk: torch.Tensor) -> torch.Tensor:
    rounded = chunk.to(torch.float32)
    if chunk.dtype == torch.float64:
        largest = torch.full_like(rounded, _LARGEST).copysign(rounded)
        rounded = torch.where(rounded.isinf() & chunk.isfinite(), largest, rounded)
        smallest = torch.full_like(rounded, _SMALLEST).copysign(rounded)
        rounded = torch.where((rounded == 0) & (chunk != 0), smallest, rounded)
    return rounded
