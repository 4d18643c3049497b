"""Residual networks for small images: published sizes, the arithmetic of a block, where weights start."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from infoplane.errors import InputError
from infoplane.models import cifar_resnet
from infoplane.models.resnet import BasicBlock, ZeroPadding
from infoplane.scaling.synscaw import SynScaW


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


# He et al. (2016), Table 6: 0.27, 0.46, 0.66, 0.85 and 1.7 million.
@pytest.mark.parametrize(
    ("depth", "published", "digits"), [(20, 0.27, 2), (32, 0.46, 2), (44, 0.66, 2), (56, 0.85, 2), (110, 1.7, 1)]
)
def test_sizes_are_the_published_ones(depth, published, digits):
    network = cifar_resnet(depth, seed=0)
    assert round(parameters(network) / 1e6, digits) == published
    weighted = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    assert len(weighted) == depth


def test_parameters_of_resnet32_are_counted_by_hand():
    norm, first = 2, 3 * 16 * 9
    stages = 10 * 16 * 16 * 9 + (16 * 32 + 9 * 32 * 32) * 9 + (32 * 64 + 9 * 64 * 64) * 9
    norms = norm * (16 + 10 * (16 + 32 + 64))
    assert parameters(cifar_resnet(32, seed=0)) == first + stages + norms + 64 * 10 + 10 == 464_154
    projections = 16 * 32 + 32 * 64 + norm * (32 + 64)
    assert parameters(cifar_resnet(32, shortcut="B", seed=0)) == 464_154 + projections
    assert parameters(cifar_resnet(32, channels=1, seed=0)) == 464_154 - 2 * 16 * 9


@pytest.mark.parametrize(("channels", "side", "ends"), [(3, 32, (32, 16, 8)), (1, 28, (28, 14, 7)), (1, 8, (8, 4, 2))])
def test_stages_halve_the_image(channels, side, ends):
    network = cifar_resnet(20, channels=channels, classes=7, seed=0).eval()
    images, shapes = torch.zeros(2, channels, side, side), []
    for name, module in network.named_children():
        images = module(images)
        if name.startswith("stage"):
            shapes.append(tuple(images.shape[1:]))
    assert shapes == [(width, end, end) for width, end in zip((16, 32, 64), ends, strict=True)]
    assert images.shape == (2, 7)


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_a_block_is_the_sum_of_two_convolutions_and_the_way_past_them(shortcut):
    torch.manual_seed(0)
    block, images = BasicBlock(4, 8, stride=2, shortcut=shortcut).eval(), torch.randn(3, 4, 7, 7)
    for norm in (module for module in block.modules() if isinstance(module, nn.BatchNorm2d)):
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)

    def normed(values, norm):
        scale = (norm.running_var + norm.eps).rsqrt()
        return (values - norm.running_mean[:, None, None]) * scale[:, None, None]

    inner = normed(functional.conv2d(images, block.conv1.weight, stride=2, padding=1), block.norm1).clamp(min=0)
    inner = normed(functional.conv2d(inner, block.conv2.weight, padding=1), block.norm2)
    if shortcut == "A":
        past = torch.zeros(3, 8, 4, 4)
        past[:, 2:6] = images[:, :, ::2, ::2]
    else:
        past = torch.einsum("oi,nihw->nohw", block.shortcut.conv.weight[:, :, 0, 0], images[:, :, ::2, ::2])
        past = normed(past, block.shortcut.norm)
    torch.testing.assert_close(block(images), (inner + past).clamp(min=0))
    assert ZeroPadding(5, 2)(images).shape == (3, 9, 4, 4)  # an odd number of new channels


def test_every_activation_is_a_module_of_its_own_and_not_in_place():
    network = cifar_resnet(20, seed=0)
    activations = [m for _, m in network.named_modules(remove_duplicate=False) if isinstance(m, nn.ReLU)]
    assert len(activations) == len(set(activations)) == 19
    assert not any(activation.inplace for activation in activations)


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_synaptic_scaling_finds_relu_behind_every_convolution(shortcut):
    network = cifar_resnet(20, shortcut=shortcut, seed=0)
    found = {layer.layer: layer.activation for layer in SynScaW(network, seed=0).apply()}
    convolutions = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    assert found == {**dict.fromkeys(convolutions, "ReLU"), "output": "identity"}


def test_convolutions_start_from_hes_law():
    convolutions = [m for m in cifar_resnet(32, seed=0).modules() if isinstance(m, nn.Conv2d) and m.in_channels == 64]
    weights = torch.cat([m.weight.flatten() for m in convolutions])
    assert weights.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.01)
    assert abs(weights.mean().item()) < 0.001
    wider = cifar_resnet(20, seed=0).stage2.block1.conv1.weight  # 16 to 32 channels: fan out, not in
    assert wider.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)


def test_seed_fixes_the_weights_and_the_global_state_stays():
    before = torch.get_rng_state()
    first, second, other = (cifar_resnet(20, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["stem.conv.weight"], other["stem.conv.weight"])


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"depth": 34}, r"depth is 34.*6n \+ 2"),
        ({"depth": 2}, "depth is 2"),
        ({"channels": 0}, "channels is 0"),
        ({"classes": 2.0}, "classes is 2.0"),
        ({"shortcut": "C"}, "shortcut is 'C'"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(kwargs, text):
    with pytest.raises(InputError, match=text):
        cifar_resnet(**kwargs)
