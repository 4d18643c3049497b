"""A noisy code known in closed form: p(z|x_i) = N(m_i, diag(s_i^2)) of n inputs in N dimensions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError

Floats = NDArray[np.float64]
_LARGEST = 100.0  # of |ln s|, and
_FARTHEST = 1e60  # of |m|: beyond them (m / s)^2 leaves the range of floats


@dataclass(frozen=True, eq=False, init=False)
class GaussianCode:
    """The normals p(z|x_i) that an encoder gives n inputs; not how inputs came about, and no draw of z.

    Attributes
    ----------
    mean, log_std : torch.Tensor or array_like
        Shape (n, N) each: m_i and ln s_i (natural logarithm). Kept as float64 arrays.

    Raises
    ------
    InputError
        When the shapes differ or are not two-dimensional, there is no input or dimension, or a value is not finite.

    Examples
    --------
    >>> code = GaussianCode([[0.0], [1.0]], [[-1.0], [-1.0]])
    >>> code.n, code.dimensions
    (2, 1)
    """

    mean: Floats
    log_std: Floats

    def __init__(self, mean: Tensor | ArrayLike, log_std: Tensor | ArrayLike) -> None:
        object.__setattr__(self, "mean", _array("mean", mean))
        object.__setattr__(self, "log_std", _array("log_std", log_std))
        if self.mean.shape != self.log_std.shape or self.mean.ndim != 2 or not self.mean.size:
            raise InputError(
                f"mean has shape {self.mean.shape} and log_std {self.log_std.shape}, but both must be "
                "(inputs, dimensions), with at least one of each"
            )
        # NaN fails these comparisons too.
        if not (np.abs(self.mean) <= _FARTHEST).all():
            raise InputError(f"mean has values that are not finite or beyond {_FARTHEST:g}, of which no code is made")
        if not (np.abs(self.log_std) <= _LARGEST).all():
            raise InputError(
                f"log_std runs from {self.log_std.min():g} to {self.log_std.max():g}, but the logarithm of a standard "
                f"deviation lies in -{_LARGEST:g} .. {_LARGEST:g}; a code without noise has no finite information"
            )

    @property
    def n(self) -> int:
        """Number of inputs."""
        return len(self.mean)

    @property
    def dimensions(self) -> int:
        """N, dimensions of z."""
        return int(self.mean.shape[1])

    def take(self, which: ArrayLike) -> "GaussianCode":
        """Return the code of some inputs, chosen by booleans or indices, as the inputs of one class."""
        chosen = np.asarray(which)
        return GaussianCode(self.mean[chosen], self.log_std[chosen])


def _array(name: str, values: Tensor | ArrayLike) -> Floats:
    try:
        array = np.asarray(values.detach().cpu().double() if isinstance(values, Tensor) else values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} cannot be read as an array of numbers ({error})") from error
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} has entries of type {array.dtype}, but a code is given by real numbers")
    return array.astype(np.float64)
