"""Train one network with probes, control and recorders on, with or without synaptic scaling, into one run file.

Adam 5e-4, x0.94 every five epochs, batches of 100: the paper's setting for its MLP (section V-A).
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path

import torch
from torch.nn import functional
from tqdm.auto import tqdm

from infoplane.analysis.errors import near_names, whole_number
from infoplane.datasets import Dataset, load
from infoplane.errors import InputError
from infoplane.models import MODELS, build
from infoplane.probes.isolation import preserved_random_state
from infoplane.probes.measurement import Measurement
from infoplane.recorder import record
from infoplane.scaling.synscal import SynScaL
from infoplane.scaling.synscaw import SynScaW

SCALINGS = ("none", "synscaw", "synscaw-official", "synscaw-stable", "synscal", "synscal-logit-mean")
HIDDEN = {
    "digits": (64, 64),
    "mnist": (1024, 1024),
    "szt12": (10, 7, 5, 4, 3),
    "szt12-mat": (10, 7, 5, 4, 3),
}


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Everything that a run depends on; kept in its file.

    Attributes
    ----------
    data : str
        Data set, as `infoplane.datasets.load` names it.
    model : str
        ``mlp``.
    hidden : tuple of int, optional
        Widths of the hidden layers; the data set's usual ones when left out.
    scaling : str
        One of `SCALINGS`. ``synscaw`` is the preset ``paper``, applied once per epoch after the last batch;
        ``synscal`` is mode ``prob``, added to the loss.
    rate : float, optional
        Scaling rate gamma; the preset's own when left out.
    epochs, batch_size, learning_rate, decay, decay_every
        Of the host's Adam; the rate is multiplied by `decay` every `decay_every` epochs.
    latent, beta, probe_learning_rate
        Of the VIB probes on all hidden layers.
    control : bool
        Also train the probes on the frozen untrained host.
    seed : int
        Of weights, batches and probes.
    device : str
        Where to train.
    """

    data: str = "digits"
    model: str = "mlp"
    hidden: tuple[int, ...] | None = None
    scaling: str = "none"
    rate: float | None = None
    epochs: int = 20
    batch_size: int = 100
    learning_rate: float = 5e-4
    decay: float = 0.94
    decay_every: int = 5
    latent: int = 256
    beta: float = 1e-3
    probe_learning_rate: float = 1e-3
    control: bool = True
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            hint = near_names(self.model, MODELS)
            raise InputError(f"there is no model {self.model!r}{hint}; known are {', '.join(MODELS)}")
        if self.scaling not in SCALINGS:
            hint = near_names(self.scaling, SCALINGS)
            raise InputError(f"there is no scaling {self.scaling!r}{hint}; known are {', '.join(SCALINGS)}")
        if self.scaling == "none" and self.rate is not None:
            raise InputError(f"rate is {self.rate}, but without scaling there is nothing it would act on")
        for name in ("epochs", "batch_size", "decay_every"):
            whole_number(name, getattr(self, name), least=1)
        for width in self.hidden or ():
            whole_number("a width of hidden", width, least=1, most=2**20)
        whole_number("seed", self.seed, least=0, most=2**63 - 1)
        for name in ("learning_rate", "decay"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise InputError(f"{name} is {getattr(self, name)}, but it must be finite and positive")


def train(
    settings: TrainingSettings,
    path: str | PathLike[str],
    *,
    overwrite: bool = False,
    quiet: bool = False,
    label: str = "training",
) -> list[Measurement]:
    """Train as `settings` say and write one run file with one row per epoch.

    Parameters
    ----------
    settings : TrainingSettings
        What to train.
    path : path-like
        The run file.
    overwrite : bool
        Replace an existing file.
    quiet : bool
        No progress bar (there is none either where stderr is no terminal), no forecast of the file's size.
    label : str
        Of the progress bar.

    Returns
    -------
    list of Measurement
        One per epoch.

    Raises
    ------
    DatasetError
        When the data set is unknown or absent.
    InputError
        When a setting cannot be used.
    RunFileError
        When the file exists or cannot be written.
    """
    device = _device(settings.device)
    data = load(settings.data)
    hidden = settings.hidden or HIDDEN[settings.data]
    with preserved_random_state(), _without_forecast(quiet):
        torch.manual_seed(settings.seed)
        model = build(settings.model, shape=data.shape, classes=data.classes, hidden=hidden, seed=settings.seed).to(
            device
        )
        method = _scaling(settings, model)
        optimizer = torch.optim.Adam(model.parameters(), settings.learning_rate)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, settings.decay_every, settings.decay)
        loader = data.train_loader(settings.batch_size, seed=settings.seed)
        held_out = data.test_loader(max(settings.batch_size, 500))
        rows = []
        with (
            record(
                model,
                Path(path),
                sites="hidden*",
                classes=data.classes,
                latent=settings.latent,
                beta=settings.beta,
                learning_rate=settings.probe_learning_rate,
                control=settings.control,
                seed=settings.seed,
                configuration={
                    **asdict(settings),
                    "hidden": list(hidden),
                    "scaling_settings": None if method is None else method.configuration,
                },
                data=_identity(data),
                overwrite=overwrite,
            ) as rec,
            tqdm(
                total=settings.epochs * len(loader),
                desc=label,
                unit="step",
                leave=False,
                disable=quiet or None,
            ) as bar,
        ):
            for epoch in range(1, settings.epochs + 1):
                model.train()
                for inputs, labels in loader:
                    inputs, labels = inputs.to(device), labels.to(device)
                    logits = model(inputs)
                    loss = functional.cross_entropy(logits, labels) + rec.loss(labels)
                    if isinstance(method, SynScaL):
                        loss = loss + method(logits)
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    bar.update()
                schedule.step()
                if isinstance(method, SynScaW):
                    for layer in method.apply():
                        if layer.away:
                            rec.event(
                                f"SynScaW moved the activity of {layer.layer} from {layer.zbar_before:.7g} to "
                                f"{layer.zbar_after:.7g}, away from its target {layer.target:.4g}"
                            )
                if (measured := rec.measure(held_out, epoch=epoch)) is not None:
                    rows.append(measured)
                    bar.set_postfix_str(f"error {100 * (measured.error or 0):.2f} %")
    return rows


@contextmanager
def _without_forecast(quiet: bool) -> Iterator[None]:
    """Keep the forecast of the file's size from stderr, where asked."""
    logger = logging.getLogger("infoplane.forecast")
    before, logger.disabled = logger.disabled, logger.disabled or quiet
    try:
        yield
    finally:
        logger.disabled = before


def _scaling(settings: TrainingSettings, model: torch.nn.Module) -> SynScaW | SynScaL | None:
    kind, _, variant = settings.scaling.partition("-")
    if kind == "synscaw":
        return SynScaW(model, preset=variant or "paper", gamma=settings.rate, seed=settings.seed)
    if kind == "synscal":
        rate = {} if settings.rate is None else {"gamma": settings.rate}
        return SynScaL(mode=variant.replace("-", "_") or "prob", **rate)
    return None


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(
            f"the device {name!r} cannot be used here ({str(error).splitlines()[0][:80]}); "
            "known are cpu, and where they are present cuda, cuda:N and mps"
        ) from error
    return device


def _identity(data: Dataset) -> dict[str, object]:
    return {
        "name": data.name,
        "sha256": data.sha256,
        "train": len(data.train_labels),
        "test": len(data.test_labels),
        "classes": data.classes,
    }
