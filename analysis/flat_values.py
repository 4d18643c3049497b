"""Real numbers in any wrapping to one flat array: the input check of sketches and divergences."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from infoplane.analysis.errors import InputError


def flat_values(values: torch.Tensor | npt.ArrayLike) -> npt.NDArray[Any]:
    """Return the values as a flat array on the host, without a copy where memory and dtype allow.

    Parameters
    ----------
    values : torch.Tensor or array_like
        Any shape, any real floating or integer dtype, any device; gradients are ignored.

    Returns
    -------
    array, shape (n,)
        Of the same dtype, but float32 for the torch types that numpy lacks and for half precision. The order
        is that of memory.

    Raises
    ------
    InputError
        If the values are complex, boolean, no numbers, masked, sparse, quantized, or on the meta device.
    """
    if isinstance(values, torch.Tensor):
        check_tensor(values)
        tensor = values.detach().cpu().resolve_neg()
        if tensor.is_floating_point() and tensor.dtype != torch.float64:
            tensor = tensor.to(torch.float32)
        return tensor.numpy().ravel(order="K")
    if isinstance(values, np.ma.MaskedArray):
        raise InputError("values are a masked array; give the numbers that count (.compressed())")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InputError(f"values cannot be read as one array of numbers: {error}") from error
    if array.dtype.kind not in "fiu":
        raise InputError(f"values have dtype {array.dtype}; real numbers are needed (floating or integer)")
    return array.ravel(order="K")


def check_tensor(tensor: torch.Tensor) -> None:
    """Raise InputError unless the tensor holds dense real numbers."""
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise InputError(f"values have dtype {tensor.dtype}; real numbers are needed (floating or integer)")
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise InputError("values are a sparse or quantized tensor; give a dense one (.to_dense(), .dequantize())")
    if tensor.is_meta:
        raise InputError("values are on the meta device, which holds no numbers; give a tensor with data")
