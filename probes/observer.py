"""Probes, their control and recorders on one network: everything of a recording but the file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.probes.activations import ActivationRecorder
from infoplane.probes.attach import Captured, Tap
from infoplane.probes.bank import ProbeBank, check_labels, widths
from infoplane.probes.control import UntrainedTwin, copied
from infoplane.probes.errors import CaptureError, SiteError
from infoplane.probes.isolation import preserved_random_state
from infoplane.probes.measurement import HeldOut, Measurement, Watched, check_length, output_scores, pairs
from infoplane.probes.vib import VIBProbe, VIBSettings
from infoplane.probes.weights import WeightRecorder


class Observer:
    """Observes one network from `open` to `close`.

    Parameters
    ----------
    model : torch.nn.Module
        The host.
    sites : mapping of str to torch.nn.Module
        Its sites by name.
    classes : int
        Number of labels.
    settings : VIBSettings
        Of the probes.
    probe_every : int
        The probes' optimizer steps at every `probe_every`-th step.
    control : bool
        Also train the same probes, from the same seed and on the same batches, on a frozen copy of the host as it
        is before its first training forward.
    activations, weights : bool
        Whether to sketch these at every measurement.
    seed : int
        Of the probes' initial weights and noise.

    Attributes
    ----------
    step : int
        Calls of `loss` so far.
    started : callable
        Called once, when the first training forward has shown the shapes; set by the owner.
    scores : str
        What the host's own output is, known from the first forward on; see `output_scores`.
    """

    def __init__(
        self,
        model: nn.Module,
        sites: Mapping[str, nn.Module],
        *,
        classes: int,
        settings: VIBSettings,
        probe_every: int,
        control: bool,
        activations: bool,
        weights: bool,
        seed: int,
    ) -> None:
        self.model, self.sites, self.classes, self.settings = model, tuple(sites), classes, settings
        self.hosts = ("trained", "untrained") if control else ("trained",)
        self.weight_recorder = WeightRecorder(model) if weights else None
        self.record_activations, self.probe_every, self._seed = activations, probe_every, seed
        self.started: Callable[[], None] = lambda: None
        self.step, self.scores = 0, ""
        self._measuring, self._forwards = False, 0
        self._twin: UntrainedTwin | None = None
        self._watched: dict[str, Watched] = {}
        keep = copied if settings.mode == "observe" else torch.clone
        self._tap = Tap(model, sites, keep=keep, active=self._wanted, before=self._before, after=self._after)

    @property
    def probe_places(self) -> tuple[tuple[str, str], ...]:
        """``(host, site)`` of every probe, in the order of `probe_names`."""
        return tuple((host, site) for host in self.hosts for site in self.sites)

    @property
    def probe_names(self) -> tuple[str, ...]:
        """One name per probe: the site, with ``@untrained`` behind it on the control."""
        return tuple(site if host == "trained" else f"{site}@{host}" for host, site in self.probe_places)

    @property
    def has_started(self) -> bool:
        """Whether the first training forward has been seen."""
        return bool(self._watched)

    @property
    def updates(self) -> int:
        """Steps that the probes' own optimizer took."""
        return self._watched["trained"].bank.updates if self._watched else 0

    def probe(self, site: str, host: str = "trained") -> VIBProbe:
        """Return one probe."""
        if host not in self._watched or site not in self.sites:
            known = ", ".join(f"{s} ({h})" for h, s in self.probe_places)
            when = "" if self._watched else "; probes are built at the first training forward"
            raise SiteError(f"there is no probe at {site!r} of the {host!r} host; there are {known}{when}")
        return self._watched[host].bank.probes[site]

    def open(self) -> None:
        """Set the hooks."""
        self._tap.open()

    def loss(self, labels: Tensor) -> Tensor:
        """Consume the last training forward; see `infoplane.recording.Recording.loss`."""
        forwards, self._forwards = self._forwards, 0
        if forwards != 1:
            self._clear()
            rule = "loss(labels) follows one training forward of the recorded network, but "
            if not forwards:
                raise CaptureError(
                    f"{rule}there was none since the last call: call it after model(x), the model in training mode"
                )
            raise CaptureError(
                f"{rule}there were {forwards} since the last call: call it after each, "
                "or wrap the step in 'with rec.batch(labels):'"
            )
        return self._learn(labels)

    @contextmanager
    def batch(self, labels: Tensor) -> Iterator[None]:
        """Train the probes on the last training forward inside the block; see `Recording.batch`."""
        if self.settings.mode == "joint":
            raise InputError(
                "batch(labels) serves mode 'observe'; in mode 'joint' the probes' loss(labels) must be added"
            )
        self._clear()
        try:
            yield
            if not self._forwards:
                raise CaptureError(
                    "there was no training forward of the recorded network inside 'with rec.batch(labels)'"
                )
            self._learn(labels)
        finally:
            self._clear()

    def measure(self, batches: Iterable[Any]) -> Measurement:
        """Take one measurement on held-out data; see `infoplane.recording.Recording.measure`."""
        self._clear()
        for watched in self._watched.values():
            watched.bank.step()
        if not self.updates:
            raise CaptureError(
                "measure() before any step: the probes have learned nothing yet; call loss(labels) in training first"
            )
        recorder = ActivationRecorder(self.sites if self.record_activations else ())
        held_out = HeldOut(list(self._watched.values()), self.classes, self.scores, recorder, self.device)
        self._measuring = True
        try:
            with preserved_random_state(), torch.no_grad():
                for inputs, labels in pairs(batches):
                    held_out.add(inputs, labels)
        finally:
            self._measuring = False
            self._clear()
        weights = self.weight_recorder.summaries() if self.weight_recorder else {}
        return held_out.result(step=self.step, names=self.probe_names, weights=weights)

    def close(self) -> None:
        """Remove the hooks; the last gradients of mode ``joint`` are used first. Safe to call twice."""
        try:
            for watched in self._watched.values():
                watched.bank.step()
        finally:
            self._tap.close()
            if self._twin is not None:
                self._twin.tap.close()

    @property
    def _due(self) -> bool:
        return self.step % self.probe_every == 0

    def _wanted(self) -> bool:
        return self._measuring or self.model.training

    def _before(self, args: tuple[Any, ...]) -> None:
        if self._measuring or "untrained" not in self.hosts:
            return
        if self._twin is None:
            with torch.inference_mode(False):
                self._twin = UntrainedTwin(self.model, self.sites)
            self._twin.tap.open()
        if self._due:
            self._twin.before(args)

    def _after(self, captured: Captured, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if self._measuring:
            return
        self._forwards += 1
        if not self._watched:
            self._start(captured, output)
        if self._twin is not None and self._due:
            self._twin.forward(kwargs)
        if not self._due and self.settings.mode == "observe":
            self._tap.clear()

    def _start(self, captured: Captured, output: Any) -> None:
        self.device = captured[self.sites[0]].device
        self.scores = output_scores(output, self.classes)
        features = widths(captured, self.sites)
        observing = replace(self.settings, mode="observe")
        # What is built inside inference mode could not be trained outside of it.
        with preserved_random_state(), torch.inference_mode(False):
            bank = ProbeBank(features, self.classes, self.settings, seed=self._seed, device=self.device)
            self._watched["trained"] = Watched(self.model, self._tap, bank)
            if self._twin is not None:
                bank = ProbeBank(features, self.classes, observing, seed=self._seed, device=self.device)
                self._watched["untrained"] = Watched(self._twin.model, self._twin.tap, bank)
        try:
            self.started()
        except BaseException:
            self._watched = {}
            raise

    def _learn(self, labels: Tensor) -> Tensor:
        """Train every bank on what it captured; a graph comes back from mode ``joint`` alone."""
        result = torch.zeros((), device=self.device)
        with torch.inference_mode(False):
            due = self._due
            labels = check_labels(labels, self.classes).to(self.device, copy=True)
            for watched in self._watched.values():
                joint = watched.bank.settings.mode == "joint"
                if due:
                    watched.bank.step()  # what mode joint has gathered since its last step
                if not due and not joint:
                    continue
                captured = watched.tap.take()
                check_length(captured, labels)
                loss = watched.bank.loss(captured, labels)
                if joint:
                    result = loss
                else:
                    loss.backward()
                    watched.bank.step()
        self.step += 1
        return result

    def _clear(self) -> None:
        self._forwards = 0
        self._tap.clear()
        if self._twin is not None:
            self._twin.tap.clear()
