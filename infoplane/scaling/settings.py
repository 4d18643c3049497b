"""Parameters of SynScaW, checked, and its presets.

======== ========================= =========== ============== ===== ==== =========== ===================
preset   new value of a weight w   target      probe          gamma clip activation  layers
======== ========================= =========== ============== ===== ==== =========== ===================
paper    w + gamma w² zhat         E phi(U)    U(-1, 1)       0.01  none the layer's linear, convolution
official w + gamma w² zhat         0.1         U(-1, 1) + 0.1 0.1   1    ReLU        linear
stable   w + gamma w abs(w) zhat   E phi(U)    U(-1, 1)       0.01  none the layer's linear, convolution
======== ========================= =========== ============== ===== ==== =========== ===================

`paper` follows Eqs. 14-16 of Hofmann and Mäder (2022). `official` follows the authors' published notebook,
which differs from the text in nearly every constant and applies ReLU behind every layer, the output layer
included. `stable` keeps the sign of a weight in the rule; for weights that are all positive, as in biology, it is the
paper's. All three scale once per epoch, with noise.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError, near_names, true_or_false
from infoplane.scaling.moments import Moments, moments
from infoplane.scaling.synapses import CONVOLUTIONS
from infoplane.scaling.targets import Target

LAYER_TYPES: tuple[type[nn.Module], ...] = (nn.Linear, *CONVOLUTIONS)
Phi = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ScalingSettings:
    """Parameters of one pass of SynScaW; the attributes are explained at `infoplane.scaling.synscaw.SynScaW`.

    Raises
    ------
    InputError
        A value is out of range.
    """

    gamma: float = 0.01
    rule: str = "w2"
    target: str | float | Target = "uniform"
    source: str = "probe"
    probe_shift: float = 0.0
    probe_rows: int = 100
    clip: float = math.inf
    activation: str | Phi | Mapping[str, Phi] = "auto"
    granularity: str = "layer"
    every: str | int = "epoch"
    gamma_decay: bool = False
    include_output: bool = True
    layer_types: tuple[type[nn.Module], ...] = LAYER_TYPES

    def __post_init__(self) -> None:
        _check_number("gamma", self.gamma, least=0.0)
        _check_name("rule", self.rule, ("w2", "signed_w2"))
        if isinstance(self.target, str):
            _check_name("target", self.target, ("uniform",), otherwise=", a number, or a function")
        elif isinstance(self.target, type) or not callable(self.target):
            _check_number("target", self.target)
        _check_name("source", self.source, ("probe", "data"))
        _check_number("probe_shift", self.probe_shift)
        check_whole("probe_rows", self.probe_rows, least=1)
        if isinstance(self.clip, bool) or not isinstance(self.clip, Real) or not self.clip > 0:
            raise InputError(f"clip={self.clip!r} cannot be used; accepted: a number > 0, or math.inf for no clipping")
        if isinstance(self.activation, str):
            _check_name("activation", self.activation, ("auto",), otherwise=", a function, or a mapping to functions")
        _check_name("granularity", self.granularity, ("layer", "neuron"))
        moments(self.every)
        true_or_false("gamma_decay", self.gamma_decay)
        true_or_false("include_output", self.include_output)
        if self.source == "data" and self.probe_shift != 0:
            raise InputError(
                f"probe_shift={self.probe_shift!r} shifts noise, and source='data' uses none; pass probe_shift=0"
            )

    @property
    def moments(self) -> Moments:
        """`every`, taken apart."""
        return moments(self.every)


def settings_from(preset: str, **overrides: object) -> ScalingSettings:
    """Return the settings of `preset` with those `overrides` that are not None.

    Raises
    ------
    InputError
        `preset` is unknown, or a value is out of range.
    """
    _check_name("preset", preset, tuple(PRESETS))
    given = {name: value for name, value in overrides.items() if value is not None}
    if given.get("source") == "data":
        given.setdefault("probe_shift", 0.0)  # a preset's shift is one of its noise
    return replace(PRESETS[preset], **given)  # type: ignore[arg-type]  # __post_init__ checks the values


def check_whole(what: str, value: object, *, least: int) -> None:
    """Raise InputError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise InputError(f"{what}={value!r} cannot be used; accepted: a whole number >= {least}")


def _check_name(what: str, value: object, known: tuple[str, ...], *, otherwise: str = "") -> None:
    if value not in known:
        accepted = ", ".join(map(repr, known))
        raise InputError(f"{what} {value!r} is unknown; accepted: {accepted}{otherwise}{near_names(str(value), known)}")


def _check_number(what: str, value: object, *, least: float = -math.inf) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value < least:
        bound = "" if least == -math.inf else f" >= {least:g}"
        raise InputError(f"{what}={value!r} cannot be used; accepted: a finite number{bound}")


# Last, because making one runs the checks above.
PRESETS: dict[str, ScalingSettings] = {
    "paper": ScalingSettings(),
    "official": ScalingSettings(
        target=0.1, gamma=0.1, probe_shift=0.1, clip=1.0, activation=torch.relu, layer_types=(nn.Linear,)
    ),
    "stable": ScalingSettings(rule="signed_w2"),
}
