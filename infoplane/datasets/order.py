"""The order in which a loader goes through its inputs: a function of seed and epoch, and of nothing else.

Epoch k of seed s is a permutation from numpy's generator seeded with the pair (s, k), so that a training that goes on
from epoch k needs no state of any generator. Of several ranks, rank r takes every world-th place from r on.
"""

from collections.abc import Iterator
from typing import SupportsIndex

import numpy as np
from torch.utils.data import Sampler


class Places(list[int]):
    """The places of one batch, with the draw they belong to: (seed, epoch)."""

    def __init__(self, places: list[int], draw: tuple[int, int] = (0, 0)) -> None:
        super().__init__(places)
        self.draw = draw

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type["Places"], tuple[list[int], tuple[int, int]]]:
        return (Places, (list(self), self.draw))


class Order(Sampler[list[int]]):
    """Batches of places; the k-th time it is gone through is epoch k, counted from 0, unless `set_epoch` says another.

    Parameters
    ----------
    count : int
        Number of inputs.
    batch_size : int
        Places per batch; the last one may have fewer.
    seed : int
        Of the permutations.
    shuffle : bool
        False: always in order.
    rank, world : int
        This process and the number of processes.
    equal : bool
        True: every rank gets equally many places, so up to ``world - 1`` inputs, other ones in every epoch, are left
        out. False: every input is in exactly one rank.
    """

    def __init__(
        self, count: int, batch_size: int, *, seed: int, shuffle: bool, rank: int, world: int, equal: bool
    ) -> None:
        self.count, self.batch_size, self.seed, self.shuffle = count, batch_size, seed, shuffle
        self.rank, self.world, self.equal = rank, world, equal
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass the one of `epoch`; the ones after it follow on."""
        self.epoch = epoch

    def __len__(self) -> int:
        mine = self.count // self.world if self.equal else len(range(self.rank, self.count, self.world))
        return -(-mine // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        # Counted at the first batch: a pass that was broken off is a pass, and a DataLoader with workers makes two
        # iterators for one pass, of which it uses one.
        draw = (self.seed, self.epoch)
        self.epoch += 1
        order = np.random.default_rng(draw).permutation(self.count) if self.shuffle else np.arange(self.count)
        if self.equal:
            order = order[: self.count - self.count % self.world]
        mine = order[self.rank :: self.world]
        size = self.batch_size
        for start in range(0, len(mine), size):
            yield Places(mine[start : start + size].tolist(), draw)
