"""What is observed at the sites of one network, and how often."""

from dataclasses import asdict, dataclass, field
from typing import Any

from infoplane.analysis.errors import InputError, positive_number, whole_number
from infoplane.probes.probe_info import HOSTS
from infoplane.probes.reduce import Asked
from infoplane.probes.schedule import Schedule, every
from infoplane.probes.target import Target
from infoplane.probes.vib_settings import VIBSettings

_BESIDE_ONLY = ("control", "refit", "scale_twins", "probe_every", "reduce")
_OF_PROBES = ("latent", "learning_rate", "std", "prior", "averaging")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Probes, controls, recorders and their schedules.

    Attributes
    ----------
    target : ClassTarget or RealTarget
        What the probes read out.
    settings : VIBSettings
        Of every probe; its ``beta`` gives way to `betas`.
    betas : tuple of float
        One probe per site and beta, all trained in one pass.
    scale_twins : tuple of float
        One more probe per site and factor, which reads the activation times that factor.
    probe_every : int
        The probes' optimizer steps at every `probe_every`-th step.
    control : bool
        Also train the same probes, from the same seed and on the same batches, on a frozen copy of the host as it is
        before its first training forward.
    refit : int
        Steps for which fresh probes are fitted at every measurement, on the host as it is then; 0 for none.
    reduce : None, str, callable, or mapping of site to these
        From activations to codes; see `infoplane.probes.reduce`.
    activations, weights, neurons : bool
        What a measurement records besides the bounds.
    gradients : int
        Every `gradients`-th step of the host's optimizer counts in the gradients' mean and deviation; 0 for none.
    raw : int
        Held-out inputs whose reduced activations are kept as they are; 0 for none.
    raw_bytes : int
        At most so many bytes of them in all.
    sketch_at : Schedule
        At which training steps activations and weights are sketched, apart from the measurements.
    inputs : int
        Held-out inputs whose own results are kept; 0 for none.
    sandwich : int
        Held-out inputs on which the sandwich of the probes' codes is taken.
    seed : int
        Of the probes' initial weights and noise, and of the subsets.

    Raises
    ------
    InputError
        When a value cannot be used.
    """

    target: Target
    settings: VIBSettings = field(default_factory=VIBSettings)
    betas: tuple[float, ...] = (1e-3,)
    scale_twins: tuple[float, ...] = ()
    probe_every: int = 1
    control: bool = False
    refit: int = 0
    reduce: Asked = None
    activations: bool = True
    weights: bool = True
    neurons: bool = True
    gradients: int = 10
    raw: int = 0
    raw_bytes: int = 2**30
    inputs: int = 0
    sketch_at: Schedule = field(default_factory=lambda: every(100))
    sandwich: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("probe_every", 1),
            ("refit", 0),
            ("gradients", 0),
            ("raw", 0),
            ("raw_bytes", 1),
            ("inputs", 0),
            ("sandwich", 2),
        ):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least=least))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, least=0, most=2**63 - 1))
        object.__setattr__(self, "scale_twins", tuple(positive_number("a scale twin", s) for s in self.scale_twins))
        for name, values in (("beta", self.betas), ("scale_twins", self.scale_twins)):
            if len({f"{value:g}" for value in values}) < len(values):
                raise InputError(f"{name} is {values}, but no two may be alike in six digits, which name the probes")
        if not self.betas:
            raise InputError("beta is empty, but a probe needs one")
        if 1.0 in self.scale_twins:
            raise InputError("a scale twin of 1 is the probe itself; take others, such as 0.1 and 10")
        if self.settings.mode == "bottleneck":
            self._check_bottleneck()

    def _check_bottleneck(self) -> None:
        """Refuse what a code that is part of the network has no use for."""
        plain = Plan(target=self.target)
        given = [name for name in _BESIDE_ONLY if getattr(self, name) != getattr(plain, name)]
        given += [name for name in _OF_PROBES if getattr(self.settings, name) != getattr(plain.settings, name)]
        if len(self.betas) > 1:
            given.append("several values of beta")
        if given:
            raise InputError(
                f"{given[0]} is for probes beside the network; in mode 'bottleneck' the code is part of it: its N, std "
                "and prior are those of the VIBBottleneck, its optimizer is the network's"
            )

    @property
    def hosts(self) -> tuple[str, ...]:
        """On which hosts there are probes; see `infoplane.probes.probe_info.HOSTS`."""
        there = {"trained": True, "untrained": self.control, "refitted": self.refit > 0}
        return tuple(host for host in HOSTS if there[host])

    @property
    def description(self) -> dict[str, Any]:
        """What a run file keeps of the plan: numbers and text."""
        named = {
            name: getattr(self, name)
            for name in ("scale_twins", "probe_every", "control", "refit", "sandwich", "raw", "inputs")
        }
        own = _OF_PROBES if self.settings.mode == "bottleneck" else ()
        return {
            **{name: value for name, value in asdict(self.settings).items() if name not in own},
            "beta": self.betas[0] if len(self.betas) == 1 else list(self.betas),
            **vars(self.target),
            **named,
            "gradients": self.gradients,
            "sketch_at": self.sketch_at.description,
        }
