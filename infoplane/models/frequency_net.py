"""The frequency decomposition network of Hofmann and Mäder (2022), appendix VII-B2, for one-dimensional signals.

Convolutions with kernel 2 and dilation d = 1 .. 128, each with three channels, all read the signal x; output t
of one is

    z[d, t] = a_d x[t] + b_d x[t + d] + c_d,      t = 0 .. 127,

so dilation d is given the first 128 + d samples, and all outputs have one length. Stacked along d they are an image of
128 x 128 with three channels. Four stacks of two 3x3 convolutions with 2x2 max-pooling between them, and one dense
layer, read this image. Every convolution is followed by batch normalisation and Leaky ReLU.

**What the paper leaves open**, and what is taken here:

- the channels of the stacks: 64, 128, 192, 256. The paper states 1.9 million parameters in total; with five classes
  this network has 1,932,613. Doubling from 32 gives 1.26, doubling from 64 gives 4.85, one width of 128, 160 or 192
  gives 1.08, 1.67 or 2.40 million. But 40-80-160-320 gives 1.94: the count does not decide.
- padding: none, PyTorch's default. "Separated by" pooling: three of them, none behind the last stack. (Four of them
  give 1.87 million, padding and four of them 1.93, padding and three 2.18.)
- which part of a signal a convolution is given: the first samples. Of the paper's 512 samples 256 are read.
- the slope of Leaky ReLU (0.01), biases beside batch normalisation (kept), and initial weights: PyTorch's defaults.
"""

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infoplane.analysis.errors import InputError, whole_number
from infoplane.models.initial import initial_weights

_MAPS = 3  # channels of the image that the dilated convolutions make


def frequency_net(
    samples: int = 512,
    classes: int = 5,
    *,
    signals: int = 1,
    convolutions: int = 128,
    positions: int = 128,
    channels: Sequence[int] = (64, 128, 192, 256),
    seed: int | None = None,
) -> nn.Sequential:
    """Return the frequency decomposition network.

    Its modules are `frequencies` (`dilation1`, `dilation2`, ..., each `conv`, `norm`, `activation`), `stack1`, `pool1`,
    `stack2`, ..., `stack4` (each `conv1`, `norm1`, `activation1`, `conv2`, `norm2`, `activation2`), `flatten` and
    `output`.

    Parameters
    ----------
    samples : int
        Length of a signal; at least ``positions + convolutions``, of which no more are read.
    classes : int
        Number of outputs.
    signals : int
        Signals per input, the channels of a one-dimensional convolution.
    convolutions : int
        Dilated convolutions; their dilations are 1 .. `convolutions`.
    positions : int
        Outputs of each of them.
    channels : sequence of int
        Of the two convolutions of each stack, one number per stack.
    seed : int, optional
        Of the initial weights; as in `infoplane.models.mlp`.

    Returns
    -------
    torch.nn.Sequential
        Takes ``(n, signals, samples)``, or ``(n, samples)`` where there is one signal, returns ``(n, classes)``.

    Raises
    ------
    InputError
        When an argument is out of range, the signal is too short, or nothing is left of the image behind the stacks.
    """
    samples, classes = whole_number("samples", samples, least=1), whole_number("classes", classes, least=1)
    signals = whole_number("signals", signals, least=1)
    convolutions = whole_number("convolutions", convolutions, least=1)
    positions = whole_number("positions", positions, least=1)
    if isinstance(channels, str) or not isinstance(channels, Sequence) or not channels:
        raise InputError(f"channels is {channels!r}, but it takes a number for each stack, such as (64, 128, 192, 256)")
    widths = [whole_number("a number of channels", width, least=1) for width in channels]
    if samples < positions + convolutions:
        raise InputError(
            f"a signal of {samples} samples is too short: {convolutions} dilated convolutions with {positions} outputs "
            f"read {positions + convolutions} samples; give less by convolutions= and positions="
        )
    rows, columns = (_behind(size, stacks=len(widths)) for size in (convolutions, positions))
    if rows < 1 or columns < 1:
        raise InputError(
            f"the image of {convolutions} convolutions x {positions} positions is too small for {len(widths)} stacks: "
            "each takes 4 off its sides, and the pooling between them halves these"
        )
    with initial_weights(seed):
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            frequencies=FrequencyDecomposition(signals, convolutions, positions)
        )
        before = _MAPS
        for index, width in enumerate(widths, start=1):
            if index > 1:
                layers[f"pool{index - 1}"] = nn.MaxPool2d(2)
            layers[f"stack{index}"] = _stack(before, width)
            before = width
        layers["flatten"] = nn.Flatten()
        layers["output"] = nn.Linear(before * rows * columns, classes)
        network = nn.Sequential(layers)
    return network.to(torch.get_default_device())


class FrequencyDecomposition(nn.Module):
    """Signals as an image of dilations by positions; the first part of `frequency_net`.

    Parameters
    ----------
    signals, convolutions, positions : int
        As in `frequency_net`.
    """

    def __init__(self, signals: int = 1, convolutions: int = 128, positions: int = 128) -> None:
        super().__init__()
        self.signals, self.positions = signals, positions
        for dilation in range(1, convolutions + 1):
            parts = OrderedDict(
                conv=nn.Conv1d(signals, _MAPS, 2, dilation=dilation),
                norm=nn.BatchNorm1d(_MAPS),
                activation=nn.LeakyReLU(),
            )
            self.add_module(f"dilation{dilation}", nn.Sequential(parts))

    def forward(self, signals: Tensor) -> Tensor:
        """Return ``(n, 3, convolutions, positions)`` of ``(n, signals, samples)`` or ``(n, samples)``."""
        given = tuple(signals.shape)
        if signals.ndim == 2:
            signals = signals.unsqueeze(1)
        needed = self.positions + len(self._modules)
        if signals.ndim != 3 or signals.shape[1] != self.signals or signals.shape[2] < needed:
            raise InputError(
                f"the input has the shape {given}, but this network reads (inputs, {self.signals}, "
                f"samples) with at least {needed} samples"
            )
        lines = (part(signals[..., : self.positions + d]) for d, part in enumerate(self.children(), start=1))
        return torch.stack(list(lines), 2)


def _stack(inputs: int, outputs: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for index in (1, 2):
        layers[f"conv{index}"] = nn.Conv2d(inputs if index == 1 else outputs, outputs, 3)
        layers[f"norm{index}"] = nn.BatchNorm2d(outputs)
        layers[f"activation{index}"] = nn.LeakyReLU()
    return nn.Sequential(layers)


def _behind(side: int, *, stacks: int) -> int:
    """Return what is left of one side of the image behind all stacks."""
    for index in range(stacks):
        side = (side // 2 if index else side) - 4
    return side
