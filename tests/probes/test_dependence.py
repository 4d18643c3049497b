import copy
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.probes.batches import Batch
from infoplane.probes.dependence import OUTPUT, dependence
from infoplane.probes.places import Place
from infoplane.probes.target import ClassTarget

N, WIDTH, CLASSES = 24, 6, 4


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def found(model, names, inputs=None, **changes):
    """What `dependence` finds between modules, by name; `changes` replace fields of a place."""
    modules = dict(model.named_modules())
    places = [Place(name, name, modules[name], **changes.get(name, {})) for name in names]
    inputs = torch.randn(N, WIDTH) if inputs is None else inputs
    return dependence(model, places, Batch((inputs,), {}, torch.zeros(N, dtype=torch.long)), ClassTarget(CLASSES))


def chain(names):
    return {name: (*names[k + 1 :], OUTPUT) for k, name in enumerate(names)}


class Named(nn.Module):
    """Modules by keyword, called as the method `go` of a test says."""

    def __init__(self, go, **modules):
        super().__init__()
        self.go = go
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, *args, **kwargs):
        return self.go(self, *args, **kwargs)


def linear(out=WIDTH):
    return nn.Linear(WIDTH, out)


def test_a_chain_of_layers():
    model = nn.Sequential(linear(), nn.Tanh(), linear(), nn.BatchNorm1d(WIDTH), nn.ReLU(inplace=True), linear(CLASSES))
    names = [str(k) for k in range(6)]
    assert found(model, names) == chain(names)


def test_a_residual_branch_is_not_all_that_later_layers_know():
    model = Named(
        lambda m, x: m.head(m.after(m.before(x) + m.branch(m.before(x)))),
        before=linear(),
        branch=nn.Sequential(linear(), nn.Tanh()),
        after=linear(),
        head=linear(CLASSES),
    )
    names = ["branch.0", "branch.1", "after", "head"]
    assert found(model, names) == {
        "branch.0": ("branch.1",),
        "branch.1": (),
        "after": ("head", OUTPUT),
        "head": (OUTPUT,),
    }


def test_a_layer_before_a_residual_branch_is():
    model = Named(
        lambda m, x: (lambda h: m.head(h + m.branch(h)))(m.before(x)),
        before=linear(),
        branch=linear(),
        head=linear(CLASSES),
    )
    assert found(model, ["before", "branch", "head"])["before"] == ("branch", "head", OUTPUT)


@pytest.mark.parametrize(("strength", "dtype"), [(1.0, None), (1e-3, None), (0.05, torch.bfloat16)])
def test_dense_skips_and_faint_ones(strength, dtype):
    def go(m, x):
        first = m.first(x)
        second = m.second(torch.cat([x * strength, first], dim=1))
        return m.head(second)

    model = Named(go, first=linear(), second=nn.Linear(2 * WIDTH, WIDTH), head=linear(CLASSES)).to(dtype)
    assert found(model, ["first", "second", "head"], torch.randn(N, WIDTH, dtype=dtype)) == {
        "first": (),
        "second": ("head", OUTPUT),
        "head": (OUTPUT,),
    }


def test_an_identity_does_not_sever_the_path_beside_it():
    # Identity and dropout in evaluation mode return the very tensor that they were given.
    model = Named(
        lambda m, x: (lambda h: m.head(h + m.drop(h)))(m.body(x)),
        body=linear(),
        drop=nn.Dropout(),
        head=linear(CLASSES),
    )
    assert found(model, ["body", "drop", "head"])["drop"] == ()
    assert found(model, ["body", "drop", "head"])["body"] == ("drop", "head", OUTPUT)


def test_a_gate_that_is_often_shut_is_no_wall():
    # Where the gate is 0 nothing of the other path comes through; a shut one as donor for all would show only that.
    model = Named(
        lambda m, x: m.head(m.gate(x[:, :1]) * m.value(x)),
        gate=nn.Threshold(0.0, 0.0),
        value=linear(),
        head=linear(CLASSES),
    )
    inputs = torch.randn(N, WIDTH)
    inputs[:, 0] = -1.0
    inputs[20, 0] = 1.0
    assert found(model, ["gate", "value", "head"], inputs)["gate"] == ()


def test_a_gate_that_is_always_shut_says_nothing():
    model = Named(lambda m, x: m.head(0 * m.gate(x)), gate=linear(), head=nn.Linear(WIDTH, CLASSES))
    assert found(model, ["gate", "head"]) == {"gate": (), "head": ()}


def test_parallel_branches():
    model = Named(lambda m, x: m.head(m.left(x) + m.right(x)), left=linear(), right=linear(), head=linear(CLASSES))
    assert found(model, ["left", "right", "head"]) == {"left": (), "right": (), "head": (OUTPUT,)}


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("steps", [5, N])
def test_an_lstm_by_what_is_read_of_it(batch_first, steps):
    def go(m, x):
        sequence, _ = m.lstm(x if batch_first else x.transpose(0, 1))
        return m.head(m.norm(sequence[:, -1] if batch_first else sequence[-1]))

    lstm = nn.LSTM(WIDTH, WIDTH, batch_first=batch_first)
    model = Named(go, lstm=lstm, norm=nn.LayerNorm(WIDTH), head=linear(CLASSES))
    inputs = torch.randn(N, steps, WIDTH)
    assert found(model, ["lstm", "norm", "head"], inputs, lstm={"path": (0,)})["lstm"] == ("norm", "head", OUTPUT)
    assert found(model, ["lstm", "norm", "head"], inputs, lstm={"path": (1, 0)})["lstm"] == ()


class Block(nn.Module):
    """A transformer block with its norms first."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)
        self.mlp = nn.Sequential(linear(), nn.GELU(), linear())

    def forward(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h, h)[0]
        return x + self.mlp(self.norm2(x))


def test_blocks_of_a_transformer_are_a_chain_and_their_insides_are_not():
    model = Named(
        lambda m, x: m.head(m.second(m.first(m.embed(x))).mean(dim=1)),
        embed=linear(),
        first=Block(),
        second=Block(),
        head=linear(CLASSES),
    )
    names = ["embed", "first.attention", "first.mlp", "first", "second.norm2", "second", "head"]
    assert found(model, names, torch.randn(N, 5, WIDTH), **{"first.attention": {"path": (0,)}}) == {
        "embed": ("first.attention", "first.mlp", "first", "second.norm2", "second", "head", OUTPUT),
        "first.attention": (),
        "first.mlp": (),
        "first": ("second.norm2", "second", "head", OUTPUT),
        "second.norm2": (),
        "second": ("head", OUTPUT),
        "head": (OUTPUT,),
    }


def test_inputs_of_modules():
    model = nn.Sequential(linear(), nn.ReLU(inplace=True), linear(CLASSES))
    places = [Place("2@input", "2", model[2], side="input"), Place("1@input", "1", model[1], side="input")]
    batch = Batch((torch.randn(N, WIDTH),), {}, torch.zeros(N))
    assert dependence(model, places, batch, ClassTarget(CLASSES)) == {
        "2@input": (OUTPUT,),
        "1@input": ("2@input", OUTPUT),
    }


def test_calls_of_one_module_are_places_of_their_own():
    model = Named(lambda m, x: m.head(m.shared(m.shared(x))), shared=linear(), head=linear(CLASSES))
    places = [Place(f"shared:{k}", "shared", model.shared, call=k) for k in (0, 1)]
    batch = Batch((torch.randn(N, WIDTH),), {}, torch.zeros(N))
    assert dependence(model, places, batch, ClassTarget(CLASSES)) == {
        "shared:0": ("shared:1", OUTPUT),
        "shared:1": (OUTPUT,),
    }


@dataclass
class Record:
    hidden: torch.Tensor
    mask: torch.Tensor


@pytest.mark.parametrize(
    ("wrap", "read", "path"),
    [
        (lambda h: {"hidden": h, "none": None}, lambda v: v["hidden"], ()),
        (lambda h: Record(h, torch.ones(3)), lambda v: v.hidden, ("hidden",)),
        (lambda h: [h, (h.detach().clone(),)], lambda v: v[0], (0,)),
        (lambda h: torch.return_types.max((h, torch.zeros(N, dtype=torch.long))), lambda v: v.values, (0,)),
    ],
)
def test_outputs_of_any_make(wrap, read, path):
    model = Named(lambda m, x: m.head(read(m.body(x))), body=Named(lambda m, x: wrap(m.inner(x)), inner=linear()))
    model.head = linear(CLASSES)
    assert found(model, ["body", "head"], body={"path": path})["body"] == ("head", OUTPUT)


def test_inputs_by_keyword_are_seen_but_cannot_be_replaced():
    model = Named(lambda m, x: m.head(m.body(x=m.first(x))), first=linear(), head=linear(CLASSES))
    model.body = Named(lambda m, x: m.inner(x), inner=linear())
    places = [
        Place("first", "first", model.first),
        Place("body@input[x]", "body", model.body, side="input", path=("x",)),
    ]
    batch = Batch((torch.randn(N, WIDTH),), {}, torch.zeros(N))
    assert dependence(model, places, batch, ClassTarget(CLASSES)) == {
        "first": ("body@input[x]", OUTPUT),
        "body@input[x]": (),
    }


def test_the_output_is_what_is_read_of_it():
    # A network that also returns its hidden states returns more than what went through its last layer.
    model = Named(
        lambda m, x: {"hidden": x, "logits": m.head(m.body(x)), "loss": x.sum()}, body=linear(), head=linear(CLASSES)
    )
    assert found(model, ["body", "head"]) == {"body": ("head", OUTPUT), "head": (OUTPUT,)}
    assert found(Named(lambda m, x: m.body(x).sum(dim=1), body=linear()), ["body"]) == {"body": ()}


def test_chance_in_evaluation_mode_says_nothing():
    model = Named(lambda m, x: m.head(m.body(x) + torch.randn(N, WIDTH)), body=linear(), head=linear(CLASSES))
    assert found(model, ["body", "head"]) == {"body": (), "head": ()}


def test_one_input_says_nothing():
    model = nn.Sequential(linear(), linear(CLASSES))
    places = [Place("0", "0", model[0])]
    assert dependence(model, places, Batch((torch.randn(1, WIDTH),), {}, torch.zeros(1)), ClassTarget(CLASSES)) == {
        "0": ()
    }


def test_an_odd_number_of_inputs():
    model = nn.Sequential(linear(), linear(CLASSES))
    batch = Batch((torch.randn(7, WIDTH),), {}, torch.zeros(7))
    assert dependence(model, [Place("0", "0", model[0])], batch, ClassTarget(CLASSES)) == {"0": (OUTPUT,)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_deep_networks_of_any_precision(dtype):
    layers = [m for _ in range(12) for m in (nn.Linear(WIDTH, WIDTH), nn.Tanh())]
    model = nn.Sequential(*layers, linear(CLASSES)).to(dtype)
    with torch.no_grad():
        for module in model:
            if isinstance(module, nn.Linear):
                module.weight.mul_(3)
    names = ["0", "8", "16"]
    assert found(model, names, torch.randn(N, WIDTH, dtype=dtype)) == chain(names)


def test_a_residual_network_of_convolutions():
    torchvision = pytest.importorskip("torchvision.models")
    model = torchvision.resnet18(num_classes=CLASSES)
    names = ["layer1.0.conv1", "layer1.0", "layer1.1.bn2", "layer2.0", "avgpool"]
    assert found(model, names, torch.randn(N, 3, 32, 32)) == {
        "layer1.0.conv1": (),
        "layer1.0": ("layer1.1.bn2", "layer2.0", "avgpool", OUTPUT),
        "layer1.1.bn2": (),
        "layer2.0": ("avgpool", OUTPUT),
        "avgpool": (OUTPUT,),
    }


def test_it_leaves_everything_as_it_was():
    model = nn.Sequential(linear(), nn.BatchNorm1d(WIDTH), nn.Dropout(), nn.ReLU(inplace=True), linear(CLASSES))
    model.train()
    model[1].eval()
    state, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    inputs = torch.randn(N, WIDTH)
    before, torch_state, numpy_state = inputs.clone(), torch.get_rng_state(), np.random.get_state()[1].copy()
    found(model, ["0", "3"], inputs)
    assert all(torch.equal(state[key], value) for key, value in model.state_dict().items())
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(inputs, before)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert (np.random.get_state()[1] == numpy_state).all()
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks


def test_hooks_are_gone_after_an_error():
    model = Named(lambda m, x: m.body(x) / 0 if x.shape[1] > 3 else m.body(torch.zeros(1, 1)), body=linear())
    with pytest.raises(RuntimeError):
        found(model, ["body"], torch.randn(N, 2))
    assert not nn.modules.module._global_forward_hooks
    assert not nn.modules.module._global_forward_pre_hooks


def test_one_forward_per_place_and_two_more():
    calls = []
    model = Named(lambda m, x: (calls.append(len(x)), m.head(m.body(x)))[1], body=linear(), head=linear(CLASSES))
    found(model, ["body", "head"])
    assert calls == [N] * 4
