"""Recorder of neurons: mean, variance and share of exact zeros of every neuron of a site.

A neuron is one index along the feature axis: a channel of a feature map (n, C, ...), a feature of tokens (n, T, d),
a unit of (n, d). Its values are those of all inputs, and of all places in space or tokens of each: all count alike.

    mean = 1/m sum v,    variance = 1/m sum (v - mean)^2,    zeros = share of v == 0

The variance is that of the values seen (divisor m, not m - 1): values of one input at several places are no independent
draws, for which m - 1 would correct. Synaptic scaling regulates these means (Hofmann and Mäder 2022, Eq. 15).

Units: mean in that of the activation, variance in its square.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.probes.errors import SiteError

_BLOCK = 1 << 20  # values that are turned to float64 at once


@dataclass(frozen=True, eq=False)
class NeuronStatistics:
    """Every neuron of one site.

    Attributes
    ----------
    mean, variance, zeros : numpy.ndarray
        Shape (neurons,), float64. A neuron that was NaN or infinite once has NaN in its mean or variance, and it alone.
    n : int
        m, the values of each neuron: inputs times places.
    """

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    zeros: NDArray[np.float64]
    n: int


@dataclass(frozen=True, eq=False)
class _Sums:
    """Moments of the neurons of one site on the device of its activation: mean, sum of squared deviations, zeros."""

    n: int
    mean: Tensor
    squares: Tensor
    zeros: Tensor

    @classmethod
    def of(cls, values: Tensor, feature_axis: int) -> "_Sums":
        """Return those of some inputs, shape (n, ...)."""
        wide = values.double()  # a copy, unless it has that type already
        others = [axis for axis in range(values.ndim) if axis != feature_axis]
        mean = wide.mean(others, keepdim=True)
        squares = (wide - mean).square_().sum(others)
        return cls(wide.numel() // mean.numel(), mean.flatten(), squares, (values == 0).sum(others))

    def merged(self, other: "_Sums") -> "_Sums":
        """Return those of the inputs of both (Chan, Golub & LeVeque 1983), on this device."""
        n, device = self.n + other.n, self.mean.device
        gap = other.mean.to(device) - self.mean
        return _Sums(
            n,
            self.mean + gap * (other.n / n),
            self.squares + other.squares.to(device) + gap.square() * (self.n * (other.n / n)),
            self.zeros + other.zeros.to(device),
        )

    def on_cpu(self) -> "_Sums":
        """Return the same on the CPU."""
        return _Sums(self.n, self.mean.cpu(), self.squares.cpu(), self.zeros.cpu())


class NeuronRecorder:
    """Streaming statistics per neuron; memory does not grow with the number of inputs.

    On an accelerator nothing is read back before `result` or a copy. Copies and pickles hold the same numbers.

    Parameters
    ----------
    sites : sequence of str
        Names, in the order of the run file.
    """

    def __init__(self, sites: Sequence[str]) -> None:
        self.sites = tuple(sites)
        self._sums: dict[str, _Sums] = {}

    def update(self, site: str, activation: Tensor, feature_axis: int) -> None:
        """Add the inputs of one batch at one site.

        Parameters
        ----------
        site : str
            One of the sites.
        activation : torch.Tensor
            Shape (n, ...), inputs first, of a real type; gradients are ignored.
        feature_axis : int
            The axis of the neurons, other than 0; negative ones count from the end.

        Raises
        ------
        SiteError
            When the site is unknown, or has another number of neurons than before.
        InputError
            When `feature_axis` is no axis of the activation behind that of the inputs.
        """
        if site not in self.sites:
            raise SiteError(f"there is no site {site!r} in this recorder; there are {', '.join(map(repr, self.sites))}")
        axis = feature_axis + activation.ndim if feature_axis < 0 else feature_axis
        if not 0 < axis < activation.ndim:
            raise InputError(
                f"feature_axis is {feature_axis}, but an activation of shape {tuple(activation.shape)} "
                "has its neurons along an axis behind that of the inputs, axis 0"
            )
        if not activation.numel():
            return
        seen = self._sums.get(site)
        if seen is not None and seen.mean.numel() != activation.shape[axis]:
            raise SiteError(
                f"the site {site!r} has {activation.shape[axis]} neurons now, but it had {seen.mean.numel()} before: "
                "a neuron must be the same one in every forward"
            )
        if activation.device.type not in ("cpu", "cuda"):
            activation = activation.cpu()  # other accelerators may have no float64
        rows = max(1, _BLOCK // activation[0].numel())
        # An inference tensor could not be merged with others outside of inference mode later on.
        with torch.inference_mode(False), torch.no_grad():
            for part in activation.detach().split(rows):
                sums = _Sums.of(part, axis)
                seen = sums if seen is None else seen.merged(sums)
        if seen is not None:
            self._sums[site] = seen

    def merge(self, other: "NeuronRecorder") -> None:
        """Add the inputs of another recorder, which stays as it is; InputError unless it has the same sites."""
        if not isinstance(other, NeuronRecorder) or other.sites != self.sites:
            what = other.sites if isinstance(other, NeuronRecorder) else type(other).__name__
            raise InputError(f"statistics of the sites {self.sites} cannot take in those of {what}")
        for site, sums in other._sums.items():
            mine = self._sums.get(site)
            if mine is not None and mine.mean.shape != sums.mean.shape:
                raise InputError(
                    f"the site {site!r} has {mine.mean.numel()} neurons here and {sums.mean.numel()} there"
                )
            self._sums[site] = sums if mine is None else mine.merged(sums)

    def result(self) -> dict[str, NeuronStatistics]:
        """Return the statistics so far by site, without the sites that gave nothing."""
        statistics = {}
        for site in self.sites:
            if site in self._sums:
                sums = self._sums[site].on_cpu()
                variance, zeros = sums.squares / sums.n, sums.zeros.double() / sums.n
                statistics[site] = NeuronStatistics(sums.mean.numpy(), variance.numpy(), zeros.numpy(), sums.n)
        return statistics

    def __getstate__(self) -> dict[str, Any]:
        return {"sites": self.sites, "_sums": {site: sums.on_cpu() for site, sums in self._sums.items()}}
