"""A seeded Gaussian random projection: many features to K, with squared distances kept on average.

    code = features @ G / sqrt(K),    G (features, K) of independent standard normals

E |code(a) - code(b)|^2 = |a - b|^2, with a relative standard deviation of sqrt(2 / K) (Johnson & Lindenstrauss 1984).
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infoplane.analysis.errors import InputError

_STREAM = 0x9801EC7
_MOST_BYTES = 2**30


class GaussianProjection:
    """The projection of one width to K dimensions; the same one for everyone with the same width and K.

    The matrix is drawn from a generator of its own at the first call, and stays out of pickles.

    Parameters
    ----------
    width : int
        Features.
    dimensions : int
        K.

    Raises
    ------
    InputError
        When the matrix would take more than 1 GiB.
    """

    def __init__(self, width: int, dimensions: int) -> None:
        self.width, self.dimensions = width, dimensions
        size = 4 * width * dimensions
        if size > _MOST_BYTES:
            raise InputError(
                f"a projection of {width:,} features to {dimensions:,} dimensions would take {size / 2**30:.1f} GiB; "
                f"at most 1 GiB is accepted: {_MOST_BYTES // (4 * width):,} dimensions here"
            )
        self._matrices: dict[torch.device, Tensor] = {}

    def __call__(self, features: Tensor) -> Tensor:
        """Return the code of n inputs; autocast is off inside.

        Parameters
        ----------
        features : torch.Tensor
            Shape (n, ...), `width` numbers for every input.

        Returns
        -------
        torch.Tensor
            Shape (n, K), float32; differentiable.

        Raises
        ------
        InputError
            When there are more or fewer features.
        """
        flat = features.flatten(1)
        if flat.shape[1] != self.width:
            raise InputError(f"the projection takes {self.width:,} features, but it was given {flat.shape[1]:,}")
        with torch.autocast(features.device.type, enabled=False):
            return flat.float() @ self._matrix(features.device)

    def __getstate__(self) -> dict[str, Any]:
        return {"width": self.width, "dimensions": self.dimensions, "_matrices": {}}

    def _matrix(self, device: torch.device) -> Tensor:
        if device not in self._matrices:
            key = np.random.SeedSequence([_STREAM, self.width, self.dimensions]).generate_state(1, np.uint64)[0]
            # Made inside inference mode, it could not take part in a graph outside of it.
            with torch.inference_mode(False), torch.no_grad():
                generator = torch.Generator().manual_seed(int(key >> np.uint64(1)))
                matrix = torch.empty(self.width, self.dimensions, dtype=torch.float32, device="cpu").normal_(
                    generator=generator
                )
                self._matrices[device] = matrix.div_(math.sqrt(self.dimensions)).to(device)
        return self._matrices[device]
