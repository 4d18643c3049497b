"""The banks of probes of a recording: on the trained host, on its untrained twin, and fitted anew."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from infoplane.probes.attach import Captured, Tap
from infoplane.probes.bank import ProbeBank
from infoplane.probes.batches import check_length
from infoplane.probes.bottleneck import VIBBottleneck
from infoplane.probes.bottleneck_bank import BottleneckBank
from infoplane.probes.errors import SiteError
from infoplane.probes.held_out import Watched
from infoplane.probes.plan import Plan
from infoplane.probes.probe_info import ProbeInfo, probes_of_host
from infoplane.probes.ranks import Ranks
from infoplane.probes.vib import VIBProbe


def probes_of(plan: Plan, sites: Sequence[str], bottlenecks: Mapping[str, VIBBottleneck]) -> tuple[ProbeInfo, ...]:
    """Return every probe of every host, in the order of a measurement's bounds; arguments as of `Hosts`."""
    return tuple(probe for host in plan.hosts for probe in _of_host(plan, sites, bottlenecks, host))


class Hosts:
    """Trains the probes of every host on what passed through its sites.

    Parameters
    ----------
    plan : Plan
        Which probes.
    widths : mapping of str to int
        Of every site's vector.
    device : torch.device
        Where the network is.
    ranks : Ranks
        The processes that train together.
    bottlenecks : mapping of str to VIBBottleneck
        By site; empty in modes with probes beside the network.
    """

    def __init__(
        self,
        plan: Plan,
        widths: Mapping[str, int],
        *,
        device: torch.device,
        ranks: Ranks,
        bottlenecks: Mapping[str, VIBBottleneck],
    ) -> None:
        self._plan, self._widths, self._device, self._ranks = plan, widths, device, ranks
        self._bottlenecks = bottlenecks
        self._banks = {host: self._bank(host) for host in plan.hosts if host != "refitted"}

    @property
    def updates(self) -> int:
        """Steps that the optimizer of the trained host's probes took."""
        return self._banks["trained"].updates

    def learn(self, captured: Mapping[str, Captured], labels: Tensor, *, step: int, update: bool) -> Tensor:
        """Train the probes on one batch.

        Parameters
        ----------
        captured : mapping of str to mapping of str to torch.Tensor
            By host and site, shape (n, width); a host without any learns nothing.
        labels : torch.Tensor
            As the target checks them.
        step : int
            Which step it is.
        update : bool
            Whether the trained host's probes take a step in a mode in which they gather gradients.

        Returns
        -------
        torch.Tensor
            A scalar: what the host's own loss is to be added to, 0 without a graph in mode ``observe``.
        """
        result = torch.zeros((), device=self._device)
        for host, codes in captured.items():
            if codes:
                check_length(codes, labels)
                bank = self._banks[host]
                loss = bank.learn(codes, labels, step=step, update=update or self._plan.settings.mode == "observe")
                result = loss if host == "trained" else result
        return result

    def begin_refit(self) -> None:
        """Put fresh probes in the place of those fitted before: the same start and noise every time."""
        self._banks["refitted"] = self._bank("refitted")

    def refit(self, codes: Captured, labels: Tensor) -> bool:
        """Train the fresh probes on one batch, and say whether they have had all their steps."""
        check_length(codes, labels)
        bank = self._banks["refitted"]
        bank.learn(codes, labels, step=bank.updates, update=True)
        return bank.updates >= self._plan.refit

    def probe(self, site: str, *, host: str, beta: float | None, scale: float) -> VIBProbe:
        """Return one probe; see `infoplane.recording.Recording.probe`."""
        asked = (site, host, self._plan.betas[0] if beta is None else beta, scale)
        probes = probes_of(self._plan, tuple(self._widths), self._bottlenecks)
        for info in probes:
            bank = self._banks.get(host)
            if (info.site, info.host, info.beta, info.scale) == asked and isinstance(bank, ProbeBank):
                return bank.measured[info.name]
        known = ", ".join(f"{info.name} (host {info.host!r}, beta {info.beta:g})" for info in probes)
        raise SiteError(
            f"there is no probe with site {site!r}, host {host!r}, beta {asked[2]:g} and scale {scale:g}; "
            f"there are {known}"
        )

    def watched(
        self, taps: Mapping[str, tuple[nn.Module, Tap]], aside: Callable[[], AbstractContextManager[object]]
    ) -> list[Watched]:
        """Return every host with its probes for a measurement; `taps` are those of ``trained`` and ``untrained``."""
        found = []
        for host in self._plan.hosts:
            model, tap = taps["untrained" if host == "untrained" else "trained"]
            found.append(Watched(host, model, tap, self._banks[host], aside))
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes; without the fresh probes, which every measurement fits anew."""
        return {host: bank.state_dict() for host, bank in self._banks.items() if host != "refitted"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, of the same probes; its tensors may be kept."""
        for host, bank in self._banks.items():
            bank.load_state_dict(state[host])

    def _bank(self, host: str) -> ProbeBank | BottleneckBank:
        plan, device, ranks = self._plan, self._device, self._ranks
        probes = _of_host(plan, tuple(self._widths), self._bottlenecks, host)
        if plan.settings.mode == "bottleneck":
            return BottleneckBank(probes, self._bottlenecks, plan.target, plan.settings, device=device, ranks=ranks)
        settings = plan.settings if host == "trained" else replace(plan.settings, mode="observe")
        return ProbeBank(probes, self._widths, plan.target, settings, seed=plan.seed, device=device, ranks=ranks)


def _of_host(
    plan: Plan, sites: Sequence[str], bottlenecks: Mapping[str, VIBBottleneck], host: str
) -> tuple[ProbeInfo, ...]:
    latent = plan.settings.latent
    probes = probes_of_host(sites, host=host, betas=plan.betas, latent=latent, scales=plan.scale_twins)
    return tuple(replace(p, latent=bottlenecks[p.site].latent) if p.site in bottlenecks else p for p in probes)
