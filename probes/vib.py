"""The VIB probe: a stochastic encoder and a decoder at one site (Eqs. 8-13; Alemi et al. 2017).

The encoder maps the activation h of a site to a diagonal normal p(z|x) = N(m, s^2) of N dimensions; the decoder is one
linear layer q(y|z). Its loss is E[-ln q(y|z)] + beta KL(p(z|x) || r(z)), r = N(0, I) or a learned diagonal normal. On
held-out data the mean divergence is an upper bound on I(Z;X) and H(Y) less the cross-entropy a lower bound on I(Z;Y),
**of the probe's own noisy code Z** and not of the layer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from infoplane.analysis.errors import InputError
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.probes.encoding import Encoded, LearnedPrior, encoded
from infoplane.probes.target import Target, target_of
from infoplane.probes.vib_settings import VIBSettings

__all__ = ["ProbeEvaluation", "VIBProbe", "VIBSettings"]


@dataclass(frozen=True)
class ProbeEvaluation:
    """Results of a probe on n inputs, each of shape (n,) where nothing else is said.

    Attributes
    ----------
    kl : torch.Tensor
        KL(p(z|x) || r(z)) in nats, closed form.
    ce : torch.Tensor
        Mean over the draws of -ln q(y|z), in nats.
    correct : torch.Tensor or None
        Whether the softmax averaged over the draws puts the label first; None for a real target.
    squared_error : torch.Tensor or None
        Squared distance between the label and the mean over the draws of the decoder's mean; None for classes.
    dimensions : torch.Tensor
        Shape (latent,): KL of each dimension of the code in nats, summed over the inputs.
    given_label : torch.Tensor or None
        KL(p(z|x) || b(z|y)) in nats, where label normals were fitted: an upper bound on I(Z;X|Y); NaN for the inputs
        of a class that they never saw.
    mean, log_std : torch.Tensor
        Shape (n, latent): the code itself, ln s a natural logarithm.
    """

    kl: Tensor
    ce: Tensor
    correct: Tensor | None
    squared_error: Tensor | None
    dimensions: Tensor
    given_label: Tensor | None
    mean: Tensor
    log_std: Tensor

    @classmethod
    def joined(cls, parts: Sequence["ProbeEvaluation"]) -> "ProbeEvaluation":
        """Return the results of several batches, at least one, as those of one."""

        def column(name: str) -> Any:
            values = [getattr(part, name) for part in parts]
            return None if values[0] is None else torch.cat(values)

        dimensions = torch.stack([part.dimensions for part in parts]).sum(dim=0)
        return cls(**{f.name: dimensions if f.name == "dimensions" else column(f.name) for f in fields(cls)})


class VIBProbe(nn.Module):
    """A variational information bottleneck probe for activations of shape (n, features).

    Parameters
    ----------
    features : int
        Width of the activation.
    target : int or Target
        What is predicted: a number of classes, a `ClassTarget`, or a `RealTarget`.
    settings : VIBSettings, optional
        Mode, N, beta, draws, learning rate, rule of s, prior.
    seed : int, optional
        Seed of the initial weights; the global random state is neither read nor changed.

    Raises
    ------
    InputError
        When `features` is not positive or there are fewer than 2 classes.

    Notes
    -----
    The weights start as Glorot's uniform with zero biases, as in the published VIB code, so that s starts near
    softplus(-5) = 0.0067. Loss and evaluation run in float32 whatever the activation's precision.
    """

    def __init__(self, features: int, target: int | Target, settings: VIBSettings | None = None, *, seed: int = 0):
        super().__init__()
        if features < 1:
            raise InputError(f"features is {features}, but a probe needs an activation of at least one feature")
        self.target = target_of(target)
        self.settings = settings or VIBSettings()
        if self.settings.mode == "bottleneck":
            raise InputError("a probe has mode 'observe' or 'joint'; in mode 'bottleneck' the code is a VIBBottleneck")
        self.features, latent = features, self.settings.latent
        self.encoder = skip_init(nn.Linear, features, 2 * latent, device="cpu", dtype=torch.float32)
        self.decoder = skip_init(nn.Linear, latent, self.target.decoder_width, device="cpu", dtype=torch.float32)
        glorot(self, seed)
        self.log_scale = (
            nn.Parameter(torch.zeros(self.target.scales, dtype=torch.float32)) if self.target.scales else None
        )
        self.prior = LearnedPrior(latent).float() if self.settings.prior == "learned" else nn.Identity()

    def encode(self, activation: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of p(z|x), each (n, latent), for an activation of shape (n, ...)."""
        mean, std, _ = self.distribution(activation)
        return mean, std

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
        mean, _, log_std = self.distribution(activation)
        return GaussianCode(mean, log_std)

    def distribution(self, activation: Tensor) -> Encoded:
        """Return p(z|x) with ln s beside s, differentiably; InputError when the activation has another width."""
        flat = activation.float().flatten(1)
        if flat.shape[1] != self.features:
            raise InputError(f"the probe takes {self.features} features, but the activation has {flat.shape[1]}")
        return encoded(self.encoder(flat), self.settings.std)

    def loss(self, activation: Tensor, labels: Tensor, *, generator: torch.Generator | None = None) -> Tensor:
        """Return the training loss of one draw (Eq. 13) in nats, a scalar: mean of -ln q(y|z) + beta KL.

        Parameters
        ----------
        activation : torch.Tensor
            Shape (n, ...), flattened to (n, features). Detached first in mode ``observe``.
        labels : torch.Tensor
            As the target checks them: (n,) integers in 0 .. classes - 1, or (n, k) real numbers.
        generator : torch.Generator, optional
            Source of the draw; the global one when left out.

        Raises
        ------
        InputError
            When the labels are none of the target's.
        """
        labels = self.target.check(labels)
        code = self.distribution(activation.detach() if self.settings.mode == "observe" else activation)
        ce = self.target.nll(self.decode(code.sample(_noise(code.mean, generator))), labels)
        relative: Encoded = self.prior(code)
        return (ce + self.settings.beta * relative.divergence()).mean()

    @torch.no_grad()
    def evaluate(
        self, activation: Tensor, labels: Tensor, *, generator: torch.Generator | None = None
    ) -> ProbeEvaluation:
        """Return divergence, cross-entropy and correctness of every input over ``settings.draws`` draws.

        The cross-entropy is the mean over draws of -ln q(y|z): that of the averaged softmax is smaller and bounds
        nothing. The averaged softmax serves accuracy only. Arguments as in `loss`.
        """
        code = self.distribution(activation)
        draws = (_noise(code.mean, generator) for _ in range(self.settings.draws))
        return self.scores(code, self.target.check(labels), draws)

    @torch.no_grad()
    def scores(self, code: Encoded, labels: Tensor, draws: Iterable[Tensor]) -> ProbeEvaluation:
        """Return what `evaluate` does, for checked labels and draws of noise, each (n, latent)."""
        ce = code.mean.new_zeros(len(labels))
        prediction = code.mean.new_zeros(len(labels), self.target.decoder_width)
        count = 0
        for noise in draws:
            decoded = self.decode(code.sample(noise))
            ce += self.target.nll(decoded, labels)
            prediction += self.target.prediction(decoded)
            count += 1
        correct, squared_error = self.target.compare(prediction / count, labels)
        relative: Encoded = self.prior(code)
        return ProbeEvaluation(
            kl=relative.divergence(),
            ce=ce / count,
            correct=correct,
            squared_error=squared_error,
            dimensions=relative.divergence_of_dimensions(),
            given_label=None,
            mean=code.mean,
            log_std=code.log_std,
        )

    def decode(self, z: Tensor) -> Tensor:
        """Return what `Target.nll` takes, shape (n, decoder_width + scales), for codes (n, latent)."""
        outputs: Tensor = self.decoder(z)
        if self.log_scale is None:
            return outputs
        return torch.cat([outputs, self.log_scale.expand(len(outputs), -1)], dim=1)


def glorot(module: nn.Module, seed: int) -> None:
    """Set every linear layer of `module` to Glorot's uniform weights and zero biases, from a generator of its own."""
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)


def _noise(like: Tensor, generator: torch.Generator | None) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
