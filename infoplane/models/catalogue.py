"""infoplane's own networks by name: what makes each, what it takes, and the sites that are observed in it.

A row's function takes what every network is made from, a `Wanted`, and the network's own options by keyword.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from torch import nn

from infoplane.analysis.errors import InputError, one_of
from infoplane.models.frequency_net import frequency_net
from infoplane.models.leaky_mlp import leaky_layers, leaky_mlp
from infoplane.models.mlp import mlp
from infoplane.models.recurrent import recurrent_classifier
from infoplane.models.resnet import cifar_resnet
from infoplane.models.vib import vib_mlp


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a network is made for.

    Attributes
    ----------
    name : str
        Of the network.
    shape : tuple of int
        Of one input.
    classes : int
        Outputs.
    hidden : tuple of int or None
        Widths of its hidden layers; None for the network's own.
    seed : int or None
        Of the initial weights.
    vocabulary : int or None
        Number of tokens, where inputs are tokens.
    """

    name: str
    shape: tuple[int, ...]
    classes: int
    hidden: tuple[int, ...] | None = None
    seed: int | None = None
    vocabulary: int | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One network of the catalogue.

    Attributes
    ----------
    make : callable
        From a `Wanted` and options by keyword to the network.
    sites : tuple of str
        What is observed unless something else is asked for.
    hidden : bool
        Whether widths of hidden layers can be chosen.
    tokens : bool
        Whether it can read tokens.
    """

    make: Callable[..., nn.Module]
    sites: tuple[str, ...]
    hidden: bool = False
    tokens: bool = False


ACTIVATIONS: Mapping[str, type[nn.Module]] = MappingProxyType(
    {
        "relu": nn.ReLU,
        "leaky-relu": nn.LeakyReLU,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "elu": nn.ELU,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "softplus": nn.Softplus,
    }
)
_PAPER = (1024, 1024)


def _mlp(wanted: Wanted, *, activation: str = "relu") -> nn.Module:
    one_of("activation", activation, ACTIVATIONS)
    hidden = _PAPER if wanted.hidden is None else wanted.hidden
    widths = (math.prod(wanted.shape), *hidden, wanted.classes)
    return mlp(widths, activation=ACTIVATIONS[activation], seed=wanted.seed)


def _vib_mlp(wanted: Wanted, *, latent: int = 256) -> nn.Module:
    hidden = _PAPER if wanted.hidden is None else wanted.hidden
    # Its weights come from a generator of their own, which needs a seed; without one it is drawn, as weights would be.
    seed = int(torch.randint(2**31, ())) if wanted.seed is None else wanted.seed
    return vib_mlp((math.prod(wanted.shape), *hidden), latent, wanted.classes, seed=seed)


def _resnet(depth: int, wanted: Wanted, *, shortcut: str = "A") -> nn.Module:
    if len(wanted.shape) != 3:
        raise InputError(
            f"{wanted.name} reads images (channels, height, width), but an input has the shape {wanted.shape}"
        )
    return cifar_resnet(depth, channels=wanted.shape[0], classes=wanted.classes, shortcut=shortcut, seed=wanted.seed)


def _leaky_mlp(wanted: Wanted, *, slope: float = 0.01) -> nn.Module:
    features = math.prod(wanted.shape)
    if wanted.hidden is None:
        return leaky_mlp(features, wanted.classes, slope=slope, seed=wanted.seed)
    return leaky_layers((features, *wanted.hidden, wanted.classes), slope=slope, seed=wanted.seed)


def _frequency_net(
    wanted: Wanted,
    *,
    convolutions: int = 128,
    positions: int = 128,
    channels: Sequence[int] = (64, 128, 192, 256),
) -> nn.Module:
    if len(wanted.shape) not in (1, 2):
        raise InputError(
            f"{wanted.name} reads signals (samples,) or (signals, samples), but an input has the shape {wanted.shape}"
        )
    return frequency_net(
        wanted.shape[-1],
        wanted.classes,
        signals=wanted.shape[0] if len(wanted.shape) == 2 else 1,
        convolutions=convolutions,
        positions=positions,
        channels=channels,
        seed=wanted.seed,
    )


def _recurrent(cell: str, wanted: Wanted, *, embedding: int | None = None) -> nn.Module:
    tokens = wanted.vocabulary is not None
    if not tokens and embedding is not None:
        raise InputError(f"embedding is {embedding!r}, but the inputs are no tokens: there is nothing to embed")
    rows = wanted.shape[:-2] in ((), (1,)) and len(wanted.shape) > 1
    if not (len(wanted.shape) == 1 if tokens else rows):
        what = "tokens (steps,)" if tokens else "sequences (steps, features), or images (1, steps, features) by rows"
        raise InputError(f"{wanted.name} reads {what}, but an input has the shape {wanted.shape}")
    return recurrent_classifier(
        cell,
        None if tokens else wanted.shape[-1],
        wanted.classes,
        hidden=(128,) if wanted.hidden is None else wanted.hidden,
        vocabulary=wanted.vocabulary,
        embedding=128 if embedding is None else embedding,
        seed=wanted.seed,
    )


_HIDDEN = ("hidden*",)
_STAGES = ("stem", "stage1", "stage2", "stage3")
_STEPS = ("recurrent*[0]", "last")

MODELS: Mapping[str, Entry] = MappingProxyType(
    {
        "mlp": Entry(make=_mlp, sites=_HIDDEN, hidden=True),
        "vib-mlp": Entry(make=_vib_mlp, sites=_HIDDEN, hidden=True),
        **{f"resnet{depth}": Entry(make=partial(_resnet, depth), sites=_STAGES) for depth in (20, 32, 44, 56)},
        "leaky-mlp": Entry(make=_leaky_mlp, sites=_HIDDEN, hidden=True),
        "frequency-net": Entry(make=_frequency_net, sites=("stack*",)),
        "gru": Entry(make=partial(_recurrent, "gru"), sites=_STEPS, hidden=True, tokens=True),
        "lstm": Entry(make=partial(_recurrent, "lstm"), sites=_STEPS, hidden=True, tokens=True),
    }
)
