"""Dropout put into networks that were built without it."""

import copy
import pickle

import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.models import mlp, vib_mlp
from infoplane.models.recurrent import recurrent_classifier
from infoplane.regularizers import dropout_places, with_dropout


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Plain(nn.Module):
    """No Sequential, and one activation in two places."""

    def __init__(self):
        super().__init__()
        self.first, self.relu, self.second = nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)
        self.again, self.third, self.gate = self.relu, nn.Linear(4, 3), nn.Sigmoid()

    def forward(self, x):
        return self.gate(self.third(self.again(self.second(self.relu(self.first(x))))))


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def by_hand(model, x):
    """The multilayer perceptron of two hidden layers with torch's own dropout called where the method says."""
    h = nn.functional.dropout(x, 0.2, training=True).flatten(1)
    for layer in (model.hidden1, model.hidden2):
        h = nn.functional.dropout(torch.relu(layer.linear(h)), 0.5, training=True)
    return model.output(h)


def test_training_forward_is_the_one_written_by_hand():
    model, x = mlp((6, 50, 40, 3), seed=0), numbers(30, 6)
    with_dropout(model)
    torch.manual_seed(1)
    expected = by_hand(mlp((6, 50, 40, 3), seed=0), x)
    torch.manual_seed(1)
    assert torch.equal(model(x), expected)


@pytest.mark.parametrize("make", [lambda: mlp((6, 5, 4, 3), seed=0), Plain, lambda: vib_mlp((6, 5, 4), 3, 2)])
def test_evaluation_is_that_of_the_network_without_dropout(make):
    torch.manual_seed(0)
    model, x = make(), numbers(7, 6)
    expected = model.eval()(x)
    assert torch.equal(with_dropout(model)(x), expected)
    torch.manual_seed(0)
    assert not torch.equal(model.train()(x), model(x))


@pytest.mark.parametrize(
    "make", [lambda: mlp((6, 5, 4, 3)), Plain, lambda: nn.Sequential(nn.Linear(6, 5), nn.PReLU(), nn.Linear(5, 3))]
)
def test_every_name_of_the_network_stays(make):
    model = make()
    modules = [name for name, _ in model.named_modules(remove_duplicate=False)]
    layers = {name: type(module) for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    with_dropout(model)
    now = dict(model.named_modules(remove_duplicate=False))
    assert set(modules) <= set(now)
    assert {name: type(now[name]) for name in layers} == layers


def test_shares_that_drop_out_are_the_probabilities():
    model = with_dropout(nn.Sequential(nn.Linear(400, 400, bias=False), nn.ReLU(), nn.Linear(400, 2)))
    seen = {}
    model[1].register_forward_hook(lambda module, args, output: seen.update(input=args[0]))
    nn.init.eye_(model[1].weight)
    model[2].register_forward_hook(lambda module, args, output: seen.update(hidden=output))
    torch.manual_seed(0)
    model(torch.ones(200, 400))
    inputs, hidden = seen["input"], seen["hidden"]
    assert (inputs == 0).float().mean().item() == pytest.approx(0.2, abs=4 * (0.16 / 80_000) ** 0.5)
    assert inputs.max().item() == pytest.approx(1 / 0.8)
    assert (hidden == 0).float().mean().item() == pytest.approx(1 - 0.8 * 0.5, abs=4 * (0.24 / 80_000) ** 0.5)
    assert hidden.max().item() == pytest.approx(1 / 0.8 / 0.5)


def test_a_shared_activation_drops_out_in_every_place_and_the_outputs_do_not():
    model = with_dropout(Plain(), on_input=0.0)
    assert dropout_places(model) == ("relu.dropout", "again.dropout")
    assert isinstance(model.gate, nn.Sigmoid)


def test_input_of_any_network_drops_out_and_copies_do_so_too():
    model = with_dropout(Plain(), hidden=0.0)
    seen = []
    for network in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        network.first.register_forward_hook(lambda module, args, output: seen.append(args[0]))
        assert dropout_places(network) == ("",)
        network(torch.ones(50, 6))
    shares = [(x == 0).float().mean().item() for x in seen]
    assert len(shares) == 3
    assert all(0.05 < share < 0.35 for share in shares)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_recurrent_classifiers_drop_out_what_the_next_layer_reads(cell):
    model, x = recurrent_classifier(cell, 3, 2, hidden=(16, 8), seed=0), numbers(20, 5, 3)
    expected = model.eval()(x)
    with_dropout(model)
    assert set(dropout_places(model)) == {"", "recurrent1", "recurrent2"}
    assert torch.equal(model(x), expected)
    seen = []
    model.output.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    model.train()(x)
    assert 0.3 < (seen[0] == 0).float().mean().item() < 0.7


def test_tokens_drop_out_behind_their_embedding():
    model = with_dropout(recurrent_classifier("gru", None, 2, hidden=(8,), vocabulary=9, embedding=50, seed=0))
    assert set(dropout_places(model)) == {"embedding", "recurrent1"}
    seen = []
    model.recurrent1.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    model(torch.randint(1, 9, (20, 5), generator=torch.Generator().manual_seed(0)))
    assert 0.15 < (seen[0] == 0).float().mean().item() < 0.25


def test_packed_sequences_drop_out_and_layers_between_do():
    lstm = nn.LSTM(3, 200, num_layers=2, batch_first=True)
    model = nn.ModuleDict({"lstm": lstm, "output": nn.Linear(200, 2)})
    with_dropout(model, on_input=0.0)
    assert lstm.dropout == 0.5
    packed = nn.utils.rnn.pack_padded_sequence(numbers(4, 6, 3), [6, 5, 3, 2], batch_first=True)
    output, (hidden, cell) = lstm(packed)
    assert 0.4 < (output.data == 0).float().mean().item() < 0.6
    assert 0.4 < (hidden == 0).float().mean().item() < 0.6
    assert (cell != 0).all()


def test_building_draws_nothing_from_the_global_random_state():
    before = torch.get_rng_state()
    with_dropout(mlp((6, 5, 3), seed=0))
    assert torch.equal(before, torch.get_rng_state())


def test_zero_puts_nothing_in():
    assert dropout_places(with_dropout(mlp((6, 5, 3)), on_input=0.0, hidden=0.0)) == ()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (Functional, "no activation module follows the layer 'first'"),
        (lambda: mlp((6, 5, 3), dropout=0.5), r"drops out at 'hidden1\.dropout' already"),
        (lambda: with_dropout(Plain()), "already"),
        (nn.ReLU, "no linear or convolutional layer"),
        (lambda: nn.Linear(2, 2), "no hidden neurons"),
    ],
)
def test_networks_without_a_place_for_it_are_refused_and_left_alone(make, text):
    model = make()
    before = dropout_places(model), str(model)
    with pytest.raises(InputError, match=text):
        with_dropout(model)
    assert (dropout_places(model), str(model)) == before


def test_batch_normalisation_is_warned_of():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2))
    with pytest.warns(UserWarning, match="batch normalisation"):
        with_dropout(model)


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan"), "0.5", True])
def test_unusable_probabilities_are_refused(p):
    with pytest.raises(InputError, match="hidden is"):
        with_dropout(mlp((6, 5, 3)), hidden=p)
