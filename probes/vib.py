"""The VIB probe: a stochastic encoder and a decoder at one site (Eqs. 8-13; Alemi et al. 2017).

The encoder maps the activation h of a site to a diagonal normal p(z|x) = N(m, s^2) of N dimensions, with
s = softplus(rho - 5); the decoder is one linear layer q(y|z). Its loss is E[-ln q(y|z)] + beta KL(p(z|x) || N(0, I)).
On held-out data the mean divergence is an upper bound on I(Z;X) and H(Y) less the cross-entropy a lower bound on
I(Z;Y), **of the probe's own noisy code Z** and not of the layer.
"""

import math
from dataclasses import dataclass
from numbers import Real

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import skip_init

from infoplane.analysis.bounds import gaussian_kl
from infoplane.analysis.errors import InputError, near_names, whole_number
from infoplane.analysis.noisy_code.code import GaussianCode

MODES = ("observe", "joint")
STD_SHIFT = 5.0


@dataclass(frozen=True, kw_only=True)
class VIBSettings:
    """What stands beside every number of a probe.

    Attributes
    ----------
    mode : {"observe", "joint"}
        ``observe``: no gradient reaches the host. ``joint``: the probe's loss trains the host too (the paper's Fig. 5).
    latent : int
        N, the dimensions of the code. The paper gives no value; 256 is that of Alemi et al.
    beta : float
        Weight of the divergence in the loss, both terms in the same unit.
    draws : int
        Draws of the code per input in evaluation; training takes one.
    learning_rate : float
        Of the probe's own Adam.

    Raises
    ------
    InputError
        When a value cannot be used.
    """

    mode: str = "observe"
    latent: int = 256
    beta: float = 1e-3
    draws: int = 12
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(
                f"there is no mode {self.mode!r}{near_names(self.mode, MODES)}; a probe's mode is 'observe' or 'joint'"
            )
        for name in ("latent", "draws"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least=1))
        for name in ("beta", "learning_rate"):
            value = getattr(self, name)
            number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
            if not number or value < 0 or (name == "learning_rate" and value == 0):
                raise InputError(f"{name} is {value!r}, but it must be a finite positive number (beta may be 0)")
            object.__setattr__(self, name, float(value))


@dataclass(frozen=True)
class ProbeEvaluation:
    """Results of a probe on n inputs, each of shape (n,) where nothing else is said.

    Attributes
    ----------
    kl : torch.Tensor
        KL(p(z|x) || N(0, I)) in nats, closed form.
    ce : torch.Tensor
        Mean over the draws of -ln q(y|z), in nats.
    correct : torch.Tensor
        Whether the softmax averaged over the draws puts the label first.
    dimensions : torch.Tensor
        Shape (latent,): KL of each dimension of the code in nats, summed over the inputs.
    """

    kl: Tensor
    ce: Tensor
    correct: Tensor
    dimensions: Tensor


class VIBProbe(nn.Module):
    """A variational information bottleneck probe for activations of shape (n, features).

    Parameters
    ----------
    features : int
        Width of the activation.
    classes : int
        Number of labels.
    settings : VIBSettings, optional
        Mode, N, beta, draws, learning rate.
    seed : int, optional
        Seed of the initial weights; the global random state is neither read nor changed.

    Raises
    ------
    InputError
        When `features` is not positive or `classes` is below 2.

    Notes
    -----
    The weights start as Glorot's uniform with zero biases, as in the published VIB code, so that s starts near
    softplus(-5) = 0.0067. Loss and evaluation run in float32 whatever the activation's precision.
    """

    def __init__(self, features: int, classes: int, settings: VIBSettings | None = None, *, seed: int = 0) -> None:
        super().__init__()
        if features < 1:
            raise InputError(f"features is {features}, but a probe needs an activation of at least one feature")
        if classes < 2:
            raise InputError(f"classes is {classes}, but a label needs at least two classes")
        self.settings = settings or VIBSettings()
        self.features, self.classes = features, classes
        self.encoder = skip_init(nn.Linear, features, 2 * self.settings.latent)
        self.decoder = skip_init(nn.Linear, self.settings.latent, classes)
        generator = torch.Generator().manual_seed(seed)
        for layer in (self.encoder, self.decoder):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)

    def encode(self, activation: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of p(z|x), each (n, latent), for an activation of shape (n, ...)."""
        mean, rho = self._parameters_of_code(activation)
        return mean, functional.softplus(rho)

    @torch.no_grad()
    def code(self, activation: Tensor) -> GaussianCode:
        """Return p(z|x) of the inputs as a code whose information `infoplane.analysis.noisy_code` encloses.

        Parameters
        ----------
        activation : torch.Tensor
            Shape (n, ...), of the probe's site in evaluation mode.

        Raises
        ------
        InputError
            When the activation has another width than the probe, or is not finite.
        """
        mean, rho = self._parameters_of_code(activation)
        return GaussianCode(mean, _log_softplus(rho))

    def _parameters_of_code(self, activation: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean and what softplus makes the standard deviation of, each (n, latent)."""
        flat = activation.float().flatten(1)
        if flat.shape[1] != self.features:
            raise InputError(f"the probe takes {self.features} features, but the activation has {flat.shape[1]}")
        mean, rho = self.encoder(flat).chunk(2, dim=1)
        return mean, rho - STD_SHIFT

    def loss(
        self,
        activation: Tensor,
        labels: Tensor,
        *,
        valid: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the training loss of one draw (Eq. 13) in nats, a scalar: mean of -ln q(y|z) + beta KL.

        Parameters
        ----------
        activation : torch.Tensor
            Shape (n, ...), flattened to (n, features). Detached first in mode ``observe``.
        labels : torch.Tensor
            Shape (n,), integers in 0 .. classes - 1.
        valid : torch.Tensor, optional
            Shape (n,), booleans; inputs that are False are left out.
        generator : torch.Generator, optional
            Source of the draw; the global one when left out.
        """
        if self.settings.mode == "observe":
            activation = activation.detach()
        mean, rho = self._parameters_of_code(activation)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        ce = functional.cross_entropy(self.decoder(mean + functional.softplus(rho) * noise), labels, reduction="none")
        each = ce + self.settings.beta * gaussian_kl(mean, _log_softplus(rho))
        if valid is None:
            return each.mean()
        return torch.where(valid, each, 0).sum() / valid.sum().clamp(min=1)

    @torch.no_grad()
    def evaluate(
        self, activation: Tensor, labels: Tensor, *, generator: torch.Generator | None = None
    ) -> ProbeEvaluation:
        """Return divergence, cross-entropy and correctness of every input over ``settings.draws`` draws.

        The cross-entropy is the mean over draws of -ln q(y|z): that of the averaged softmax is smaller and bounds
        nothing. The averaged softmax serves accuracy only.
        """
        mean, rho = self._parameters_of_code(activation)
        std = functional.softplus(rho)
        ce = torch.zeros(len(mean), device=mean.device)
        probability = torch.zeros(len(mean), self.classes, device=mean.device)
        for _ in range(self.settings.draws):
            noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
            log_q = self.decoder(mean + std * noise).log_softmax(dim=1)
            ce -= log_q.gather(1, labels[:, None])[:, 0]
            probability += log_q.exp()
        log_std = _log_softplus(rho)
        return ProbeEvaluation(
            kl=gaussian_kl(mean, log_std),
            ce=ce / self.settings.draws,
            correct=probability.argmax(1) == labels,
            dimensions=gaussian_kl(mean.T, log_std.T),  # the divergence of independent dimensions is a sum over them
        )


def _log_softplus(x: Tensor) -> Tensor:
    """Return ln softplus(x) without underflow: below -15 it is x to 2e-7."""
    return torch.where(x > -15, functional.softplus(x.clamp(min=-15)).log(), x)
