"""Options of VIB probes and bottlenecks: what stands beside every one of their numbers.

Defaults are those of the published VIB code (Alemi et al. 2017) where the paper gives none: N = 256, beta = 1e-3, 12
draws, s = softplus(rho - 5).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real

from infoplane.analysis.errors import InputError, near_names, one_of, whole_number

MODES = ("observe", "joint", "bottleneck")
STDS = ("softplus", "log_variance")
PRIORS = ("standard", "learned")


@dataclass(frozen=True, kw_only=True)
class VIBSettings:
    """What stands beside every number of a probe.

    Attributes
    ----------
    mode : {"observe", "joint", "bottleneck"}
        ``observe``: no gradient reaches the host. ``joint``: the probe's loss trains the host too (the paper's Fig. 5).
        ``bottleneck``: the code replaces the activation; see `infoplane.probes.bottleneck`.
    latent : int
        N, the dimensions of the code. The paper gives no value; 256 is that of Alemi et al.
    beta : float
        Weight of the divergence in the loss, both terms in the same unit.
    draws : int
        Draws of the code per input in evaluation; training takes one.
    learning_rate : float
        Of the probe's own Adam.
    std : {"softplus", "log_variance"}
        How the encoder's second half rho gives the standard deviation: softplus(rho - 5), or exp(rho / 2).
    prior : {"standard", "learned"}
        r(z) of the rate: N(0, I), or a diagonal normal trained with the probe; both have their divergence in closed
        form, and a rate against either is an upper bound.
    averaging : float
        Decay per step of the exponential moving average of the probe's weights that is evaluated, free of the bias
        towards its start (0.999 in the published code); 0 evaluates the weights themselves.

    Raises
    ------
    InputError
        When a value cannot be used.
    """

    mode: str = "observe"
    latent: int = 256
    beta: float = 1e-3
    draws: int = 12
    learning_rate: float = 1e-3
    std: str = "softplus"
    prior: str = "standard"
    averaging: float = 0.0

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise InputError(
                f"there is no mode {self.mode!r}{near_names(str(self.mode), MODES)}; "
                "a probe's mode is 'observe', 'joint' or 'bottleneck'"
            )
        named: tuple[tuple[str, object, Iterable[str]], ...] = (("std", self.std, STDS), ("prior", self.prior, PRIORS))
        for name, value, accepted in named:
            one_of(name, value, accepted)
        for name in ("latent", "draws"):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least=1))
        for name in ("beta", "learning_rate", "averaging"):
            value = getattr(self, name)
            number = isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
            if not number or value < 0 or (name == "learning_rate" and value == 0):
                raise InputError(f"{name} is {value!r}, but it must be a finite positive number{_MAY_BE_ZERO[name]}")
            object.__setattr__(self, name, float(value))
        if self.averaging >= 1:
            raise InputError(f"averaging is {self.averaging!r}, but a decay lies in 0 (no averaging) <= decay < 1")


_MAY_BE_ZERO = {"beta": " (beta may be 0)", "learning_rate": "", "averaging": " below 1 (0 for no averaging)"}
