"""What a training needs besides its loop, made from the settings: data, network, method, optimizer, sites."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from infoplane.datasets import Dataset, load
from infoplane.errors import InputError
from infoplane.models import build, default_sites
from infoplane.probes.bottleneck_places import bottleneck_places
from infoplane.probes.selection import select_sites
from infoplane.regularizers import RunningMethod, parse_method
from infoplane.training.compiled import compile_between
from infoplane.training.optimization import Optimization
from infoplane.training.place import Place
from infoplane.training.settings import Settings


@dataclass(frozen=True, eq=False)
class Assembly:
    """A network on its device, with all that acts on it.

    Attributes
    ----------
    model : torch.nn.Module
        The network.
    network : torch.nn.Module
        What is called: the network itself, or wrapped for several processes.
    method : RunningMethod
        Its loss, and what is done between steps.
    optimization : Optimization
        Its optimizer.
    sites : object
        What is observed, in the form that `infoplane.record` takes.
    """

    model: nn.Module
    network: nn.Module
    method: RunningMethod
    optimization: Optimization
    sites: Any


def load_data(settings: Settings) -> Dataset:
    """Return the data that the settings name.

    Raises
    ------
    DatasetError
        When the data set is unknown or absent.
    """
    given = settings.data
    data = load(given.name, root=given.root, download=given.download, **given.options)
    return data if given.train is None else data.subset(train=given.train, seed=0)


def identity(data: Dataset) -> dict[str, object]:
    """Return what a run file says of its data."""
    counts = {"train": len(data.train_labels), "test": len(data.test_labels)}
    kind = {"classes": data.classes} if data.classes is not None else {"classes": None, "targets": data.targets}
    return {"name": data.name, "sha256": data.sha256, **counts, **kind}


def assemble(settings: Settings, data: Dataset, place: Place) -> Assembly:
    """Build everything that the settings describe.

    Raises
    ------
    InputError
        When the network cannot be built, or the method, the device or the labels do not fit.
    """
    outputs = data.classes if data.classes is not None else data.targets
    assert outputs is not None
    model = build(
        settings.model.name,
        shape=data.shape,
        classes=outputs,
        hidden=settings.model.hidden,
        seed=settings.seed,
        vocabulary=data.vocabulary,
        **settings.model.options,
    )
    method = parse_method(settings.method, scaling=settings.scaling, regularizers=settings.regularizers)
    method.check_labels(data.classes)
    model = method.prepare(model, seed=settings.seed).to(place.device)
    weights = class_weights(data, place.device) if settings.training.class_weights else None
    # In mode bottleneck the recording's loss has the divergence: it counts once.
    has_divergence = settings.probes.mode != "bottleneck"
    running = method.attach(model, seed=settings.seed, class_weights=weights, divergence=has_divergence)
    optimization = Optimization(
        model.parameters(), settings.optimizer, device=place.device, precision=settings.training.precision
    )
    sites: Any = settings.probes.sites
    if sites is None and settings.probes.mode != "bottleneck":
        sites = default_sites(settings.model.name, model)
    sites = list(sites) if isinstance(sites, tuple) else sites
    if settings.training.compile:
        _compile(model, sites, settings)
    network: nn.Module = model
    if place.ranks.world > 1:
        network = DistributedDataParallel(model, device_ids=[place.device] if place.device.type == "cuda" else None)
    return Assembly(model, network, running, optimization, sites)


def _compile(model: nn.Module, sites: Any, settings: Settings) -> None:
    choose = bottleneck_places if settings.probes.mode == "bottleneck" else select_sites
    places = {site.module_name for site in choose(model, sites)}
    asked = settings.training.compile
    compile_between(model, places, **({"backend": asked} if isinstance(asked, str) else {}))


def class_weights(data: Dataset, device: torch.device) -> Tensor:
    """Return n / (C n_c) for each class, shape (C,): all classes then weigh the same; 0 for one without an input.

    Raises
    ------
    InputError
        When labels are real numbers.
    """
    if data.classes is None:
        raise InputError(
            f"training.class_weights weighs classes, but the labels of {data.name!r} are real numbers; set it to false"
        )
    counts = torch.bincount(data.train_labels, minlength=data.classes).double()
    weights = torch.where(counts > 0, counts.sum() / (data.classes * counts.clamp(min=1)), 0)
    return weights.float().to(device)
