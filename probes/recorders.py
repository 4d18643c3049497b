"""What records at the sites of the host while held-out data pass through it."""

from dataclasses import dataclass

from torch import Tensor

from infoplane.probes.activations import ActivationRecorder
from infoplane.probes.neurons import NeuronRecorder
from infoplane.probes.raw import RawRecorder
from infoplane.probes.reduce import Reduction


@dataclass(eq=False)
class Recorders:
    """The recorders of one pass, None where one is off; picklable, and merging with those of another rank.

    Attributes
    ----------
    activations : ActivationRecorder or None
        Sketches of whole activations.
    neurons : NeuronRecorder or None
        Statistics of every neuron.
    raw : RawRecorder or None
        Reduced activations of a subset; fed by `HeldOut`, which knows positions and labels.
    """

    activations: ActivationRecorder | None = None
    neurons: NeuronRecorder | None = None
    raw: RawRecorder | None = None

    def see(self, site: str, activation: Tensor, reduction: Reduction) -> None:
        """Record one whole activation, as the module gave it, before anything overwrites it."""
        if self.activations is not None:
            self.activations.update(site, activation)
        if self.neurons is not None:
            self.neurons.update(site, reduction.batch_first(activation), reduction.feature_axis)

    def merge(self, other: "Recorders") -> None:
        """Add what `other`, with the same recorders, has seen."""
        if self.activations is not None and other.activations is not None:
            self.activations.merge(other.activations)
        if self.neurons is not None and other.neurons is not None:
            self.neurons.merge(other.neurons)
        if self.raw is not None and other.raw is not None:
            self.raw.merge(other.raw)
