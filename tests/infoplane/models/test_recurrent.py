"""Classifiers of sequences: torch's own layers and packing give the same logits."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from infoplane.errors import InputError
from infoplane.models import build, recurrent_classifier


def reference(network, cell, features, hidden, layers):
    """Return torch's stacked layer with the weights of the network's single ones."""
    stacked = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](features, hidden, layers, batch_first=True)
    weights = {}
    for index in range(layers):
        for name, value in network.get_submodule(f"recurrent{index + 1}").named_parameters():
            weights[name.replace("_l0", f"_l{index}")] = value
    stacked.load_state_dict(weights)
    return stacked


def last_hidden(given):
    hidden = given[1]
    return (hidden[0] if isinstance(hidden, tuple) else hidden)[-1]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_logits_read_the_last_step_of_torchs_stacked_layers(cell):
    network = recurrent_classifier(cell, 5, 3, hidden=(7, 7), seed=0)
    inputs = torch.randn(4, 6, 5, generator=torch.Generator().manual_seed(1))
    stacked = reference(network, cell, 5, 7, 2)
    torch.testing.assert_close(network(inputs), network.output(last_hidden(stacked(inputs))))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_tokens_are_read_as_torch_reads_packed_sequences(cell):
    network = recurrent_classifier(cell, None, 2, hidden=(6,), vocabulary=9, embedding=4, seed=0)
    lengths = [5, 1, 3, 8]
    tokens = torch.zeros(4, 8, dtype=torch.int64)
    for row, length in enumerate(lengths):
        tokens[row, :length] = torch.randint(1, 9, (length,), generator=torch.Generator().manual_seed(row))
    packed = pack_padded_sequence(network.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
    stacked = reference(network, cell, 4, 6, 1)
    torch.testing.assert_close(network(tokens), network.output(last_hidden(stacked(packed))))
    torch.testing.assert_close(network(tokens[:3]), network(tokens[:3, :5]))  # padding changes nothing
    torch.testing.assert_close(network(tokens.to(torch.int32)), network(tokens))


def test_a_seed_gives_the_weights_of_torchs_stacked_layer():
    network = recurrent_classifier("lstm", 5, 3, hidden=(7, 7), seed=4)
    torch.manual_seed(4)
    stacked = nn.LSTM(5, 7, 2)
    assert torch.equal(network.recurrent1.weight_hh_l0, stacked.weight_hh_l0)
    assert torch.equal(network.recurrent2.weight_ih_l0, stacked.weight_ih_l1)


def test_padding_has_an_embedding_of_zeros_that_learns_nothing():
    network = recurrent_classifier("gru", None, 2, vocabulary=9, seed=0)
    assert not network.embedding.weight[0].any()
    network(torch.tensor([[0, 0, 3], [0, 0, 0]])).sum().backward()
    assert not network.embedding.weight.grad[0].any()
    assert network.embedding.weight.grad[3].any()


def test_inner_zeros_and_padding_alone_are_read_to_the_last_token():
    network = recurrent_classifier("gru", None, 2, hidden=(5,), vocabulary=9, seed=0)
    torch.testing.assert_close(
        network(torch.tensor([[3, 0, 4, 0], [0, 0, 0, 0]])),
        torch.cat([network(torch.tensor([[3, 0, 4]])), network(torch.tensor([[0]]))]),
    )


def test_images_of_one_channel_are_read_by_rows():
    network = build("lstm", shape=(1, 8, 6), classes=10, hidden=(5, 4), seed=0)
    images = torch.randn(3, 1, 8, 6, generator=torch.Generator().manual_seed(1))
    assert network.recurrent1.input_size == 6
    assert torch.equal(network(images), network(images[:, 0]))
    assert network(images).shape == (3, 10)


def test_the_global_state_stays():
    before = torch.get_rng_state()
    recurrent_classifier("gru", None, 2, vocabulary=5, seed=0)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("kwargs", "text"),
    [
        ({"cell": "rnn"}, "cell is 'rnn'"),
        ({"features": None}, "exactly one is needed"),
        ({"vocabulary": 5}, "exactly one is needed"),
        ({"features": None, "vocabulary": 1}, "vocabulary is 1"),
        ({"hidden": ()}, r"hidden is \(\)"),
        ({"hidden": 64}, "hidden is 64"),
        ({"hidden": (4, 0)}, "a width of hidden is 0"),
        ({"embedding": 0}, "embedding is 0"),
    ],
)
def test_bad_arguments_get_one_clear_sentence(kwargs, text):
    with pytest.raises(InputError, match=text):
        recurrent_classifier(**{"cell": "gru", "features": 3, "classes": 2, **kwargs})


@pytest.mark.parametrize(
    ("name", "shape", "vocabulary", "text"),
    [
        ("gru", (784,), None, r"sequences \(steps, features\).*\(784,\)"),
        ("lstm", (3, 32, 32), None, r"sequences.*\(3, 32, 32\)"),
        ("gru", (8, 5), 100, r"tokens \(steps,\).*\(8, 5\)"),
    ],
)
def test_shapes_that_are_no_sequences_are_refused(name, shape, vocabulary, text):
    with pytest.raises(InputError, match=text):
        build(name, shape=shape, classes=2, vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("vocabulary", "inputs", "text"),
    [
        (None, torch.zeros(2, 3, 5), r"\(2, 3, 5\).*\(inputs, steps, 4\)"),
        (None, torch.zeros(2, 3, 4, dtype=torch.int64), "torch.int64"),
        (9, torch.zeros(2, 3), "reads tokens"),
        (9, torch.zeros(2, 3, 4, dtype=torch.int64), r"\(2, 3, 4\)"),
    ],
)
def test_inputs_of_another_kind_are_refused(vocabulary, inputs, text):
    network = recurrent_classifier("gru", None if vocabulary else 4, 2, vocabulary=vocabulary, seed=0)
    with pytest.raises(InputError, match=text):
        network(inputs)
