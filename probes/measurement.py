"""One pass over held-out data: bounds of every probe, sketches, and what the host itself does."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from infoplane.analysis.bounds import BoundSums, VIBBounds
from infoplane.analysis.errors import InputError
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.activations import ActivationRecorder
from infoplane.probes.attach import Captured, Tap
from infoplane.probes.bank import ProbeBank, check_labels
from infoplane.probes.errors import CaptureError
from infoplane.probes.isolation import evaluation_mode
from infoplane.probes.vib import ProbeEvaluation


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
    dimensions : tuple of numpy.ndarray
        One per probe, shape (N,): the mean divergence of each dimension of its code in bit; `bounds.i_zx` is their sum.
    input_keys : numpy.ndarray
        Shape (n,), one integer per input; equal inputs, and practically only those, have equal ones. Empty where the
        inputs are sparse or not along the first dimension.
    """

    step: int
    bounds: VIBBounds
    activations: dict[str, SketchSummary]
    weights: dict[str, SketchSummary]
    loss: float | None
    error: float | None
    left_out: dict[str, int]
    dimensions: tuple[NDArray[np.float64], ...]
    input_keys: NDArray[np.uint64]


@dataclass(frozen=True)
class Watched:
    """A network, the tap on its sites, and the probes that read them."""

    model: nn.Module
    tap: Tap
    bank: ProbeBank


def input_keys(inputs: Tensor) -> NDArray[np.uint64]:
    """Return one integer per input, shape (n,); equal inputs, and practically only those, have equal ones.

    64 bits of a hash over the bytes of each input: for images that is some eight times faster than mixing every entry,
    as `infoplane.analysis.rows.row_keys` does, which sees through types and the sign of a zero where this does not.
    """
    plain = inputs.detach().cpu().resolve_conj().resolve_neg()
    rows = plain.reshape(len(plain), prod(plain.shape[1:])).contiguous().view(torch.uint8).numpy()
    digests = (hashlib.blake2b(row, digest_size=8).digest() for row in rows)
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)


def output_scores(output: Any, classes: int) -> str:
    """Say what a host's output is: ``"logits"``, ``"probabilities"``, or ``""`` where it is no (n, classes) tensor."""
    if not (isinstance(output, Tensor) and output.ndim == 2 and output.shape[1] == classes):
        return ""
    values = output.detach().float()
    sums_to_one = bool((values.sum(dim=1) - 1).abs().max() < 1e-3) if len(values) else False
    return "probabilities" if sums_to_one and bool((values >= 0).all()) else "logits"


class HeldOut:
    """Sums over the batches of one pass.

    Parameters
    ----------
    hosts : sequence of Watched
        The host first, then its control where there is one.
    classes : int
        Number of labels.
    scores : str
        As `output_scores` says of the host.
    recorder : ActivationRecorder
        Sketches the host's sites.
    device : torch.device
        Where the hosts are.
    """

    def __init__(
        self, hosts: list[Watched], classes: int, scores: str, recorder: ActivationRecorder, device: torch.device
    ) -> None:
        self._hosts, self._classes, self._scores, self._recorder = hosts, classes, scores, recorder
        self._device = device
        self._streams = [host.bank.evaluation_streams() for host in hosts]
        self._sums = BoundSums.zeros(sum(len(host.bank.probes) for host in hosts), classes)
        self._dimensions = [torch.zeros((), dtype=torch.float64)] * len(self._sums.wrong)
        self._keys: list[NDArray[np.uint64]] = []
        self._loss, self._wrong = 0.0, 0

    def add(self, inputs: Tensor, labels: Tensor) -> None:
        """Pass one batch through every host in evaluation mode."""
        if inputs.layout is torch.strided and inputs.shape[:1] == labels.shape:
            self._keys.append(input_keys(inputs))
        inputs, labels = inputs.to(self._device), check_labels(labels, self._classes).to(self._device)
        rows: list[ProbeEvaluation] = []
        for host, streams in zip(self._hosts, self._streams, strict=True):
            with evaluation_mode(host.model):
                # A copy for each: a network may work in place on what it is given.
                output = host.model(inputs.clone())
            captured = host.tap.take()
            check_length(captured, labels)
            rows += host.bank.evaluate(captured, labels, streams).values()
            if host is self._hosts[0]:
                self._recorder.update(captured)
                self._add_output(output, labels)
        kl, ce, correct = (torch.stack([getattr(row, name) for row in rows]) for name in ("kl", "ce", "correct"))
        self._sums.update(kl, ce, correct, labels)
        self._dimensions = [
            total + row.dimensions.cpu().double() for total, row in zip(self._dimensions, rows, strict=True)
        ]

    def _add_output(self, output: Any, labels: Tensor) -> None:
        if not self._scores:
            return
        if not output_scores(output, self._classes):
            raise CaptureError("the network's output was an (n, classes) tensor in training, but is none in evaluation")
        scores = output.float()
        logits = scores.log() if self._scores == "probabilities" else scores
        self._loss += float(functional.cross_entropy(logits, labels, reduction="sum"))
        self._wrong += int((scores.argmax(1) != labels).sum())

    def result(self, *, step: int, names: tuple[str, ...], weights: Mapping[str, SketchSummary]) -> Measurement:
        """Return the measurement; `names` are the probes', in the order of the hosts."""
        n = self._sums.n
        if not n:
            raise InputError(
                "measure() got an empty loader: it needs at least one batch (inputs, labels) of held-out data"
            )
        left_out = [count for host in self._hosts for count in host.bank.left_out().values()]
        return Measurement(
            step=step,
            bounds=self._sums.compute(base=2),
            activations=self._recorder.summaries(),
            weights=dict(weights),
            loss=self._loss / n / math.log(2) if self._scores else None,
            error=self._wrong / n if self._scores else None,
            left_out=dict(zip(names, left_out, strict=True)),
            dimensions=tuple((total / n / math.log(2)).numpy() for total in self._dimensions),
            input_keys=np.concatenate([np.empty(0, np.uint64), *self._keys]),
        )


def pairs(batches: Iterable[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (inputs, labels) of every batch, or raise `InputError`."""
    try:
        iterator = iter(batches)
    except TypeError:
        raise InputError(
            f"measure() needs an iterable of batches, such as a DataLoader, but was given {batches!r}"
        ) from None
    for batch in iterator:
        if not (isinstance(batch, tuple | list) and len(batch) == 2 and all(isinstance(b, Tensor) for b in batch)):
            raise InputError(
                f"measure() needs batches (inputs, labels) of two tensors, but the loader gave a {type(batch).__name__}"
            )
        yield batch[0], batch[1]


def check_length(captured: Captured, labels: Tensor) -> None:
    """Raise `CaptureError` unless every site passed as many inputs as there are labels."""
    for site, activation in captured.items():
        if len(activation) != len(labels):
            raise CaptureError(
                f"there are {len(labels)} labels, but the forward passed {len(activation)} inputs through {site!r}: "
                "give the labels of that forward's batch"
            )
