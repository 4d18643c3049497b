"""One pass over held-out data: every batch through every network in evaluation mode, and the sums that come of it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from math import nan

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from infoplane.analysis.bounds import VIBBounds
from infoplane.analysis.errors import InputError
from infoplane.analysis.sketch import SketchSummary
from infoplane.probes.attach import Captured, Tap
from infoplane.probes.bank import ProbeBank
from infoplane.probes.batches import Batch, check_length
from infoplane.probes.bottleneck import sampled
from infoplane.probes.bottleneck_bank import BottleneckBank
from infoplane.probes.dependence import OUTPUT
from infoplane.probes.errors import CaptureError
from infoplane.probes.gradients import GradientStatistics
from infoplane.probes.held_out_sums import HeldOutSums, network_of
from infoplane.probes.host_output import read_output
from infoplane.probes.isolation import evaluation_mode, preserved_random_state
from infoplane.probes.measurement import Measurement
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.ranks import Ranks
from infoplane.probes.recorders import Recorders
from infoplane.probes.subset import Subset
from infoplane.probes.target import Target
from infoplane.probes.vib import ProbeEvaluation


@dataclass(frozen=True)
class Watched:
    """A network, the tap on its sites, and the probes that read them.

    Attributes
    ----------
    host : str
        One of `infoplane.probes.probe_info.HOSTS`; ``trained`` and ``refitted`` share a network and a forward.
    model : torch.nn.Module
        The network.
    tap : Tap
        Gives its reduced activations by site.
    bank : ProbeBank or BottleneckBank
        The probes.
    aside : callable
        Gives a context for forwards that only draw codes, of which the tap and the recorders take no notice.
    """

    host: str
    model: nn.Module
    tap: Tap
    bank: ProbeBank | BottleneckBank
    aside: Callable[[], AbstractContextManager[object]] = nullcontext


class HeldOut:
    """Sums over the batches of one pass.

    Parameters
    ----------
    hosts : sequence of Watched
        The trained host first.
    probes : sequence of ProbeInfo
        Of all hosts, in the order of the results.
    target : Target
        What is predicted.
    scores : str
        As `output_scores` says of the host; ``""`` where its output is not read.
    recorders : Recorders
        At the host's sites.
    device : torch.device
        Where the networks are.
    sandwich : int
        Inputs, at least two, of the random subset on which the codes' information is enclosed.
    seed : int
        Of that subset and its draws.
    inputs : int
        Inputs, a random subset, whose own results are kept; 0 for none.
    """

    def __init__(
        self,
        hosts: Sequence[Watched],
        probes: Sequence[ProbeInfo],
        target: Target,
        scores: str,
        *,
        recorders: Recorders,
        device: torch.device,
        sandwich: int,
        seed: int,
        inputs: int = 0,
    ) -> None:
        self._hosts, self._target, self._scores = hosts, target, scores
        self._recorders, self._device, self._seed = recorders, device, seed
        self._sums = HeldOutSums(probes, target, subset=Subset(sandwich, seed), seed=seed, inputs=inputs)

    def add(self, batch: Batch, positions: Tensor) -> None:
        """Pass one batch through every network.

        Parameters
        ----------
        batch : Batch
            Held-out inputs.
        positions : torch.Tensor
            Shape (n,), int64, on the CPU: as `infoplane.probes.positions.positions_of` gives them.

        Raises
        ------
        InputError
            When a label is none of the target's.
        CaptureError
            When a site passed another number of inputs, or the host's output is none that can be read any more.
        """
        if not batch.n:
            return
        self._sums.add_keys(batch.keys(), positions)
        labels = self._target.check(batch.labels).to(self._device)
        batch = batch.to(self._device)
        results: dict[str, ProbeEvaluation] = {}
        captured_of: dict[str, Captured] = {}
        for host in self._hosts:
            network = network_of(host.host)
            if network not in captured_of:
                captured_of[network] = self._forward(host, network, batch, labels, positions)
            captured = captured_of[network]
            outputs = self._draws(host, batch, positions) if isinstance(host.bank, BottleneckBank) else ()
            results |= host.bank.evaluate(captured, labels, positions, outputs)
        if self._recorders.raw is not None:
            self._recorders.raw.add(positions, labels, captured_of["trained"])
        self._sums.add(results, labels, positions)

    def result(
        self,
        ranks: Ranks,
        *,
        dealt: bool,
        step: int,
        later: Mapping[str, Sequence[str]],
        weights: Mapping[str, SketchSummary],
        gradients: Mapping[str, GradientStatistics],
    ) -> Measurement:
        """Return the measurement of all ranks; every rank calls it.

        Parameters
        ----------
        ranks : Ranks
            The processes that measure together.
        dealt : bool
            As `Positions` says: whether every input belongs to one rank alone. If not, and all ranks had the same
            inputs, those of the first count alone.
        step : int
            Steps of training so far.
        later : mapping of str to sequence of str
            As `infoplane.probes.dependence.dependence` finds it.
        weights, gradients : mapping
            By parameter.

        Raises
        ------
        InputError
            When no rank had an input.
        """
        states = ranks.gather((self._sums, self._recorders))
        first, *others = states if dealt else _without_repeats(states)
        sums, recorders = first
        for more_sums, more_recorders in others:
            sums.merge(more_sums)
            recorders.merge(more_recorders)
        left_out = {name: count for host in self._hosts for name, count in host.bank.left_out().items()}
        if not sums.n:
            raise InputError(
                "measure() got an empty loader: it needs at least one batch (inputs, labels) of held-out data"
            )
        bounds, sandwich, chain = sums.bounds(), sums.sandwich(), sums.chain(later)
        passed_by = self._passed_by(later)
        if passed_by.any():
            bounds = _without_label_bound(bounds, passed_by)
            chain = [
                bound._replace(value=nan, standard_error=nan) if by else bound
                for bound, by in zip(chain, passed_by, strict=True)
            ]
        return Measurement(
            step=step,
            updates=self._hosts[0].bank.updates,
            bounds=bounds,
            i_zx_lower=sandwich.lower,
            i_zx_upper=sandwich.upper,
            se_i_zx_lower=sandwich.se_lower,
            se_i_zx_upper=sandwich.se_upper,
            n_sandwich=sandwich.n,
            i_ty_chain=np.array([bound.value for bound in chain]),
            se_i_ty_chain=np.array([bound.standard_error for bound in chain]),
            chain_term=np.array([bound.best for bound in chain], np.int64),
            activations={} if recorders.activations is None else recorders.activations.summaries(),
            weights=dict(weights),
            neurons={} if recorders.neurons is None else recorders.neurons.result(),
            gradients=dict(gradients),
            raw=None if recorders.raw is None else recorders.raw.result(),
            each_input=sums.each_input(),
            loss=sums.loss(),
            error=sums.error(),
            left_out={probe.name: left_out[probe.name] for probe in sums.probes},
            dimensions=sums.dimensions(),
            input_keys=sums.keys(),
        )

    def _passed_by(self, later: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
        """Return of which bottlenecks the network's output was not seen to know the input through them alone."""
        of_network = {host.host for host in self._hosts if isinstance(host.bank, BottleneckBank)}
        return np.array([p.host in of_network and OUTPUT not in later.get(p.site, ()) for p in self._sums.probes])

    def _forward(self, host: Watched, network: str, batch: Batch, labels: Tensor, positions: Tensor) -> Captured:
        """Run one network and return its reduced activations; note what it says itself."""
        mine = batch.cloned()
        with evaluation_mode(host.model), torch.no_grad():
            output = host.model(*mine.args, **mine.kwargs)
        captured = host.tap.take()
        check_length(captured, labels)
        if self._scores:
            self._sums.add_output(network, read_output(output, self._target, self._scores), labels, positions)
        return captured

    def _draws(self, host: Watched, batch: Batch, positions: Tensor) -> list[Tensor]:
        """Return what a network with bottlenecks says of draws of their codes, the same ones at every measurement."""
        if not self._scores:
            raise CaptureError(
                f"mode 'bottleneck' reads the label from the network's own output, which is no (n, "
                f"{self._target.decoder_width}) tensor: record a network that returns one score per class"
            )
        said = []
        with preserved_random_state(), evaluation_mode(host.model), torch.no_grad(), host.aside(), sampled(host.model):
            torch.manual_seed(int(np.random.SeedSequence([self._seed, int(positions[0])]).generate_state(1)[0]))
            for _ in range(host.bank.forwards):
                mine = batch.cloned()
                said.append(read_output(host.model(*mine.args, **mine.kwargs), self._target, self._scores))
        return said


def _without_label_bound(bounds: VIBBounds, which: NDArray[np.bool_]) -> VIBBounds:
    """Return bounds with NaN for what an output that has another path to the input does not say of a code."""

    def without(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(which, nan, values)

    return replace(
        bounds,
        i_zy=without(bounds.i_zy),
        ce=without(bounds.ce),
        error=without(bounds.error),
        se_i_zy=without(bounds.se_i_zy),
        se_ce=without(bounds.se_ce),
        covariance_i_zy=np.where(which[:, None] | which[None, :], nan, bounds.covariance_i_zy),
    )


def _without_repeats(states: list[tuple[HeldOutSums, Recorders]]) -> list[tuple[HeldOutSums, Recorders]]:
    """Return the first state alone if all ranks had the same inputs."""
    first = states[0][0]
    # Inputs without keys cannot be compared, and are taken to be the rank's own.
    same = first.keys().size > 0 and all(np.array_equal(sums.keys(), first.keys()) for sums, _ in states)
    return states[:1] if same else states
