"""The multilayer perceptron: its names, its initial weights, and the random state it leaves alone."""

import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.models import mlp


def test_default_is_the_papers_network():
    model = mlp(seed=0)
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    assert shapes == {
        "hidden1.linear.weight": (1024, 784),
        "hidden1.linear.bias": (1024,),
        "hidden2.linear.weight": (1024, 1024),
        "hidden2.linear.bias": (1024,),
        "output.weight": (10, 1024),
        "output.bias": (10,),
    }
    assert [name for name, _ in model.named_children()] == ["flatten", "hidden1", "hidden2", "output"]
    assert model(torch.zeros(3, 1, 28, 28)).shape == (3, 10)


def test_a_hidden_layers_output_is_behind_its_activation():
    model = mlp((4, 5, 3, 2), seed=0)
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    first = torch.relu(x @ model.hidden1.linear.weight.T + model.hidden1.linear.bias)
    torch.testing.assert_close(model.hidden1(x), first)
    second = torch.relu(first @ model.hidden2.linear.weight.T + model.hidden2.linear.bias)
    torch.testing.assert_close(model(x), second @ model.output.weight.T + model.output.bias)


def test_weights_have_pytorchs_default_law():
    weight = mlp((100, 2000, 2), seed=0).hidden1.linear.weight
    bound = 1 / 10
    assert weight.abs().max().item() < bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)


def test_a_seed_gives_the_weights_of_manual_seed_and_leaves_the_global_state():
    torch.manual_seed(11)
    expected = mlp((6, 5, 4))
    torch.manual_seed(12)
    before = torch.get_rng_state()
    model = mlp((6, 5, 4), seed=11)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), expected.parameters(), strict=True))
    other = mlp((6, 5, 4), seed=12)
    assert not torch.equal(model.output.weight, other.output.weight)


def test_the_global_state_is_restored_when_building_fails():
    def broken() -> nn.Module:
        raise RuntimeError("no activation today")

    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="no activation today"):
        mlp((6, 5, 4), activation=broken, seed=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_activation_and_dropout_are_made_anew_for_each_layer():
    model = mlp((4, 5, 5, 2), activation=lambda: nn.LeakyReLU(0.2), dropout=0.25, seed=0)
    assert [name for name, _ in model.hidden1.named_children()] == ["linear", "activation", "dropout"]
    assert model.hidden1.activation is not model.hidden2.activation
    assert model.hidden2.activation.negative_slope == 0.2
    assert model.hidden1.dropout.p == 0.25
    assert not hasattr(mlp((4, 5, 2), seed=0).hidden1, "dropout")


def test_no_hidden_layer_is_a_linear_classifier():
    model = mlp((4, 3), seed=0)
    assert [name for name, _ in model.named_children()] == ["flatten", "output"]


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"widths": (10,)}, r"widths=\(10,\)"),
        ({"widths": (10, 0, 3)}, r"widths=\(10, 0, 3\)"),
        ({"widths": (10, 2.5)}, r"widths=\(10, 2.5\)"),
        ({"activation": nn.ReLU()}, "makes no new modules"),
        ({"activation": "relu"}, "makes no new modules"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"dropout": -0.1}, "dropout=-0.1"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 1.5}, "seed is 1.5"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(kwargs, text):
    with pytest.raises(InputError, match=text):
        mlp(**kwargs)
