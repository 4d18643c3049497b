"""The probes of one host, trained by one optimizer of their own: several per site, at several betas and scales.

What makes probes comparable: with one seed, those of one site start from the same weights on every host and at every
beta and scale, and all of them see the same noise (common random numbers). Their gradient never depends on what is done
with the loss: it is taken at once, on copies. Over W processes it is the mean over all their inputs, with the noise of
one process that has the joint batch in the order of torch's ``DistributedSampler``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.probes.encoding import Encoded, encoded
from infoplane.probes.known_gradient import with_gradient
from infoplane.probes.label_normals import LabelNormals
from infoplane.probes.moving_average import averaged_copy
from infoplane.probes.noise import ProbeNoise, stream_seed
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.ranks import Ranks
from infoplane.probes.target import ClassTarget, Target
from infoplane.probes.vib import ProbeEvaluation, VIBProbe
from infoplane.probes.vib_gradient import Passed, take_gradients
from infoplane.probes.vib_settings import VIBSettings

LABELS_FIRST = 64  # updates at every one of which the label normals learn, for at first codes move fast, and
LABELS_EVERY = 8  # from one of theirs to the next after that
_CHUNK = 1024  # inputs evaluated at once


class ProbeBank:
    """The probes of one host, with their optimizer, their random streams and their label normals.

    Parameters
    ----------
    probes : sequence of ProbeInfo
        Which there are; their `beta` takes the place of that in `settings`.
    features : mapping of str to int
        Width of each site's reduced activation.
    target : Target
        What is predicted.
    settings : VIBSettings
        Of every probe; mode ``observe`` or ``joint``.
    seed : int
        Of initial weights, independent per site by its name, and of noise, which all sites share.
    device : torch.device
        Where the activations are.
    ranks : Ranks, optional
        The processes that train together; this one alone when left out.

    Attributes
    ----------
    probes : dict of str to VIBProbe
        By the probe's name: those that learn.
    measured : dict of str to VIBProbe
        Those that `evaluate` evaluates: with averaged weights where ``settings.averaging`` says so, else the same.
    updates : int
        Steps that the optimizer took.
    forwards : int
        Forwards of the host that `evaluate` needs per batch.

    Raises
    ------
    InputError
        In mode ``bottleneck``, which `infoplane.probes.bottleneck_bank` serves.
    """

    forwards = 1

    def __init__(
        self,
        probes: Sequence[ProbeInfo],
        features: Mapping[str, int],
        target: Target,
        settings: VIBSettings,
        *,
        seed: int,
        device: torch.device,
        ranks: Ranks = Ranks(),  # noqa: B008
    ) -> None:
        if settings.mode == "bottleneck":
            raise InputError("a probe bank has mode 'observe' or 'joint'; mode 'bottleneck' has a BottleneckBank")
        self.target, self.settings = target, settings
        self._sites = tuple(dict.fromkeys(info.site for info in probes))
        self._site_of_probe = torch.tensor([self._sites.index(info.site) for info in probes], device=device)
        self._infos, self._seed, self._device, self._ranks = tuple(probes), seed, device, ranks
        self._noise = ProbeNoise(seed, settings.latent, settings.draws, device=device, ranks=ranks)
        self.probes = {info.name: self._build(info, features[info.site]) for info in self._infos}
        self._averages = (
            {name: averaged_copy(probe, settings.averaging) for name, probe in self.probes.items()}
            if settings.averaging
            else {}
        )
        self._normals = (
            {info.name: LabelNormals(target.classes, settings.latent, device=device) for info in self._infos}
            if isinstance(target, ClassTarget)
            else {}
        )
        # One kernel for all weights where there is one: the loop over them costs as much as the matrix products.
        self._optimizer = torch.optim.Adam(
            self._parameters,
            lr=settings.learning_rate,
            fused=True if device.type in ("cpu", "cuda") else None,
        )
        self.updates, self._pending = 0, False  # whether there are gradients that no step has used
        self._inputs = torch.zeros(len(self._infos), dtype=torch.float32, device=device)  # since the last step
        self._left_out = torch.zeros(len(self._sites), dtype=torch.int64, device=device)

    @property
    def measured(self) -> dict[str, VIBProbe]:
        """The probes whose numbers are reported."""
        averaged = {name: cast(VIBProbe, average.module) for name, average in self._averages.items()}
        return averaged or self.probes

    def learn(self, activations: Mapping[str, Tensor], labels: Tensor, *, step: int, update: bool) -> Tensor:
        """Train every probe on one batch, gradients enabled and autocast off whatever holds around it.

        Inputs with a non-finite activation are left out of that site's loss, and counted: one of them would turn
        every weight of its probes into NaN.

        Parameters
        ----------
        activations : mapping of str to torch.Tensor
            By site, shape (n, features); in mode ``joint`` with their graph.
        labels : torch.Tensor
            As ``target.check`` returns them.
        step : int
            Which step it is; with the seed it fixes the noise.
        update : bool
            Whether the optimizer takes its step now; else gradients add up until one does. Every rank says the same.

        Returns
        -------
        torch.Tensor
            A scalar. Mode ``observe``: 0 without a graph. Mode ``joint``: the sum of the probes' mean losses in nats;
            its backward hands the gradient, which is known already, to the activations.
        """
        sites = self._sites
        with torch.inference_mode(False), torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            read = {site: activations[site].detach().float() for site in sites}
            read, weights = self._cleaned(read, len(labels))
            passed = take_gradients(
                list(self.probes.values()),
                [read[info.site] if info.scale == 1 else read[info.site] * info.scale for info in self._infos],
                labels,
                self._noise.training(len(labels), step),
                weights,
                add=self._pending,
            )
            self._pending = True
            if self._normals_learn:
                for k, normals in enumerate(self._normals.values()):
                    normals.add(passed.mean[k], passed.std[k], labels, weights[k] > 0)
            if self.settings.mode == "joint":
                total = self._total(passed, labels, weights)
                gradients = self._of_activations(passed)
            if update:
                self._step()
        if self.settings.mode == "observe":
            return torch.zeros((), device=self._device)
        return with_gradient(total, gradients, [activations[site] for site in sites])

    def evaluate(
        self, activations: Mapping[str, Tensor], labels: Tensor, positions: Tensor, outputs: Sequence[Tensor] = ()
    ) -> dict[str, ProbeEvaluation]:
        """Return every probe's results on one batch, by its name.

        Parameters
        ----------
        activations : mapping of str to torch.Tensor
            By site, shape (n, features), of the host in evaluation mode.
        labels : torch.Tensor
            As ``target.check`` returns them.
        positions : torch.Tensor
            Shape (n,), int64: each input's place in the held-out set. With seed and draw it fixes its noise,
            which is therefore the same at every measurement, however inputs are dealt to batches and processes.
        outputs : sequence of torch.Tensor
            Not used; `BottleneckBank` does.
        """
        parts: dict[str, list[ProbeEvaluation]] = {info.name: [] for info in self._infos}
        with torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            for first in range(0, len(labels), _CHUNK):
                span = slice(first, first + _CHUNK)
                noise = self._noise.evaluation(positions[span])
                for info in self._infos:
                    activation = activations[info.site][span].float() * info.scale
                    parts[info.name].append(self._scores(info, activation, labels[span], noise))
        return {name: ProbeEvaluation.joined(found) for name, found in parts.items()}

    def left_out(self) -> dict[str, int]:
        """Return, per probe, how many inputs training left out on all ranks since the last call, and begin anew.

        Every rank calls it.
        """
        counts = self._ranks.sum(self._left_out)[self._site_of_probe].tolist()
        self._left_out.zero_()
        return {info.name: count for info, count in zip(self._infos, counts, strict=True)}

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes: the tensors themselves, no copies, as torch's modules do.

        Of several ranks the inputs left out since the last `left_out`, and the sums of a step that is not taken yet,
        are each rank's own; all else is the same on every one.
        """
        return {
            "probes": {name: probe.state_dict() for name, probe in self.probes.items()},
            "averages": {name: average.state_dict() for name, average in self._averages.items()},
            "normals": {name: normals.state_dict() for name, normals in self._normals.items()},
            "optimizer": self._optimizer.state_dict()["state"],  # its options are the settings'
            "gradients": [p.grad for p in self._parameters] if self._pending else [],
            "inputs": self._inputs,
            "left_out": self._left_out,
            "updates": self.updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, of a bank with the same probes; its tensors may be kept."""
        for name, probe in self.probes.items():
            probe.load_state_dict(state["probes"][name])
        for name, average in self._averages.items():
            average.load_state_dict(state["averages"][name])
        for name, normals in self._normals.items():
            normals.load_state_dict(state["normals"][name])
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": state["optimizer"]})
        self._pending = bool(state["gradients"])
        for p, gradient in zip(self._parameters, state["gradients"], strict=False):
            p.grad = gradient.to(p.device)
        self._inputs.copy_(state["inputs"])
        self._left_out.copy_(state["left_out"])
        self.updates = state["updates"]

    def _cleaned(self, read: dict[str, Tensor], n: int) -> tuple[dict[str, Tensor], Tensor]:
        """Return the activations with 0 for inputs that are not finite, and each input's weight for each probe (P, n).

        A sum is finite where all its terms are; asking each of them takes ten times as long on a CPU.
        """
        if self._device.type == "cpu" and n and all(bool(each.sum().isfinite()) for each in read.values()):
            self._inputs += n  # an accelerator would have to be waited for
            return read, torch.full((len(self._infos), n), 1 / n, dtype=torch.float32, device=self._device)
        valid = torch.stack([each.sum(dim=1) for each in read.values()]).isfinite()
        counts = valid.sum(dim=1)
        self._left_out += n - counts
        self._inputs += counts[self._site_of_probe]
        weights = valid.float() / counts.clamp(min=1)[:, None]
        clean = {site: read[site].masked_fill(~mine[:, None], 0) for site, mine in zip(read, valid, strict=True)}
        return clean, weights[self._site_of_probe]

    def _total(self, passed: Passed, labels: Tensor, weights: Tensor) -> Tensor:
        """Return the sum of the probes' mean losses, a scalar."""
        total = weights.new_zeros(())
        for k, probe in enumerate(self.probes.values()):
            relative: Encoded = probe.prior(encoded(passed.outputs[k], self.settings.std))
            losses = self.target.nll(passed.decoded[k], labels) + probe.settings.beta * relative.divergence()
            total += weights[k] @ losses
        return total

    def _of_activations(self, passed: Passed) -> list[Tensor]:
        """Return the gradient of the sum of losses with respect to every site's activation."""
        gradients: dict[str, Tensor] = {}
        for info, probe, mine in zip(self._infos, self.probes.values(), passed.of_outputs, strict=True):
            gradient = info.scale * (mine @ probe.encoder.weight)
            gradients[info.site] = gradients[info.site] + gradient if info.site in gradients else gradient
        return list(gradients.values())

    def _step(self) -> None:
        """Take one step with the gradients of all ranks, and forget them."""
        learning = self._normals if self._normals_learn else {}
        sums = {name: normals.take_sums() for name, normals in learning.items()}
        if self._ranks.world > 1:
            self._over_ranks(sums)
        self._optimizer.step()
        self._pending = False
        self.updates += 1
        for name, normals in learning.items():
            normals.update(sums[name])
        for name, average in self._averages.items():
            average.update_parameters(self.probes[name])
        self._inputs.zero_()

    def _over_ranks(self, sums: Mapping[str, Tensor]) -> None:
        """Replace gradients by their mean over the inputs of all ranks, and label sums by their sum, in one go."""
        gradients = [
            (k, p.grad)
            for k, probe in enumerate(self.probes.values())
            for p in probe.parameters()
            if p.grad is not None
        ]
        own = [*(gradient * self._inputs[k] for k, gradient in gradients), self._inputs, *sums.values()]
        total = self._ranks.sum(torch.cat([tensor.flatten() for tensor in own]))
        pieces = total.split([tensor.numel() for tensor in own])
        inputs = pieces[len(gradients)].clamp(min=1)
        for (k, gradient), piece in zip(gradients, pieces, strict=False):
            gradient.copy_((piece / inputs[k]).view_as(gradient))
        for mine, piece in zip(sums.values(), pieces[len(gradients) + 1 :], strict=True):
            mine.copy_(piece.view_as(mine))

    def _scores(self, info: ProbeInfo, activation: Tensor, labels: Tensor, noise: Tensor) -> ProbeEvaluation:
        probe = self.measured[info.name]
        found = probe.scores(probe.distribution(activation), labels, noise)
        if info.name not in self._normals:
            return found
        given = self._normals[info.name].divergences(found.mean, found.log_std, labels)
        return replace(found, given_label=given)

    @property
    def _parameters(self) -> list[nn.Parameter]:
        return [p for probe in self.probes.values() for p in probe.parameters()]

    @property
    def _normals_learn(self) -> bool:
        return self.updates < LABELS_FIRST or self.updates % LABELS_EVERY == 0

    def _build(self, info: ProbeInfo, width: int) -> VIBProbe:
        settings = replace(self.settings, beta=info.beta)
        seed = stream_seed(self._seed, "weights", info.site)
        return VIBProbe(width, self.target, settings, seed=seed).to(self._device)
