"""Which activation is found behind the layers of networks that people have."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infoplane.errors import InputError, SiteError
from infoplane.models import vib_mlp
from infoplane.scaling.synscaw import SynScaW


class Net(nn.Module):
    """Layers a, b, c of one width, called by a function."""

    def __init__(self, call, **modules) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Linear(4, 4) for _ in range(3))
        for name, module in modules.items():
            setattr(self, name, module)
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self, x)


def found(model: nn.Module, **options) -> dict[str, str]:
    return SynScaW(model, **options).configuration["activations"]


def three(call, **modules) -> list[str]:
    return list(found(Net(call, **modules)).values())


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda m, x: m.c(torch.tanh(m.b(F.relu(m.a(x))))), ["relu", "tanh", "identity"]),
        (lambda m, x: m.c(m.b(m.a(x).relu_()).sigmoid()), ["relu", "sigmoid", "identity"]),
        # the order of calls counts, not that of registration
        (lambda m, x: m.a(F.silu(m.b(F.gelu(m.c(x))))), ["identity", "silu", "gelu"]),
        (lambda m, x: m.c(m.b(m.a(x))), ["identity", "identity", "identity"]),
        (lambda m, x: F.log_softmax(m.c(F.elu(m.b(x) + m.a(x))), dim=1), ["elu", "elu", "identity"]),
        # what comes before a sum counts before what comes behind it
        (lambda m, x: m.c(F.relu(torch.tanh(m.a(x)) + m.b(x))), ["tanh", "relu", "identity"]),
        (
            lambda m, x: m.c(F.dropout(F.leaky_relu(m.b(m.a(x).flatten(1)[:, :4]), 0.3))),
            ["identity", "leaky_relu", "identity"],
        ),
        # gated by another branch: its own product is no activation of it
        (lambda m, x: m.c(F.silu(m.a(x)) * m.b(x)), ["silu", "identity", "identity"]),
        (
            lambda m, x: F.linear(F.relu(m.b(F.relu(F.linear(x, m.a.weight, m.a.bias)))), m.c.weight),
            ["relu", "relu", "identity"],
        ),
    ],
)
def test_functional_activations_are_traced(call, expected):
    assert three(call) == expected


def test_arguments_of_a_functional_activation_are_kept():
    model = Net(lambda m, x: m.c(F.leaky_relu(m.b(F.hardtanh(m.a(x), -0.5, max_val=0.25)), negative_slope=0.5)))
    first, second, _ = SynScaW(model).apply()
    assert first.target == pytest.approx(((1 / 32 + 3 / 16) - (1 / 8 + 1 / 4)) / 2, abs=1e-12)
    assert second.target == pytest.approx((1 - 0.5) / 4, abs=1e-12)


def test_one_activation_module_may_serve_all_layers():
    shared = nn.ReLU()
    assert three(lambda m, x: m.c(m.act(m.b(m.act(m.a(x))))), act=shared) == ["ReLU", "ReLU", "identity"]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda m, x: m.c(m.b(x) * torch.sigmoid(m.b(x) * 1.0) + m.a(x)), "'b' cannot be told"),
        (lambda m, x: m.c(m.b((y := m.a(x)) * torch.sigmoid(y))), r"the function sigmoid gates the layer's own output"),
        (lambda m, x: m.c(m.b((y := m.a(x)) * (F.relu6(y + 3) / 6))), "gates|number stands before"),
        (lambda m, x: m.c(m.b(torch.tanh(0.5 * m.a(x)))), "the function mul with a number stands before"),
        (lambda m, x: m.c(m.b(m.a(x) ** 2)), "the function pow follows it"),
        (lambda m, x: m.b(F.relu(y := m.a(x))) + m.c(y), r"the function relu and 'c' \(Linear\) both follow it"),
        (lambda m, x: m.c(m.b(F.relu(y := m.a(x)) + torch.tanh(y))), "relu and tanh all follow it"),
        (lambda m, x: m.c(m.b(F.relu(m.a(m.a(x))))), "called 2 times, followed by identity and by relu"),
        (
            lambda m, x: m.c(m.b((y := m.a(x).chunk(2, 1))[0].sigmoid().repeat(1, 2)) + y[1].repeat(1, 2)),
            "follows a part",
        ),
        (lambda m, x: m.c(m.b(x)), "the forward does not call it as a module.*leave it out"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_never_guessed(call, why):
    with pytest.raises(InputError, match=rf"the activation of layer '[ab]' cannot be told.*({why})|{why}"):
        SynScaW(Net(call))


def test_a_mapping_decides_what_cannot_be_told():
    model = Net(lambda m, x: m.c(m.b((y := m.a(x)) * torch.sigmoid(y))))
    assert list(found(model, activation={"a": F.silu}).values()) == ["silu", "identity", "identity"]


def residual(kind: str) -> nn.Module:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
            self.norm1, self.norm2 = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Tensor) -> Tensor:
            if kind == "before":
                y = self.conv1(F.relu(self.norm1(x)))
                return x + self.conv2(F.relu(self.norm2(y)))
            y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
            y += x
            return self.relu(y)

    return nn.Sequential(Block(), Block(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))


def test_residual_blocks_find_the_activation_behind_the_sum():
    assert set(found(residual("after")).values()) == {"ReLU", "identity"}
    assert found(residual("after"))["0.conv2"] == "ReLU"
    before = found(residual("before"))
    assert [before[f"{block}.conv{i}"] for block in (0, 1) for i in (1, 2)] == ["relu", "relu", "relu", "identity"]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("resnet18", {"ReLU": 20, "identity": 1}),
        ("resnet50", {"ReLU": 53, "identity": 1}),
        ("vgg11", {"ReLU": 10, "identity": 1}),
        ("mobilenet_v2", {"ReLU6": 35, "identity": 18}),  # as many linear bottlenecks, and the head
        ("mobilenet_v3_small", {"Hardswish": 19, "ReLU": 14, "Hardsigmoid": 9, "identity": 12}),
        ("googlenet", {"relu": 61, "identity": 3}),
        ("densenet121", {"ReLU": 119, "relu": 1, "identity": 1}),
        ("vit_b_32", {"GELU": 12, "identity": 26}),
    ],
)
def test_networks_of_torchvision_are_read(name, counts):
    torchvision = pytest.importorskip("torchvision")
    with torch.device("meta"):
        options = {"init_weights": False} if name == "googlenet" else {}
        model = torchvision.models.get_model(name, weights=None, **options)
    scaling = SynScaW(model)
    activations = list(scaling.configuration["activations"].values())
    assert {phi: activations.count(phi) for phi in activations} == counts
    assert set(scaling.configuration["activations_by"].values()) == {"traced"}


@pytest.mark.slow
def test_swin_transformers_are_read():
    torchvision = pytest.importorskip("torchvision")
    activations = found(torchvision.models.swin_v2_t())
    assert activations["features.1.0.attn.qkv"] == activations["features.1.0.attn.proj"] == "identity"
    assert activations["features.1.0.attn.cpb_mlp.2"] == "sigmoid"


def test_layers_inside_of_torchs_own_transformer_are_read():
    layer = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True)
    activations = found(nn.Sequential(nn.Linear(8, 8), layer, nn.Linear(8, 2)))
    assert list(activations.values()) == ["identity", "identity", "gelu", "identity", "identity"]


def test_the_code_of_a_bottleneck_has_no_activation():
    activations = found(vib_mlp((6, 5, 4, 3), latent=2))
    assert {name: phi for name, phi in activations.items() if name.startswith("head")} == {
        "head.bottleneck.encoder": "identity",
        "head.decoder": "identity",
    }
    assert {phi for name, phi in activations.items() if name.startswith("hidden")} == {"ReLU"}


class Counting(nn.Module):
    """Changes itself, its buffers and a list in every forward, and draws random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.register_buffer("seen", torch.zeros(()))
        self.calls, self.kept = 0, []

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.calls += 1
        self.seen += 1
        self.kept.append(x)
        x = F.relu(self.fc(x)) + torch.rand(3)
        return x if mask is None else torch.tanh(self.fc(x)) * mask


def test_tracing_leaves_a_network_and_the_random_state_as_they_were():
    model, state = Counting().eval(), torch.get_rng_state()
    fired: list[str] = []
    model.register_forward_hook(lambda *_: fired.append("hook"))
    before = copy.deepcopy(model.state_dict())
    assert found(model) == {"fc": "relu"}  # the optional mask keeps its default
    assert (model.calls, model.kept, fired) == (0, [], [])
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_that_was_changed_is_read_again():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    scaling = SynScaW(model)
    model[1] = nn.Tanh()
    assert scaling.apply()["0"].activation == "Tanh"


def test_wrappers_are_no_part_of_a_name():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    wrapped = torch.compile(nn.DataParallel(model), backend="eager")
    assert SynScaW(wrapped).layers == ("0", "2")


# The output layer


def test_the_output_layer_can_be_left_out():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2), nn.Sigmoid())
    assert SynScaW(model, include_output=False).layers == ("0",)
    assert SynScaW(model).layers == ("0", "2")
    with pytest.raises(SiteError, match="include_output=False leaves nothing to scale: '2'"):
        SynScaW(model, include_output=False, layers=["2"])


def test_every_head_is_an_output_layer_and_a_forward_decides_which_is_last():
    heads = Net(lambda m, x: (m.b(F.relu(m.a(x))), m.c(x)))
    assert SynScaW(heads, include_output=False).layers == ("a",)
    turned = Net(lambda m, x: m.a(F.relu(m.c(F.relu(m.b(x))))))
    assert SynScaW(turned, include_output=False).layers == ("b", "c")
    # No layer's output is the network's own: the one called last.
    headless = Net(lambda m, x: F.relu(x + m.b(F.relu(m.c(F.relu(m.a(x)))))))
    assert SynScaW(headless, include_output=False).layers == ("a", "c")
