"""A short name for the exact content of a data set, for `infoplane.record(..., data=)`."""

import hashlib

import numpy as np
import numpy.typing as npt
import torch

from infoplane.analysis.errors import InputError


def fingerprint(*arrays: torch.Tensor | npt.ArrayLike) -> str:
    """Return the SHA-256 over dtype, shape and values of some arrays, in this order.

    It depends on neither the device, the layout in memory, nor the byte order of the machine.

    Parameters
    ----------
    *arrays : torch.Tensor or array_like
        Such as inputs and labels, of training and of held-out data; each of any shape, numbers or truth values.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InputError
        When one is something else.

    Examples
    --------
    >>> import infoplane as ip
    >>> ip.datasets.fingerprint([[0.0, 1.0]], [3])[:8]
    '097b7692'
    """
    digest = hashlib.sha256()
    for array in arrays:
        values = array.detach().cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)
        if values.dtype.kind not in "biufc":
            raise InputError(f"an array of dtype {values.dtype} has no fingerprint: numbers are accepted")
        digest.update(f"{values.dtype.name} {values.shape}\n".encode())
        digest.update(np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
