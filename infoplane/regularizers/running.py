"""A method at work on one network: its loss, and its passes between the steps.

For classes the loss is, in nats, with each term where the method has it::

    cross-entropy of the (smoothed) labels  -  penalty H(p)  +  vib_beta KL(p(z|x) || r(z))  +  rate L_scaL

and for real labels the mean squared error over all numbers takes the place of the cross-entropy. All terms are means
over the batch; class weights act in the cross-entropy alone, as torch has them.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError
from infoplane.loss_inputs import real_pair
from infoplane.probes.bottleneck import bottlenecks_of
from infoplane.regularizers.confidence_penalty import ConfidencePenalty
from infoplane.regularizers.dropout import dropout_places
from infoplane.regularizers.label_smoothing import LabelSmoothing
from infoplane.regularizers.named_function import with_functions
from infoplane.regularizers.table import Part
from infoplane.regularizers.vib import VIBTerm
from infoplane.scaling.report import ScalingReport
from infoplane.scaling.settings import PRESETS
from infoplane.scaling.synscal import SynScaL
from infoplane.scaling.synscaw import SynScaW

if TYPE_CHECKING:
    from infoplane.regularizers.method import Method


class RunningMethod:
    """What `Method.attach` makes.

    Attributes
    ----------
    method : Method
        Which.
    scaling : SynScaW or None
        What scales the weights.
    scaling_loss : SynScaL or None
        What scales through the loss.
    """

    def __init__(
        self,
        method: "Method",
        model: nn.Module,
        *,
        seed: int = 0,
        class_weights: Tensor | Sequence[float] | None = None,
        divergence: bool = True,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise InputError(f"model is a {type(model).__name__}; accepted: a torch.nn.Module")
        self.method = method
        self.scaling: SynScaW | None = None
        self.scaling_loss: SynScaL | None = None
        self._class_weights = _weights(class_weights)
        parameters = method.parameters
        self._places = dropout_places(model) if method.has("dropout") else ()
        if method.has("dropout") and (parameters["dropout_input"] or parameters["dropout_hidden"]) and not self._places:
            raise InputError(
                "the network has no dropout; put it in with method.prepare(model), and train what it returns"
            )
        self._smoothing = LabelSmoothing(parameters.get("smoothing", 0.0))
        self._penalty = ConfidencePenalty(parameters["penalty"]) if method.has("confidence-penalty") else None
        for part in method.parts:
            rate = {} if "rate" not in method.scaling else {"gamma": method.scaling["rate"]}
            if part.kind == "scaling" and part.is_synscaw:
                self.scaling = SynScaW(model, preset=part.variant, seed=seed, **rate, **_options(method, part, model))
            elif part.kind == "scaling":
                self.scaling_loss = SynScaL(part.variant, **rate)
        # Last, since it sets hooks; made in any case, to refuse a network without a bottleneck.
        self._divergence = VIBTerm(model, parameters["vib_beta"]) if method.has("vib") else None
        self._divergence_in = ("loss" if divergence else "recording") if self._divergence is not None else None
        if self._divergence is not None:
            parameters["vib_latent"] = self._divergence.latent
            if not divergence:
                self._divergence.close()
        self._regularizers = parameters

    def loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return what to minimise, of the training forward just made.

        Parameters
        ----------
        outputs : torch.Tensor
            The network's: logits ``(n, C)``, or predictions ``(n,)`` or ``(n, k)``.
        labels : torch.Tensor
            Whole numbers are classes, shape ``(n,)``; floating-point numbers are real labels, as many as outputs.

        Returns
        -------
        torch.Tensor
            Scalar with a graph, at least float32.

        Raises
        ------
        InputError
            Outputs and labels do not fit each other or the method, or ``vib`` has seen no forward in training mode.
        """
        if isinstance(labels, Tensor) and labels.is_floating_point():
            total = self._squared_error(outputs, labels)
        else:
            self.method.check_labels(2)
            total = self._smoothing(outputs, labels, class_weights=self._class_weights)
            if self._penalty is not None:
                total = total + self._penalty(outputs)
        if self.scaling_loss is not None:
            total = total + self.scaling_loss(outputs, labels)
        if self._divergence is not None and self._divergence_in == "loss":
            total = total + self._divergence(len(labels))
        return total

    def after_step(self, step: int, *, learning_rate_factor: float = 1.0) -> ScalingReport | None:
        """Scale the weights where a pass is due after the optimizer's step.

        Parameters
        ----------
        step : int
            Steps made so far, counted from 1.
        learning_rate_factor : float
            Present learning rate over the first one, for a rate that decays with it.

        Returns
        -------
        ScalingReport or None
            What the pass did; None where there was none.
        """
        return (
            None if self.scaling is None else self.scaling.after_step(step, learning_rate_factor=learning_rate_factor)
        )

    def after_epoch(self, epoch: int, *, learning_rate_factor: float = 1.0) -> ScalingReport | None:
        """Scale the weights where a pass is due after an epoch, counted from 1; otherwise as `after_step`."""
        if self.scaling is None:
            return None
        return self.scaling.after_epoch(epoch, learning_rate_factor=learning_rate_factor)

    @property
    def configuration(self) -> dict[str, Any]:
        """What a run file should keep, in types that JSON has: every parameter, given or default, and all places."""
        acting = self.scaling or self.scaling_loss
        weights = self._class_weights
        return {
            "method": self.method.name,
            "scaling": None if acting is None else acting.configuration,
            "regularizers": self._regularizers,
            "divergence_in": self._divergence_in,
            "dropout_at": list(self._places),
            "class_weights": None if weights is None else weights.tolist(),
        }

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from step to step and is no part of the network, as `load_state_dict` takes it."""
        return {} if self.scaling is None else {"scaling": self.scaling.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of the same method on the same network.

        Raises
        ------
        InputError
            The state is that of another method.
        """
        expected = set(self.state_dict())
        if set(state) != expected:
            raise InputError(
                f"the state has {', '.join(map(str, state)) or 'nothing'}, but method {self.method.name!r} keeps "
                f"{', '.join(expected) or 'nothing'}: it is that of another method"
            )
        if self.scaling is not None:
            self.scaling.load_state_dict(state["scaling"])

    def close(self) -> None:
        """Take the method's hooks off the network; what `Method.prepare` changed stays. Safe to call twice."""
        if self._divergence is not None:
            self._divergence.close()
        if self.scaling is not None:
            self.scaling.close()

    def _squared_error(self, outputs: Tensor, labels: Tensor) -> Tensor:
        self.method.check_labels(None)
        if self._class_weights is not None:
            raise InputError("there are class weights, but the labels are real numbers")
        predictions, real = real_pair(outputs, labels)
        return (predictions - real).square().mean()


def _options(method: "Method", part: Part, model: nn.Module) -> dict[str, Any]:
    """Return the options of SynScaW; the encoder of a bottleneck gives numbers of a code, so its activation is none."""
    options = with_functions({key: value for key, value in method.scaling.items() if key != "rate"})
    given, layers = options.get("activation", PRESETS[part.variant].activation), options.get("layers")
    overrides = given if isinstance(given, Mapping) else {}
    encoders = [
        encoder
        for encoder in (f"{name}.encoder".removeprefix(".") for name in bottlenecks_of(model))
        if (layers is None or any(fnmatchcase(encoder, pattern) for pattern in layers))
        and not any(fnmatchcase(encoder, pattern) for pattern in overrides)
    ]
    if encoders and (given == "auto" or isinstance(given, Mapping)):
        options["activation"] = {**overrides, **dict.fromkeys(encoders, nn.Identity())}
    return options


def _weights(given: Tensor | Sequence[float] | None) -> Tensor | None:
    if given is None:
        return None
    try:
        weights = torch.as_tensor(given, dtype=torch.float32).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"class_weights cannot be read as numbers ({error})") from error
    if weights.ndim != 1 or not bool((weights.isfinite() & (weights >= 0)).all()) or not bool(weights.any()):
        raise InputError(f"class_weights are {weights.tolist()}; accepted: one finite number >= 0 per class, not all 0")
    return weights
