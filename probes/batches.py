"""What a loader gives: one batch of inputs, as the network takes them, and their labels.

A batch is ``(inputs, labels)``, with inputs a tensor, a tuple or list (``model(*inputs)``) or a mapping
(``model(**inputs)``); or one mapping with the labels under "labels" or "label", whose other entries are the keyword
arguments, as Hugging Face's collators make it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.probes.errors import CaptureError
from infoplane.probes.nested import cloned, mapped

Unpack = Callable[[Any], tuple[Any, Any]]
"""Makes ``(inputs, labels)`` of what a loader gives."""

LABELS = ("labels", "label")
_ACCEPTED = (
    "batches (inputs, labels), the inputs a tensor, a tuple or a mapping, or mappings with 'labels'; "
    "give unpack= a function of a batch that returns (inputs, labels) for others"
)


@dataclass(frozen=True, eq=False)
class Batch:
    """Arguments of one forward, and the labels of its inputs.

    Attributes
    ----------
    args : tuple
        Positional arguments.
    kwargs : dict
        Keyword arguments.
    labels : torch.Tensor
        Shape (n, ...), one label per input.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    labels: Tensor

    @property
    def n(self) -> int:
        """Inputs."""
        return len(self.labels)

    def to(self, device: torch.device) -> Self:
        """Return the batch with every tensor on `device`."""
        return self._mapped(lambda tensor: tensor.to(device))

    def cloned(self) -> Self:
        """Return a copy, for a network that may work in place on what it is given."""
        return replace(self, args=cloned(self.args), kwargs=cloned(self.kwargs), labels=cloned(self.labels))

    def take(self, rows: Tensor) -> Self:
        """Return the batch of some of its inputs, `rows` their indices, shape (m,).

        The inputs of a tensor lie along its first dimension, or along its second where only that has n entries.
        """
        n = self.n

        def chosen(tensor: Tensor) -> Tensor:
            axis = next((axis for axis in (0, 1) if tensor.ndim > axis and tensor.shape[axis] == n), None)
            return tensor if axis is None else tensor.index_select(axis, rows.to(tensor.device))

        return self._mapped(chosen)

    def keys(self) -> NDArray[np.uint64]:
        """Return one integer per input, shape (n,); equal inputs, and practically only those, have equal ones.

        64 bits of a hash over the bytes of every dense tensor with n rows; empty where there is none. For images that
        is some eight times faster than mixing every entry, as `infoplane.analysis.rows.row_keys` does, which sees
        through types and the sign of a zero where this does not.
        """
        keyed = [(str(name), value) for name, value in self.kwargs.items()]
        tensors = _tensors((*self.args, *(value for _, value in sorted(keyed, key=lambda pair: pair[0]))))
        rows = [_bytes(t) for t in tensors if t.layout is torch.strided and t.shape[:1] == (self.n,)]
        if not rows:
            return np.empty(0, np.uint64)
        keys = np.empty(self.n, np.uint64)
        for index, parts in enumerate(zip(*rows, strict=True)):
            digest = hashlib.blake2b(digest_size=8)
            for part in parts:
                digest.update(part)
            keys[index] = int.from_bytes(digest.digest(), "little")
        return keys

    def _mapped(self, function: Callable[[Tensor], Tensor]) -> Self:
        args, kwargs = mapped(self.args, function), mapped(self.kwargs, function)
        return replace(self, args=args, kwargs=kwargs, labels=function(self.labels))


def read_batches(batches: Iterable[Any], *, unpack: Unpack | None = None) -> Iterator[Batch]:
    """Yield what a loader gives as `Batch`.

    Parameters
    ----------
    batches : iterable
        Such as a ``DataLoader``.
    unpack : callable, optional
        Makes ``(inputs, labels)`` of what the loader gives.

    Raises
    ------
    InputError
        When `batches` is no iterable, or gives something else.
    """
    try:
        iterator = iter(batches)
    except TypeError:
        raise InputError(
            f"measure() needs an iterable of batches, such as a DataLoader, but was given {batches!r}"
        ) from None
    for given in iterator:
        if unpack is None:
            yield _read(given)
            continue
        unpacked = unpack(given)
        if not isinstance(unpacked, tuple | list) or len(unpacked) != 2:
            raise InputError(f"unpack returned a {type(unpacked).__name__}, but it must return (inputs, labels)")
        yield _read(unpacked)


def check_length(captured: Mapping[str, Tensor], labels: Tensor) -> None:
    """Raise `CaptureError` unless every site passed as many inputs as there are labels."""
    for site, activation in captured.items():
        if len(activation) != len(labels):
            raise CaptureError(
                f"there are {len(labels)} labels, but the forward passed {len(activation)} inputs through {site!r}: "
                "give the labels of that forward's batch"
            )


def _read(given: Any) -> Batch:
    if isinstance(given, Mapping):
        found = [name for name in LABELS if name in given]
        if not found:
            names = ", ".join(map(repr, given)) or "nothing"
            raise InputError(f"measure() needs labels, but the loader gave a mapping of {names}: it takes {_ACCEPTED}")
        labels = given[found[0]]
        inputs: Any = {str(name): value for name, value in given.items() if name not in found}
    elif isinstance(given, tuple | list) and len(given) == 2:
        inputs, labels = given
    else:
        size = f" of {len(given)}" if isinstance(given, tuple | list) else ""
        raise InputError(f"the loader gave a {type(given).__name__}{size}, but measure() takes {_ACCEPTED}")
    if not isinstance(labels, Tensor) or not labels.ndim:
        what = "a number" if isinstance(labels, Tensor) else f"a {type(labels).__name__}"
        raise InputError(f"the loader gave {what} as labels, but a torch.Tensor with one label per input is needed")
    if isinstance(inputs, Tensor):
        return Batch((inputs,), {}, labels)
    if isinstance(inputs, Mapping) and inputs:
        return Batch((), dict(inputs), labels)
    if isinstance(inputs, tuple | list) and inputs:
        return Batch(tuple(inputs), {}, labels)
    raise InputError(f"the loader gave {type(inputs).__name__} as inputs, but measure() takes {_ACCEPTED}")


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict | tuple | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _bytes(tensor: Tensor) -> NDArray[np.uint8]:
    plain = tensor.detach().cpu().resolve_conj().resolve_neg()
    return plain.reshape(len(plain), prod(plain.shape[1:])).contiguous().view(torch.uint8).numpy()
