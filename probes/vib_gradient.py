"""The gradient of the loss of many probes, written out: what a `ProbeBank` takes at every step.

    loss = sum_i w_i [-ln q(y_i|z_i) + beta KL(p(z|x_i) || N(a, diag(b^2)))],   z = m + s e,   e ~ N(0, I)

With g = dloss/dz through the decoder, v = beta w, and D = (m - a) / b^2:

    dloss/dm = g + v D         dloss/d ln s = g e s + v (s^2 / b^2 - 1)
    dloss/da = -sum v D        dloss/d ln b = sum v [1 - (m - a) D - s^2 / b^2]

It is what autograd finds of ``VIBProbe.loss``. Two probes beside a small network then cost 0.9 of its step instead of
1.1 to 1.3, of which 0.6 are the encoders' products and Adam: one pass for all probes, no graph, and neither softplus
nor log1p, which take ten times as long in torch as exp and log on a CPU.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from infoplane.probes.encoding import STD_SHIFT, LearnedPrior
from infoplane.probes.vib import VIBProbe

_LEAST, _LARGEST = -15.9, 80.0  # of x: 1 + exp(x) is above 1, and exp(x) finite, in float32


class Passed(NamedTuple):
    """What passed through P probes, and the gradient that came back.

    Attributes
    ----------
    outputs, of_outputs : torch.Tensor
        Shape (P, n, 2 latent): of the encoders, and the loss's gradient with respect to them.
    mean, std : torch.Tensor
        Shape (P, n, latent): m and s.
    decoded : torch.Tensor
        Shape (P, n, decoder_width + scales): what ``Target.nll`` takes.
    """

    outputs: Tensor
    of_outputs: Tensor
    mean: Tensor
    std: Tensor
    decoded: Tensor


@torch.no_grad()
def take_gradients(
    probes: Sequence[VIBProbe],
    activations: Sequence[Tensor],
    labels: Tensor,
    noise: Tensor,
    weights: Tensor,
    *,
    add: bool,
) -> Passed:
    """Write the gradients of one batch to the probes' parameters.

    Parameters
    ----------
    probes : sequence of VIBProbe
        P of them, alike but for their features and beta.
    activations : sequence of torch.Tensor
        What each reads: (n, features), float32, finite.
    labels : torch.Tensor
        As ``target.check`` returns them.
    noise : torch.Tensor
        e, shape (n, latent); the same for all.
    weights : torch.Tensor
        w, shape (P, n).
    add : bool
        Whether to add to the gradients that are there.
    """
    settings, target, n = probes[0].settings, probes[0].target, len(labels)
    width = target.decoder_width
    outputs = noise.new_empty(len(probes), n, 2 * settings.latent)
    for probe, activation, out in zip(probes, activations, outputs, strict=True):
        torch.addmm(probe.encoder.bias, activation, probe.encoder.weight.t(), out=out)
    mean, rho = outputs.chunk(2, dim=2)
    std, slope = _half(rho) if settings.std == "log_variance" else _softplus(rho)
    z = torch.addcmul(mean, std, noise)
    decoded = torch.stack([probe.decode(codes) for probe, codes in zip(probes, z, strict=True)])
    score = target.score(decoded.flatten(0, 1), labels.repeat(len(probes), *[1] * (labels.ndim - 1)))
    score = score.view_as(decoded).mul_(weights[..., None])
    of_outputs = torch.empty_like(outputs)
    of_mean, of_rho = of_outputs.chunk(2, dim=2)
    through = score[..., :width]
    torch.bmm(through, torch.stack([probe.decoder.weight for probe in probes]), out=of_mean)
    of_decoders, of_biases, of_scales = through.mT @ z, through.sum(dim=1), score[..., width:].sum(dim=1)
    for k, probe in enumerate(probes):
        _store(probe.decoder.weight, of_decoders[k], add=add)
        _store(probe.decoder.bias, of_biases[k], add=add)
        if probe.log_scale is not None:
            _store(probe.log_scale, of_scales[k], add=add)
    pull = weights * weights.new_tensor([probe.settings.beta for probe in probes])[:, None]
    torch.mul(of_mean, noise, out=of_rho).mul_(std)
    _add_divergence(probes, mean, std, pull[..., None], of_mean, of_rho, add=add)
    of_rho.mul_(slope)
    for probe, activation, mine in zip(probes, activations, of_outputs, strict=True):
        _product(probe.encoder.weight, mine, activation, add=add)
        _store(probe.encoder.bias, mine.sum(dim=0), add=add)
    return Passed(outputs, of_outputs, mean, std, decoded)


def _add_divergence(
    probes: Sequence[VIBProbe],
    mean: Tensor,
    std: Tensor,
    pull: Tensor,
    of_mean: Tensor,
    of_log_std: Tensor,
    *,
    add: bool,
) -> None:
    """Add the divergence's share, in place, and write that of a learned prior."""
    if not isinstance(probes[0].prior, LearnedPrior):
        of_mean.addcmul_(pull, mean)
        of_log_std.addcmul_(pull, std.square().sub_(1))
        return
    a = torch.stack([probe.prior.get_parameter("mean") for probe in probes])[:, None]
    log_b = torch.stack([probe.prior.get_parameter("log_std") for probe in probes])[:, None]
    precision = (-2 * log_b).exp()
    away, ratio = mean - a, std.square() * precision
    distance = away * precision
    of_mean.addcmul_(pull, distance)
    of_log_std.addcmul_(pull, ratio - 1)
    of_a, of_log_b = -(pull * distance).sum(dim=1), (pull * (1 - away * distance - ratio)).sum(dim=1)
    for k, probe in enumerate(probes):
        _store(probe.prior.get_parameter("mean"), of_a[k], add=add)
        _store(probe.prior.get_parameter("log_std"), of_log_b[k], add=add)


def _half(rho: Tensor) -> tuple[Tensor, Tensor]:
    return (rho / 2).exp_(), rho.new_full((), 0.5)


def _softplus(rho: Tensor) -> tuple[Tensor, Tensor]:
    """Return s = softplus(rho - 5) and d ln s / d rho.

    With u = exp(rho - 5), w = 1 + u and d = w - 1 as rounded, ln(1 + u) = u ln(w) / d to rounding, and the slope is
    d / (w ln w). Below the range of u the slope is 1 and s, some 1e-7, of no account beside 1; above it s stays at 80.
    """
    u = (rho - STD_SHIFT).clamp_(_LEAST, _LARGEST).exp_()
    w = u + 1
    log_w = w.log()
    d = w - 1
    slope = torch.div(d, w.mul_(log_w), out=w)
    return log_w.div_(d).mul_(u), slope


def _product(parameter: nn.Parameter, left: Tensor, right: Tensor, *, add: bool) -> None:
    if parameter.grad is None:
        parameter.grad = left.t() @ right
    elif add:
        parameter.grad.addmm_(left.t(), right)
    else:
        torch.mm(left.t(), right, out=parameter.grad)


def _store(parameter: nn.Parameter, gradient: Tensor, *, add: bool) -> None:
    if parameter.grad is None:
        parameter.grad = gradient
    elif add:
        parameter.grad.add_(gradient)
    else:
        parameter.grad.copy_(gradient)
