"""What a loss is computed of: a network's outputs and labels, checked, in at least float32.

torch would broadcast outputs (n, 1) against labels (n,) to n² differences, and would stop an accelerator for good at a
label that is no class. Both are refused here in one sentence.
"""

import torch
from torch import Tensor

from infoplane.analysis.errors import InputError


def class_logits(outputs: object) -> Tensor:
    """Return logits ``(n, classes)`` in at least float32, with their graph.

    Raises
    ------
    InputError
        They are no floating-point tensor of this shape, or there are no rows or fewer than two classes.
    """
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point():
        kind = outputs.dtype if isinstance(outputs, Tensor) else type(outputs).__name__
        raise InputError(f"logits are of type {kind}; accepted: a floating-point torch.Tensor of shape (n, classes)")
    if outputs.ndim != 2 or outputs.shape[0] < 1 or outputs.shape[1] < 2:
        raise InputError(
            f"logits have shape {tuple(outputs.shape)}; accepted: (n, classes) with n >= 1 and classes >= 2"
        )
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))


def class_labels(labels: object, *, n: int, classes: int) -> Tensor:
    """Return classes as int64, shape ``(n,)``.

    Raises
    ------
    InputError
        They are no whole numbers of this shape, or one lies outside 0 .. classes - 1.
    """
    if not isinstance(labels, Tensor) or not _is_whole(labels):
        kind = labels.dtype if isinstance(labels, Tensor) else type(labels).__name__
        raise InputError(f"labels are of type {kind}; accepted: a torch.Tensor of whole numbers, one class per input")
    if labels.shape != (n,):
        raise InputError(f"labels have shape {tuple(labels.shape)}; accepted: one class per row of the logits, ({n},)")
    low, high = (int(end) for end in torch.stack(torch.aminmax(labels)).tolist())
    if low < 0 or high >= classes:
        raise InputError(
            f"a label is {low if low < 0 else high}, but the network has {classes} outputs: classes are "
            f"0 .. {classes - 1}"
        )
    return labels.long()


def real_pair(outputs: object, labels: object) -> tuple[Tensor, Tensor]:
    """Return predictions and real labels, both ``(n, k)`` in at least float32; ``(n,)`` is taken as ``(n, 1)``.

    Raises
    ------
    InputError
        One of them is no floating-point tensor, or the two shapes do not fit.
    """
    for name, values in (("outputs", outputs), ("labels", labels)):
        if not isinstance(values, Tensor) or not values.is_floating_point():
            kind = values.dtype if isinstance(values, Tensor) else type(values).__name__
            raise InputError(f"{name} are of type {kind}; accepted for real labels: a floating-point torch.Tensor")
    assert isinstance(outputs, Tensor)
    assert isinstance(labels, Tensor)
    predictions, real = (values[:, None] if values.ndim == 1 else values for values in (outputs, labels))
    if predictions.shape != real.shape or predictions.ndim != 2 or not predictions.numel():
        raise InputError(
            f"outputs have shape {tuple(outputs.shape)} and real labels {tuple(labels.shape)}; accepted: the same "
            "(n, k) for both, where k = 1 may be left out"
        )
    dtype = torch.promote_types(predictions.dtype, torch.float32)
    return predictions.to(dtype), real.to(dtype)


def _is_whole(labels: Tensor) -> bool:
    return not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
