"""What the network itself says of the label, where its output can be read as that.

Of classes the output is C scores per input: logits, or probabilities that are told by their sums. Of real labels it is
k predicted numbers per input. It is the output itself, the ``logits`` of a mapping or an object that has them (Hugging
Face), or the first tensor of that shape in a tuple.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from infoplane.probes.errors import CaptureError
from infoplane.probes.target import ClassTarget, Target


def output_scores(output: Any, target: Target) -> str:
    """Say what a network's output is.

    Parameters
    ----------
    output : object
        What its forward returned.
    target : Target
        What the label is.

    Returns
    -------
    str
        ``"logits"``, ``"probabilities"``, ``"values"`` of real labels, or ``""`` where it is none of them.
    """
    tensor = score_tensor(output, target.decoder_width)
    if tensor is None:
        return ""
    if not isinstance(target, ClassTarget):
        return "values"
    values = tensor.detach().float()
    within = max(1e-3, torch.finfo(tensor.dtype).eps)  # half precision rounds each of them
    sums_to_one = bool((values.sum(dim=1) - 1).abs().max() < within) if len(values) else False
    return "probabilities" if sums_to_one and bool((values >= 0).all()) else "logits"


def read_output(output: Any, target: Target, scores: str) -> Tensor:
    """Return ln q(y|x) of shape (n, C), or the predictions (n, k), in float32.

    Parameters
    ----------
    output : object
        What the network's forward returned.
    target : Target
        What the label is.
    scores : str
        As `output_scores` said of an earlier output; not ``""``.

    Raises
    ------
    CaptureError
        When this output is another one.
    """
    tensor = score_tensor(output, target.decoder_width)
    if tensor is None:
        raise CaptureError(
            f"the network's output was an (n, {target.decoder_width}) tensor in training, but is none in evaluation"
        )
    values = tensor.detach().float()
    if scores == "values":
        return values
    return values.log() if scores == "probabilities" else values.log_softmax(dim=1)


def score_tensor(output: Any, width: int) -> Tensor | None:
    """Return the tensor of shape (n, width) in what a network returned, or None; (n,) is a column of width 1."""
    for candidate in _candidates(output):
        if isinstance(candidate, Tensor) and torch.is_floating_point(candidate):
            column = candidate[:, None] if candidate.ndim == 1 and width == 1 else candidate
            if column.ndim == 2 and column.shape[1] == width:
                return column
    return None


def _candidates(output: Any) -> Iterator[Any]:
    if isinstance(output, Mapping):
        yield output.get("logits")
    elif hasattr(output, "logits"):
        yield output.logits
    elif isinstance(output, tuple | list):
        yield from output
    else:
        yield output
