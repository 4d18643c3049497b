"""Recorder of raw activations: the codes of a fixed random subset of the held-out inputs, at every site.

They are for estimators that need samples (`infoplane.analysis.estimators`). Each measurement has the codes of the same
inputs in the same order, so that rows of two sites, two measurements or two runs belong together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError, whole_number
from infoplane.probes.subset import Kept, Subset


@dataclass(frozen=True, eq=False)
class RawActivations:
    """Codes of m inputs.

    Attributes
    ----------
    positions : numpy.ndarray
        Shape (m,), int64, ascending: which inputs of the held-out pass.
    labels : numpy.ndarray
        Shape (m,) or (m, k), as they were given.
    values : dict of str to numpy.ndarray
        By site, shape (m, d) each, float32, in the unit of the activation.
    """

    positions: NDArray[np.int64]
    labels: NDArray[Any]
    values: dict[str, NDArray[np.float32]]


class RawRecorder:
    """Collects one measurement's raw activations; memory is that of two subsets at most. Picklable.

    Parameters
    ----------
    size : int
        Inputs to keep.
    limit_bytes : int
        Most bytes that the codes of one measurement may take.
    seed : int
        Of the subset: the same for every measurement and process.
    """

    def __init__(self, size: int, limit_bytes: int, seed: int = 0) -> None:
        self.limit_bytes = whole_number("limit_bytes", limit_bytes, least=1)
        subset = Subset(size, seed)
        self.size = size
        self._labels, self._codes = Kept(subset), Kept(subset)

    def row_bytes(self, widths: Mapping[str, int]) -> int:
        """Return the bytes of one measurement, given the features of every site's code."""
        return 4 * self.size * sum(widths.values())

    def check(self, widths: Mapping[str, int]) -> None:
        """Raise InputError where a single measurement would exceed the limit; `widths` as for `row_bytes`."""
        needed = self.row_bytes(widths)
        if needed > self.limit_bytes:
            raise InputError(
                f"the raw activations of {self.size:,} inputs take {needed:,} bytes at every measurement, above the "
                f"limit of {self.limit_bytes:,}: keep fewer inputs or sites, reduce to fewer features "
                "(reduce='projection-64'), or raise the limit"
            )

    def add(self, positions: Tensor, labels: Tensor, codes: Mapping[str, Tensor]) -> None:
        """Add the inputs of one batch.

        Parameters
        ----------
        positions : torch.Tensor
            Shape (n,): where the inputs are in the held-out pass, each once.
        labels : torch.Tensor
            Shape (n,) or (n, k).
        codes : mapping of str to torch.Tensor
            By site, shape (n, d) each; the same sites at every call.

        Raises
        ------
        InputError
            When a single measurement would exceed the limit, or shapes or sites do not fit.
        """
        self.check({site: code.shape[1] for site, code in codes.items()})
        self._labels.add(positions, labels=labels)
        self._codes.add(positions, **codes)

    def merge(self, other: "RawRecorder") -> None:
        """Add what another process collected, which stays as it is; InputError when its subset or sites differ."""
        if not isinstance(other, RawRecorder):
            raise InputError(f"raw activations cannot be merged with a {type(other).__name__}")
        self._labels.merge(other._labels)
        self._codes.merge(other._codes)

    def result(self) -> RawActivations:
        """Return what has been collected, in the order of positions; InputError when nothing has."""
        values = self._codes.arrays()
        if not values:
            raise InputError("there are no raw activations: add the inputs of at least one batch")
        return RawActivations(self._codes.positions(), self._labels.arrays()["labels"], values)
