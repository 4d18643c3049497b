"""The network of Alemi et al. (2017): a multilayer perceptron whose last layer is a VIB bottleneck and its decoder.

``vib_mlp()`` is 784-1024-1024-2x256-10 with ReLU, Glorot's uniform weights and zero biases, as published. There it was
trained by Adam on images scaled to -1 .. 1, with beta = 1e-3 times the divergence added to the cross-entropy.
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils import skip_init

from infoplane.analysis.errors import InputError, whole_number
from infoplane.probes.bottleneck import VIBHead
from infoplane.probes.vib import glorot


def vib_mlp(
    sizes: Sequence[int] = (784, 1024, 1024), latent: int = 256, classes: int = 10, *, seed: int = 0
) -> nn.Sequential:
    """Return the network; record it with ``mode="bottleneck"``, whose ``loss(labels)`` is the divergence's term.

    Its modules are `flatten`, `hidden1`, `hidden2`, ... (each `linear` and `activation`), and `head`, an
    `infoplane.probes.bottleneck.VIBHead` of `bottleneck` and `decoder`.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, and neurons of each hidden layer; at least the inputs.
    latent : int
        N, dimensions of the code.
    classes : int
        Logits.
    seed : int
        Of the initial weights; the global random state is left alone.

    Raises
    ------
    InputError
        When a number is out of range.
    """
    widths = [whole_number("sizes", size, least=1) for size in sizes]
    if not widths:
        raise InputError("sizes is empty, but the number of inputs is needed")
    seed = whole_number("seed", seed, least=0)
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for index, (inputs, neurons) in enumerate(pairwise(widths), start=1):
        linear = skip_init(nn.Linear, inputs, neurons, device="cpu")
        layers[f"hidden{index}"] = nn.Sequential(OrderedDict(linear=linear, activation=nn.ReLU()))
    layers["head"] = VIBHead(widths[-1], classes, latent)
    network = nn.Sequential(layers).cpu()
    glorot(network, seed)
    return network.to(torch.get_default_device())
