"""Sketches taken inside training steps: training data, training mode, apart from what is measured on held-out data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.activations import ActivationRecorder
from infoplane.probes.ranks import Ranks
from infoplane.probes.schedule import Schedule
from infoplane.probes.weights import WeightRecorder


@dataclass(frozen=True)
class StepSketches:
    """Activations of one step's own forward, and the weights that it ran with.

    Attributes
    ----------
    step : int
        Steps of training before it.
    activations, weights : dict of str to SketchSummary
        Empty where the recorder is off.
    """

    step: int
    activations: dict[str, SketchSummary]
    weights: dict[str, SketchSummary]


class StepSketcher:
    """Sketches the steps that a schedule says, and those asked for by hand.

    Parameters
    ----------
    at : Schedule
        Of steps.
    sites : sequence of str
        Whose activations are sketched; none where that is off.
    weights : WeightRecorder or None
        Sketches the weights; None where that is off.
    """

    def __init__(self, at: Schedule, sites: Sequence[str], weights: WeightRecorder | None) -> None:
        self._at, self._weights = at, weights
        self._activations = ActivationRecorder(sites) if sites else None
        self._asked = False

    def ask(self) -> None:
        """Sketch the next step, whatever the schedule says."""
        self._asked = True

    def is_due(self, step: int) -> bool:
        """Whether that step is sketched."""
        return (self._asked or self._at.due(step)) and not (self._activations is None and self._weights is None)

    def see(self, site: str, activation: Tensor) -> None:
        """Count one whole activation of a step that is due."""
        if self._activations is not None:
            self._activations.update(site, activation)

    def forget(self) -> None:
        """Drop what was seen of a step that did not come to its end."""
        if self._activations is not None:
            self._activations.reset()

    def emit(self, step: int, ranks: Ranks, to: Callable[[StepSketches], None]) -> None:
        """Give the sketches of one step, over all ranks, to `to`, and begin anew."""
        self._asked = False
        activations: dict[str, SketchSummary] = {}
        if self._activations is not None:
            whole, *others = ranks.gather(self._activations)
            for other in others:
                whole.merge(other)
            activations = whole.summaries()
            self._activations.reset()
        to(StepSketches(step, activations, {} if self._weights is None else self._weights.summaries()))
