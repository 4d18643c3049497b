"""A multilayer perceptron whose layers have names that read well as sites.

``mlp()`` is the network of Hofmann and Mäder (2022), section V: 784-1024-1024-10 with ReLU and PyTorch's
default initialisation.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Integral, Real

import torch
from torch import nn

from infoplane.analysis.errors import InputError
from infoplane.models.initial import initial_weights


def mlp(
    widths: Sequence[int] = (784, 1024, 1024, 10),
    *,
    activation: Callable[[], nn.Module] = nn.ReLU,
    dropout: float = 0.0,
    seed: int | None = None,
) -> nn.Sequential:
    """Return a multilayer perceptron.

    Its modules are `flatten`, `hidden1`, `hidden2`, ..., `output`. A hidden layer is a `torch.nn.Sequential`
    of `linear`, `activation` and, where asked for, `dropout`: the site ``"hidden1"`` is the layer's output
    behind its activation, and its weights are ``"hidden1.linear.weight"``.

    Parameters
    ----------
    widths : sequence of int
        Inputs, neurons of each hidden layer, outputs; at least the first and the last.
    activation : callable
        Makes a new activation module for each hidden layer: a class such as `torch.nn.ReLU`, or a function
        without arguments.
    dropout : float
        Probability, 0 <= dropout < 1, with which a hidden neuron's output is dropped in training mode.
    seed : int, optional
        Seed of the initial weights. With it they are drawn on the CPU, the same on every device, and the
        global random state is left as it was; without it they are drawn from the global state, as PyTorch
        does.

    Returns
    -------
    torch.nn.Sequential
        Takes ``(n, ...)`` with ``widths[0]`` values for each input, returns logits of shape ``(n,
        widths[-1])``.

    Raises
    ------
    InputError
        An argument is out of range.
    """
    sizes = tuple(widths)
    if len(sizes) < 2 or not all(_is_whole(size, least=1) for size in sizes):
        raise InputError(f"widths={sizes!r} cannot be used; accepted: two or more whole numbers >= 1, (784, 1024, 10)")
    if isinstance(activation, nn.Module) or not callable(activation):
        raise InputError(
            f"activation={activation!r} makes no new modules; accepted: a class such as torch.nn.ReLU, or a "
            "function without arguments that returns a module"
        )
    if isinstance(dropout, bool) or not isinstance(dropout, Real) or not 0 <= dropout < 1:
        raise InputError(f"dropout={dropout!r} cannot be used; accepted: 0 <= dropout < 1")
    with initial_weights(seed):
        network = _build(sizes, activation, dropout)
    return network.to(torch.get_default_device())


def _build(sizes: tuple[int, ...], activation: Callable[[], nn.Module], dropout: float) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for index, (inputs, neurons) in enumerate(pairwise(sizes[:-1]), start=1):
        parts: OrderedDict[str, nn.Module] = OrderedDict(linear=nn.Linear(inputs, neurons), activation=activation())
        if dropout:
            parts["dropout"] = nn.Dropout(dropout)
        layers[f"hidden{index}"] = nn.Sequential(parts)
    layers["output"] = nn.Linear(sizes[-2], sizes[-1])
    return nn.Sequential(layers)


def _is_whole(value: object, *, least: int) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least
