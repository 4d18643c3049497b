"""Probes, their controls and recorders on one network: everything of a recording but the file."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError, whole_number
from infoplane.probes.activations import ActivationRecorder
from infoplane.probes.attach import Captured
from infoplane.probes.batches import Batch, Unpack, read_batches
from infoplane.probes.bottleneck_places import bottlenecks_at
from infoplane.probes.capture import Capture
from infoplane.probes.codes import Codes
from infoplane.probes.dependence import OUTPUT, dependence
from infoplane.probes.eager import begin_eager, end_eager, has_compiled_parts
from infoplane.probes.errors import CaptureError, SiteError
from infoplane.probes.gradients import GradientRecorder
from infoplane.probes.held_out import HeldOut
from infoplane.probes.hosts import Hosts, probes_of
from infoplane.probes.isolation import preserved_random_state
from infoplane.probes.measurement import Measurement
from infoplane.probes.names import unwrapped
from infoplane.probes.neurons import NeuronRecorder
from infoplane.probes.places import Place
from infoplane.probes.plan import Plan
from infoplane.probes.positions import positions_of
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.ranks import Ranks
from infoplane.probes.raw import RawRecorder
from infoplane.probes.recorders import Recorders
from infoplane.probes.reduce import Reduction, is_asked
from infoplane.probes.saved import check_same
from infoplane.probes.step_sketches import StepSketches
from infoplane.probes.vib import VIBProbe
from infoplane.probes.weights import WeightRecorder

_FEW = 32  # inputs that show which sites depend on which


class Observer:
    """Observes one network from `open` to `close`.

    Parameters
    ----------
    model : torch.nn.Module
        The host; wrappers of torch.compile and of several devices are seen through.
    places : sequence of Place
        Its sites.
    plan : Plan
        Probes, controls, recorders.

    Attributes
    ----------
    model : torch.nn.Module
        The host without its wrappers.
    started : callable
        Called once, when the first step has shown sites and shapes; set by the owner.
    said : callable
        Called with one sentence for what the owner's user should know once; set by the owner.
    sketched : callable
        Called with the `StepSketches` of a step that was sketched; set by the owner.
    ranks : Ranks
        The processes that train together, known from `open` on.
    device : torch.device
        Where the network is, known from the first step on.
    """

    device: torch.device

    def __init__(self, model: nn.Module, places: Sequence[Place], plan: Plan) -> None:
        self.model, self.plan = unwrapped(model), plan
        self._is_compiled = has_compiled_parts(model)
        self.started: Callable[[], None] = lambda: None
        self.said: Callable[[str], None] = lambda text: None
        self.sketched: Callable[[StepSketches], None] = lambda sketches: None
        self.ranks, self._is_eager = Ranks(), False
        self._weights = WeightRecorder(self.model)
        self._capture = Capture(self.model, places, plan, self._weights)
        self._bottlenecks = bottlenecks_at(self.model, places) if plan.settings.mode == "bottleneck" else {}
        self._hosts: Hosts | None = None
        self._later: dict[str, tuple[str, ...]] | None = None
        self._is_around_said = False
        self._loaded: Mapping[str, Any] | None = None  # until the first step shows sites and shapes
        self._gradients = GradientRecorder(self.model, plan.gradients) if plan.gradients else None

    @property
    def step(self) -> int:
        """Steps so far: calls of `loss`, blocks of `batch`, batches of `fit`."""
        return self._capture.step

    @property
    def scores(self) -> str:
        """What the host's own output is, known from the first step on; see `output_scores`."""
        return self._capture.scores

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites, final once the first step has been seen."""
        return tuple(place.name for place in self._capture.places)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the sites are, in their order."""
        return self._capture.places

    @property
    def probes(self) -> tuple[ProbeInfo, ...]:
        """Every probe of every host, in the order of a measurement's bounds."""
        return probes_of(self.plan, self.sites, self._bottlenecks)

    @property
    def reductions(self) -> Mapping[str, Reduction]:
        """How each site's activation becomes a vector; empty before the first step, as what is told of sites below."""
        return self._capture.codes.reductions if self._capture.codes else {}

    @property
    def widths(self) -> Mapping[str, int]:
        """Of every site's vector."""
        return self._capture.codes.widths if self._capture.codes else {}

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Of every site's activation for one input."""
        return self._capture.codes.shapes if self._capture.codes else {}

    @property
    def neurons(self) -> Mapping[str, int]:
        """Neurons of every site."""
        return self._capture.codes.neurons if self._capture.codes else {}

    @property
    def weight_names(self) -> tuple[str, ...]:
        """Names of the weights: parameters of two or more dimensions."""
        return self._weights.names

    @property
    def has_started(self) -> bool:
        """Whether the first step has been seen."""
        return self._hosts is not None

    @property
    def updates(self) -> int:
        """Steps that the probes' own optimizer took."""
        return self._hosts.updates if self._hosts else 0

    def probe(self, site: str, *, host: str, beta: float | None, scale: float) -> VIBProbe:
        """Return one probe; see `infoplane.recording.Recording.probe`."""
        if self._hosts is None:
            raise SiteError("there is no probe yet: probes are built at the first step")
        return self._hosts.probe(site, host=host, beta=beta, scale=scale)

    @property
    def sees_next_step(self) -> bool:
        """Whether the next training forward is looked at; see `infoplane.recording.Recording.sees_next_step`."""
        capture = self._capture
        return not capture.is_idle or capture.sketcher.is_asked or self.plan.sketch_at.due(self.step)

    def skip(self) -> None:
        """Count a step without its forward; see `infoplane.recording.Recording.skip`."""
        if self.sees_next_step:
            raise CaptureError(
                f"skip() was called at step {self.step}, of which something is recorded: run its forward"
            )
        self._capture.clear()
        self._capture.step += 1

    def open(self) -> None:
        """Set the hooks."""
        self.ranks = Ranks.current()
        try:
            # Always: that a function around the network was compiled cannot be seen from here.
            begin_eager()
            self._is_eager = True
            self._capture.open()
            if self._gradients is not None:
                self._gradients.open()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Remove the hooks; safe to call twice."""
        self._capture.close()
        if self._gradients is not None:
            self._gradients.close()
        if self._is_eager:
            self._is_eager = False
            end_eager()

    def begin_at(self, step: int) -> None:
        """Count from `step` on, for a recording that goes on without a state; InputError after the first forward."""
        self._check_unbegun("begin_at()")
        self._capture.step = whole_number("step", step, least=0)

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes: the tensors themselves, no copies, as torch's modules do.

        Of several ranks, `ProbeBank.state_dict` says what is each rank's own; so is what was found about ``later``, of
        which the first rank's counts.
        """
        later = None if self._later is None else {site: list(names) for site, names in self._later.items()}
        return {
            "settings": self._settings,
            "capture": self._capture.state_dict(),
            "probes": self._loaded
            if self._hosts is None
            else {"sites": self._described, "scores": self.scores, "hosts": self._hosts.state_dict()},
            "gradients": None if self._gradients is None else self._gradients.state_dict(),
            "later": later,
            "is_around_said": self._is_around_said,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, whose tensors may be kept: its probes come back at the first step, which shows the sites.

        Raises
        ------
        InputError
            After the first training forward, and when the state is of another plan; at the first step when it is of
            other sites.
        """
        self._check_unbegun("load_state_dict()")
        check_same("setting", state["settings"], self._settings)
        if self._gradients is not None:
            self._gradients.load_state_dict(state["gradients"])
        self._capture.load_state_dict(state["capture"])
        later = state["later"]
        self._later = None if later is None else {site: tuple(names) for site, names in later.items()}
        self._is_around_said, self._loaded = state["is_around_said"], state["probes"]

    def snapshot(self) -> None:
        """Sketch activations and weights at the next step, whatever the schedule says; of all ranks, if there are."""
        self._capture.sketcher.ask()

    def loss(self, labels: Tensor | None) -> Tensor:
        """Consume the last training forward; see `infoplane.recording.Recording.loss`."""
        forwards, given = self._capture.forwards, self._capture.labels
        if forwards != 1:
            self._capture.clear()
            rule = "loss(labels) follows one training forward of the recorded network, but "
            if not forwards:
                raise CaptureError(f"{rule}there was none since the last call: {_NO_FORWARD}")
            raise CaptureError(
                f"{rule}there were {forwards} since the last call: call it after each, "
                "or wrap the step in 'with rec.batch(labels):'"
            )
        labels = given if labels is None else labels
        if labels is None:
            self._capture.clear()
            raise CaptureError(
                "loss() without labels takes those that the forward was given as the keyword argument 'labels', and it "
                "was given none: call loss(labels) with them"
            )
        try:
            return self._learn(labels)
        except BaseException:
            self._capture.clear()  # or the next step would find two forwards
            raise

    @contextmanager
    def batch(self, labels: Tensor) -> Iterator[None]:
        """Train the probes on the last training forward inside the block; see `Recording.batch`."""
        if self.plan.settings.mode != "observe":
            raise InputError(
                f"batch(labels) serves mode 'observe'; in mode {self.plan.settings.mode!r} what loss(labels) returns "
                "must be added to the network's loss"
            )
        self._capture.clear()
        try:
            yield
            if not self._capture.forwards:
                raise CaptureError(
                    "there was no training forward of the recorded network inside 'with rec.batch(labels)': "
                    f"{_NO_FORWARD}"
                )
            self._learn(labels)
        finally:
            self._capture.clear()

    def fit(self, batches: Iterable[Any], *, unpack: Unpack | None = None) -> None:
        """Train the probes on the network as it is; see `Recording.fit`."""
        if self.plan.settings.mode == "bottleneck":
            raise InputError("fit() is for probes beside the network; a bottleneck is trained with the network itself")
        before = self.step
        with self._capture.during("fitting"):
            for batch in read_batches(batches, unpack=unpack):
                self._capture.run(batch)
                self._learn(batch.labels)
        if self.step == before:
            raise InputError(
                "fit() got no batches to learn from: give a DataLoader or a list, for an iterator is used up after "
                "one pass"
            )

    def measure(
        self,
        batches: Iterable[Any],
        *,
        fit: Iterable[Any] | None = None,
        unpack: Unpack | None = None,
        keep_inputs: bool = True,
    ) -> Measurement:
        """Take one measurement on held-out data; see `infoplane.recording.Recording.measure`."""
        self._capture.clear()
        plan, hosts = self.plan, self._hosts
        if hosts is None or not hosts.updates:
            raise CaptureError(
                "measure() before any step: the probes have learned nothing yet; call loss(labels) in training first"
            )
        if (fit is None) == bool(plan.refit):
            raise InputError(
                "fit= takes the training batches for the fresh probes of record(..., refit=steps), but "
                + ("it is missing" if fit is None else "this recording has refit=0")
            )
        if fit is not None:
            self._refit(hosts, fit, unpack)
        recorders = Recorders(
            ActivationRecorder(self.sites) if plan.activations else None,
            NeuronRecorder(self.sites) if plan.neurons else None,
            RawRecorder(plan.raw, plan.raw_bytes, plan.seed) if plan.raw else None,
        )
        held_out = HeldOut(
            hosts.watched(self._capture.taps, self._capture.aside),
            self.probes,
            plan.target,
            self.scores,
            recorders=recorders,
            device=self.device,
            sandwich=plan.sandwich,
            seed=plan.seed,
            inputs=plan.inputs if keep_inputs else 0,
        )
        positions = positions_of(batches, self.ranks)
        with self._capture.during("measuring"):
            is_first = self._later is None
            for index, given in enumerate(read_batches(batches, unpack=unpack)):
                batch, where = positions.next(given)
                if batch.n > 1 and (index & (index + 1) == 0 if is_first else index == 0):  # batches 0, 1, 3, 7, ...
                    self._find_later(batch)
                self._capture.recorders = recorders
                held_out.add(batch, where)
        return held_out.result(
            self.ranks,
            dealt=positions.dealt,
            step=self.step,
            later=self.ranks.gather(self._later)[0] or {},
            weights=self._weights.summaries() if plan.weights else {},
            gradients=self._gradients.take() if self._gradients is not None else {},
        )

    def _refit(self, hosts: Hosts, batches: Iterable[Any], unpack: Unpack | None) -> None:
        """Fit fresh probes on the host as it is."""
        hosts.begin_refit()
        done = False
        with self._capture.during("refitting"):
            while not done:
                is_empty = True
                for batch in read_batches(batches, unpack=unpack):
                    is_empty = False
                    self._capture.run(batch)
                    labels = self.plan.target.check(batch.labels).to(self.device)
                    done = hosts.refit(self._capture.take()["trained"], labels)
                    if done:
                        break
                if is_empty:
                    raise InputError("fit= gave no batches, so there is nothing to fit fresh probes on")

    def _find_later(self, batch: Batch) -> None:
        """Find out which sites know the input through which others alone, and keep what was found every time.

        A path that is closed for some inputs, or at first, may be open for others, or later on.
        """
        rows = torch.linspace(0, batch.n - 1, min(batch.n, _FEW), device="cpu").long()
        with self._capture.aside():
            found = dependence(self.model, self._capture.places, batch.take(rows).to(self.device), self.plan.target)
        around = [site for site in self._bottlenecks if OUTPUT not in found[site]]
        if around and not self._is_around_said:
            self._is_around_said = True
            self.said(
                f"the network's output was not seen to know the input through {_listed(around)} alone: i_zy, ce, error "
                "and i_ty_chain, which are read from the output, are NaN, for they would not be of that code"
            )
        if self._later is not None:
            found = {site: tuple(name for name in found[site] if name in self._later[site]) for site in self._later}
        self._later = found

    def _learn(self, labels: Tensor) -> Tensor:
        """Train the probes on what was captured; a graph comes back in the modes that train the host too."""
        capture, is_fitted = self._capture, self._capture.phase == "fitting"
        if capture.is_idle:
            capture.take()
            capture.step += 1
            return torch.zeros((), device=self.device)
        with torch.inference_mode(False):
            labels = self.plan.target.check(labels)
            captured = capture.take()
            if self._hosts is None:
                hosts, codes = self._start(captured["trained"], len(labels))
                # A recording that goes on may begin with a step of which the probes learn nothing.
                learns = capture.is_due or capture.keeps_graph
                captured = {host: codes.of(whole) if learns else {} for host, whole in captured.items()}
            else:
                hosts = self._hosts
            result = hosts.learn(
                captured,
                labels.to(self.device, copy=True),
                step=self.step,
                update=is_fitted or (self.step + 1) % self.plan.probe_every == 0,
            )
        if capture.is_sketched:
            capture.sketcher.emit(self.step, self.ranks, self.sketched)
        capture.step += 1
        return result

    def _start(self, whole: Captured, inputs: int) -> tuple[Hosts, Codes]:
        """Learn sites and shapes from the first step, and build the probes."""
        plan, capture = self.plan, self._capture
        codes = Codes(capture.places, whole, inputs=inputs, asked=plan.reduce)
        if plan.raw:
            RawRecorder(plan.raw, plan.raw_bytes, plan.seed).check(codes.widths)
        capture.settle(codes)
        self.device = whole[self.sites[0]].device
        try:
            # What is built inside inference mode could not be trained outside of it.
            with preserved_random_state(), torch.inference_mode(False):
                hosts = Hosts(plan, codes.widths, device=self.device, ranks=self.ranks, bottlenecks=self._bottlenecks)
            loaded = self._loaded
            if loaded is not None:
                check_same("site", loaded["sites"], self._described)
                with torch.inference_mode(False):
                    hosts.load_state_dict(loaded["hosts"])
                capture.scores = loaded["scores"]
            self._hosts = hosts
            self.started()
        except BaseException:
            self._hosts = capture.codes = None
            raise
        self._loaded = None
        capture.sketcher.settle(self.sites)
        if capture.is_sketched:
            for site in self.sites:
                capture.sketcher.see(site, whole[site])
        if loaded is None:
            self._say()
        return hosts, codes

    @property
    def _settings(self) -> dict[str, Any]:
        said = {"seed": self.plan.seed, **self.plan.description}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}

    @property
    def _described(self) -> dict[str, str]:
        """By site, what its probes depend on."""
        return {
            site: f"{reduction.name!r} of inputs along axis {reduction.axis}, {self.widths[site]} numbers"
            for site, reduction in self.reductions.items()
        }

    def _check_unbegun(self, call: str) -> None:
        if self._capture.has_begun:
            raise InputError(
                f"{call} comes before the first training forward of the recorded network, but there was one already: "
                "call it at once inside 'with infoplane.record(...) as rec:'"
            )

    def _say(self) -> None:
        """Say once what was decided by itself."""
        chosen = [
            f"{site} ({r.name})"
            for site, r in self.reductions.items()
            if r.name != "flatten" and not is_asked(self.plan.reduce, site)
        ]
        if chosen:
            self.said(f"activations become vectors as their shapes suggest, unless reduce= says how: {_listed(chosen)}")
        if not self.scores:
            self.said(
                "the network's own output is not read as scores: its loss and error are not recorded, and do not enter "
                "the chain bound"
            )
        if self._capture.dropped:
            dropped = [f"{site} ({why})" for site, why in self._capture.dropped.items()]
            self.said(f"not recorded: {_listed(dropped)}; infoplane.sites(model, x) spells out what there is")
        if self._is_compiled:
            self.said("while it is recorded the network runs as it is written, not as torch.compile has made it")


_NO_FORWARD = (
    "call it after model(x), not model.forward(x), the model in training mode; of a step that torch.compile has "
    "wrapped as a whole nothing of the network is seen (compile the network itself)"
)


def _listed(names: Sequence[str], limit: int = 4) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
