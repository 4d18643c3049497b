"""Reading the samples of one variable: quantities as (n, d) floats, labels as n integers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.analysis.flat_values import check_tensor
from infoplane.analysis.rows import row_symbols

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
SamplesLike = Tensor | ArrayLike


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples of one variable.

    Attributes
    ----------
    name : str
        What the caller calls it: ``"x"`` or ``"y"``.
    values : numpy.ndarray
        Shape (n, d): float64 quantities, or int64 labels.
    discrete : bool
        Whether they are labels (integers or booleans were given): only equal or different, never near.
    """

    name: str
    values: NDArray[Any]
    discrete: bool

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.values)

    def symbols(self) -> Labels:
        """Return one label per row, 0 .. K - 1 for K different rows."""
        return row_symbols(self.values)


def read_samples(name: str, given: SamplesLike) -> Samples:
    """Return what was given as `Samples`.

    Parameters
    ----------
    name : str
        What the caller calls it; for errors.
    given : torch.Tensor or array_like
        Shape (n, d), or (n,) for one column. Integers and booleans are labels, floats are quantities.

    Raises
    ------
    InputError
        When it is empty, has more than two dimensions, is not real, or holds NaN or infinite values.
    """
    array = _array(name, given)
    if array.ndim not in (1, 2):
        way = f"; {name}.reshape(len({name}), -1) makes one row of each" if array.ndim > 2 else ""
        raise InputError(f"{name} has shape {array.shape}, but samples are (n, d), one row per sample, or (n,){way}")
    table = array.reshape(len(array), -1) if array.size else array
    if not table.size:
        raise InputError(f"{name} has shape {array.shape}, which holds no sample or no column")
    if table.dtype.kind in "biu":
        return Samples(name, table.astype(np.int64), discrete=True)
    finite = np.isfinite(table)
    if not finite.all():
        bad = ~finite.all(axis=1)
        raise InputError(
            f"{name} has NaN or infinite values in {np.count_nonzero(bad)} of {len(table)} rows, the first in row "
            f"{int(np.argmax(bad))}; an estimate needs finite samples: leave these rows out of x and y"
        )
    return Samples(name, np.ascontiguousarray(table, dtype=np.float64), discrete=False)


def check_pairing(x: SamplesLike, y: SamplesLike) -> None:
    """Raise InputError where both are pandas objects whose indices differ: rows are paired by position."""
    indices = [getattr(side, "index", None) for side in (x, y)]
    if all(hasattr(index, "equals") for index in indices) and not indices[0].equals(indices[1]):  # type: ignore[union-attr]
        raise InputError(
            "x and y have different indices, but rows are paired by position: align them, or give x.to_numpy() and "
            "y.to_numpy() if their order is right"
        )


def _array(name: str, given: SamplesLike) -> NDArray[Any]:
    if isinstance(given, Tensor):
        if given.dtype != torch.bool:
            check_tensor(given)
        tensor = given.detach().cpu().resolve_neg()
        return tensor.double().numpy() if tensor.is_floating_point() else tensor.numpy()
    if isinstance(given, np.ma.MaskedArray):
        raise InputError(f"{name} is a masked array; give the samples that count (.compressed())")
    try:
        array = np.asarray(given)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} cannot be read as one array of numbers: {error}") from error
    if array.dtype.kind not in "biuf":
        raise InputError(
            f"{name} has entries of type {array.dtype}; real numbers are needed: floats for quantities, integers for "
            "labels (np.unique(names, return_inverse=True)[1] turns names into integers)"
        )
    return array
