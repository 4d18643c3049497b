"""A density q(y|x) on d dimensions: a mixture of normal laws whose weights, means and deviations a network gives.

    q(y|x) = sum_k w_k(x) N(L y; m_k(x), diag s_k^2(x))

with L unit lower triangular, learned and the same for all x, so that a normal law of any covariance is in the family
(mixture density network, Bishop 1994).
"""

import math

import torch
from torch import Tensor, nn

from infoplane.analysis.estimators.feed_forward import FeedForward

_COMPONENTS = 8  # for one dimension; fewer for more, down to two, because each has its own means and deviations
_LEAST_LOG_STD = -7.0  # a component cannot shrink onto one sample or tie and take the likelihood to infinity


class MixtureDensity(nn.Module):
    """q(y|x) for x of dx and y of dy dimensions, with weights from `generator`."""

    def __init__(self, dx: int, dy: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.components = max(2, _COMPONENTS // dy)
        self.laws = FeedForward((dx, hidden, hidden, self.components * (2 * dy + 1)), generator)
        # Components that start alike would stay alike.
        start = torch.randn(self.components, dy, generator=generator, device="cpu", dtype=torch.float32)
        self.start = nn.Parameter(0.5 * start)
        self.below = nn.Parameter(torch.zeros(dy, dy, device="cpu", dtype=torch.float32))

    def own(self, x: Tensor, y: Tensor) -> Tensor:
        """Return log q(y_i | x_i), shape (n,), in nats, for x of shape (n, dx) and y of shape (n, dy)."""
        n, dy = y.shape
        k = self.components
        weights, means, log_stds = self.laws(x).split((k, k * dy, k * dy), dim=1)
        straight = y + y @ self.below.tril(-1).T
        log_stds = log_stds.view(n, k, dy).clamp(min=_LEAST_LOG_STD)
        scaled = (straight[:, None] - self.start - means.view(n, k, dy)) * (-log_stds).exp()
        parts = -(0.5 * scaled.square() + log_stds).sum(2) - 0.5 * dy * math.log(2 * math.pi)
        return torch.logsumexp(parts + nn.functional.log_softmax(weights, dim=1), dim=1)
