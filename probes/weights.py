"""Recorder of weights: one log-space sketch per weight matrix or kernel."""

from torch import nn

from infoplane.analysis.sketch import LogHistogram, SketchSummary, summarize
from infoplane.probes.errors import CaptureError
from infoplane.probes.names import parameter_names


def weights_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights of a network by name: floating-point parameters of two or more dimensions."""
    return {name: p for name, p in parameter_names(model).items() if p.ndim >= 2 and p.is_floating_point()}


class WeightRecorder:
    """Sketches of a network's weights at the moment of asking.

    A weight is a parameter of two or more dimensions: matrices and kernels, not biases and not the scales of norms.

    Parameters
    ----------
    model : torch.nn.Module
        Any network, wrapped or not; it is only read.

    Attributes
    ----------
    names : tuple of str
        As in ``named_parameters()``, without the names of wrappers; a shared weight once.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.names = tuple(weights_of(model))

    def summaries(self) -> dict[str, SketchSummary]:
        """Return one summary per weight, by parameter name.

        Raises
        ------
        CaptureError
            When the network has lost one of them since the recorder was made.
        """
        # Looked up anew: loading a state or replacing a layer may put another tensor under the same name.
        parameters = parameter_names(self._model)
        sketches = []
        for name in self.names:
            if name not in parameters:
                raise CaptureError(f"the network no longer has the weight {name!r} that the recording began with")
            sketches.append(LogHistogram())
            sketches[-1].update(parameters[name])
        return dict(zip(self.names, summarize(sketches), strict=True)) if sketches else {}
