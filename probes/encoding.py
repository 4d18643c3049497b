"""From an encoder's 2N outputs to the normal code p(z|x) = N(m, diag(s^2)), and its divergence from N(0, I).

The first N outputs are the mean, the second N, rho, give the deviation: s = softplus(rho - 5) as in the published VIB
code (Alemi et al. 2017), or s = exp(rho / 2). ln s is kept beside s, which underflows long before ln s is large.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoplane.analysis.bounds import gaussian_kl

STD_SHIFT = 5.0
_STRAIGHT = -15.0  # below it ln softplus(x) is x, to 2e-7


class Encoded(NamedTuple):
    """The codes of n inputs: mean, standard deviation and its natural logarithm, each of shape (n, N)."""

    mean: Tensor
    std: Tensor
    log_std: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Return mean + s * noise, shape (n, N)."""
        return torch.addcmul(self.mean, self.std, noise)

    def divergence(self) -> Tensor:
        """Return KL(p(z|x) || N(0, I)) in nats, shape (n,)."""
        return gaussian_kl(self.mean, self.log_std)

    def divergence_of_dimensions(self) -> Tensor:
        """Return the divergence of each dimension in nats, summed over the inputs, shape (N,)."""
        return gaussian_kl(self.mean.T, self.log_std.T)  # that of independent dimensions is a sum over them


def encoded(outputs: Tensor, std: str) -> Encoded:
    """Return the codes that an encoder's outputs stand for, differentiably.

    Parameters
    ----------
    outputs : torch.Tensor
        Shape (n, 2N): means and rho side by side.
    std : {"softplus", "log_variance"}
        s = softplus(rho - 5), or s = exp(rho / 2).
    """
    mean, rho = outputs.chunk(2, dim=1)
    if std == "log_variance":
        return Encoded(mean, (rho / 2).exp(), rho / 2)
    x = rho - STD_SHIFT
    log_std = torch.where(x > _STRAIGHT, functional.softplus(x.clamp(min=_STRAIGHT)).log(), x)
    return Encoded(mean, functional.softplus(x), log_std)


class LearnedPrior(nn.Module):
    """A diagonal normal r(z) that is trained with the encoder; it starts as N(0, I).

    Called on codes it returns them in coordinates where it is N(0, I): divergences do not depend on coordinates.

    Parameters
    ----------
    latent : int
        N.
    """

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(latent, dtype=torch.float32))
        self.log_std = nn.Parameter(torch.zeros(latent, dtype=torch.float32))

    def forward(self, code: Encoded) -> Encoded:
        """Return the codes relative to the prior."""
        shrink = (-self.log_std).exp()
        return Encoded((code.mean - self.mean) * shrink, code.std * shrink, code.log_std - self.log_std)
