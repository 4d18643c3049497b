"""Recorder of weights: one log-space sketch per weight matrix or kernel."""

import torch
from torch import nn

from infoplane.analysis.sketch import LogHistogram, SketchSummary


class WeightRecorder:
    """Sketches of a network's weights at the moment of asking.

    A weight is a parameter of two or more dimensions: matrices and kernels, not biases and not the scales of norms.

    Parameters
    ----------
    model : torch.nn.Module
        Any network; it is only read.

    Attributes
    ----------
    names : tuple of str
        As in ``named_parameters()``.
    """

    def __init__(self, model: nn.Module) -> None:
        self._parameters = {name: p for name, p in model.named_parameters() if p.ndim >= 2}
        self.names = tuple(self._parameters)

    @torch.no_grad()
    def summaries(self) -> dict[str, SketchSummary]:
        """Return one summary per weight, by parameter name."""
        result = {}
        for name, parameter in self._parameters.items():
            sketch = LogHistogram()
            sketch.update(parameter)
            result[name] = sketch.summary()
        return result
