"""The VIB bottleneck: a noisy code in series, which replaces an activation (Alemi et al. 2017; Table I of the paper).

A linear encoder gives mean and deviation of z ~ N(m, s^2), and the rest of the network sees z alone. Added to the
network's cross-entropy, beta times the mean divergence KL(p(z|x) || r(z)) is the VIB regularizer. One draw per input in
training; in evaluation the mean, or draws inside `sampled`, which the bound on I(Z;Y) needs. Draws come from torch's
global generator, as those of dropout do: they are part of the network.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from infoplane.analysis.errors import one_of, whole_number
from infoplane.probes.encoding import Encoded, LearnedPrior, encoded
from infoplane.probes.vib import glorot
from infoplane.probes.vib_settings import PRIORS, STDS


class VIBBottleneck(nn.Module):
    """Replaces an activation of `features` numbers per input by a noisy code of `latent` numbers.

    Parameters
    ----------
    features, latent : int
        Width of the activation, flattened, and N.
    std : {"softplus", "log_variance"}
        Rule of the deviation, as in `VIBSettings`.
    prior : {"standard", "learned"}
        r(z), as in `VIBSettings`; a learned one is among the network's parameters.
    seed : int
        Of the initial weights (Glorot's uniform, zero biases); the global random state is left alone.

    Attributes
    ----------
    encoder : torch.nn.Linear
        Its output of 2 N numbers is what `code_of` and `divergence` take: a site of mode ``bottleneck``.
    sampling : bool
        Whether evaluation draws too; set by `sampled`.

    Raises
    ------
    InputError
        When an argument is out of range.
    """

    def __init__(
        self, features: int, latent: int = 256, *, std: str = "softplus", prior: str = "standard", seed: int = 0
    ) -> None:
        super().__init__()
        self.features = whole_number("features", features, least=1)
        self.latent = whole_number("latent", latent, least=1)
        one_of("std", std, STDS)
        one_of("prior", prior, PRIORS)
        self.std, self.sampling = std, False
        self.encoder = skip_init(nn.Linear, features, 2 * latent, device="cpu")
        glorot(self, whole_number("seed", seed, least=0))
        self.encoder.to(torch.get_default_device())
        self.prior = LearnedPrior(latent) if prior == "learned" else nn.Identity()

    def forward(self, activation: Tensor) -> Tensor:
        """Return the code z, shape (n, latent), of an activation (n, ...)."""
        outputs = _at_least_single(self.encoder(activation.flatten(1)))
        if not (self.training or self.sampling):
            return outputs[:, : self.latent]
        code = encoded(outputs, self.std)
        return code.sample(torch.randn_like(code.mean))

    def code_of(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and ln s of p(z|x), each (n, latent), from the encoder's outputs (n, 2 latent)."""
        code = encoded(_at_least_single(outputs), self.std)
        return code.mean, code.log_std

    def divergence(self, outputs: Tensor) -> Tensor:
        """Return KL(p(z|x) || r(z)) in nats, shape (n,), from the encoder's outputs, differentiably."""
        return self.relative_code(outputs).divergence()

    def relative_code(self, outputs: Tensor) -> Encoded:
        """Return p(z|x) in coordinates where r(z) is N(0, I)."""
        relative: Encoded = self.prior(encoded(_at_least_single(outputs), self.std))
        return relative


class VIBHead(nn.Sequential):
    """A bottleneck and a linear decoder: takes the place of a network's last layer.

    Modules are `bottleneck` and `decoder`.

    Parameters
    ----------
    features, classes : int
        Width of the activation, and logits.
    latent, std, prior, seed
        As in `VIBBottleneck`.

    Raises
    ------
    InputError
        When an argument is out of range.
    """

    def __init__(
        self,
        features: int,
        classes: int,
        latent: int = 256,
        *,
        std: str = "softplus",
        prior: str = "standard",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.bottleneck = VIBBottleneck(features, latent, std=std, prior=prior, seed=seed)
        self.decoder = skip_init(nn.Linear, latent, whole_number("classes", classes, least=1), device="cpu")
        glorot(self.decoder, seed + 1)
        self.decoder.to(torch.get_default_device())


def bottlenecks_of(model: nn.Module) -> dict[str, VIBBottleneck]:
    """Return the bottlenecks of a network by their names."""
    return {name: module for name, module in model.named_modules() if isinstance(module, VIBBottleneck)}


@contextmanager
def sampled(model: nn.Module) -> Iterator[None]:
    """Let every bottleneck of `model` draw its code in evaluation mode too, as in training."""
    was = [(bottleneck, bottleneck.sampling) for bottleneck in bottlenecks_of(model).values()]
    try:
        for bottleneck, _ in was:
            bottleneck.sampling = True
        yield
    finally:
        for bottleneck, sampling in was:
            bottleneck.sampling = sampling


def _at_least_single(outputs: Tensor) -> Tensor:
    """Return the outputs in float32 where autocast made them shorter: 1 + exp(rho - 5) needs its digits."""
    return outputs.to(torch.promote_types(outputs.dtype, torch.float32))
