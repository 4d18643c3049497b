"""A data set for classification, whole in memory, with loaders that index a batch at a time."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler

from infoplane.analysis.errors import InputError
from infoplane.datasets.fingerprint import fingerprint


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Inputs and labels, split into a training and a test part.

    Attributes
    ----------
    name, description : str
        What a caption calls it, and where it comes from.
    train_inputs, test_inputs : torch.Tensor
        Shape ``(n, *shape)``, float32.
    train_labels, test_labels : torch.Tensor
        Shape ``(n,)``, int64, from 0 to ``classes - 1``.
    classes : int
        Number of classes.
    """

    name: str
    train_inputs: Tensor
    train_labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor
    classes: int
    description: str

    def __repr__(self) -> str:
        counts = f"{len(self.train_labels)} training and {len(self.test_labels)} test inputs"
        return f"<Dataset {self.name!r}: {counts} of shape {self.shape}, {self.classes} classes>"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train_inputs.shape[1:])

    @cached_property
    def sha256(self) -> str:
        """SHA-256 over dtype, shape and values of the four tensors: which data a run has really seen."""
        return fingerprint(self.train_inputs, self.train_labels, self.test_inputs, self.test_labels)

    def train_loader(self, batch_size: int, *, seed: int, shuffle: bool = True) -> DataLoader[list[Tensor]]:
        """Return a loader of the training part; the last batch may be smaller.

        The order, different in every epoch and fixed by `seed`, comes from a generator of the loader's own.

        Raises
        ------
        InputError
            `batch_size` or `seed` is out of range.
        """
        return _loader(self.train_inputs, self.train_labels, batch_size, seed=seed, shuffle=shuffle)

    def test_loader(self, batch_size: int) -> DataLoader[list[Tensor]]:
        """Return a loader of the test part, in order.

        Raises
        ------
        InputError
            `batch_size` is out of range.
        """
        return _loader(self.test_inputs, self.test_labels, batch_size, seed=0, shuffle=False)


class _Batches(torch.utils.data.Dataset[list[Tensor]]):
    """Inputs and labels by a list of indices, gathered at once."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        self.inputs = inputs
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: list[int]) -> list[Tensor]:
        chosen = torch.tensor(index, dtype=torch.int64)
        return [self.inputs.index_select(0, chosen), self.labels.index_select(0, chosen)]


def _loader(inputs: Tensor, labels: Tensor, batch_size: int, *, seed: int, shuffle: bool) -> DataLoader[list[Tensor]]:
    for what, value, least in (("batch_size", batch_size, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise InputError(f"{what}={value!r} cannot be used; accepted: a whole number >= {least}")
    # Without a generator of its own a DataLoader draws from the global state at every iter().
    generator = torch.Generator().manual_seed(int(seed))
    rows = _Batches(inputs, labels)
    order = RandomSampler(rows, generator=generator) if shuffle else SequentialSampler(rows)
    batches = BatchSampler(order, batch_size=int(batch_size), drop_last=False)
    return DataLoader(rows, sampler=batches, batch_size=None, generator=generator)
