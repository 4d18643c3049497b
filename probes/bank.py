"""The probes of one host: one VIB probe per site, trained by one optimizer of their own."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.probes.vib import ProbeEvaluation, VIBProbe, VIBSettings

_INIT, _TRAIN, _EVALUATE = range(3)


class ProbeBank:
    """One `VIBProbe` per site, with their optimizer and their random streams.

    Two banks with one seed and one list of sites start from the same weights and see the same noise: that is what
    makes the control of a frozen host comparable. Evaluation noise is the same at every measurement, so that two
    measurements differ by the probes and the host alone.

    Parameters
    ----------
    features : mapping of str to int
        Flattened width of each site.
    classes : int
        Number of labels.
    settings : VIBSettings
        Of every probe.
    seed : int
        Of initial weights and noise; independent streams per site.
    device : torch.device
        Where the activations are.

    Attributes
    ----------
    probes : dict of str to VIBProbe
        By site.
    updates : int
        Steps that the optimizer took.
    """

    def __init__(
        self,
        features: Mapping[str, int],
        classes: int,
        settings: VIBSettings,
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        self.settings, self.classes = settings, classes
        self._seed, self._device = seed, device
        self.probes = {
            site: VIBProbe(width, classes, settings, seed=_stream(seed, k, _INIT)).to(device)
            for k, (site, width) in enumerate(features.items())
        }
        self._noise = {site: self._generator(k, _TRAIN) for k, site in enumerate(self.probes)}
        self._optimizer = torch.optim.Adam(
            [p for probe in self.probes.values() for p in probe.parameters()], lr=settings.learning_rate
        )
        self.updates = 0
        self._left_out = {site: torch.zeros((), dtype=torch.int64, device=device) for site in self.probes}

    def loss(self, captured: Mapping[str, Tensor], labels: Tensor) -> Tensor:
        """Return the sum of the probes' losses in nats, gradients enabled and autocast off.

        Inputs with a non-finite activation are left out of that site's loss, and counted: one of them would turn
        every weight of its probe into NaN.
        """
        total = torch.zeros((), device=self._device)
        with torch.enable_grad(), torch.autocast(self._device.type, enabled=False):
            for site, probe in self.probes.items():
                activation = captured[site].flatten(1)
                finite = activation.isfinite().all(dim=1)
                self._left_out[site] += (~finite).sum()
                activation = torch.where(finite[:, None], activation, 0)
                total = total + probe.loss(activation, labels, valid=finite, generator=self._noise[site])
        return total

    def step(self) -> None:
        """Update the probes with the gradients they hold, and clear these; nothing happens where there are none."""
        if any(p.grad is not None for p in self._optimizer.param_groups[0]["params"]):
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self.updates += 1

    def evaluation_streams(self) -> dict[str, torch.Generator]:
        """Return fresh generators for one measurement, the same at every measurement."""
        return {site: self._generator(k, _EVALUATE) for k, site in enumerate(self.probes)}

    def evaluate(
        self, captured: Mapping[str, Tensor], labels: Tensor, streams: Mapping[str, torch.Generator]
    ) -> dict[str, ProbeEvaluation]:
        """Return every probe's per-input results on one batch."""
        with torch.autocast(self._device.type, enabled=False):
            return {
                site: probe.evaluate(captured[site], labels, generator=streams[site])
                for site, probe in self.probes.items()
            }

    def left_out(self) -> dict[str, int]:
        """Return, per site, how many inputs training left out since the last call, and start again from zero."""
        counts = {site: int(count) for site, count in self._left_out.items()}
        for count in self._left_out.values():
            count.zero_()
        return counts

    def _generator(self, index: int, purpose: int) -> torch.Generator:
        return torch.Generator(self._device).manual_seed(_stream(self._seed, index, purpose))


def check_labels(labels: Tensor, classes: int) -> Tensor:
    """Return `labels` as (n,) int64, or raise.

    Raises
    ------
    InputError
        When they are no one-dimensional integers, or outside 0 .. classes - 1.
    """
    if not isinstance(labels, Tensor):
        raise InputError(f"labels are a {type(labels).__name__}, but a torch.Tensor of integer classes is needed")
    if labels.ndim != 1 or labels.dtype.is_floating_point or labels.dtype.is_complex or labels.dtype == torch.bool:
        raise InputError(
            f"labels have shape {tuple(labels.shape)} and type {labels.dtype}, "
            "but one integer class per input, shape (n,), is needed"
        )
    labels = labels.detach().long()
    if labels.numel():
        low, high = (int(v) for v in torch.aminmax(labels))
        if low < 0 or high >= classes:
            raise InputError(
                f"a label is {low if low < 0 else high}, but with classes={classes} labels lie in 0 .. {classes - 1}"
            )
    return labels


def _stream(seed: int, index: int, purpose: int) -> int:
    return int(np.random.SeedSequence([seed, index, purpose]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def widths(captured: Mapping[str, Tensor], order: Sequence[str]) -> dict[str, int]:
    """Return the flattened width of every site, in `order`."""
    return {site: captured[site].flatten(1).shape[1] for site in order}
