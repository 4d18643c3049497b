"""Small networks with weights from a generator of their own: torch's global random state is not touched."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init


def linear(
    inputs: int, outputs: int, generator: torch.Generator, *, scale: float = 1.0, bias: bool = True
) -> nn.Linear:
    """Return a layer whose weights and biases are uniform within ``scale / sqrt(inputs)``.

    Parameters
    ----------
    inputs, outputs : int
        Widths.
    generator : torch.Generator
        From which the weights are drawn.
    scale : float
        0 gives a layer that returns 0 until it has learned.
    bias : bool
        Whether there is a constant term.

    Returns
    -------
    torch.nn.Linear
        In float32 on the CPU, whatever torch's defaults are.
    """
    layer: nn.Linear = skip_init(nn.Linear, inputs, outputs, bias=bias, device="cpu", dtype=torch.float32)
    bound = scale / math.sqrt(inputs)
    with torch.no_grad():
        for values in layer.parameters():
            values.uniform_(-bound, bound, generator=generator)
    return layer


class FeedForward(nn.Module):
    """Layers with SiLU between them, beside a linear map from the inputs to the outputs.

    What is linear is found in a few steps and does not have to be built from bent pieces. `scale` is that of the last
    weights; with 0 it returns 0 before training.
    """

    def __init__(self, widths: Sequence[int], generator: torch.Generator, *, scale: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths[:-1]):
            layers += [linear(inputs, outputs, generator), nn.SiLU()]
        self.bent = nn.Sequential(*layers, linear(widths[-2], widths[-1], generator, scale=scale))
        self.straight = linear(widths[0], widths[-1], generator, scale=scale, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs of shape (n, widths[-1]) for inputs of shape (n, widths[0])."""
        found: Tensor = self.bent(x) + self.straight(x)
        return found
