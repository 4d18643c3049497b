"""The position of every held-out input in the pass over all of them, whatever process sees it.

Noise, subsets and folds depend on positions, so that several processes measure what one does. One process counts
0, 1, 2, ... With a ``DistributedSampler`` input p of rank r is at p * W + r; in accelerate's loaders whole batches, or
parts of them, are dealt to ranks. Positions at or beyond the number of inputs are what a sampler repeated to give every
rank as many: they are left out. Of a loader that does not say how inputs are dealt, ranks count apart; whether they all
had the same inputs shows in the end.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DistributedSampler

from infoplane.probes.batches import Batch
from infoplane.probes.ranks import Ranks

_APART = 1 << 40  # positions of two ranks that count apart never meet


@dataclass(eq=False)
class Positions:
    """Positions of the inputs of one pass, batch by batch; made by `positions_of`.

    Attributes
    ----------
    dealt : bool
        Whether every input belongs to one rank alone. If not, all ranks may have seen the same ones.
    """

    dealt: bool
    _at: Callable[[Tensor], Tensor]
    _inputs: int | None = None
    _seen: int = 0

    def next(self, batch: Batch) -> tuple[Batch, Tensor]:
        """Return the batch without what a sampler repeated, perhaps empty, and the positions (n,) of its inputs."""
        positions = self._at(torch.arange(self._seen, self._seen + batch.n, device="cpu"))
        self._seen += batch.n
        if self._inputs is None or bool((positions < self._inputs).all()):
            return batch, positions
        rows = (positions < self._inputs).nonzero()[:, 0]
        return batch.take(rows), positions[rows]


def positions_of(loader: Iterable[Any], ranks: Ranks) -> Positions:
    """Return the positions of what `loader` gives on this rank.

    Parameters
    ----------
    loader : iterable
        A ``DataLoader``, of torch, Lightning or accelerate, or any other iterable of batches.
    ranks : Ranks
        The processes that measure together.
    """
    batch_sampler = getattr(loader, "batch_sampler", None)
    sampler = getattr(batch_sampler, "sampler", None) or getattr(loader, "sampler", None)
    if isinstance(sampler, DistributedSampler) and ranks.world in (1, sampler.num_replicas):
        world, rank = sampler.num_replicas, sampler.rank
        return Positions(True, lambda count: count * world + rank, len(sampler.dataset))  # type: ignore[arg-type]
    if isinstance(batch_sampler, BatchSampler) and hasattr(batch_sampler, "split_batches"):
        return _of_dealt_batches(batch_sampler, ranks)
    if ranks.world == 1:
        return Positions(True, lambda count: count)
    return _apart(ranks)


def _of_dealt_batches(shard: Any, ranks: Ranks) -> Positions:
    """Return those of accelerate's ``BatchSamplerShard``: rank r has the batches j * W + r, or a piece of each."""
    size, world, rank = shard.batch_size, shard.num_processes, shard.process_index
    inputs = getattr(getattr(shard.batch_sampler, "sampler", None), "__len__", lambda: None)()
    if size is None or inputs is None or ranks.world not in (1, world):
        return _apart(ranks)
    piece = size // world if shard.split_batches else size
    return Positions(True, lambda count: (count // piece * world + rank) * piece + count % piece, inputs)


def _apart(ranks: Ranks) -> Positions:
    return Positions(ranks.world == 1, lambda count: count + ranks.rank * _APART)
