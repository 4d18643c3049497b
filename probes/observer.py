"""Probes, their control and recorders on one network: everything of a recording but the file."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoplane.analysis.bounds import BoundSums, VIBBounds
from infoplane.analysis.errors import InputError
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.activations import ActivationRecorder
from infoplane.probes.attach import Captured, Tap
from infoplane.probes.bank import ProbeBank, check_labels, widths
from infoplane.probes.errors import CaptureError, SiteError
from infoplane.probes.isolation import evaluation_mode, preserved_random_state
from infoplane.probes.vib import ProbeEvaluation, VIBProbe, VIBSettings
from infoplane.probes.weights import WeightRecorder


@dataclass(frozen=True)
class Measurement:
    """One pass over held-out data.

    Attributes
    ----------
    step : int
        Steps of training before it: calls of `Observer.loss`.
    bounds : VIBBounds
        In bits; one entry per probe, in the order of ``Observer.probe_names``.
    activations, weights : dict of str to SketchSummary
        Empty where the recorder is off.
    loss : float or None
        Mean cross-entropy of the host's own output in bit, None where that is no (n, classes) tensor.
    error : float or None
        Share of inputs that the host's own output puts into a wrong class, or None likewise.
    left_out : dict of str to int
        Inputs, by probe, that training left out since the last measurement because an activation was not finite.
    """

    step: int
    bounds: VIBBounds
    activations: dict[str, SketchSummary]
    weights: dict[str, SketchSummary]
    loss: float | None
    error: float | None
    left_out: dict[str, int]


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
        The probes learn at every `probe_every`-th step. With gradient accumulation over k batches, k keeps them at
        one step per step of the host.
    control : bool
        Also train the same probes, from the same seed and on the same batches, on a frozen copy of the host as it
        is now.
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
    gives_logits : bool
        Whether the host's own output is a (n, classes) tensor; known from the first forward on.
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
        self.step, self.probe_every, self.gives_logits = 0, probe_every, False
        self.weight_recorder = WeightRecorder(model) if weights else None
        self.started: Callable[[], None] = lambda: None
        self.record_activations, self._seed = activations, seed
        self._measuring = False
        self._forwards = 0
        self._banks: dict[str, ProbeBank] = {}
        self._untrained = copy.deepcopy(model).requires_grad_(False) if control else None
        keep = _copied if settings.mode == "observe" else torch.clone
        self._taps = {"trained": Tap(model, sites, keep=keep, active=self._wanted, after=self._forwarded)}
        if self._untrained is not None:
            twins = dict(self._untrained.named_modules())
            self._taps["untrained"] = Tap(
                self._untrained, {name: twins[name] for name in sites}, keep=_copied, active=lambda: True
            )

    @property
    def hosts(self) -> tuple[str, ...]:
        """``("trained",)``, or ``("trained", "untrained")`` with a control."""
        return tuple(self._taps)

    @property
    def probe_names(self) -> tuple[str, ...]:
        """One name per probe: the site, with ``@untrained`` behind it on the control."""
        return tuple(site if host == "trained" else f"{site}@{host}" for host, site in self.probe_places)

    @property
    def probe_places(self) -> tuple[tuple[str, str], ...]:
        """``(host, site)`` of every probe, in the order of `probe_names`."""
        return tuple((host, site) for host in self.hosts for site in self.sites)

    @property
    def has_started(self) -> bool:
        """Whether the first training forward has been seen."""
        return bool(self._banks)

    @property
    def updates(self) -> int:
        """Steps that the probes' own optimizer took."""
        return self._banks["trained"].updates if self._banks else 0

    def probe(self, site: str, host: str = "trained") -> VIBProbe:
        """Return one probe."""
        known = [f"{s} ({h})" for h, s in self.probe_places]
        if host not in self._banks or site not in self.sites:
            when = "" if self._banks else "; probes are built at the first training forward"
            raise SiteError(f"there is no probe at {site!r} of the {host!r} host; there are {', '.join(known)}{when}")
        return self._banks[host].probes[site]

    def open(self) -> None:
        """Set the hooks."""
        for tap in self._taps.values():
            tap.open()

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
        yield
        if not self._forwards:
            raise CaptureError("there was no training forward of the recorded network inside 'with rec.batch(labels)'")
        self._forwards = 0
        self._learn(labels)

    def measure(self, batches: Iterable[Any]) -> Measurement:
        """Take one measurement on held-out data; see `infoplane.recording.Recording.measure`."""
        if not self.step:
            raise CaptureError(
                "measure() before any step: the probes have learned nothing yet; call loss(labels) in training first"
            )
        self._clear()
        for bank in self._banks.values():
            bank.step()
        device = self.device
        sums = BoundSums.zeros(len(self.probe_names), self.classes)
        recorder = ActivationRecorder(self.sites if self.record_activations else ())
        streams = {host: bank.evaluation_streams() for host, bank in self._banks.items()}
        host_loss, wrong, n = 0.0, 0, 0
        models = [self.model] if self._untrained is None else [self.model, self._untrained]
        self._measuring = True
        try:
            with preserved_random_state(), torch.no_grad():
                for inputs, labels in _pairs(batches):
                    inputs, labels = inputs.to(device), check_labels(labels.to(device), self.classes)
                    rows: list[ProbeEvaluation] = []
                    for host, model in zip(self.hosts, models, strict=True):
                        with evaluation_mode(model):
                            output = model(inputs)
                        captured = self._taps[host].take()
                        _check_length(captured, labels)
                        rows += self._banks[host].evaluate(captured, labels, streams[host]).values()
                        if host == "trained":
                            recorder.update(captured)
                            if self.gives_logits:
                                logits = output.float()
                                host_loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
                                wrong += int((logits.argmax(1) != labels).sum())
                    sums.update(
                        torch.stack([r.kl for r in rows]).cpu(),
                        torch.stack([r.ce for r in rows]).cpu(),
                        torch.stack([r.correct for r in rows]).cpu(),
                        labels.cpu(),
                    )
                    n += len(labels)
        finally:
            self._measuring = False
            self._clear()
        if not n:
            raise InputError(
                "measure() got an empty loader: it needs at least one batch (inputs, labels) of held-out data"
            )
        left_out = [count for bank in self._banks.values() for count in bank.left_out().values()]
        return Measurement(
            step=self.step,
            bounds=sums.compute(base=2),
            activations=recorder.summaries(),
            weights=self.weight_recorder.summaries() if self.weight_recorder else {},
            loss=host_loss / n / _LN2 if self.gives_logits else None,
            error=wrong / n if self.gives_logits else None,
            left_out=dict(zip(self.probe_names, left_out, strict=True)),
        )

    def close(self) -> None:
        """Remove the hooks; the last gradients of mode ``joint`` are used first. Safe to call twice."""
        for bank in self._banks.values():
            bank.step()
        for tap in self._taps.values():
            tap.close()

    @property
    def _due(self) -> bool:
        return self.step % self.probe_every == 0

    def _wanted(self) -> bool:
        return self._measuring or self.model.training

    def _forwarded(self, captured: Captured, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if self._measuring:
            return
        self._forwards += 1
        if not self._banks:
            self._start(captured, output)
        if not self._due:
            self._taps["trained"].clear()
        elif self._untrained is not None:
            # The copy follows the host's modes, so that dropout and batch norm act on both alike.
            for module, twin in zip(self.model.modules(), self._untrained.modules(), strict=True):
                twin.training = module.training
            with preserved_random_state(), torch.no_grad():
                self._untrained(*args, **kwargs)

    def _start(self, captured: Captured, output: Any) -> None:
        self.device = captured[self.sites[0]].device
        self.gives_logits = isinstance(output, Tensor) and output.ndim == 2 and output.shape[1] == self.classes
        features = widths(captured, self.sites)
        with preserved_random_state():
            for host in self.hosts:
                self._banks[host] = ProbeBank(
                    features,
                    self.classes,
                    self.settings if host == "trained" else _observing(self.settings),
                    seed=self._seed,
                    device=self.device,
                )
        self.started()

    def _learn(self, labels: Tensor) -> Tensor:
        due = self._due
        result = torch.zeros((), device=self.device)
        if due:
            captured = {host: tap.take() for host, tap in self._taps.items()}
            labels = check_labels(labels.to(self.device), self.classes)
            for host, bank in self._banks.items():
                _check_length(captured[host], labels)
                bank.step()  # what mode joint left behind
                loss = bank.loss(captured[host], labels)
                if bank.settings.mode == "joint":
                    result = loss
                else:
                    loss.backward()
                    bank.step()
        self.step += 1
        return result

    def _clear(self) -> None:
        self._forwards = 0
        for tap in self._taps.values():
            tap.clear()


_LN2 = 0.6931471805599453


def _copied(output: Tensor) -> Tensor:
    return output.detach().clone()


def _observing(settings: VIBSettings) -> VIBSettings:
    return VIBSettings(**{**vars(settings), "mode": "observe"})


def _pairs(batches: Iterable[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    for batch in batches:
        if not (isinstance(batch, tuple | list) and len(batch) == 2 and all(isinstance(b, Tensor) for b in batch)):
            raise InputError(
                f"measure() needs batches (inputs, labels) of two tensors, but the loader gave a {type(batch).__name__}"
            )
        yield batch[0], batch[1]


def _check_length(captured: Captured, labels: Tensor) -> None:
    for site, activation in captured.items():
        if len(activation) != len(labels):
            raise CaptureError(
                f"there are {len(labels)} labels, but the forward passed {len(activation)} inputs through {site!r}: "
                "give the labels of that forward's batch"
            )
