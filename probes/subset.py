"""A fixed random subset of a stream of inputs whose length is not known beforehand.

The input at position p has a priority that depends on the seed and on p alone; the inputs with the smallest priorities
are the subset. It is therefore the same for the same seed and the same order of inputs, however these are cut into
batches or dealt to processes, and every subset of that size is equally likely.

The priority is the p-th output of SplitMix64 (Steele, Lea, Flood 2014), a one-to-one map of the positions: no ties.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError, whole_number

_STREAM = 0x5B5E7
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Subset:
    """A uniformly random subset of `size` positions; all of them where there are fewer.

    Attributes
    ----------
    size : int
        At least 1; InputError otherwise.
    seed : int
        Which subset; a whole number from 0. No random state is read or changed.
    """

    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("size", self.size, least=1)
        whole_number("seed", self.seed, least=0)

    def priorities(self, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return the priority of every position, shape (n,): the smallest are kept."""
        key = np.random.SeedSequence([_STREAM, self.seed]).generate_state(1, np.uint64)
        state = key + (positions.astype(np.uint64) + np.uint64(1)) * _INCREMENT
        state = (state ^ (state >> np.uint64(30))) * _FIRST
        state = (state ^ (state >> np.uint64(27))) * _SECOND
        mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
        return mixed


@dataclass(frozen=True, eq=False)
class _Rows:
    """Some inputs with what belongs to them; rows in no particular order."""

    priorities: NDArray[np.uint64]
    positions: NDArray[np.int64]
    arrays: Mapping[str, NDArray[Any]]

    def take(self, which: NDArray[np.int64]) -> "_Rows":
        arrays = {name: values[which] for name, values in self.arrays.items()}
        return _Rows(self.priorities[which], self.positions[which], arrays)


class Kept:
    """What belongs to the inputs of a subset, collected batch by batch; memory is that of two subsets at most.

    Copies and pickles hold the same; what several processes kept is joined by `merge`.

    Parameters
    ----------
    subset : Subset
        Which inputs to keep.
    """

    def __init__(self, subset: Subset) -> None:
        self.subset = subset
        self._parts: list[_Rows] = []
        self._held = 0
        self._limit: np.uint64 | None = None  # no row above this priority can belong to the subset

    def add(self, positions: Tensor | ArrayLike, /, **arrays: Tensor | ArrayLike) -> None:
        """Keep those of a batch that belong to the subset, as far as this can be told yet.

        Parameters
        ----------
        positions : torch.Tensor or array_like
            Shape (n,), whole numbers from 0, each given once.
        **arrays : torch.Tensor or array_like
            Shape (n, ...) each, the same names at every call. Only the rows that are kept are copied; floating-point
            numbers are kept as float32, others as they are.

        Raises
        ------
        InputError
            When an array has another number of rows, or names differ from those of earlier calls.
        """
        where = np.asarray(positions.detach().cpu() if isinstance(positions, Tensor) else positions, np.int64)
        for name, values in arrays.items():
            rows = np.shape(values)[:1]
            if rows != where.shape:
                raise InputError(f"{name!r} has {rows[0] if rows else 'no'} rows, but there are {where.size} positions")
        self._same_names(arrays)
        priorities = self.subset.priorities(where)
        near = np.arange(where.size) if self._limit is None else np.flatnonzero(priorities <= self._limit)
        if near.size > self.subset.size:
            near = near[np.argpartition(priorities[near], self.subset.size)[: self.subset.size]]
        if near.size or not self._parts:
            chosen = {name: _rows(values, near) for name, values in arrays.items()}
            self._append(_Rows(priorities[near], where[near], chosen))

    def merge(self, other: "Kept") -> None:
        """Add what `other` has kept of the same subset; it stays as it is. InputError where the subsets differ."""
        if not isinstance(other, Kept) or other.subset != self.subset:
            what = other.subset if isinstance(other, Kept) else type(other).__name__
            raise InputError(f"rows of {self.subset} cannot be merged with those of {what}")
        for part in other._parts:
            self._same_names(part.arrays)
            self._append(part)

    def positions(self) -> NDArray[np.int64]:
        """Return the positions kept, ascending, shape (m,)."""
        rows = self._settled()
        return rows.positions if rows is not None else np.empty(0, np.int64)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what belongs to them, by name, shape (m, ...) each; empty before anything was added.

        Raises
        ------
        InputError
            When one position was given twice.
        """
        rows = self._settled()
        return dict(rows.arrays) if rows is not None else {}

    def _append(self, rows: _Rows) -> None:
        self._parts.append(rows)
        self._held += rows.positions.size
        if self._held > 2 * self.subset.size:
            self._settled()

    def _settled(self) -> _Rows | None:
        """Drop what cannot belong to the subset, and return the rest in the order of positions."""
        if not self._parts:
            return None
        first = self._parts[0]
        joined = _Rows(
            np.concatenate([part.priorities for part in self._parts]),
            np.concatenate([part.positions for part in self._parts]),
            {name: np.concatenate([part.arrays[name] for part in self._parts]) for name in first.arrays},
        )
        smallest = np.argsort(joined.priorities)[: self.subset.size]
        rows = joined.take(smallest[np.argsort(joined.positions[smallest])])
        twice = rows.positions[1:][np.diff(rows.positions) == 0]
        if twice.size:
            raise InputError(f"the position {twice[0]} was given twice, but a position stands for one input")
        self._parts, self._held = [rows], rows.positions.size
        if self._held == self.subset.size:
            self._limit = rows.priorities.max()
        return rows

    def _same_names(self, arrays: Mapping[str, Any]) -> None:
        if self._parts and set(arrays) != set(self._parts[0].arrays):
            was, now = (", ".join(sorted(map(repr, a))) for a in (self._parts[0].arrays, arrays))
            raise InputError(f"the arrays are {now}, but those kept so far are {was}")


def _rows(values: Tensor | ArrayLike, which: NDArray[np.int64]) -> NDArray[Any]:
    if isinstance(values, Tensor):
        rows = values.detach()[torch.from_numpy(which).to(values.device)]
        return np.asarray((rows.float() if rows.is_floating_point() else rows).cpu())
    array = np.asarray(values)[which]
    return array.astype(np.float32) if np.issubdtype(array.dtype, np.floating) else array
