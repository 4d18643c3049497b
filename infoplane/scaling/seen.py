"""What drove the neurons of a layer in one forward, one row per neuron layer and position (Eq. 15 with real inputs).

A linear layer sees one row per input and token; a convolution one patch per input and output position, padding
included, all channels side by side; a recurrent layer or cell one row (x, h) per input and time step. Rows are taken by
their number, so that not one more is ever copied than is kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from infoplane.analysis.errors import InputError


@dataclass(frozen=True)
class Seen:
    """So many rows on a device, and a function that returns those of given numbers, shape ``(k, fan_in)``."""

    count: int
    device: torch.device
    pick: Callable[[Tensor], Tensor]


def seen_by(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> Seen:
    """Return what the neurons of a module saw in the forward with these arguments and this output.

    Raises
    ------
    InputError
        A recurrent module has several layers, so that what is inside of it is not seen from outside.
    """
    given = args[0] if args else kwargs["input"]
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return _patches(module, given)
    if isinstance(module, nn.RNNCellBase):
        state = args[1] if len(args) > 1 else kwargs.get("hx")
        return _of_cell(module, given, state)
    if isinstance(module, nn.RNNBase):
        check_recurrent(name, module)
        state = args[1] if len(args) > 1 else kwargs.get("hx")
        return _of_sequence(module, given, state, output[0])
    rows = given.detach().flatten(0, -2) if given.ndim > 1 else given.detach()[None]
    return Seen(len(rows), rows.device, lambda numbers: rows[numbers])


def check_recurrent(name: str, module: nn.Module) -> None:
    """Raise InputError for a recurrent module whose hidden states cannot be seen from outside."""
    if isinstance(module, nn.RNNBase) and (module.num_layers > 1 or module.bidirectional):
        raise InputError(
            f"source='data' cannot see between the {module.num_layers} layers or two directions of {name!r}, which "
            "torch runs as one function; use source='probe', or one module for each layer"
        )


def _patches(conv: nn.Conv1d | nn.Conv2d | nn.Conv3d, given: Tensor) -> Seen:
    images = given.detach()
    dimensions = len(conv.kernel_size)
    if images.ndim == dimensions + 1:
        images = images[None]
    sizes = tuple(images.shape[2:])
    # Padding on the left of each dimension, and how many positions there are.
    reach = [d * (k - 1) for d, k in zip(conv.dilation, conv.kernel_size, strict=True)]
    if isinstance(conv.padding, str):
        total = reach if conv.padding == "same" else [0] * dimensions
        left, both = [t // 2 for t in total], total
    else:
        left, both = [int(p) for p in conv.padding], [2 * int(p) for p in conv.padding]
    counts = [
        (size + pad - far - 1) // stride + 1
        for size, pad, far, stride in zip(sizes, both, reach, conv.stride, strict=True)
    ]
    positions = prod(counts)
    offsets = torch.tensor(list(product(*(range(k) for k in conv.kernel_size))), device=images.device)

    def pick(numbers: Tensor) -> Tensor:
        image, position = numbers // positions, numbers % positions
        index = torch.zeros(len(numbers), len(offsets), dtype=torch.long, device=images.device)
        is_inside = torch.ones_like(index, dtype=torch.bool)
        for axis in range(dimensions):
            at = position // prod(counts[axis + 1 :]) % counts[axis]
            place = at[:, None] * conv.stride[axis] - left[axis] + offsets[:, axis] * conv.dilation[axis]
            place, inside = _within(place, sizes[axis], conv.padding_mode)
            index, is_inside = index * sizes[axis] + place, is_inside & inside
        pixels = images.flatten(2)[
            image[:, None, None], torch.arange(images.shape[1], device=images.device)[:, None], index[:, None]
        ]
        return (pixels * is_inside[:, None]).flatten(1)

    return Seen(len(images) * positions, images.device, pick)


def _within(place: Tensor, size: int, mode: str) -> tuple[Tensor, Tensor]:
    """Return where padding takes a place outside of the image from, and which places have a value at all."""
    inside = (place >= 0) & (place < size)
    if mode == "circular":
        return place % size, torch.ones_like(inside)
    if mode == "reflect":
        folded = place.abs()
        return torch.where(folded >= size, 2 * (size - 1) - folded, folded), torch.ones_like(inside)
    return place.clamp(0, size - 1), torch.ones_like(inside) if mode == "replicate" else inside


def _of_cell(cell: nn.RNNCellBase, given: Tensor, state: Any) -> Seen:
    x = given.detach().reshape(-1, cell.input_size)
    former = state[0] if isinstance(state, tuple) else state
    h = x.new_zeros(len(x), cell.hidden_size) if former is None else former.detach().reshape(len(x), -1)
    return Seen(len(x), x.device, lambda numbers: torch.cat([x[numbers], h[numbers]], dim=1))


def _of_sequence(module: nn.RNNBase, given: Any, state: Any, output: Any) -> Seen:
    lengths: Tensor | None = None
    former = state[0] if isinstance(state, tuple) else state
    if isinstance(given, PackedSequence):
        # Former states are given in the order of the batch before it was sorted, as padding gives it back.
        x, lengths = pad_packed_sequence(given)
        out, _ = pad_packed_sequence(output)
    else:
        batched = given.ndim == 3
        x, out = (given, output) if batched else (given[:, None], output[:, None])
        former = former if batched or former is None else former[:, None]
        if batched and module.batch_first:
            x, out = x.transpose(0, 1), out.transpose(0, 1)
    x, out = x.detach(), out.detach()
    steps, batch = x.shape[:2]
    start = out.new_zeros(1, batch, out.shape[2]) if former is None else former.detach().to(out)
    h = torch.cat([start, out[:-1]])
    if lengths is None:
        return Seen(
            steps * batch,
            x.device,
            lambda numbers: torch.cat([x[numbers // batch, numbers % batch], h[numbers // batch, numbers % batch]], 1),
        )
    # (step, input) of every step that is no padding
    at = (torch.arange(steps)[:, None] < lengths[None, :]).nonzero().to(x.device)
    return Seen(len(at), x.device, lambda numbers: torch.cat([x[tuple(at[numbers].T)], h[tuple(at[numbers].T)]], dim=1))
