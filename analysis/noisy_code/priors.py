"""Laws of z that a code's rate is taken against: standard normal, full-covariance normal, mixture of other codes.

The rate E KL(p(z|x) || r) is I(Z;X) + KL(p(z) || r): any law r that does not depend on the inputs measured gives an
upper bound, and a better one the nearer r is to the code's own marginal p(z).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from infoplane.analysis.bounds import gaussian_kl
from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.generator import own_generator
from infoplane.analysis.log_sum_exp import log_sum_exp
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.scaled_squares import scaled_squares

Floats = NDArray[np.float64]


class Prior(Protocol):
    """A law r(z)."""

    @property
    def description(self) -> Mapping[str, Any]:
        """What stands beside a rate: ``prior`` and its own parameters."""
        ...

    def divergences(self, code: GaussianCode) -> Floats:
        """Return KL(p(z|x_i) || r) of every input, shape (n,), in nats."""
        ...


@dataclass(frozen=True)
class StandardNormal:
    """r = N(0, I), the prior of the VIB objective (Alemi et al. 2017); closed form."""

    @property
    def description(self) -> Mapping[str, Any]:
        """What stands beside a rate."""
        return {"prior": "standard normal"}

    def divergences(self, code: GaussianCode) -> Floats:
        """Return KL(p(z|x_i) || N(0, I)), shape (n,), in nats."""
        kl: Floats = gaussian_kl(torch.from_numpy(code.mean), torch.from_numpy(code.log_std)).numpy()
        return kl


@dataclass(frozen=True, eq=False)
class MomentNormal:
    """r = N(mean, covariance) with the moments of a code's marginal: no other normal is nearer to it; closed form.

    Attributes
    ----------
    code : GaussianCode
        Whose marginal 1/n sum_j p(z|x_j) gives the moments: mean of m_j, covariance of m_j plus mean of diag(s_j^2).
        With training inputs the rate bounds I(Z;X) from above under the law of the inputs; with the measured inputs
        themselves it does so only for X uniform on these.
    """

    code: GaussianCode

    @property
    def description(self) -> Mapping[str, Any]:
        """What stands beside a rate."""
        return {"prior": "moment normal", "prior_inputs": self.code.n}

    def divergences(self, code: GaussianCode) -> Floats:
        """Return KL(p(z|x_i) || r), shape (n,), in nats; InputError when the dimensions differ."""
        _same_dimensions(self.code, code)
        mean = self.code.mean.mean(axis=0)
        centred, std = self.code.mean - mean, np.exp(self.code.log_std)
        root = np.linalg.cholesky(centred.T @ centred / self.code.n + np.diag((std * std).mean(axis=0)))
        inverse = solve_triangular(root, np.eye(code.dimensions), lower=True)
        traces = np.exp(2 * code.log_std) @ (inverse * inverse).sum(axis=0)
        distances = (((code.mean - mean) @ inverse.T) ** 2).sum(axis=1)
        log_volumes = np.log(np.diag(root)).sum() - code.log_std.sum(axis=1)
        kl: Floats = 0.5 * (traces + distances - code.dimensions) + log_volumes
        return kl


@dataclass(frozen=True, eq=False)
class Mixture:
    """r = 1/m sum_j p(z|x_j) over the codes of other inputs, as those of the training set; by draws of z.

    Attributes
    ----------
    code : GaussianCode
        Of the m other inputs.
    draws : int
        Draws of z per measured input.
    seed : int
        Of the draws.
    """

    code: GaussianCode
    draws: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("draws", self.draws, least=1)
        whole_number("seed", self.seed, least=0)

    @property
    def description(self) -> Mapping[str, Any]:
        """What stands beside a rate."""
        return {"prior": "mixture of codes", "prior_inputs": self.code.n, "draws": self.draws, "seed": self.seed}

    def divergences(self, code: GaussianCode) -> Floats:
        """Return draws' means of log p(z|x_i) / r(z), shape (n,), in nats.

        Raises
        ------
        InputError
            When the dimensions differ, or the mixture is of the measured inputs themselves: that bounds I(Z;X) from
            below, not from above.
        """
        _same_dimensions(self.code, code)
        if np.array_equal(self.code.mean, code.mean) and np.array_equal(self.code.log_std, code.log_std):
            raise InputError(
                "the mixture holds the very inputs whose rate is asked for, and their rate against it is a lower bound "
                "on I(Z;X), not an upper one: give the codes of other inputs, or take sandwich(code)"
            )
        rng = own_generator(self.seed)
        std, log_scale = np.exp(code.log_std), self.code.log_std.sum(axis=1)
        total = np.zeros(code.n)
        for _ in range(self.draws):
            noise = rng.standard_normal(code.mean.shape)
            own = -0.5 * (noise * noise).sum(axis=1) - code.log_std.sum(axis=1)
            for rows, q in scaled_squares(code.mean, self.code, noise=std * noise):
                total[rows] += own[rows] - log_sum_exp(-0.5 * q - log_scale) + np.log(self.code.n)
        return total / self.draws


def _same_dimensions(prior: GaussianCode, code: GaussianCode) -> None:
    if prior.dimensions != code.dimensions:
        raise InputError(
            f"the prior's codes have {prior.dimensions} dimensions and the measured ones {code.dimensions}"
        )
