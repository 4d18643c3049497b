"""What of a network's forwards is looked at: those of a training, and forwards of our own between them.

A phase says whose forward it is. In ``training`` only forwards in training mode count, and only steps that are due are
looked at; ``fitting``, ``refitting`` and ``measuring`` are forwards of ours in evaluation mode; of what runs ``aside``
nobody takes notice.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.probes.attach import Captured, Tap
from infoplane.probes.batches import Batch
from infoplane.probes.codes import Codes, whole_copy
from infoplane.probes.control import UntrainedTwin
from infoplane.probes.errors import CaptureError
from infoplane.probes.host_output import output_scores
from infoplane.probes.isolation import evaluation_mode, preserved_random_state
from infoplane.probes.places import Place
from infoplane.probes.plan import Plan
from infoplane.probes.recorders import Recorders
from infoplane.probes.step_sketches import StepSketcher
from infoplane.probes.weights import WeightRecorder

Phase = Literal["training", "fitting", "refitting", "measuring", "aside"]
_WITHOUT_TWIN = ("refitting", "measuring")  # the one reads the host alone, the other runs the twin by itself


class Capture:
    """Taps the host, and its untrained twin where there is one.

    Parameters
    ----------
    model : torch.nn.Module
        The host, without wrappers.
    places : sequence of Place
        Its sites.
    plan : Plan
        Says which steps are due, and for whom.
    weights : WeightRecorder
        Of the host.

    Attributes
    ----------
    step : int
        Of the training, as its owner counts.
    phase : str
        Whose forwards they are; see above.
    forwards : int
        Training forwards since the last `clear` or `take`.
    labels : torch.Tensor or None
        What the last of them was given as the keyword argument ``labels``.
    scores : str
        What the host's own output is, known from the first forward on; see `output_scores`.
    codes : Codes or None
        From activations to vectors, once the first step has settled it; before, activations are kept whole.
    sketcher : StepSketcher
        Sees the activations of steps that it says are due.
    recorders : Recorders or None
        See the activations of a measurement.
    """

    def __init__(self, model: nn.Module, places: Sequence[Place], plan: Plan, weights: WeightRecorder) -> None:
        self._model, self._plan = model, plan
        self.step, self.forwards, self.scores = 0, 0, ""
        self.phase: Phase = "training"
        self.labels: Tensor | None = None
        self.codes: Codes | None = None
        self.sketcher = StepSketcher(
            plan.sketch_at, activations=plan.activations, weights=weights if plan.weights else None
        )
        self.recorders: Recorders | None = None
        self._twin: UntrainedTwin | None = None
        self._loaded_twin: Mapping[str, Any] | None = None  # until the twin is made
        self._tap = Tap(
            model,
            places,
            active=self._is_wanted,
            keep=self._keep,
            looks=self._looks,
            before=self._before,
            after=self._after,
        )

    @property
    def places(self) -> tuple[Place, ...]:
        """The sites, final once the first step has settled them."""
        return self._tap.places

    @property
    def dropped(self) -> dict[str, str]:
        """Sites that a pattern matched and that gave nothing to record, and why."""
        return self._tap.dropped

    @property
    def has_begun(self) -> bool:
        """Whether a forward has been captured, or begun and made the twin."""
        return self._tap.is_settled or self._twin is not None

    @property
    def taps(self) -> dict[str, tuple[nn.Module, Tap]]:
        """Network and tap of the ``trained`` host, and of the ``untrained`` twin where there is one."""
        found = {"trained": (self._model, self._tap)}
        return found if self._twin is None else {**found, "untrained": (self._twin.model, self._twin.tap)}

    @property
    def keeps_graph(self) -> bool:
        """Whether activations are kept with their graph, because the host is trained through them."""
        return self.phase == "training" and self._plan.settings.mode != "observe"

    @property
    def is_sketched(self) -> bool:
        """Whether the step at hand is sketched."""
        return self.phase == "training" and self.sketcher.has_begun

    @property
    def is_idle(self) -> bool:
        """Whether nothing is recorded of the step at hand."""
        return self.codes is not None and not (self.is_due or self.is_sketched or self.keeps_graph)

    def open(self) -> None:
        """Set the hooks."""
        self._tap.open()

    def close(self) -> None:
        """Remove the hooks; safe to call twice."""
        for _, tap in self.taps.values():
            tap.close()

    def clear(self) -> None:
        """Forget what has been captured."""
        self.forwards, self.labels = 0, None
        for _, tap in self.taps.values():
            tap.clear()
        self.sketcher.forget()

    def take(self) -> dict[str, Captured]:
        """Return what the last forward gave, by host and site, and forget it: vectors, or whole before `settle`."""
        self.forwards, self.labels = 0, None
        taken = {host: tap.take() for host, (_, tap) in self.taps.items()}
        if self.codes is not None and self.keeps_graph:
            taken["trained"] = self.codes.of(taken["trained"])
        return taken

    def settle(self, codes: Codes) -> None:
        """Keep vectors from now on, of the sites that have them."""
        self.codes = codes
        self._tap.drop([place.name for place in self.places if place.name not in codes.reductions])
        if self._twin is not None:
            self._twin.settle(self.places)

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes, the tensors themselves; a forward that no step has used is left out."""
        return {
            "step": self.step,
            "is_asked": self.sketcher.is_asked,
            "twin": self._loaded_twin if self._twin is None else self._twin.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, before any forward: the twin is made at the first one, of what the state has."""
        self.step, self._loaded_twin = state["step"], state["twin"]
        if state["is_asked"]:
            self.sketcher.ask()

    def run(self, batch: Batch) -> None:
        """Run the host on a copy of a batch, in evaluation mode."""
        device = next((p.device for p in self._model.parameters()), batch.labels.device)
        mine = batch.to(device).cloned()
        with evaluation_mode(self._model):
            self._model(*mine.args, **mine.kwargs)

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """Run forwards of our own: their phase, no gradient, and the global random states as they were."""
        self.clear()
        self.phase = phase
        try:
            with preserved_random_state(), torch.no_grad():
                yield
        finally:
            self.phase, self.recorders = "training", None
            self.clear()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Run forwards of which neither probes nor recorders take notice."""
        phase, self.phase = self.phase, "aside"
        try:
            yield
        finally:
            self.phase = phase

    @property
    def is_due(self) -> bool:
        """Whether the probes learn from the step at hand, where the host is not trained through them."""
        return self.phase == "fitting" or self.step % self._plan.probe_every == 0

    def _is_wanted(self) -> bool:
        return self._model.training if self.phase == "training" else self.phase != "aside"

    def _looks(self) -> bool:
        return self.phase != "training" or not self.is_idle

    def _before(self, args: tuple[Any, ...]) -> None:
        if self.phase == "training":
            self.sketcher.begin(self.step)
        if self.phase in _WITHOUT_TWIN or not self._plan.control:
            return
        if self._twin is None:
            self._twin = self._untrained()
            self._twin.tap.open()
        if self.is_due or self.keeps_graph:
            self._twin.before(args)

    def _untrained(self) -> UntrainedTwin:
        """Return a copy of the host, which is untrained as yet, or with the state's weights."""
        if self._loaded_twin is None and self.step:
            raise InputError(
                f"control=True goes on at step {self.step}, but the untrained network cannot be had from a trained "
                "one: give load_state_dict() the recording's state_dict() of that step, or record without the control"
            )
        with torch.inference_mode(False):
            twin = UntrainedTwin(self._model, self.places, keep=self._keep_of_twin)
            if self._loaded_twin is not None:
                twin.load_state_dict(self._loaded_twin)
        self._loaded_twin = None
        return twin

    def _after(self, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if self.phase in _WITHOUT_TWIN:
            return
        self.forwards += 1
        self.labels = kwargs.get("labels")
        if self.codes is None:
            self.scores = output_scores(output, self._plan.target)
        if self._twin is not None and (self.is_due or self.keeps_graph):
            self._twin.forward(kwargs)

    def _keep(self, site: str, activation: Tensor) -> Tensor | None:
        """Let the recorders see an activation before anything overwrites it, and return what the probes learn from."""
        graph = self.keeps_graph
        if graph and not torch.is_grad_enabled():
            raise CaptureError(
                f"the site {site!r} ran without gradients, so mode {self._plan.settings.mode!r} cannot train the "
                "network through it: leave torch.no_grad(), and give torch.utils.checkpoint use_reentrant=False"
            )
        if self.is_sketched:
            self.sketcher.see(site, activation)
        if self.codes is None or graph:
            # With a graph nothing but a copy is made: a checkpointed region runs again without hooks, and torch
            # compares what the operations in it have saved.
            return whole_copy(activation, graph=graph)
        if self.recorders is not None:
            self.recorders.see(site, activation, self.codes.reductions[site])
        if self.phase == "training" and not self.is_due:
            return None
        return self.codes.copy(site, activation)

    def _keep_of_twin(self, site: str, activation: Tensor) -> Tensor:
        return whole_copy(activation, graph=False) if self.codes is None else self.codes.copy(site, activation)
