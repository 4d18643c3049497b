"""The batches of several trainings side by side: of each the ones that it gets alone, in the same order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoplane.datasets import Dataset
from infoplane.datasets.loader import Loader


class Batches:
    """Batches of one epoch, stacked.

    Inputs that lie in memory are picked for all trainings at once, others by each one's own loader.

    Parameters
    ----------
    data : Dataset
        Of all of them.
    loaders : mapping of int to Loader
        Of each training, by its number.
    epoch : int
        From 0.
    device : torch.device
        Where the batches are wanted.
    """

    def __init__(self, data: Dataset, loaders: Mapping[int, Loader], epoch: int, device: torch.device) -> None:
        self._data, self._device = data, device
        self._is_in_memory = isinstance(data.train_inputs, Tensor)
        self._passes: dict[int, Iterator[Any]] = {}
        for number, loader in loaders.items():
            loader.set_epoch(epoch)
            self._passes[number] = iter(loader.sampler) if self._is_in_memory else iter(loader)

    def next(self, numbers: Sequence[int]) -> tuple[Tensor, Tensor] | None:
        """Return the next inputs, (S, n, ...), and labels, (S, n) or (S, n, targets), of S trainings; None at the end.

        Parameters
        ----------
        numbers : sequence of int
            Which trainings; one that is left out once is left out for good.
        """
        found = [next(self._passes[number], None) for number in numbers]
        if not found or found[0] is None:
            return None
        inputs, labels = self._picked(found) if self._is_in_memory else _stacked(found)
        return inputs.to(self._device, non_blocking=True), labels.to(self._device, non_blocking=True)

    def _picked(self, places: Sequence[Any]) -> tuple[Tensor, Tensor]:
        index = torch.from_numpy(np.array(places, dtype=np.int64))
        assert isinstance(self._data.train_inputs, Tensor)
        inputs, labels = (
            part.index_select(0, index.flatten()).unflatten(0, index.shape)
            for part in (self._data.train_inputs, self._data.train_labels)
        )
        return inputs, labels


def _stacked(batches: Sequence[Any]) -> tuple[Tensor, Tensor]:
    inputs, labels = (torch.stack(parts) for parts in zip(*batches, strict=True))
    return inputs, labels
