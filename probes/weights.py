"""Recorder of weights: one log-space sketch per weight matrix or kernel."""

import torch
from torch import nn

from infoplane.analysis.sketch import LogHistogram, SketchSummary
from infoplane.probes.errors import CaptureError


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
        self._model = model
        self.names = tuple(name for name, p in model.named_parameters() if p.ndim >= 2)

    @torch.no_grad()
    def summaries(self) -> dict[str, SketchSummary]:
        """Return one summary per weight, by parameter name.

        Raises
        ------
        CaptureError
            When the network has lost one of them since the recorder was made.
        """
        # Looked up anew: loading a state or replacing a layer may put another tensor under the same name.
        parameters = dict(self._model.named_parameters())
        result = {}
        for name in self.names:
            if name not in parameters:
                raise CaptureError(f"the network no longer has the weight {name!r} that the recording began with")
            sketch = LogHistogram()
            sketch.update(parameters[name])
            result[name] = sketch.summary()
        return result
