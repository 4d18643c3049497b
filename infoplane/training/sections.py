"""The sections of a training's settings, one frozen dataclass each, with the names that TOML uses.

``[scaling]`` and ``[regularizers]`` have none: which parameters there are, and what they may be, is each method's own
affair, see `infoplane.regularizers`.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from infoplane.analysis.errors import one_of, positive_number, true_or_false, whole_number
from infoplane.errors import InputError
from infoplane.probes.plan import Plan
from infoplane.probes.schedule import Schedule, log_spaced, schedule
from infoplane.probes.target import ClassTarget
from infoplane.probes.vib_settings import VIBSettings

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("step", "plateau", "none")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """``[data]``: which data set.

    Attributes
    ----------
    name : str
        As `infoplane.datasets.load` names it.
    root : str, optional
        Folder or file where it lies; the data set's usual one when left out.
    train : int, optional
        Only so many of the training inputs, drawn once with seed 0; the test part stays whole. All when left out.
    download : bool
        Whether what is not there may be fetched.
    options : dict
        What else this data set takes; in TOML among the others.
    """

    name: str = "digits"
    root: str | None = None
    train: int | None = None
    download: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.train is not None:
            whole_number("data.train", self.train, least=1)
        true_or_false("data.download", self.download)


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """``[model]``: which network.

    Attributes
    ----------
    name : str
        As `infoplane.models.build` names it.
    hidden : tuple of int, optional
        Widths of its hidden layers; for an ``mlp`` the data set's usual ones when left out.
    options : dict
        What else this network takes; in TOML among the others.
    """

    name: str = "mlp"
    hidden: tuple[int, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.hidden is not None and not self.hidden:
            raise InputError("model.hidden is empty, but it takes at least one width; leave it out for the usual ones")
        for width in self.hidden or ():
            whole_number("a width of model.hidden", width, least=1, most=2**20)


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """``[optimizer]``: of the network; the probes have their own.

    Attributes
    ----------
    name : {"adam", "sgd"}
        torch's, with its defaults for all that is not said here.
    learning_rate : float
        At the start.
    momentum : float
        Of ``sgd``.
    weight_decay : float
        L2, added to the gradient.
    schedule : {"step", "plateau", "none"}
        ``step``: the rate is multiplied by `decay` every `decay_every` epochs. ``plateau``: it is when
        `decay_every` epochs in a row had a mean training loss that was not 0.01 % below the best so far; held-out
        inputs have no say.
    decay, decay_every
        See there.
    """

    name: str = "adam"
    learning_rate: float = 5e-4
    momentum: float = 0.0
    weight_decay: float = 0.0
    schedule: str = "step"
    decay: float = 0.94
    decay_every: int = 5

    def __post_init__(self) -> None:
        one_of("optimizer.name", self.name, OPTIMIZERS)
        one_of("optimizer.schedule", self.schedule, SCHEDULES)
        positive_number("optimizer.learning_rate", self.learning_rate)
        positive_number("optimizer.decay", self.decay)
        if self.decay > 1 or (self.decay == 1 and self.schedule == "plateau"):
            raise InputError(f"optimizer.decay is {self.decay}, but what the rate is multiplied by is at most 1")
        for name in ("momentum", "weight_decay"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"optimizer.{name} is {value}, but it must be finite and at least 0")
        if self.momentum and self.name != "sgd":
            raise InputError(f"optimizer.momentum is {self.momentum}, but it belongs to 'sgd', not to {self.name!r}")
        whole_number("optimizer.decay_every", self.decay_every, least=1)


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """``[training]``: how long, and on what.

    Attributes
    ----------
    epochs, iterations : int, optional
        Passes over the training part, and steps of the optimizer; what comes first ends the training. 20 epochs where
        neither is given.
    batch_size : int
        Inputs of one step, of all processes together.
    device : str
        ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    precision : {"float32", "bfloat16", "float16"}
        Of the network's forward pass under autocast; weights, loss and probes stay in float32. ``float16`` needs a GPU,
        and its gradients are scaled.
    compile : bool or str
        Run what holds no site inside as torch.compile makes it, by its own backend or the one named.
    class_weights : bool
        Weigh the cross-entropy by n / (C n_c) for a class with n_c of the n training inputs.
    measure_every : int
        Measure after every so many epochs, and after the last.
    checkpoint_every : int
        Write the checkpoint after every so many epochs; 0 for never.
    keep_checkpoint : bool
        Whether it stays when the training is finished, to go on from there.
    """

    epochs: int | None = None
    iterations: int | None = None
    batch_size: int = 100
    device: str = "cpu"
    precision: str = "float32"
    compile: bool | str = False
    class_weights: bool = False
    measure_every: int = 1
    checkpoint_every: int = 1
    keep_checkpoint: bool = True

    def __post_init__(self) -> None:
        for name, least in {
            "epochs": 1,
            "iterations": 1,
            "batch_size": 1,
            "measure_every": 1,
            "checkpoint_every": 0,
        }.items():
            if (value := getattr(self, name)) is not None:
                whole_number(f"training.{name}", value, least=least)
        one_of("training.precision", self.precision, PRECISIONS)


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """``[probes]``: what is observed; the fields are the options of `infoplane.record`.

    Attributes
    ----------
    sites : str, tuple of str, or dict of str to str, optional
        The network's usual ones when left out; see docs/models.md.
    control : bool, optional
        On where nothing is said, but in mode ``bottleneck``, where a control has no meaning.
    sketch_at : int or str, optional
        Every so many steps, or ``"log"`` for steps ever farther apart, or ``"never"``.
    inputs : int
        Of so many held-out inputs the last row keeps error, loss, rates and cross-entropies one by one.
    mode, latent, beta, draws, learning_rate, std, prior, averaging, probe_every, refit, scale_twins, reduce
        As in `infoplane.record`.
    activations, weights, neurons, gradients, raw, sandwich
        As in `infoplane.record`.
    """

    sites: str | tuple[str, ...] | dict[str, str] | None = None
    mode: str = "observe"
    latent: int = 256
    beta: float | tuple[float, ...] = 1e-3
    draws: int = 12
    learning_rate: float = 1e-3
    std: str = "softplus"
    prior: str = "standard"
    averaging: float = 0.0
    probe_every: int = 1
    control: bool | None = None
    refit: int = 0
    scale_twins: tuple[float, ...] = ()
    reduce: str | dict[str, str] | None = None
    activations: bool = True
    weights: bool = True
    neurons: bool = True
    gradients: int = 10
    raw: int = 0
    inputs: int = 10_000
    sketch_at: int | str = 100
    sandwich: int = 500

    _VIB: ClassVar[tuple[str, ...]] = tuple(f.name for f in fields(VIBSettings))

    def __post_init__(self) -> None:
        options = self.recording
        for name in ("sites", "reduce"):  # looked at when there is a network
            options.pop(name)
        betas = options["beta"] if isinstance(options["beta"], tuple) else (options["beta"],)
        try:
            each = [VIBSettings(**{k: options[k] for k in self._VIB} | {"beta": beta}) for beta in betas or (1e-3,)]
            rest = {k: v for k, v in options.items() if k not in self._VIB}
            Plan(target=ClassTarget(2), settings=each[0], betas=betas, **rest)
        except InputError as error:
            raise InputError(f"probes: {error}") from None

    @property
    def recording(self) -> dict[str, Any]:
        """The options in the form that `infoplane.record` takes."""
        options = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**options, "sketch_at": self._schedule(), "control": self.is_controlled}

    @property
    def is_controlled(self) -> bool:
        """Whether the probes are also trained on the frozen untrained network."""
        return self.mode != "bottleneck" if self.control is None else self.control

    def _schedule(self) -> Schedule:
        if not isinstance(self.sketch_at, str):
            return schedule(self.sketch_at)
        one_of("probes.sketch_at", self.sketch_at, ("log", "never"))
        return log_spaced() if self.sketch_at == "log" else schedule(None)
