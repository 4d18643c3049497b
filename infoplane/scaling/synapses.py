"""The neurons that one pass of synaptic scaling treats as one layer: their weights, their input, their activation.

A neuron's drive is the sum of all it receives, ``W u + b``; its activity is phi of that (Hofmann and Mäder 2022,
Eq. 15). For a linear layer that is the layer, for a convolution what one output position sees. A gate of a recurrent
layer is a layer of its own: `infoplane.scaling.recurrent`.

Drives have the unit of the activation's argument, weights their own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from infoplane.scaling.activations import Activation

Drive = Callable[[Tensor, Tensor, slice], Tensor]
CONVOLUTIONS: tuple[type[nn.Module], ...] = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


@dataclass(frozen=True)
class Part:
    """Some rows of one parameter, one row a neuron; `scaled` says whether the rule changes them."""

    parameter: nn.Parameter
    rows: slice
    scaled: bool

    @property
    def values(self) -> Tensor:
        """The rows, shape (neurons, fan-in), detached, sharing memory with the parameter."""
        return self.parameter.detach()[self.rows].flatten(1)


@dataclass(frozen=True)
class Synapses:
    """One layer of neurons.

    Attributes
    ----------
    name : str
        Under which reports show it.
    host : str
        Name of the module that it belongs to.
    module : torch.nn.Module
        That module.
    phi : Activation
        Its activation.
    parts : tuple of Part
        Its weights; together, side by side, they are the matrix that drives the neurons.
    drive : callable
        ``(rows, weights, neurons) -> outputs``: rows of shape ``(n, fan_in)``, the weights of the neurons in the
        slice `neurons`, outputs ``(n, neurons)``; linear in the weights but for what the biases add.
    """

    name: str
    host: str
    module: nn.Module
    phi: Activation
    parts: tuple[Part, ...]
    drive: Drive

    @property
    def neurons(self) -> int:
        """How many."""
        return len(self.parts[0].values)

    @property
    def fan_in(self) -> int:
        """How many values drive one neuron."""
        return sum(part.values.shape[1] for part in self.parts)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.parts[0].parameter.device

    def weights(self, neurons: slice, dtype: torch.dtype) -> Tensor:
        """Return the weights of some neurons, shape (neurons, fan_in), as a copy in the given precision."""
        return torch.cat([part.values[neurons].to(dtype) for part in self.parts], dim=1)

    def scaled_columns(self) -> Tensor:
        """Return which columns of `weights` the rule changes, shape (fan_in,)."""
        return torch.cat([torch.full((part.values.shape[1],), part.scaled, device=self.device) for part in self.parts])


def of_layer(name: str, module: nn.Module, phi: Activation) -> Synapses:
    """Return the neurons of a linear layer or a convolution.

    Rows for a convolution with groups are either one group's fan-in, which then serves all groups (noise), or hold
    all channels (what the layer saw).
    """
    groups = module.groups if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d) else 1

    def drive(rows: Tensor, weights: Tensor, neurons: slice) -> Tensor:
        bias = None if module.bias is None else module.get_parameter("bias").detach()[neurons].to(rows)
        if rows.shape[1] == weights.shape[1]:
            return nn.functional.linear(rows, weights, bias)
        by_group = torch.einsum(
            "ngf,gof->ngo", rows.unflatten(1, (groups, -1)), weights.unflatten(0, (groups, -1))
        ).flatten(1)
        return by_group if bias is None else by_group + bias

    return Synapses(name, name, module, phi, (Part(module.get_parameter("weight"), slice(None), scaled=True),), drive)
