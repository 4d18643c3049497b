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
    activations : bool
        Whether they are sketched.
    weights : WeightRecorder or None
        Sketches the weights; None where that is off.

    Attributes
    ----------
    has_begun : bool
        Whether a step that is sketched is under way.
    """

    def __init__(self, at: Schedule, *, activations: bool, weights: WeightRecorder | None) -> None:
        self._at, self._weights, self._has_activations = at, weights, activations
        self._activations: ActivationRecorder | None = None
        self._of_weights: dict[str, SketchSummary] = {}
        self._asked, self.has_begun = False, False

    @property
    def is_asked(self) -> bool:
        """Whether the next step is sketched whatever the schedule says."""
        return self._asked

    def ask(self) -> None:
        """Sketch the next step, whatever the schedule says."""
        self._asked = True

    def settle(self, sites: Sequence[str]) -> None:
        """Learn which sites there are, from the first step."""
        self._activations = ActivationRecorder(sites) if self._has_activations else None

    def begin(self, step: int) -> None:
        """Begin with a training forward: decide whether it is sketched, and sketch the weights that it runs with."""
        self.forget()  # of several forwards in one step the last one counts
        self.has_begun = (self._asked or self._at.due(step)) and (self._has_activations or self._weights is not None)
        if self.has_begun and self._weights is not None:
            self._of_weights = self._weights.summaries()

    def see(self, site: str, activation: Tensor) -> None:
        """Count one whole activation of a step that is due."""
        if self._activations is not None:
            self._activations.update(site, activation)

    def forget(self) -> None:
        """Drop what was seen of a step that did not come to its end."""
        if self.has_begun and self._activations is not None:
            self._activations.reset()
        self.has_begun, self._of_weights = False, {}

    def emit(self, step: int, ranks: Ranks, to: Callable[[StepSketches], None]) -> None:
        """Give the sketches of one step, over all ranks, to `to`, and begin anew."""
        self._asked = False
        activations: dict[str, SketchSummary] = {}
        if self._activations is not None:
            whole, *others = ranks.gather(self._activations)
            for other in others:
                whole.merge(other)
            activations = whole.summaries()
        weights = self._of_weights
        self.forget()
        to(StepSketches(step, activations, weights))
