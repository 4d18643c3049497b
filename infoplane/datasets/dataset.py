"""A data set: inputs and labels, a training and a test part, and loaders that give a batch at a time."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from infoplane.analysis.errors import InputError, whole_number
from infoplane.datasets.fingerprint import fingerprint
from infoplane.datasets.loader import Loader, loader
from infoplane.datasets.rows import Rows, take
from infoplane.datasets.split import stratified_order


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Inputs and labels, split into a training and a test part.

    Attributes
    ----------
    name, description : str
        What a caption calls it, and where it comes from.
    train_inputs, test_inputs : torch.Tensor or Rows
        Shape ``(n, *shape)``: a tensor, float32, or int64 where `vocabulary` is given; or
        `infoplane.datasets.rows.Rows`, which make float32 of bytes or files a batch at a time. Both have `shape`,
        ``len()`` and give tensors for a place or a slice.
    train_labels, test_labels : torch.Tensor
        Classes: shape ``(n,)``, int64, from 0 to ``classes - 1``. Numbers: shape ``(n,)`` or ``(n, targets)``, float32,
        in the unit of the source.
    classes : int or None
        Number of classes; None where the labels are numbers.
    vocabulary : int or None
        Where inputs are sequences of tokens: their number, token 0 (padding) and 1 (unknown) among them.
    workers : int
        Processes in which a loader reads its batches; 0: the caller's own.
    """

    name: str
    train_inputs: Tensor | Rows
    train_labels: Tensor
    test_inputs: Tensor | Rows
    test_labels: Tensor
    classes: int | None
    description: str
    vocabulary: int | None = None
    workers: int = 0

    def __post_init__(self) -> None:
        whole_number("workers", self.workers, least=0)
        for part in ("train", "test"):
            _check(self, part, getattr(self, f"{part}_inputs"), getattr(self, f"{part}_labels"))
        if self.train_inputs.shape[1:] != self.test_inputs.shape[1:]:
            shapes = f"{tuple(self.train_inputs.shape[1:])} and {tuple(self.test_inputs.shape[1:])}"
            raise InputError(f"training and test inputs of {self.name!r} have different shapes, {shapes}")
        if self.train_labels.shape[1:] != self.test_labels.shape[1:]:
            raise InputError(f"training and test labels of {self.name!r} have different numbers of columns")

    def __repr__(self) -> str:
        counts = f"{len(self.train_labels)} training and {len(self.test_labels)} test inputs"
        labels = f"{self.classes} classes" if self.classes is not None else f"{self.targets} number(s) per label"
        return f"<Dataset {self.name!r}: {counts} of shape {self.shape}, {labels}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.train_inputs.shape[1:])

    @property
    def targets(self) -> int | None:
        """Numbers per label; None where labels are classes."""
        if self.classes is not None:
            return None
        return 1 if self.train_labels.ndim == 1 else int(self.train_labels.shape[1])

    @cached_property
    def sha256(self) -> str:
        """Which data a run has really seen.

        For tensors the SHA-256 over dtype, shape and values of inputs and labels of both parts. Where inputs are
        `Rows`, over their own fingerprints and those of the labels: `Pixels` covers the bytes, `ImageFiles` names and
        sizes of the files but not their content.
        """
        parts = (self.train_inputs, self.train_labels, self.test_inputs, self.test_labels)
        if isinstance(self.train_inputs, Tensor) and isinstance(self.test_inputs, Tensor):
            return fingerprint(self.train_inputs, self.train_labels, self.test_inputs, self.test_labels)
        said = [fingerprint(part) if isinstance(part, Tensor) else part.fingerprint() for part in parts]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()

    def train_loader(
        self, batch_size: int, *, seed: int, shuffle: bool = True, rank: int = 0, world: int = 1
    ) -> Loader:
        """Return a loader of the training part; the last batch may be smaller.

        The order is a function of `seed` and the epoch: the k-th pass is epoch k, from 0, and ``loader.set_epoch(k)``
        goes to any. No global random state is read or changed.

        Parameters
        ----------
        batch_size : int
            Inputs per batch, of this rank.
        seed : int
            Of the order, and of what is random in the inputs (augmentation).
        shuffle : bool
            False: in the data set's own order, in every epoch.
        rank, world : int
            This process and the number of processes. Every rank takes every world-th input of the common order, and all
            get equally many: up to ``world - 1`` inputs of an epoch, other ones in every epoch, are left out.

        Raises
        ------
        InputError
            A number is out of range.
        """
        return loader(
            self.train_inputs,
            self.train_labels,
            batch_size,
            seed=seed,
            shuffle=shuffle,
            workers=self.workers,
            rank=rank,
            world=world,
            equal=True,
        )

    def test_loader(self, batch_size: int, *, rank: int = 0, world: int = 1) -> Loader:
        """Return a loader of the test part, in order.

        Parameters
        ----------
        batch_size : int
            Inputs per batch.
        rank, world : int
            This process and the number of processes. Every input is in exactly one rank, so ranks may differ by one.

        Raises
        ------
        InputError
            A number is out of range.
        """
        return loader(
            self.test_inputs,
            self.test_labels,
            batch_size,
            seed=0,
            shuffle=False,
            workers=self.workers,
            rank=rank,
            world=world,
            equal=False,
        )

    def subset(self, *, train: int, seed: int = 0) -> "Dataset":
        """Return the same data set with only some of its training inputs; the test part stays whole.

        The inputs are drawn class by class, so that each class keeps its share (to within one input where classes are
        equally frequent); where labels are numbers, at random. With one seed, a smaller subset is part of a larger one.

        Parameters
        ----------
        train : int
            How many training inputs.
        seed : int
            Of the draw.

        Raises
        ------
        InputError
            There are not so many, or a number is out of range.
        """
        most = len(self.train_labels)
        count = whole_number("train", train, least=1, most=most)
        if count == most:
            return self
        classes = self.train_labels.numpy() if self.classes is not None else np.zeros(most, dtype=np.int64)
        index = np.sort(stratified_order(classes, whole_number("seed", seed, least=0))[:count])
        how = "class by class" if self.classes is not None else "at random"
        return replace(
            self,
            train_inputs=take(self.train_inputs, index),
            train_labels=self.train_labels[torch.from_numpy(index)],
            description=f"{self.description}; of the {most} training inputs {count}, drawn {how} with seed {seed}",
        )


def _check(data: Dataset, part: str, inputs: Tensor | Rows, labels: Tensor) -> None:
    """Refuse inputs and labels that do not fit each other or the kind of labels."""
    what = f"the {'training' if part == 'train' else part} part of {data.name!r}"
    if len(inputs) != len(labels) or len(labels) == 0:
        raise InputError(
            f"{what} has {len(inputs)} inputs and {len(labels)} labels; as many of both are needed, at least 1"
        )
    if isinstance(inputs, Tensor) and inputs.dtype != (torch.float32 if data.vocabulary is None else torch.int64):
        wanted = "float32 inputs are" if data.vocabulary is None else "with a vocabulary int64 tokens are"
        raise InputError(f"{what} has inputs of dtype {inputs.dtype}; {wanted} needed")
    if data.classes is None:
        if labels.dtype != torch.float32 or labels.ndim not in (1, 2):
            found = f"dtype {labels.dtype} and shape {tuple(labels.shape)}"
            raise InputError(
                f"{what} has labels of {found}; without classes float32 of shape (n,) or (n, targets) is needed"
            )
        if not bool(torch.isfinite(labels).all()):
            raise InputError(f"{what} has labels that are not finite")
        return
    whole_number("classes", data.classes, least=2)
    if labels.dtype != torch.int64 or labels.ndim != 1:
        found = f"dtype {labels.dtype} and shape {tuple(labels.shape)}"
        raise InputError(f"{what} has labels of {found}; classes are int64 of shape (n,)")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= data.classes:
        raise InputError(
            f"{what} has labels from {low} to {high}; with {data.classes} classes they go from 0 to {data.classes - 1}"
        )
