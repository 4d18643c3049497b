"""An optimizer that steps nothing, by which the recorders of gradients see each network's own ones.

A group has one optimizer of common tensors, which no recorder knows; recorders look when an optimizer steps.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


class ShownGradients(torch.optim.Optimizer):
    """Holds the own parameters of several networks.

    Parameters
    ----------
    models : sequence of torch.nn.Module
        The networks.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__([p for model in models for p in model.parameters() if p.requires_grad], {})

    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Let the recorders look."""

    def drop(self, model: nn.Module) -> None:
        """Hold the parameters of a network no more."""
        gone = {id(parameter) for parameter in model.parameters()}
        (group,) = self.param_groups
        group["params"] = [parameter for parameter in group["params"] if id(parameter) not in gone]
