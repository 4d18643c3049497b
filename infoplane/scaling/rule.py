"""One pass of the scaling rule on one layer, as a function of its weights.

Equations 14-16 of Hofmann and Mäder (2022)::

    zbar = mean of phi(W u + b) over probe rows u ~ U(-1, 1) + shift      (Eq. 15)
    zhat = z_target - zbar
    w   <- w + gamma * clip(g(w) * zhat),   g(w) = w² or w |w|            (Eq. 14)

Activities are in the unit of the activation, weights in the unit of the weights.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.scaling.activations import Activation
from infoplane.scaling.report import LayerScaling
from infoplane.scaling.settings import ScalingSettings
from infoplane.scaling.targets import uniform_target

RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "w2": lambda weight: weight * weight,
    "signed_w2": lambda weight: weight * weight.abs(),
}


@dataclass(frozen=True)
class ScaledLayer:
    """The new weight of a layer, in the shape and dtype of the old one, and the report of the pass."""

    weight: Tensor
    report: LayerScaling


def scaled_layer(
    name: str,
    weight: Tensor,
    bias: Tensor | None,
    rows: Tensor,
    *,
    phi: Activation,
    settings: ScalingSettings,
) -> ScaledLayer:
    """Return what one pass makes of a layer's weight; nothing is changed in place.

    Parameters
    ----------
    name : str
        The layer's name, for the report and for errors.
    weight : torch.Tensor
        Shape ``(neurons, ...)``; everything behind the first dimension is one neuron's fan-in.
    bias : torch.Tensor or None
        Shape ``(neurons,)``.
    rows : torch.Tensor
        Probe rows, shape ``(n, fan_in)``, in the precision to compute in.
    phi : Activation
        The layer's activation.
    settings : ScalingSettings
        Rate, rule, target, clip and granularity.

    Raises
    ------
    InputError
        phi is not element-wise, or the new weights or activities are not finite.
    """
    old = weight.detach().to(rows.dtype).flatten(1)
    shift = None if bias is None else bias.detach().to(rows.dtype)
    # The rows' own mean is not quite that of their law, and a rule that moves all weights one way moves zbar
    # along it. With mirror images that error is gone, and what is left is the change that counts.
    mirrored = torch.cat([rows, 2 * settings.probe_shift - rows])

    def activity(weights: Tensor) -> Tensor:
        outputs = nn.functional.linear(mirrored, weights, shift)
        active = phi(outputs)
        if active.shape != outputs.shape:
            raise InputError(
                f"activation {phi.name} of layer {name!r} turns shape {tuple(outputs.shape)} into "
                f"{tuple(active.shape)}; synaptic scaling needs an element-wise function"
            )
        return active

    before, slope = _activity_and_slope(activity, old)
    zbar = before[: len(rows)].mean(0)
    if isinstance(settings.target, str):
        target = uniform_target(phi, width=len(old), device=old.device, dtype=old.dtype).to(zbar)
    else:
        target = torch.full_like(zbar, settings.target)
    gap = target - zbar
    by_layer = settings.granularity == "layer"
    zhat = gap.mean() if by_layer else gap[:, None]
    step = settings.gamma * (RULES[settings.rule](old) * zhat).clamp(-settings.clip, settings.clip)
    stored = (old + step).reshape(weight.shape).to(weight.dtype)
    new = stored.to(old.dtype).flatten(1)
    after = activity(new)
    for values in (before, new, after):
        if not bool(torch.isfinite(values).all()):
            raise InputError(
                f"scaling layer {name!r} gives weights or activities that are not finite (gamma "
                f"{settings.gamma:g}, mean activity {float(zbar.mean()):.3g}, largest |w| "
                f"{float(old.abs().max()):.3g}); no weight was changed: lower gamma, or use rule='signed_w2'"
            )

    def distance(activities: Tensor) -> float:
        differences = target - activities.mean(0)
        return float(differences.mean().abs() if by_layer else differences.abs().mean())

    report = LayerScaling(
        layer=name,
        activation=phi.name,
        target=float(target.mean()),
        zhat=float(gap.mean()),
        zbar_before=float(before.mean()),
        zbar_after=float(after.mean()),
        change_error=_error_of_mean((after - before).mean(1).reshape(2, -1).mean(0)),
        predicted_change=float((slope * step).sum()),
        distance_before=distance(before),
        distance_after=distance(after),
        mean_abs_change=float((new - old).abs().mean()),
        mean_abs_weight=float(new.abs().mean()),
        min_weight=float(new.min()),
    )
    return ScaledLayer(weight=stored, report=report)


def _error_of_mean(values: Tensor) -> float:
    return math.nan if len(values) < 2 else float(values.std() / math.sqrt(len(values)))


def _activity_and_slope(activity: Callable[[Tensor], Tensor], weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return all activities, and the gradient of their mean with respect to the weights."""
    with torch.enable_grad():
        leaf = weight.clone().requires_grad_()
        active = activity(leaf)
        mean = active.mean()
        slope = torch.autograd.grad(mean, leaf)[0] if mean.requires_grad else torch.zeros_like(weight)
    return active.detach(), slope
