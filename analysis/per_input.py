"""Reading the arrays that hold one value per input: class labels, and results of P probes."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError

PerInput = Tensor | ArrayLike | Sequence[Tensor]


def class_labels(labels: Tensor | ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return `labels` as int64 of shape (n,); InputError unless they are whole numbers in 0 .. classes - 1."""
    y = _array("labels", labels)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise InputError(f"labels have shape {y.shape} and type {y.dtype}, but one whole number per input is needed")
    if y.size and (int(y.min()) < 0 or int(y.max()) >= classes):
        raise InputError(f"labels run from {y.min()} to {y.max()}, but {classes} classes are 0 to {classes - 1}")
    return y.astype(np.int64)


def per_input(name: str, values: PerInput, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return `values`, called `name`, as float64; InputError unless they are real and have `shape` (probes, inputs)."""
    if isinstance(values, Tensor) and values.dtype == torch.bfloat16:
        values = values.float()  # numpy has no bfloat16
    array = _array(name, values)
    if array.shape != shape:
        raise InputError(f"{name} has shape {array.shape}, but (probes, inputs) is {shape}")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} has entries of type {array.dtype}, but it holds real numbers")
    return array.astype(np.float64)


def _array(name: str, values: PerInput) -> NDArray[np.generic]:
    try:
        return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be read as an array of numbers ({error})") from error
