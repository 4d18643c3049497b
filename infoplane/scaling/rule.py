"""One pass of the scaling rule on one layer, as a function of its weights.

Equations 14-16 of Hofmann and Mäder (2022)::

    zbar = mean of phi(W u + b) over rows u: U(-1, 1) + shift, or what the layer saw   (Eq. 15)
    zhat = z_target - zbar
    w   <- w + gamma * clip(g(w) * zhat),   g(w) = w² or w |w|                         (Eq. 14)

Activities are in the unit of the activation, weights in the unit of the weights.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.scaling.activations import Activation
from infoplane.scaling.report import LayerScaling
from infoplane.scaling.settings import ScalingSettings
from infoplane.scaling.synapses import Part, Synapses
from infoplane.scaling.targets import target_activity

RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "w2": lambda weight: weight * weight,
    "signed_w2": lambda weight: weight * weight.abs(),
}

# Weights are taken so many at a time in double precision: a large layer would need several copies of itself.
_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class ScaledLayer:
    """What a pass makes of a layer: the new values of each part, shaped and typed as the old ones, and its report."""

    values: tuple[tuple[Part, Tensor], ...]
    report: LayerScaling

    def write(self) -> None:
        """Put the new values into the network."""
        for part, new in self.values:
            part.parameter.detach()[part.rows].copy_(new)


def scaled_layer(synapses: Synapses, rows: Tensor, *, settings: ScalingSettings) -> ScaledLayer:
    """Return what one pass makes of a layer's weights; nothing is changed in place.

    Parameters
    ----------
    synapses : Synapses
        The layer.
    rows : torch.Tensor
        What drives it, shape ``(n, fan_in)``, in the precision to compute in.
    settings : ScalingSettings
        Rate, rule, target, clip, granularity and where the rows are from.

    Raises
    ------
    InputError
        phi is not element-wise, the target cannot be used, or the new weights or activities are not finite.
    """
    name, phi, count = synapses.name, synapses.phi, len(rows)
    inputs = rows
    if settings.source == "probe":
        # The rows' own mean is not quite that of their law, and a rule that moves all weights one way moves zbar
        # along it. With mirror images that error is gone, and what is left is the change that counts.
        inputs = torch.cat([rows, 2 * settings.probe_shift - rows])

    drive = torch.cat([synapses.drive(inputs, old, at) for at, old in _some_neurons(synapses, rows)], dim=1)
    before, slope = _activity_and_slope(phi, drive, name)
    zbar = before[:count].mean(0)
    target = target_activity(settings.target, name, phi, like=zbar)
    gap = target - zbar
    by_layer = settings.granularity == "layer"
    zhat = gap.mean().expand(len(gap), 1) if by_layer else gap[:, None]

    columns = synapses.scaled_columns()
    intended, found, pieces = [], [], []
    sums = _Sums()
    for at, old in _some_neurons(synapses, rows):
        step = settings.gamma * (RULES[settings.rule](old) * zhat[at]).clamp(-settings.clip, settings.clip) * columns
        stored = _stored(synapses, old + step)
        new = torch.cat([piece.to(old.dtype) for piece in stored], dim=1)
        sums.add(old[:, columns], new[:, columns])
        intended.append(synapses.drive(inputs, old + step, at))
        found.append(synapses.drive(inputs, new, at))
        pieces.append(stored)
    after = _activity(phi, torch.cat(found, dim=1), name)
    change = torch.cat(intended, dim=1) - drive
    if not (sums.is_finite and all(bool(torch.isfinite(values).all()) for values in (before, after))):
        raise InputError(
            f"scaling layer {name!r} gives weights or activities that are not finite (gamma {settings.gamma:g}, mean "
            f"activity {float(zbar.mean()):.3g}, largest |w| {sums.largest:.3g}); no weight was changed: lower gamma, "
            "or take the other rule"
        )

    def distance(activities: Tensor) -> float:
        differences = target - activities.mean(0)
        return float(differences.mean().abs() if by_layer else differences.abs().mean())

    moved = (after - before).mean(1)
    report = LayerScaling(
        layer=name,
        activation=phi.name,
        target=float(target.mean()),
        zhat=float(gap.mean()),
        zbar_before=float(before.mean()),
        zbar_after=float(after.mean()),
        change_error=_error_of_mean(moved.reshape(-1, count).mean(0)),
        predicted_change=float((slope * change).sum()),
        distance_before=distance(before),
        distance_after=distance(after),
        mean_abs_change=sums.change / sums.weights,
        mean_abs_weight=sums.size / sums.weights,
        min_weight=sums.least,
    )
    values = tuple(
        (part, torch.cat([stored[index] for stored in pieces]).reshape(part.parameter[part.rows].shape))
        for index, part in enumerate(synapses.parts)
        if part.scaled
    )
    return ScaledLayer(values=values, report=report)


class _Sums:
    """Sums over the scaled weights of a layer, some neurons at a time."""

    def __init__(self) -> None:
        self.weights, self.change, self.size = 0, 0.0, 0.0
        self.least, self.largest = math.inf, 0.0
        self.is_finite = True

    def add(self, old: Tensor, new: Tensor) -> None:
        self.weights += new.numel()
        self.change += float((new - old).abs().sum())
        self.size += float(new.abs().sum())
        self.least = min(self.least, float(new.min()))
        self.largest = max(self.largest, float(old.abs().max()))
        self.is_finite = self.is_finite and bool(torch.isfinite(new).all())


def _some_neurons(synapses: Synapses, rows: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of neurons with their weights in the precision of `rows`."""
    neurons, fan_in = synapses.neurons, synapses.fan_in
    # Rows that hold all channels of a convolution with groups are dealt out to all neurons at once.
    size = max(1, _AT_ONCE // fan_in) if rows.shape[1] == fan_in else neurons
    for start in range(0, neurons, size):
        at = slice(start, start + size)
        yield at, synapses.weights(at, rows.dtype)


def _stored(synapses: Synapses, weights: Tensor) -> list[Tensor]:
    """Return the columns of each part, rounded to its own precision; parts that are not scaled are as they were."""
    widths = [part.values.shape[1] for part in synapses.parts]
    return [
        columns.to(part.parameter.dtype)
        for columns, part in zip(weights.split(widths, dim=1), synapses.parts, strict=True)
    ]


def _error_of_mean(values: Tensor) -> float:
    return math.nan if len(values) < 2 else float(values.std() / math.sqrt(len(values)))


def _activity(phi: Activation, outputs: Tensor, name: str) -> Tensor:
    active = phi(outputs)
    if active.shape != outputs.shape:
        raise InputError(
            f"activation {phi.name} of layer {name!r} turns shape {tuple(outputs.shape)} into {tuple(active.shape)}; "
            "synaptic scaling needs an element-wise function"
        )
    return active


def _activity_and_slope(phi: Activation, outputs: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Return all activities, and the gradient of their mean with respect to the outputs they are computed from."""
    with torch.enable_grad():
        leaf = outputs.clone().requires_grad_()
        active = _activity(phi, leaf, name)
        mean = active.mean()
        slope = torch.autograd.grad(mean, leaf)[0] if mean.requires_grad else torch.zeros_like(outputs)
    return active.detach(), slope
