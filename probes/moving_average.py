"""Exponential moving average of weights, free of the bias towards its start (Kingma & Ba 2015, section 3).

    a_t = d a_(t-1) + (1 - d) w_t,  a_0 = 0;   average = a_t / (1 - d^t)

computed as average += r_t (w_t - average) with r_t = (1 - d) / (1 - d^t), which is the same: the first step copies.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = Sequence[Tensor]


def averaged_copy(module: nn.Module, decay: float) -> AveragedModel:
    """Return a copy of `module` whose ``update_parameters(module)`` averages; ``.module`` is the averaged one.

    Parameters
    ----------
    module : torch.nn.Module
        Copied at once; parameters alone are averaged.
    decay : float
        d, 0 < d < 1.
    """
    return AveragedModel(module, multi_avg_fn=_debiased(decay))


def rate_of_step(decay: float, step: Tensor) -> Tensor:
    """Return r_t of step t >= 1; of any shape, that of `step`."""
    return (1 - decay) / (1 - decay**step)


def _debiased(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    @torch.no_grad()
    def update(averages: Tensors, values: Tensors, seen: Tensor | int) -> None:
        rate = rate_of_step(decay, torch.as_tensor(seen, dtype=torch.float64) + 1)
        for average, value in zip(averages, values, strict=True):
            average.lerp_(value, rate.to(average))

    return update
