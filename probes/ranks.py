"""The processes of one training: what torch.distributed knows, or one process alone.

Every rank holds the same probes, and recorders of its own. Sums go over ranks by all-reduce, states by gathering them;
both wait for every rank, and a rank that has died makes them raise.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Ranks:
    """Which process this is, among how many.

    Attributes
    ----------
    rank : int
        From 0; rank 0 writes.
    world : int
        Number of processes.
    """

    rank: int = 0
    world: int = 1

    @classmethod
    def current(cls) -> "Ranks":
        """Return those of torch's default process group, or one process where there is none."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return cls()
        return cls(distributed.get_rank(), distributed.get_world_size())

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum over ranks of a tensor that has one shape on all of them."""
        if self.world == 1:
            return values
        total = values.clone()
        distributed.all_reduce(total)
        return total

    def gather(self, state: Any) -> list[Any]:
        """Return the states of all ranks, in their order, on every rank; a state must be picklable."""
        if self.world == 1:
            return [state]
        states: list[Any] = [None] * self.world
        with torch.inference_mode(False):
            distributed.all_gather_object(states, state)
        return states
