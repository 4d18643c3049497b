"""Fig. 3: the positive weights of trained networks beside a log-normal law, layer by layer and pooled.

The paper shows VGG19, ResNet152 and Inception V4 and says that tests find significant differences from a log-normal
law; it names neither test nor size. Here the size is the Jensen-Shannon divergence from the fitted law, and the test a
parametric bootstrap: how often as many draws from the fitted law, refitted, lie as far from it.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor

from infoplane.analysis.lognormal import LognormalJSD, lognormal_jsd
from infoplane.analysis.lognormal_fit import Binning, null_divergences
from infoplane.analysis.samples import Floats
from infoplane.experiments.reproduce.claims import PaperClaim, Statement
from infoplane.experiments.reproduce.experiment import Experiment, Request, Scale
from infoplane.experiments.reproduce.outcome import Reproduction, Table
from infoplane.experiments.reproduce.stored_weights import PACKAGE, file_weights, named_weights, packaged_weights
from infoplane.training import Settings, read_settings, train

CLAIMS = (
    PaperClaim(
        text="tests find significant differences from a log-normal law in all three networks", where="section III-C"
    ),
    PaperClaim(text="an over-proportional number of weights is close to zero", where="caption of Fig. 3"),
)
BOOTSTRAP = 999
SIGNIFICANT = 0.05
NEAR = 0.1
"""Close to zero: below this share of the root mean square of the positive weights."""
NORMAL_NEAR = 2 * float(ndtr(NEAR)) - 1
"""The share of normal weights that lie there, 8.0 %."""
_MLP: dict[str, dict[str, Any]] = {
    "smoke": {"data.name": "digits", "training.epochs": 3, "training.batch_size": 50},
    "small": {"preset": "paper-mlp", "data.train": 10_000, "training.epochs": 10},
    "full": {"preset": "paper-mlp"},
}
_PLAIN: dict[str, Any] = {  # the probes are not looked at
    "probes.latent": 2,
    "probes.control": False,
    "probes.sites": ("hidden1",),
    "probes.probe_every": 100,
    "probes.gradients": 0,
    "probes.sandwich": 2,
    "probes.inputs": 0,
    "training.measure_every": 1000,
}
COMPARED = {
    "normal weights": 0.053954,
    "weights of a Laplace law": 0.029476,
    "uniform weights, as torch draws them": 0.147027,
}
"""Exact divergence, in bit, of the positive part of laws without a log-normal tail from their own log-normal fit."""


@dataclass(frozen=True)
class Weights:
    """What is found of one network.

    Attributes
    ----------
    name : str
        Of the network.
    layers : mapping of str to LognormalJSD
        By the name of the weight.
    pooled : LognormalJSD
        Of all weights together.
    values : numpy.ndarray
        Shape (n,): the positive ones.
    p_value : float
        Of the parametric bootstrap, pooled; at least 1 / 1000.
    near_zero : float
        Share of the positive weights below `NEAR` of their root mean square.
    near_zero_law : float
        The same of the fitted law.
    """

    name: str
    layers: Mapping[str, LognormalJSD]
    pooled: LognormalJSD
    values: Floats
    p_value: float
    near_zero: float
    near_zero_law: float


def weights_of_network(name: str, weights: Mapping[str, Tensor], *, seed: int = 0) -> Weights:
    """Return what is found of a network's weights, by their names."""
    flat = {key: value.detach().double().flatten() for key, value in weights.items()}
    everything = torch.cat(list(flat.values()))
    pooled = lognormal_jsd(everything, seed=seed)
    null = null_divergences(pooled.n, pooled.mu, pooled.sigma, Binning(), "overflow", "mle", BOOTSTRAP, seed)
    as_far = int((null / math.log(2) >= pooled.divergence).sum())
    values: Floats = everything[everything > 0].numpy()
    bound = NEAR * math.sqrt(float(np.mean(values**2)))
    return Weights(
        name=name,
        layers={key: lognormal_jsd(value, seed=seed) for key, value in flat.items()},
        pooled=pooled,
        values=values,
        p_value=(1 + as_far) / (1 + BOOTSTRAP),
        near_zero=float(np.mean(values < bound)),
        near_zero_law=float(ndtr((math.log(bound) - pooled.mu) / pooled.sigma)),
    )


def statements(networks: list[Weights]) -> tuple[Statement, ...]:
    """Return a verdict on each of `CLAIMS`, of trained networks; undecided where there is none."""
    if not networks:
        return tuple(
            Statement(
                claim=claim.text,
                where=claim.where,
                printed="",
                found="",
                verdict="undecided",
                why="No trained network.",
            )
            for claim in CLAIMS
        )
    far = all(one.p_value <= SIGNIFICANT / len(networks) for one in networks)
    most = max(one.pooled.divergence for one in networks)
    least = min(one.pooled.divergence for one in networks)
    size = f"{least:.3f} bit" if least == most else f"{least:.3f} to {most:.3f} bit"
    near = [one.near_zero > NORMAL_NEAR for one in networks]
    return (
        Statement(
            claim=CLAIMS[0].text,
            where=CLAIMS[0].where,
            printed="",
            found="; ".join(f"{one.name}: {one.pooled.divergence:.4f} bit, p = {one.p_value:.3g}" for one in networks),
            verdict="reproduced" if far else "not reproduced",
            why=f"Of other networks than the paper's. With {min(one.pooled.n for one in networks):,} and more weights "
            f"any law differs from a fitted one; what counts is the size, {size}, where plain normal weights are "
            f"{COMPARED['normal weights']:.3f} bit from their log-normal fit.",
        ),
        Statement(
            claim=CLAIMS[1].text,
            where=CLAIMS[1].where,
            printed="",
            found="; ".join(
                f"{one.name}: {100 * one.near_zero:.1f} % (fitted law {100 * one.near_zero_law:.1f} %)"
                for one in networks
            ),
            verdict="reproduced" if all(near) else "not reproduced" if any(near) else "contradicted",
            why=f"Share of the positive weights below {NEAR:g} of their root mean square, where normal weights have "
            f"{100 * NORMAL_NEAR:.1f} %; the paper does not say what the number is over-proportional to.",
        ),
    )


def work(request: Request) -> Reproduction:
    """Do the experiment."""
    from infoplane.experiments.reproduce.fig3_picture import picture

    measured = partial(weights_of_network, seed=request.seed)
    notes, networks = [], []
    for given in request.weights:
        name, weights = named_weights(given)
        networks.append(measured(name, weights))
    if (packaged := packaged_weights()) is not None:
        networks.append(measured("EfficientNet-Lite0 (ImageNet)", packaged))
    else:
        notes.append(f"The ImageNet-trained network of the extra 'weights' ({PACKAGE}) is not installed, and left out.")
    settings = settings_of(request)
    run = request.out / f"mlp,seed={request.seed}.h5"
    train(settings, run, resume=True, quiet=request.quiet)
    weights = file_weights(run.with_suffix(".ckpt"))
    networks.append(measured(f"MLP ({settings.data.name})", weights))
    picture(networks, path := request.out / "fig3.png")
    _write_layers(networks, layers := request.out / "fig3-layers.csv")
    return Reproduction(
        name="fig3",
        scale=request.scale,
        setting=f"positive weights of {len(networks)} trained networks; the MLP: {FIG3.scales[request.scale].text}.",
        statements=statements(networks),
        tables=(_pooled_table(networks), _laws()),
        notes=(
            *notes,
            "The paper's networks are VGG19, ResNet152 and Inception V4, the last of which torchvision does not have; "
            "--weights vgg19 takes torchvision's where they are cached, --weights FILE any state dict.",
        ),
        files=(path, layers, run),
    )


def settings_of(request: Request) -> Settings:
    """Return the settings of the network that is trained."""
    its = {**_MLP[request.scale], **_PLAIN, "seed": request.seed, "training.device": request.device}
    its |= {"data.download": request.download}
    return read_settings(None, {**its, **({} if request.root is None else {"data.root": request.root})})


def _pooled_table(networks: list[Weights]) -> Table:
    head = ["network", "layers", "positive", "zeros", "JSD [bit]", "distance", "floor", "p", "layer by layer"]
    cells = []
    for one in networks:
        of_layers = sorted(found.divergence for found in one.layers.values() if math.isfinite(found.divergence))
        pooled = one.pooled
        cells.append(
            [
                one.name,
                f"{len(one.layers)}",
                f"{pooled.n:,}",
                f"{100 * pooled.zero_fraction:.2g} %",
                f"{pooled.divergence:.4f}",
                f"{pooled.distance:.3f}",
                f"{pooled.floor:.1g}",
                f"{one.p_value:.3g}",
                f"{of_layers[0]:.3f} to {of_layers[-1]:.3f}" if of_layers else "-",
            ]
        )
    return Table("Divergence of the positive weights from their log-normal fit (distance: its root)", head, cells)


def _laws() -> Table:
    return Table(
        "For comparison: the same of laws that have no log-normal tail, exact",
        ["law of the weights", "JSD [bit]", "distance"],
        [[name, f"{bits:.4f}", f"{math.sqrt(bits):.3f}"] for name, bits in COMPARED.items()],
    )


def _write_layers(networks: list[Weights], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["network", "weight", "divergence_bit", "distance", "floor_bit", "mu", "sigma", "positive", "zero_fraction"]
        )
        for one in networks:
            for name, it in {**one.layers, "(all)": one.pooled}.items():
                row = (it.divergence, it.distance, it.floor, it.mu, it.sigma, it.n, it.zero_fraction)
                writer.writerow([one.name, name, *(f"{value:.6g}" if value % 1 else int(value) for value in row)])


FIG3 = Experiment(
    name="fig3",
    about="positive weights of trained networks, and the log-normal law fitted to them",
    claims=CLAIMS,
    scales={
        "smoke": Scale("64-64 hidden neurons, digits, 3 epochs", "seconds"),
        "small": Scale("784-1024-1024-10, 10,000 MNIST images, 10 epochs", "1 minute", "MNIST"),
        "full": Scale("784-1024-1024-10, MNIST, 200 epochs", "1 hour", "MNIST"),
    },
    work=work,
    takes=frozenset({"seed", "device", "root", "download", "weights"}),
)
