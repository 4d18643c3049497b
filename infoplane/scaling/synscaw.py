"""SynScaW: synaptic scaling of the weights between training steps (Hofmann and Mäder 2022, Eqs. 14-16).

For each layer, with probe rows u drawn anew for that layer (not data, and not the previous layer's output)::

    zbar = mean of phi(W u + b) over probe rows and neurons                                  (Eq. 15)
    zhat = z_target - zbar,   z_target = E phi(U(-1, 1))                                     (Eq. 16)
    w   <- w + gamma * clip(g(w) * zhat),   g(w) = w² ("w2") or w |w| ("signed_w2")          (Eq. 14)

The sign of b is the layer's own (+); Eq. 15 writes phi(wx - b). Activities are in the unit of the activation.

Two things to know. With zero-mean probes the paper's rule is **not homeostatic**: where a layer is too
active, w² makes positive weights shrink and negative ones grow, so that an over-active layer drifts away from
its target and can diverge. ``rule="signed_w2"`` is the same rule for positive weights, and regulates for both
signs. And the paper gives the moment of a pass as "in between training steps" and as "every epoch"; its
published code scales once per epoch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Literal

import torch
from torch import nn

from infoplane.analysis.errors import InputError, near_names
from infoplane.probes.errors import SiteError
from infoplane.scaling.activations import Activation, as_activation, following_activation
from infoplane.scaling.layers import check_finite, choose_layers, registered_order
from infoplane.scaling.probe import probe_generator, probe_rows
from infoplane.scaling.report import ScalingReport
from infoplane.scaling.rule import scaled_layer
from infoplane.scaling.settings import LAYER_TYPES, Phi, check_whole, settings_from


class SynScaW:
    """Synaptic scaling of a network's weights, one pass per call of `apply`.

    The caller decides when; the paper scales once per epoch, after its last training step::

        scaling = SynScaW(model)
        for epoch in range(epochs):
            train_one_epoch(model)
            print(scaling.apply())

    Parameters
    ----------
    model : torch.nn.Module
        The network. Its `Linear` and `Conv1d/2d/3d` weights are changed in place; biases, all other
        parameters and the optimizer's state are not. For a convolution the probe is what one interior output
        position sees: rows of in_channels / groups x kernel size independent values against
        ``weight.flatten(1)``, padding left out.
    preset : {"paper", "official", "stable"}
        Where the defaults of the other parameters come from, see `infoplane.scaling.settings`.
    gamma : float, optional
        Scaling rate, >= 0. ``apply(gamma=...)`` takes another one for a single pass.
    rule : {"w2", "signed_w2"}, optional
        Eq. 14, or its sign-preserving form.
    target : "uniform" or float, optional
        Eq. 16 for the layer's own activation, or one activity for every layer.
    probe_shift : float, optional
        Added to the probe rows, which are U(-1, 1).
    probe_rows : int
        Number of probe rows per layer and pass.
    clip : float, optional
        Largest absolute value of g(w) zhat, before gamma; ``math.inf`` for none.
    activation : "auto", callable or mapping, optional
        "auto" takes the activation module that follows a layer in the order of registration (normalisation,
        dropout, flattening and pooling passed over), and the identity for the last layer. A callable serves
        every layer, the last one included. A mapping from layer names or globs to callables overrides "auto"
        for those layers.
    granularity : {"layer", "neuron"}
        One zhat per layer (the published code), or one for each neuron or output channel (the paper's
        wording).
    layers : sequence of str, optional
        Names or globs. Without it, every layer whose weight requires a gradient.
    seed : int
        Seed of the probe rows. They are drawn on the CPU from a generator of this object's own: passes differ
        from one another, two objects with one seed do not, a network built with the same seed shares nothing
        with them, and the global random state is never touched.

    Raises
    ------
    InputError
        An argument is out of range, or the activation of a layer cannot be told.
    SiteError
        No layer is chosen, or a name matches none.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        preset: str = "paper",
        gamma: float | None = None,
        rule: Literal["w2", "signed_w2"] | None = None,
        target: float | Literal["uniform"] | None = None,
        probe_shift: float | None = None,
        probe_rows: int = 100,
        clip: float | None = None,
        activation: Literal["auto"] | Phi | Mapping[str, Phi] | None = None,
        granularity: Literal["layer", "neuron"] = "layer",
        layers: Sequence[str] | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise InputError(f"model is a {type(model).__name__}; accepted: a torch.nn.Module")
        check_whole("seed", seed, least=0)
        self.model = model
        self.preset = preset
        self.seed = seed
        self.settings = settings_from(
            preset,
            gamma=gamma,
            rule=rule,
            target=target,
            probe_shift=probe_shift,
            probe_rows=probe_rows,
            clip=clip,
            activation=activation,
            granularity=granularity,
        )
        self._patterns = layers
        self._generator = probe_generator(seed)
        self._resolve()

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that a pass scales."""
        return tuple(name for name, _, _ in self._resolve())

    @property
    def configuration(self) -> dict[str, Any]:
        """What a run file should keep of this object, in types that JSON has (`clip` None: no clipping)."""
        settings = self.settings
        return {
            "method": "SynScaW",
            "preset": self.preset,
            "gamma": float(settings.gamma),
            "rule": settings.rule,
            "target": settings.target if isinstance(settings.target, str) else float(settings.target),
            "probe_shift": float(settings.probe_shift),
            "probe_rows": int(settings.probe_rows),
            "clip": float(settings.clip) if math.isfinite(settings.clip) else None,
            "granularity": settings.granularity,
            "seed": int(self.seed),
            "activations": {name: phi.name for name, _, phi in self._resolve()},
        }

    def apply(self, *, gamma: float | None = None) -> ScalingReport:
        """Scale the weights once, in place, and say what it did.

        Every layer is computed and checked before the first one is changed. As after any change in place, a
        graph that was recorded before the pass cannot be differentiated after it.

        Parameters
        ----------
        gamma : float, optional
            Rate of this pass alone, for a rate that decays with the learning rate.

        Returns
        -------
        ScalingReport
            Activity before and after, and the change of the weights, for each layer. Its `away` names the
            layers that moved away from their target.

        Raises
        ------
        InputError
            `gamma` is out of range, or a weight or bias is not finite, or would not be after the pass;
            nothing was changed.
        """
        settings = self.settings if gamma is None else replace(self.settings, gamma=gamma)
        with torch.inference_mode(False), torch.no_grad():
            chosen = self._resolve()
            for name, module, _ in chosen:
                check_finite(name, module)
            state = self._generator.get_state()
            try:
                results = [
                    scaled_layer(
                        name,
                        module.get_parameter("weight"),
                        None if module.bias is None else module.get_parameter("bias"),
                        probe_rows(
                            settings.probe_rows,
                            module.get_parameter("weight"),
                            shift=settings.probe_shift,
                            generator=self._generator,
                        ),
                        phi=phi,
                        settings=settings,
                    )
                    for name, module, phi in chosen
                ]
            except BaseException:
                self._generator.set_state(state)
                raise
            for (_, module, _), result in zip(chosen, results, strict=True):
                module.get_parameter("weight").copy_(result.weight)
        return ScalingReport(
            rule=settings.rule,
            granularity=settings.granularity,
            gamma=float(settings.gamma),
            layers=tuple(result.report for result in results),
        )

    def _resolve(self) -> list[tuple[str, nn.Module, Activation]]:
        # Anew at every use, because a caller may have replaced a layer of the model since.
        chosen = choose_layers(self.model, layer_types=self.settings.layer_types, patterns=self._patterns)
        given = self.settings.activation
        if not isinstance(given, (str, Mapping)):
            phi = as_activation(given)
            return [(name, module, phi) for name, module in chosen.items()]
        overrides = given if isinstance(given, Mapping) else {}
        for pattern in overrides:
            if not any(_fits(name, pattern) for name in chosen):
                raise SiteError(
                    f"activation= names {pattern!r}, which is no layer that is scaled{near_names(str(pattern), chosen)}"
                )
        order = registered_order(self.model, layer_types=LAYER_TYPES)
        return [
            (
                name,
                module,
                _override(name, overrides) or following_activation(order, name, layer_types=LAYER_TYPES),
            )
            for name, module in chosen.items()
        ]


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _override(name: str, overrides: Mapping[str, Phi]) -> Activation | None:
    return next((as_activation(phi) for pattern, phi in overrides.items() if _fits(name, pattern)), None)
