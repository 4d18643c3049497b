"""SynScaW: synaptic scaling of the weights between training steps (Hofmann and Mäder 2022, Eqs. 14-16).

For each layer, with probe rows u drawn anew for that layer (or rows that it has seen in training)::

    zbar = mean of phi(W u + b) over probe rows and neurons                                  (Eq. 15)
    zhat = z_target - zbar,   z_target = E phi(U(-1, 1))                                     (Eq. 16)
    w   <- w + gamma * clip(g(w) * zhat),   g(w) = w² ("w2") or w |w| ("signed_w2")          (Eq. 14)

The sign of b is the layer's own (+); Eq. 15 writes phi(wx - b). Activities are in the unit of the activation.

Three things to know. With zero-mean noise the paper's rule is **not homeostatic**: where a ReLU layer is too
active, w² makes positive weights shrink and negative ones grow, so that an over-active layer drifts away from
its target and can diverge. ``rule="signed_w2"`` is the same rule for positive weights, and regulates for both
signs. Over real inputs that are never negative (``source="data"`` behind a ReLU) it is the other way round: there
w² moves every rising phi towards its target to first order, and w |w| need not. And the paper gives the moment of a
pass as "in between training steps" and as "every epoch"; its published code scales once per epoch.
"""

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError, whole_number
from infoplane.probes.errors import SiteError
from infoplane.scaling.finding import Finder
from infoplane.scaling.inputs import LayerInputs
from infoplane.scaling.layers import check_finite, choose_layers
from infoplane.scaling.moments import check_factor
from infoplane.scaling.probe import probe_generator, probe_rows, working_dtype
from infoplane.scaling.recurrent import RECURRENT, of_gates
from infoplane.scaling.report import ScalingReport
from infoplane.scaling.rule import scaled_layer
from infoplane.scaling.settings import Phi, check_whole, settings_from
from infoplane.scaling.synapses import Synapses, of_layer
from infoplane.scaling.targets import Target


class SynScaW:
    """Synaptic scaling of a network's weights, one pass per call of `apply`, `after_step` or `after_epoch` where due.

    In any loop, beside any optimizer::

        scaling = SynScaW(model)
        for epoch in range(1, epochs + 1):
            for x, y in batches:
                ...                              # one training step
                step += 1
                scaling.after_step(step)         # a pass where every= counts steps, else None
            report = scaling.after_epoch(epoch)  # a pass where every= counts epochs, else None

    Parameters
    ----------
    model : torch.nn.Module
        The network. Its `Linear` and `Conv1d/2d/3d` weights are changed in place; biases, all other
        parameters and the optimizer's state are not. For a convolution the probe is what one interior output
        position sees: rows of in_channels / groups x kernel size independent values against
        ``weight.flatten(1)``, padding left out. Recurrent weights are scaled where `layers` names them, each gate
        as a layer of its own with the gate's own activation, see `infoplane.scaling.recurrent`.
    preset : {"paper", "official", "stable"}
        Where the defaults of the other parameters come from, see `infoplane.scaling.settings`.
    gamma : float, optional
        Scaling rate, >= 0. ``apply(gamma=...)`` takes another one for a single pass.
    rule : {"w2", "signed_w2"}, optional
        Eq. 14, or its sign-preserving form.
    target : "uniform", float or callable, optional
        Eq. 16 for the layer's own activation; one activity for every layer; or a function that is called for each
        layer in each pass with its name, its activation (a function of tensors, with a `name`) and its number of
        neurons, and returns a number or a tensor of one activity for each neuron.
    source : {"probe", "data"}, optional
        Over what Eq. 15 takes the mean: noise, or inputs that the layer has seen in training since the last pass, a
        uniform sample of at most `probe_rows` of them. Then hooks are set, which end with `close`, with a ``with``
        block, or with this object. Forwards in evaluation mode do not count, nor what gradient checkpointing computes
        again, nor deep copies of the network.
    probe_shift : float, optional
        Added to the probe rows, which are U(-1, 1).
    probe_rows : int
        Number of rows per layer and pass, of noise or of inputs.
    clip : float, optional
        Largest absolute value of g(w) zhat, before gamma; ``math.inf`` for none.
    activation : "auto", callable or mapping, optional
        "auto" traces the forward, without running it, from each layer to the first element-wise activation, past
        normalisation, dropout, pooling, shape and sums with other branches; the identity where another layer or
        the output comes first. A network that cannot be traced is read in the order of registration instead. A callable
        serves every layer, the last one included. A mapping from layer names or globs to callables overrides "auto"
        for those layers.
    granularity : {"layer", "neuron"}
        One zhat per layer (the published code), or one for each neuron or output channel (the paper's
        wording).
    every : str or int, optional
        When `after_step` and `after_epoch` make a pass: ``"epoch"``, ``"5 epochs"``, ``"step"``, ``"100 steps"``, a
        whole number of steps, or ``"never"``.
    gamma_decay : bool, optional
        Multiply gamma by the `learning_rate_factor` that `after_step` and `after_epoch` are given, as the paper's
        appendix does.
    include_output : bool, optional
        False leaves out the layers whose output is the network's; where there is none, the one called last.
    layers : sequence of str, optional
        Names or globs. Without it, every layer whose weight requires a gradient; no recurrent one.
    seed : int
        Seed of the rows. They are drawn on the CPU from generators of this object's own: passes differ
        from one another, two objects with one seed do not, a network built with the same seed shares nothing
        with them, and the global random state is never touched. Under torch.distributed every rank must call, and
        makes the same pass.

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
        target: float | Literal["uniform"] | Target | None = None,
        source: Literal["probe", "data"] | None = None,
        probe_shift: float | None = None,
        probe_rows: int = 100,
        clip: float | None = None,
        activation: Literal["auto"] | Phi | Mapping[str, Phi] | None = None,
        granularity: Literal["layer", "neuron"] = "layer",
        every: str | int | None = None,
        gamma_decay: bool | None = None,
        include_output: bool | None = None,
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
            source=source,
            probe_shift=probe_shift,
            probe_rows=probe_rows,
            clip=clip,
            activation=activation,
            granularity=granularity,
            every=every,
            gamma_decay=gamma_decay,
            include_output=include_output,
        )
        self._patterns = layers
        self._finder = Finder(model)
        self._generator = probe_generator(seed)
        self._counted = {"step": 0, "epoch": 0}
        self._how: dict[str, str] = {}
        self._inputs: LayerInputs | None = None
        if self.settings.source == "data":
            self._inputs = LayerInputs(self.settings.probe_rows, seed=seed)
        self._resolve()
        if self._inputs is not None:
            self._inputs.open()

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that a pass scales; each gate of a recurrent layer is one."""
        return tuple(synapses.name for synapses in self._resolve())

    @property
    def configuration(self) -> dict[str, Any]:
        """What a run file should keep of this object, in types that JSON has.

        `clip` is None where there is no clipping; a callable `target` is written as ``module:name``. `activations_by`
        says for each layer whether its activation was ``given``, ``traced``, taken from the ``order`` of registration,
        or is that of a ``gate``.
        """
        settings = self.settings
        synapses = self._resolve()
        return {
            "method": "SynScaW",
            "preset": self.preset,
            "gamma": float(settings.gamma),
            "rule": settings.rule,
            "target": _written(settings.target),
            "source": settings.source,
            "probe_shift": float(settings.probe_shift),
            "probe_rows": int(settings.probe_rows),
            "clip": float(settings.clip) if math.isfinite(settings.clip) else None,
            "granularity": settings.granularity,
            "every": settings.every if isinstance(settings.every, str) else int(settings.every),
            "gamma_decay": settings.gamma_decay,
            "include_output": settings.include_output,
            "seed": int(self.seed),
            "activations": {each.name: each.phi.name for each in synapses},
            "activations_by": {each.name: self._how[each.name] for each in synapses},
        }

    def apply(self, *, gamma: float | None = None) -> ScalingReport:
        """Scale the weights once, in place, and say what it did.

        Every layer is computed and checked before the first one is changed. As after any change in place, a
        graph that was recorded before the pass cannot be differentiated after it.

        Parameters
        ----------
        gamma : float, optional
            Rate of this pass alone.

        Returns
        -------
        ScalingReport
            Activity before and after, and the change of the weights, for each layer. Its `away` names the
            layers that moved away from their target.

        Raises
        ------
        InputError
            `gamma` is out of range, a weight or bias is not finite, or would not be after the pass, or
            source="data" and a layer has seen no inputs; nothing was changed.
        """
        settings = self.settings if gamma is None else replace(self.settings, gamma=gamma)
        with torch.inference_mode(False), torch.no_grad():
            chosen = self._resolve()
            for name, module in {each.host: each.module for each in chosen}.items():
                check_finite(name, module)
            state = self._generator.get_state()
            seen = None if self._inputs is None else self._inputs.take(working_dtype(chosen[0].device))
            try:
                results = []
                for each in chosen:
                    rows = self._noise(each) if seen is None else seen[each.host]
                    with torch.autocast(each.device.type, enabled=False):
                        results.append(scaled_layer(each, rows, settings=settings))
            except BaseException:
                self._generator.set_state(state)
                raise
            for result in results:
                result.write()
        if self._inputs is not None:
            self._inputs.forget()
        return ScalingReport(
            rule=settings.rule,
            granularity=settings.granularity,
            gamma=float(settings.gamma),
            layers=tuple(result.report for result in results),
            source=settings.source,
        )

    def after_step(self, step: int, *, learning_rate_factor: float = 1.0) -> ScalingReport | None:
        """Make a pass if one is due after this step of the optimizer.

        Parameters
        ----------
        step : int
            How many steps the optimizer has made. Told twice of the same step, as by a trainer that accumulates
            gradients, the second is not counted.
        learning_rate_factor : float
            The learning rate as a fraction of what it was in the beginning, for `gamma_decay`;
            `infoplane.scaling.moments.learning_rate_factor` reads it off an optimizer.

        Returns
        -------
        ScalingReport or None
            None where no pass was due.

        Raises
        ------
        InputError
            As `apply`, or an argument is out of range.
        """
        return self._after("step", step, self.settings.moments.steps, learning_rate_factor)

    def after_epoch(self, epoch: int, *, learning_rate_factor: float = 1.0) -> ScalingReport | None:
        """Make a pass if one is due after this epoch; `epoch` is how many have ended, all else as in `after_step`."""
        return self._after("epoch", epoch, self.settings.moments.epochs, learning_rate_factor)

    def state_dict(self) -> dict[str, Any]:
        """Return what changes from pass to pass, as tensors and numbers: generator, counts, sampled inputs."""
        return {
            "generator": self._generator.get_state(),
            "counted": dict(self._counted),
            "inputs": {} if self._inputs is None else self._inputs.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what `state_dict` gave, so that the passes go on as they would have.

        Raises
        ------
        InputError
            It is no such state.
        """
        try:
            counted = {kind: int(state["counted"][kind]) for kind in ("step", "epoch")}
            generator = copy.copy(state["generator"]).cpu()
            inputs = dict(state["inputs"])
            self._generator.set_state(generator)
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"this is no state of a SynScaW ({type(error).__name__}: {error})") from error
        self._counted = counted
        if self._inputs is not None:
            self._inputs.load_state_dict(inputs)

    def close(self) -> None:
        """Remove the hooks that source="data" has set; safe to call twice, and without effect where there are none."""
        if self._inputs is not None:
            self._inputs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_generator": self._generator.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._generator = torch.Generator(device="cpu")
        self._generator.set_state(state["_generator"])

    def _after(self, kind: str, count: int, every: int, factor: float) -> ScalingReport | None:
        number = whole_number(kind, count, least=0)
        fraction = check_factor(factor)
        if not every or not number or number % every or number == self._counted[kind]:
            return None
        report = self.apply(gamma=self.settings.gamma * fraction if self.settings.gamma_decay else None)
        self._counted[kind] = number
        return report

    def _noise(self, synapses: Synapses) -> Tensor:
        return probe_rows(
            self.settings.probe_rows,
            synapses.fan_in,
            device=synapses.device,
            shift=self.settings.probe_shift,
            generator=self._generator,
        )

    def _resolve(self) -> list[Synapses]:
        # Anew at every use, because a caller may have replaced a layer of the model since.
        chosen = choose_layers(self.model, layer_types=self.settings.layer_types, patterns=self._patterns)
        if not self.settings.include_output:
            outputs = self._finder.outputs({name: module for name, (module, _) in chosen.items()})
            chosen = {name: each for name, each in chosen.items() if name not in outputs}
            if not chosen:
                raise SiteError(
                    f"include_output=False leaves nothing to scale: {', '.join(map(repr, sorted(outputs)))} is the "
                    "output layer"
                )
        modules = {name: module for name, (module, _) in chosen.items()}
        if self._inputs is not None:
            self._inputs.watch(modules)
        found = self._finder.activations(modules, self.settings.activation)
        synapses: list[Synapses] = []
        for name, (module, kinds) in chosen.items():
            if isinstance(module, RECURRENT):
                synapses += of_gates(name, module, set(kinds))
            else:
                synapses.append(of_layer(name, module, found[name].phi))
        self._how = {each.name: found[each.name].how if each.name in found else "gate" for each in synapses}
        return synapses


def _written(target: str | float | Target) -> str | float:
    if callable(target):
        name = getattr(target, "__qualname__", type(target).__qualname__)
        return f"{getattr(target, '__module__', None) or type(target).__module__}:{name}"
    return target if isinstance(target, str) else float(target)
