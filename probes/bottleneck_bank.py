"""The bottlenecks of one host, with the face of a `ProbeBank`: mode ``bottleneck``.

The host's own optimizer trains everything; what is learned here are the label normals alone. I(Z;Y) is bounded by the
network's own prediction behind the bottleneck, one draw of the code a forward.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from infoplane.analysis.errors import InputError
from infoplane.probes.bottleneck import VIBBottleneck
from infoplane.probes.encoding import encoded
from infoplane.probes.label_normals import LabelNormals
from infoplane.probes.probe_info import ProbeInfo
from infoplane.probes.ranks import Ranks
from infoplane.probes.target import ClassTarget, Target
from infoplane.probes.vib import ProbeEvaluation
from infoplane.probes.vib_settings import VIBSettings


class BottleneckBank:
    """The bottlenecks of one host and their label normals.

    Parameters
    ----------
    probes : sequence of ProbeInfo
        Which there are: one per site, scale 1.
    bottlenecks : mapping of str to VIBBottleneck
        By site.
    target : Target
        What the network predicts: a `ClassTarget`.
    settings : VIBSettings
        Its `draws` are the forwards per batch in evaluation.
    device : torch.device
        Where the activations are.
    ranks : Ranks, optional
        The processes that train together; this one alone when left out.

    Attributes
    ----------
    probes : dict of str to VIBBottleneck
        By the probe's name.
    updates : int
        Updates of the label normals: steps of the host.
    forwards : int
        Forwards of the host, its bottlenecks `sampled`, that `evaluate` needs per batch.

    Raises
    ------
    InputError
        When the target is no class, or a probe is a scale twin.
    """

    def __init__(
        self,
        probes: Sequence[ProbeInfo],
        bottlenecks: Mapping[str, VIBBottleneck],
        target: Target,
        settings: VIBSettings,
        *,
        device: torch.device,
        ranks: Ranks = Ranks(),  # noqa: B008
    ) -> None:
        if not isinstance(target, ClassTarget):
            raise InputError("mode 'bottleneck' bounds I(Z;Y) by the network's own class probabilities: give classes=")
        twins = [info.name for info in probes if info.scale != 1]
        if twins:
            raise InputError(f"{twins[0]!r} is a scale twin, but a bottleneck is part of the network and has none")
        self.target, self.settings, self.forwards = target, settings, settings.draws
        self._infos, self._ranks = tuple(probes), ranks
        self.probes = {info.name: bottlenecks[info.site] for info in self._infos}
        self._normals = {
            name: LabelNormals(target.classes, bottleneck.latent, device=device)
            for name, bottleneck in self.probes.items()
        }
        self.updates = 0

    def learn(self, activations: Mapping[str, Tensor], labels: Tensor, *, step: int, update: bool) -> Tensor:
        """Return the sum over bottlenecks of beta times the mean divergence in nats, with its graph.

        Parameters
        ----------
        activations : mapping of str to torch.Tensor
            By site, shape (n, 2 latent): the outputs of the bottlenecks' encoders, with their graph.
        labels : torch.Tensor
            As ``target.check`` returns them.
        step : int
            Not used: the noise is the network's own.
        update : bool
            Whether the label normals move now; every rank says the same.
        """
        losses = []
        with torch.autocast(labels.device.type, enabled=False):
            for info in self._infos:
                outputs, bottleneck = activations[info.site].float(), self.probes[info.name]
                losses.append(info.beta * bottleneck.divergence(outputs).mean())
                valid = outputs.detach().sum(dim=1).isfinite()
                clean = torch.where(valid[:, None], outputs.detach(), 0)
                mean, std, _ = encoded(clean, bottleneck.std)
                self._normals[info.name].add(mean, std, labels, valid)
            if update:
                for normals in self._normals.values():
                    normals.update(self._ranks.sum(normals.take_sums()))
                self.updates += 1
            return torch.stack(losses).sum()

    def evaluate(
        self, activations: Mapping[str, Tensor], labels: Tensor, positions: Tensor, outputs: Sequence[Tensor]
    ) -> dict[str, ProbeEvaluation]:
        """Return every bottleneck's results on one batch, by its probe's name.

        Parameters
        ----------
        activations : mapping of str to torch.Tensor
            By site, shape (n, 2 latent): the outputs of the encoders in one of the forwards.
        labels : torch.Tensor
            As ``target.check`` returns them.
        positions : torch.Tensor
            Not used: the noise is the network's own.
        outputs : sequence of torch.Tensor
            The network's log-probabilities (n, classes) in each of the forwards.

        Raises
        ------
        InputError
            When there are no outputs.
        """
        if not outputs:
            raise InputError("there are no outputs of the network, but its draws bound I(Z;Y): give at least one")
        with torch.no_grad(), torch.autocast(labels.device.type, enabled=False):
            logs = torch.stack([log_probabilities.float() for log_probabilities in outputs])
            ce = -logs[:, torch.arange(len(labels), device=labels.device), labels].mean(dim=0)
            correct, _ = self.target.compare(logs.exp().mean(dim=0), labels)
            return {
                info.name: self._evaluation(info.name, activations[info.site].float(), labels, ce, correct)
                for info in self._infos
            }

    def left_out(self) -> dict[str, int]:
        """Return 0 per probe: the host's own training leaves out no input."""
        return dict.fromkeys(self.probes, 0)

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` takes, tensors themselves; the bottlenecks are part of the host's own state."""
        return {
            "normals": {name: normals.state_dict() for name, normals in self._normals.items()},
            "updates": self.updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, of a bank with the same bottlenecks."""
        for name, normals in self._normals.items():
            normals.load_state_dict(state["normals"][name])
        self.updates = state["updates"]

    def _evaluation(self, name: str, outputs: Tensor, labels: Tensor, ce: Tensor, correct: Tensor) -> ProbeEvaluation:
        bottleneck = self.probes[name]
        relative, (mean, log_std) = bottleneck.relative_code(outputs), bottleneck.code_of(outputs)
        return ProbeEvaluation(
            kl=relative.divergence(),
            ce=ce,
            correct=correct,
            squared_error=None,
            dimensions=relative.divergence_of_dimensions(),
            given_label=self._normals[name].divergences(mean, log_std, labels),
            mean=mean,
            log_std=log_std,
        )
