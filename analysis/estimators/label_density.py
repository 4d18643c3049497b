"""q(y|x) for labels: the softmax of a network."""

import torch
from torch import Tensor, nn

from infoplane.analysis.estimators.feed_forward import FeedForward


class LabelDensity(nn.Module):
    """q(y|x) for one-hot labels of `classes` classes, with weights from `generator`."""

    def __init__(self, dx: int, classes: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.logits = FeedForward((dx, hidden, hidden, classes), generator)

    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log q(y_j | x_i), shape (m, n), in nats."""
        return nn.functional.log_softmax(self.logits(x), dim=1) @ y.T

    def own(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log q(y_i | x_i), shape (n,), in nats."""
        return (nn.functional.log_softmax(self.logits(x), dim=1) * y).sum(1)
