"""A small network that learns what a fitted family leaves unexplained of the log-ratio.

    T(x, y) = T_base(x, y) + alpha [f(x) . g(y) / sqrt(e) + a(x) + b(y)]

with two perceptrons (f, a) and (g, b) on the normal scores of x and y, trained to maximise the contrastive bound of
`contrast` over the pairs of a batch (van den Oord et al. 2018), AdamW and a one-cycle rate. The checkpoint and the
shrinkage alpha in [0, 1] are those that score best on samples kept aside, alpha = 0 among them: where the network finds
nothing, the base stays as it is.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor
from torch.nn import functional

from infoplane.analysis.estimators.contrast import contrast
from infoplane.analysis.estimators.elliptical_critic import EllipticalCritic
from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.estimators.normal_scores import Ranking
from infoplane.analysis.generator import own_generator

_WIDTH, _DEPTH, _CODE = 64, 3, 16
_STEPS, _BATCH, _RATE, _DECAY = 300, 256, 1e-2, 0.05
_CHECKS = 6
_SHRINKAGES = (0.0, 0.25, 0.5, 0.75, 1.0)
Weights = list[Tensor]


@dataclass(frozen=True, eq=False)
class ResidualCritic:
    """A base with what a network adds.

    Attributes
    ----------
    base : EllipticalCritic
        A fitted family.
    margin_x, margin_y : Ranking
        Ranks among the samples it was fitted to.
    weights_x, weights_y : list of torch.Tensor
        Weights and offsets of the two perceptrons, layer by layer.
    shrinkage : float
        alpha.
    """

    base: EllipticalCritic
    margin_x: Ranking
    margin_y: Ranking
    weights_x: Weights
    weights_y: Weights
    shrinkage: float

    def log_ratios(self, x: Floats, y: Floats) -> Floats:
        """Return T(x_i, y_j), shape (m, m), in nats up to one constant."""
        ratios = self.base.log_ratios(x, y)
        if not self.shrinkage:
            return ratios
        with torch.no_grad():
            sides = (_single(ndtri(m.shares(side))) for m, side in ((self.margin_x, x), (self.margin_y, y)))
            added = _added(_perceptron(next(sides), self.weights_x), _perceptron(next(sides), self.weights_y))
        return ratios + self.shrinkage * added.double().numpy()


def fit_residual(x: Floats, y: Floats, base: EllipticalCritic, *, aside: int, seed: int) -> ResidualCritic:
    """Return a critic that starts from `base` and learns the rest.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (n, dx) and (n, dy), those that the base was fitted to.
    base : EllipticalCritic
        A fitted family.
    aside : int
        How many of the samples, the last ones, choose the checkpoint and the shrinkage.
    seed : int
        Of the weights and the batches.
    """
    margins = Ranking.of(x), Ranking.of(y)
    mapped = base.margin_x(x), base.margin_y(y)
    u, v = (_single(ndtri(margin.shares(side))) for margin, side in zip(margins, (x, y), strict=True))
    m = len(x) - aside
    rng = own_generator(seed)
    weights = [_initial(side.shape[1], rng) for side in (u, v)]
    optimiser = torch.optim.AdamW([w for side in weights for w in side], lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS)
    explained = base.of_mapped(mapped[0][m:], mapped[1][m:])
    best_score, best = float(contrast(explained).mean()), ResidualCritic(base, *margins, *_copies(weights), 0.0)
    for step in range(1, _STEPS + 1):
        batch = rng.choice(m, min(_BATCH, m), replace=False)
        ratios = _added(_perceptron(u[batch], weights[0]), _perceptron(v[batch], weights[1]))
        ratios = ratios + _single(base.of_mapped(mapped[0][batch], mapped[1][batch]))
        loss = (torch.logsumexp(ratios, 0) + torch.logsumexp(ratios, 1)).mean() / 2 - ratios.diagonal().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % (_STEPS // _CHECKS) == 0:
            with torch.no_grad():
                added = _added(_perceptron(u[m:], weights[0]), _perceptron(v[m:], weights[1])).double().numpy()
            score, alpha = max((float(contrast(explained + a * added).mean()), a) for a in _SHRINKAGES)
            if score > best_score:
                best_score, best = score, ResidualCritic(base, *margins, *_copies(weights), alpha)
    return best


def _copies(weights: Sequence[Weights]) -> tuple[Weights, Weights]:
    x, y = ([tensor.detach().clone() for tensor in side] for side in weights)
    return x, y


def _single(values: Floats) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _initial(columns: int, rng: np.random.Generator) -> Weights:
    """Return weights of variance 1/inputs and offsets of 0, the last layer small: T starts near its base."""
    sizes = [columns] + [_WIDTH] * _DEPTH + [_CODE + 1]
    tensors = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        scale = (0.3 if i == _DEPTH else 1.0) / np.sqrt(inputs)
        tensors += [_single(scale * rng.standard_normal((outputs, inputs))), torch.zeros(outputs)]
    return [tensor.requires_grad_() for tensor in tensors]


def _perceptron(values: Tensor, weights: Sequence[Tensor]) -> Tensor:
    for i in range(0, len(weights), 2):
        values = functional.linear(values if i == 0 else functional.silu(values), weights[i], weights[i + 1])
    return values


def _added(f: Tensor, g: Tensor) -> Tensor:
    """Return f(x_i) . g(y_j) / sqrt(e) + a(x_i) + b(y_j)."""
    return f[:, :-1] @ g[:, :-1].T / math.sqrt(_CODE) + f[:, -1:] + g[:, -1:].T
