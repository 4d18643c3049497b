"""The residual networks of He et al. (2016), section 4.2, for small images: 20, 32, 44, 56, ... layers.

A 3x3 convolution with 16 channels, three stages of n basic blocks with 16, 32 and 64 channels, the mean over space and
one dense layer: 6n + 2 layers with weights. The first block of the second and the third stage halves height and width.
For three channels and ten classes these are 0.27, 0.46, 0.66 and 0.85 million parameters, as published.

ResNet-32 is the network of Hofmann and Mäder (2022), Tables I to III and Fig. 5. They write of "bottleneck blocks";
this network has basic ones.

Convolutions have no bias and start from He's normal law (fan out), batch normalisation from 1 and 0. The dense layer
starts from PyTorch's default law, of which the papers say nothing.

References: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoplane.analysis.errors import InputError, one_of, whole_number
from infoplane.models.initial import initial_weights

_WIDTHS = (16, 32, 64)


def cifar_resnet(
    depth: int = 32, *, channels: int = 3, classes: int = 10, shortcut: str = "A", seed: int | None = None
) -> nn.Sequential:
    """Return a residual network for small images.

    Its modules are `stem` (`conv`, `norm`, `activation`), `stage1`, `stage2`, `stage3` (each `block1`, `block2`, ...),
    `pool`, `flatten` and `output`. A block has `shortcut`, `conv1`, `norm1`, `activation1`, `conv2`, `norm2` and
    `activation2`, through which its sum goes: the site ``"stage2"`` is what the stage's last block gives.

    Parameters
    ----------
    depth : int
        Layers with weights: 6n + 2, as 20, 32, 44, 56, 110.
    channels : int
        Of the input: 1 or 3 for grey and colour images.
    classes : int
        Number of outputs.
    shortcut : {"A", "B"}
        Where a block changes the shape: every second pixel and channels of zeros, without parameters (A, as published
        for these networks), or a 1x1 convolution with batch normalisation (B).
    seed : int, optional
        Of the initial weights; as in `infoplane.models.mlp`.

    Returns
    -------
    torch.nn.Sequential
        Takes ``(n, channels, height, width)`` of any size, returns logits of shape ``(n, classes)``.

    Raises
    ------
    InputError
        When an argument is out of range.
    """
    depth = whole_number("depth", depth, least=8)
    if depth % 6 != 2:
        raise InputError(
            f"depth is {depth}, but a residual network for small images has 6n + 2 layers, such as 20, 32, 44 or 56"
        )
    channels, classes = whole_number("channels", channels, least=1), whole_number("classes", classes, least=1)
    one_of("shortcut", shortcut, ("A", "B"))
    with initial_weights(seed):
        network = _build((depth - 2) // 6, channels, classes, shortcut)
    return network.to(torch.get_default_device())


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the way past them; `infoplane.models.resnet.cifar_resnet` is made of these.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    stride : int
        Of the first convolution and of the shortcut.
    shortcut : {"A", "B"}
        As in `cifar_resnet`; without effect where the shape stays.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, shortcut: str = "A") -> None:
        super().__init__()
        # The shortcut is registered first: what reads the modules in this order then finds activation2, which follows
        # the sum, behind norm2.
        self.shortcut = _shortcut(inputs, outputs, stride, shortcut)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.activation1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.activation2 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(n, outputs, height / stride, width / stride)`` of ``(n, inputs, height, width)``."""
        inner = self.activation1(self.norm1(self.conv1(images)))
        summed: Tensor = self.activation2(self.norm2(self.conv2(inner)) + self.shortcut(images))
        return summed


class ZeroPadding(nn.Module):
    """Shortcut A: every `stride`-th pixel of both axes, and `channels` of zeros, half before and half behind."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels, self.stride = channels, stride

    def forward(self, images: Tensor) -> Tensor:
        """Return ``(n, C + channels, height / stride, width / stride)`` of ``(n, C, height, width)``, rounded up."""
        before = self.channels // 2
        kept = images[:, :, :: self.stride, :: self.stride]
        return functional.pad(kept, (0, 0, 0, 0, before, self.channels - before))

    def extra_repr(self) -> str:
        """Return the parameters for ``print(module)``."""
        return f"channels={self.channels}, stride={self.stride}"


def _shortcut(inputs: int, outputs: int, stride: int, kind: str) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    if kind == "A":
        return ZeroPadding(outputs - inputs, stride)
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False),
            norm=nn.BatchNorm2d(outputs),
        )
    )


def _build(blocks: int, channels: int, classes: int, shortcut: str) -> nn.Sequential:
    first = OrderedDict(
        conv=nn.Conv2d(channels, _WIDTHS[0], 3, padding=1, bias=False),
        norm=nn.BatchNorm2d(_WIDTHS[0]),
        activation=nn.ReLU(),
    )
    layers: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(first))
    inputs = _WIDTHS[0]
    for index, width in enumerate(_WIDTHS, start=1):
        stage: OrderedDict[str, nn.Module] = OrderedDict()
        for block in range(1, blocks + 1):
            stride = 2 if index > 1 and block == 1 else 1
            stage[f"block{block}"] = BasicBlock(inputs, width, stride=stride, shortcut=shortcut)
            inputs = width
        layers[f"stage{index}"] = nn.Sequential(stage)
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["output"] = nn.Linear(_WIDTHS[-1], classes)
    network = nn.Sequential(layers)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return network
