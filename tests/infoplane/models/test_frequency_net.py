"""The frequency decomposition network: its size, what each dilated convolution reads, and what it cannot read."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from infoplane.errors import InputError
from infoplane.models import build, frequency_net
from infoplane.models.frequency_net import FrequencyDecomposition


def test_the_size_is_the_papers_1_9_million():
    network = frequency_net(seed=0)
    # Kernel, bias and two numbers of the normalisation; the last image is 8 x 8.
    dilated = 128 * (3 * 2 + 3 + 2 * 3)
    pairs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 192), (192, 192), (192, 256), (256, 256)]
    stacks = sum(before * after * 9 + after + 2 * after for before, after in pairs)
    by_hand = dilated + stacks + 256 * 8 * 8 * 5 + 5
    assert sum(parameter.numel() for parameter in network.parameters()) == by_hand == 1_932_613
    assert round(by_hand / 1e6, 1) == 1.9
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 512)).shape == (1, 5)


@pytest.mark.parametrize(
    ("channels", "millions"),
    [
        ((32, 64, 128, 256), 1.26),
        ((64, 128, 256, 512), 4.85),
        ((128,) * 4, 1.08),
        ((160,) * 4, 1.67),
        ((192,) * 4, 2.40),
        ((40, 80, 160, 320), 1.94),
    ],
)
def test_other_channels_have_the_sizes_that_the_page_states(channels, millions):
    network = frequency_net(channels=channels, seed=0)
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 2) == millions


def test_the_image_has_dilations_by_positions_and_three_channels():
    torch.manual_seed(0)
    layer, signal = FrequencyDecomposition(1, 6, 10).eval(), torch.randn(2, 20)
    image = layer(signal)
    assert image.shape == (2, 3, 6, 10)
    for d in range(1, 7):
        conv = layer.get_submodule(f"dilation{d}.conv")
        for t in (0, 3, 9):
            line = conv.weight[:, 0] @ torch.stack([signal[:, t], signal[:, t + d]]) + conv.bias[:, None]
            expected = functional.leaky_relu(line / (1 + 1e-5) ** 0.5, 0.01).T
            torch.testing.assert_close(image[:, :, d - 1, t], expected)


def test_no_more_than_positions_and_convolutions_are_read():
    layer, signal = FrequencyDecomposition(1, 6, 10).eval(), torch.randn(2, 20, generator=torch.Generator())
    signal.requires_grad_()
    layer(signal).square().sum().backward()
    assert (signal.grad != 0).all(0).tolist() == [True] * 16 + [False] * 4


def test_every_convolution_is_normalised_and_leaky_and_only_the_output_is_dense():
    network = frequency_net(60, 2, convolutions=24, positions=28, channels=(4, 5), seed=0)
    kinds = [type(m) for m in network.modules() if not list(m.children())]
    trios = [nn.Conv1d, nn.BatchNorm1d, nn.LeakyReLU] * 24
    pair = [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU] * 2
    assert kinds == [*trios, *pair, nn.MaxPool2d, *pair, nn.Flatten, nn.Linear]
    assert network(torch.zeros(3, 1, 60)).shape == (3, 2)


def test_several_signals_are_channels():
    options = {"convolutions": 20, "positions": 20, "channels": [4, 4]}
    network = build("frequency-net", shape=(3, 50), classes=4, seed=1, **options)
    assert network.frequencies.dilation20.conv.in_channels == 3
    assert network(torch.zeros(2, 3, 50)).shape == (2, 4)
    with pytest.raises(InputError, match=r"shape \(2, 50\), but this network reads \(inputs, 3, samples\)"):
        network(torch.zeros(2, 50))


def test_the_global_state_stays():
    before = torch.get_rng_state()
    options = {"convolutions": 8, "positions": 8, "channels": (2,)}
    first, second = (frequency_net(16, 2, seed=3, **options).state_dict() for _ in range(2))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"samples": 255}, "255 samples is too short.*read 256 samples"),
        ({"convolutions": 60}, "too small for 4 stacks"),
        ({"positions": 0}, "positions is 0"),
        ({"channels": ()}, r"channels is \(\)"),
        ({"channels": 64}, "channels is 64"),
        ({"channels": (64, 0)}, "a number of channels is 0"),
        ({"signals": -1}, "signals is -1"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(kwargs, text):
    with pytest.raises(InputError, match=text):
        frequency_net(**kwargs)


def test_the_smallest_image_that_four_stacks_leave_something_of():
    options = {"channels": (1, 1, 1, 1), "seed": 0}
    least = next(side for side in range(1, 200) if _works(side, options))
    network = frequency_net(2 * least, 2, convolutions=least, positions=least, **options)
    assert network(torch.zeros(2, 2 * least)).shape == (2, 2)
    assert least == ((((1 + 4) * 2 + 4) * 2 + 4) * 2) + 4


def _works(side: int, options: dict) -> bool:
    try:
        frequency_net(2 * side, 2, convolutions=side, positions=side, **options)
    except InputError:
        return False
    return True
