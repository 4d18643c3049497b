"""The critic of the neural estimators: a network that scores pairs, T(x, y) for log p(x, y) / (p(x) p(y)).

    T(x, y) = w . s(B s(A_x x + A_y y + a) + b) + (U x) . (V y) / sqrt(32) + c,    s = SiLU

The first part sees the pair as one input, so that it can follow a narrow ridge in few dimensions, where an inner
product of two networks fails; the second holds the correlations of many dimensions in few weights. It starts at T = 0.
"""

import math

import torch
from torch import Tensor, nn

from infoplane.analysis.estimators.feed_forward import linear
from infoplane.analysis.estimators.three_parts import Part

_CODE = 32  # rank of the bilinear part
_PAIRS = 2**17  # scored at a time


class Critic(nn.Module):
    """A critic of pairs of dx and dy dimensions, with weights from `generator`."""

    def __init__(self, dx: int, dy: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.of_x = linear(dx, hidden, generator)
        self.of_y = linear(dy, hidden, generator, bias=False)
        self.middle = linear(hidden, hidden, generator)
        self.last = linear(hidden, 1, generator, scale=0)
        self.code_x = linear(dx, _CODE, generator, bias=False)
        self.code_y = linear(dy, _CODE, generator, scale=0, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the scores of all pairs, shape (m, n), for x of shape (m, dx) and y of shape (n, dy)."""
        first = nn.functional.silu(self.of_x(x)[:, None] + self.of_y(y)[None])
        second = nn.functional.silu(self.middle(first))
        bent: Tensor = self.last(second)[..., 0]
        straight: Tensor = self.code_x(x) @ self.code_y(y).T / math.sqrt(_CODE)
        return bent + straight


def pair_scores(critic: Critic, part: Part) -> Tensor:
    """Return T(x_i, y_j) of all pairs of a part, shape (n, n), in float64 and without gradient."""
    with torch.no_grad():
        rows = max(1, _PAIRS // len(part))
        blocks = [critic(x, part.y) for x in part.x.split(rows)]
        return torch.cat(blocks).double()
