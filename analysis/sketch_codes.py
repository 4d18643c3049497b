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

_SIGN = 1 << 31
_CHUNK = 1 << 18  # with the words made of it no more than the caches hold, and long against 16,384 counts
_DEVICE_CHUNK = 1 << 20
_LARGEST = float(np.finfo(np.float32).max)
_SMALLEST = float(np.finfo(np.float32).smallest_subnormal)

Words = npt.NDArray[np.uint32]
Integers = npt.NDArray[np.int64]
Ends = list[int]
"""Bits of a magnitude per sign: negative, positive."""


_NOTHING: Integers = np.zeros(CODES, dtype=np.int64)
_NOTHING.setflags(write=False)


class _Scratch(threading.local):
    """Working memory of one thread: one buffer, which numpy writes as words and torch counts as codes."""

    def __init__(self) -> None:
        self.words = np.empty(_CHUNK, dtype=np.uint32)
        self.codes = torch.from_numpy(self.words.view(np.int32))


_scratch = _Scratch()


class CodeTable:
    """Counts per code, int64 (16384,), and the bits of the smallest and largest magnitude of either sign."""

    def __init__(self) -> None:
        self.counts = _NOTHING
        self.lowest: Ends = [INFINITY, INFINITY]
        self.highest: Ends = [0, 0]

    def add(self, counts: Integers, lowest: Ends, highest: Ends) -> None:
        """Take in counts and extremes; the array may become this table's own, and must not be used any more."""
        if self.counts is _NOTHING:
            self.counts = counts
        else:
            self.counts += counts
        self.lowest = [min(self.lowest[0], lowest[0]), min(self.lowest[1], lowest[1])]
        self.highest = [max(self.highest[0], highest[0]), max(self.highest[1], highest[1])]

    def count(self, flat: npt.NDArray[Any]) -> None:
        """Count a flat array of real numbers of any floating or integer dtype."""
        for start in range(0, flat.size, _CHUNK):
            chunk = flat[start : start + _CHUNK]
            bits = (chunk if chunk.dtype == np.float32 else _array_to_float32(chunk)).view(np.uint32)
            words, codes = _scratch.words[: bits.size], _scratch.codes[: bits.size]
            np.right_shift(bits, SHIFT, out=words)
            counts = torch.bincount(codes, minlength=CODES).numpy()  # numpy's would copy the codes to int64 first
            # What four reductions show to be ordinary numbers needs no other pass.
            lowest, highest = _lowest(bits), _highest(bits)
            if 0 in lowest:
                lowest = [end + 1 for end in _lowest(np.subtract(bits, np.uint32(1), out=words))]
            if min(lowest) >> SHIFT == 0:  # numbers among the zeros
                _separate(counts, bits, 0)
            if max(highest) >= INFINITY:
                gap = _SIGN - INFINITY
                highest = [end - gap for end in _highest(np.add(bits, np.uint32(gap), out=words))]
                _separate(counts, bits, INFINITY)
                _gather_nans(counts)
            self.add(counts, lowest, highest)


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

    def take(self) -> tuple[Integers, Ends, Ends]:
        """Return counts, lowest and highest bits on the host, and start again from nothing."""
        # A copy: where the device is the host (in tests) numpy would share the memory that is reset below.
        counts, lowest, highest = self.counts.cpu().numpy().copy(), self.lowest.tolist(), self.highest.tolist()
        with torch.inference_mode(False):
            self.counts.zero_()
            self.lowest.fill_(INFINITY)
            self.highest.zero_()
        self.pending = False
        _gather_nans(counts)
        return counts, lowest, highest


def float_of_bits(bits: int) -> float:
    """Return the float32 that has these bits."""
    return float(np.array(bits, dtype=np.uint32).view(np.float32))


def bin_of_bits(bits: int) -> int:
    """Return the bin of `EDGES` that counts the magnitude with these bits."""
    return max((bits >> SHIFT) - 1, 0)


def _separate(counts: Integers, bits: Words, value: int) -> None:
    """Leave at the code of a special value what equals it, and move the others there to the next code."""
    for sign, row in ((0, counts[:HALF]), (_SIGN, counts[HALF:])):
        others = row[value >> SHIFT] - np.count_nonzero(bits == np.uint32(sign | value))
        row[value >> SHIFT] -= others
        row[(value >> SHIFT) + 1] += others


def _gather_nans(counts: Integers) -> None:
    """Move all NaN to one code: devices give them different signs and payloads, and all states must be the same."""
    nans = counts.reshape(2, HALF)[:, INFINITY_CODE + 1 :]
    n_nan = nans.sum()
    if n_nan:
        nans[...] = 0
        nans[0, 0] = n_nan


def _lowest(bits: Words) -> Ends:
    """Bits of the smallest magnitude per sign; read as signed and as unsigned, the same words order differently.

    Subtracting one from the words moves the zeros, which come first, to the far end.
    """
    return [int(np.minimum.reduce(bits.view(np.int32))) + _SIGN, int(np.minimum.reduce(bits))]


def _highest(bits: Words) -> Ends:
    """Bits of the largest magnitude per sign; adding the gap above the finite ones moves all beyond to the far end."""
    return [int(np.maximum.reduce(bits)) - _SIGN, int(np.maximum.reduce(bits.view(np.int32)))]


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
