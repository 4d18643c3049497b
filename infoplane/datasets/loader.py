"""Loaders of batches, with the epoch in the caller's hand."""

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from infoplane.analysis.errors import InputError, true_or_false, whole_number
from infoplane.datasets.order import Order, Places
from infoplane.datasets.rows import Rows, gather


class Loader(DataLoader[list[Tensor]]):
    """Gives ``[inputs, labels]``, batch by batch.

    The order of a pass is a function of the loader's seed and the epoch. Epochs count from 0, one per pass;
    `set_epoch` says which one comes next.
    """

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass the one of `epoch`, as if `epoch` passes had gone before.

        Parameters
        ----------
        epoch : int
            From 0.

        Raises
        ------
        InputError
            `epoch` is no whole number or below 0.
        """
        order = self.sampler
        if isinstance(order, Order):
            order.set_epoch(whole_number("epoch", epoch, least=0))


class _Batches(torch.utils.data.Dataset[list[Tensor]]):
    """Inputs and labels by a list of places, gathered at once."""

    def __init__(self, inputs: Tensor | Rows, labels: Tensor) -> None:
        self.inputs = inputs
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, places: list[int]) -> list[Tensor]:
        draw = places.draw if isinstance(places, Places) else (0, 0)
        index = np.array(places, dtype=np.int64)
        return [gather(self.inputs, index, draw), self.labels.index_select(0, torch.from_numpy(index))]


def loader(
    inputs: Tensor | Rows,
    labels: Tensor,
    batch_size: int,
    *,
    seed: int,
    shuffle: bool,
    workers: int,
    rank: int,
    world: int,
    equal: bool,
) -> Loader:
    """Return a loader of one part; `Order` says what the options mean, InputError which one cannot be used."""
    size = whole_number("batch_size", batch_size, least=1)
    seed = whole_number("seed", seed, least=0)
    world = whole_number("world", world, least=1)
    rank = whole_number("rank", rank, least=0, most=world - 1)
    if len(labels) < world:
        raise InputError(f"world is {world}, but there are only {len(labels)} inputs to share among the ranks")
    order = Order(
        len(labels),
        size,
        seed=seed,
        shuffle=true_or_false("shuffle", shuffle),
        rank=rank,
        world=world,
        equal=equal,
    )
    # Without a generator of its own a DataLoader draws from the global state at every iter(). What it draws seeds the
    # workers, which use nothing of it: what is random in a batch is fixed by its draw.
    generator = torch.Generator().manual_seed(0)
    return Loader(_Batches(inputs, labels), sampler=order, batch_size=None, generator=generator, num_workers=workers)
