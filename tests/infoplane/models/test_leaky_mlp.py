"""The appendix's multilayer perceptron: its rule for widths, and where the rule is refused."""

import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.models import build, leaky_mlp


@pytest.mark.parametrize(("features", "classes", "width"), [(4, 3, 120), (8, 1, 80), (16, 2, 320)])
def test_four_layers_of_ten_times_features_times_classes(features, classes, width):
    network = leaky_mlp(features, classes, seed=0)
    shapes = [tuple(m.weight.shape) for m in network.modules() if isinstance(m, nn.Linear)]
    assert shapes == [(width, features), *[(width, width)] * 3, (classes, width)]
    slopes = [m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)]
    assert slopes == [0.01] * 4
    assert network(torch.zeros(5, features)).shape == (5, classes)


def test_hidden_and_slope_are_taken_from_the_call():
    network = build("leaky-mlp", shape=(1, 28, 28), classes=10, hidden=(30, 20), slope=0.2, seed=0)
    assert [tuple(m.weight.shape) for m in network.modules() if isinstance(m, nn.Linear)] == [
        (30, 784),
        (20, 30),
        (10, 20),
    ]
    assert network.hidden2.activation.negative_slope == 0.2


def test_an_input_too_wide_for_the_rule_is_refused_with_its_size():
    with pytest.raises(InputError, match=r"78,400 neurons have 18,501,929,600 weights \(74\.0 GB.*hidden="):
        leaky_mlp(784, 10)


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [({"features": 0}, "features is 0"), ({"classes": None}, "classes is None"), ({"slope": 0}, "slope is 0")],
)
def test_bad_arguments_get_one_clear_sentence(kwargs, text):
    with pytest.raises(InputError, match=text):
        leaky_mlp(**{"features": 4, "classes": 2, **kwargs})
