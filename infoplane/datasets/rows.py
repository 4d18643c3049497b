"""Inputs of a data set that are no tensor: what they must offer, and how both kinds are picked from.

A tensor holds all inputs as numbers. `Rows` make the numbers of some inputs when they are asked for: `Pixels` from
bytes in memory, `ImageFiles` from files.
"""

from typing import Protocol, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError

Draw = tuple[int, int]


class Rows(Protocol):
    """Inputs of one shape, in a fixed order, float32 when they are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of inputs, then the shape of one."""

    def __len__(self) -> int:
        """Return the number of inputs."""

    def __getitem__(self, index: int | slice) -> Tensor:
        """Return one input, or the inputs of a slice, without anything random."""

    def gather(self, index: NDArray[np.int64], draw: Draw) -> Tensor:
        """Return the inputs at `index`; what is random in them is fixed by `draw`, (seed, epoch), and the index."""

    def take(self, index: NDArray[np.int64]) -> "Rows":
        """Return only the inputs at `index`, in that order, without reading them."""

    def fingerprint(self) -> str:
        """Return a SHA-256 that names the inputs; what it covers, the class says."""


def gather(inputs: Tensor | Rows, index: NDArray[np.int64], draw: Draw) -> Tensor:
    """Return the inputs at `index` as one tensor, (len(index), ...)."""
    if isinstance(inputs, Tensor):
        return inputs.index_select(0, torch.from_numpy(index))
    return inputs.gather(index, draw)


@overload
def take(inputs: Tensor, index: NDArray[np.int64]) -> Tensor: ...
@overload
def take(inputs: Rows, index: NDArray[np.int64]) -> Rows: ...
def take(inputs: Tensor | Rows, index: NDArray[np.int64]) -> Tensor | Rows:
    """Return only the inputs at `index`, in that order, of the kind that came in."""
    if isinstance(inputs, Tensor):
        return inputs.index_select(0, torch.from_numpy(index))
    return inputs.take(index)


def chosen(index: int | slice, count: int) -> NDArray[np.int64]:
    """Return the places that an index or a slice of `count` inputs means; IndexError when there is no such place."""
    if isinstance(index, slice):
        return np.arange(count, dtype=np.int64)[index]
    if isinstance(index, bool) or not isinstance(index, int | np.integer):
        raise InputError(f"{index!r} picks no inputs that lie in bytes or files; a place or a slice is accepted")
    if not -count <= index < count:
        raise IndexError(f"input {index} of {count}")
    return np.array([index % count], dtype=np.int64)
