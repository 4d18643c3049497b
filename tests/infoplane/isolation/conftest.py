"""Four small hosts, one training loop, and every recorder at once: what the tests of this folder share."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules import module as torch_module
from torch.utils.data import DataLoader, TensorDataset

import infoplane as ip

CLASSES = 3


class Perceptron(nn.Module):
    """Dropout, and an activation that works in place."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.relu, self.dropout = nn.Linear(6, 16), nn.ReLU(inplace=True), nn.Dropout(0.3)
        self.fc2, self.tanh, self.last = nn.Linear(16, 8), nn.Tanh(), nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.tanh(self.fc2(self.dropout(self.relu(self.fc1(x))))))


class ResidualBlock(nn.Module):
    """One ReLU for both places, in place, as torchvision has it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + x)


class ResNet(nn.Module):
    """Batch norm and a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)
        self.block1, self.block2 = ResidualBlock(6), ResidualBlock(6)
        self.pool, self.last = nn.AdaptiveAvgPool2d(1), nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.pool(self.block2(self.block1(self.norm(self.stem(x))))).flatten(1))


class Recurrent(nn.Module):
    """Two LSTM layers with dropout between them; they return a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 8, num_layers=2, dropout=0.2, batch_first=True)
        self.last = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.lstm(x)[0][:, -1])


class Transformer(nn.Module):
    """Tokens, attention and layer norm; torch fuses its layers in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 8)
        layer = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.last = nn.Linear(8, CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.last(self.encoder(self.embedding(tokens)).mean(1))


@dataclass(frozen=True)
class Host:
    """A network to build, its data, and sites of every kind it has."""

    name: str
    network: type[nn.Module]
    shape: tuple[int, ...]
    sites: tuple[str, ...]
    tokens: int = 0

    def build(self, seed: int = 0) -> nn.Module:
        torch.manual_seed(seed)
        return self.network()

    def data(self, n: int = 24, seed: int = 1) -> TensorDataset:
        generator = torch.Generator().manual_seed(seed)
        labels = torch.arange(n) % CLASSES
        if self.tokens:
            return TensorDataset(torch.randint(self.tokens, (n, *self.shape), generator=generator), labels)
        inputs = torch.randn(n, *self.shape, generator=generator)
        return TensorDataset(inputs + labels.reshape(n, *[1] * len(self.shape)), labels)


HOSTS = {
    host.name: host
    for host in (
        Host("mlp", Perceptron, (6,), ("fc1", "relu", "fc2@input", "tanh")),
        Host("resnet", ResNet, (3, 6, 6), ("stem", "block1", "block2.bn1", "pool")),
        Host("lstm", Recurrent, (5, 4), ("lstm[0]", "last@input")),
        Host(
            "transformer", Transformer, (5,), ("embedding", "encoder.layers.0.linear1", "encoder.layers.1"), tokens=11
        ),
    )
}

EVERYTHING = {
    "classes": CLASSES,
    "latent": 4,
    "draws": 2,
    "beta": [1e-3, 1e-2],
    "control": True,
    "scale_twins": (0.1, 10.0),
    "refit": 2,
    "activations": True,
    "weights": True,
    "neurons": True,
    "gradients": 1,
    "raw": 6,
    "sandwich": 8,
    "sketch_at": 1,
    "measure_at": 1,
}


def random_states() -> tuple[object, ...]:
    """The global random states of torch, numpy and python, as values that compare."""
    name, key, *position = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), name, key.tobytes(), *position, random.getstate()


def tensors_of(state: object, prefix: str = "") -> dict[str, object]:
    """Flatten a nested state to one dictionary; its leaves are tensors and plain values."""
    if isinstance(state, dict):
        parts = [tensors_of(value, f"{prefix}.{key}") for key, value in state.items()]
    elif isinstance(state, list | tuple):
        parts = [tensors_of(value, f"{prefix}.{k}") for k, value in enumerate(state)]
    else:
        return {prefix: state}
    return {key: value for part in parts for key, value in part.items()}


def assert_identical(first: object, second: object) -> None:
    """Every number of two nested states is the same, bit for bit."""
    first, second = tensors_of(first), tensors_of(second)
    assert first.keys() == second.keys()
    for key, value in first.items():
        if isinstance(value, Tensor):
            assert value.dtype == second[key].dtype, key
            assert torch.equal(value, second[key]), key
        else:
            assert value == second[key], key


@dataclass(frozen=True)
class Trained:
    """Everything a training leaves behind."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    losses: list[float]
    random_states: tuple
    measurements: list

    def state(self) -> dict[str, object]:
        return {
            "model": self.model.state_dict(),
            "gradients": [p.grad for p in self.model.parameters()],
            "optimizer": self.optimizer.state_dict(),
            "losses": self.losses,
            "modes": [module.training for module in self.model.modules()],
            "requires_grad": [p.requires_grad for p in self.model.parameters()],
            "random": self.random_states,
        }


def train(
    host: Host,
    path: object = None,
    *,
    epochs: int = 2,
    prepare: Callable[[nn.Module], nn.Module] = lambda model: model,
    call: Callable[[nn.Module], Callable[[Tensor], Tensor]] = lambda model: model,
    **options: object,
) -> Trained:
    """Train on shuffled, noisy batches of six, without a recording, or with one at `path`.

    The loop draws from all three global generators at every step, so that whatever consumes one of them shows.
    `prepare` changes the network before the recording begins, `call` says what the loop calls in its place.
    """
    model = prepare(host.build())
    forward = call(model)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    torch.manual_seed(7), np.random.seed(7), random.seed(7)
    train_set, held_out = host.data(), host.data(16, seed=2)
    losses: list[float] = []
    measurements: list = []

    def epoch(extra: Callable[[Tensor], Tensor | float]) -> None:
        for inputs, labels in DataLoader(train_set, 6, shuffle=True):
            if inputs.is_floating_point():
                inputs = inputs + 0.01 * float(np.random.randn()) + 0.01 * random.random()
            loss = functional.cross_entropy(forward(inputs), labels) + extra(labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())

    if path is None:
        for _ in range(epochs):
            epoch(lambda labels: 0.0)
    else:
        options = {"sites": list(host.sites), **EVERYTHING, **options}
        with ip.record(model, path, **options) as rec:
            for k in range(epochs):
                epoch(rec.loss)
                fit = DataLoader(train_set, 12) if options["refit"] else None
                measurements.append(rec.measure(DataLoader(held_out, 10), epoch=k + 1, fit=fit))
    return Trained(model, optimizer, losses, random_states(), measurements)


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Host:
    """Each of the four hosts in turn."""
    return HOSTS[request.param]


@pytest.fixture
def mlp() -> Host:
    """The one with dropout and a ReLU in place."""
    return HOSTS["mlp"]


@pytest.fixture
def resnet() -> Host:
    """The one with batch norm."""
    return HOSTS["resnet"]


@pytest.fixture(name="train")
def train_fixture() -> Callable[..., Trained]:
    """The training loop."""
    return train


@pytest.fixture(name="assert_identical")
def assert_identical_fixture() -> Callable[[object, object], None]:
    """Compare two nested states bit for bit."""
    return assert_identical


@pytest.fixture(name="random_states")
def random_states_fixture() -> Callable[[], tuple]:
    """Read the global random states."""
    return random_states


@pytest.fixture
def recording(mlp) -> Callable[..., Any]:
    """Begin a small recording without a file, by default of the perceptron at two sites, with probes alone."""

    def begin(model: nn.Module | None = None, **options: object):
        model = mlp.build() if model is None else model
        options = {"sites": ["fc1", "tanh"], "classes": CLASSES, "latent": 4, "draws": 2, "sketch_at": None} | options
        return ip.record(model, None, **options)

    return begin


@pytest.fixture
def hook_count() -> Callable[[], int]:
    """Count torch's global module hooks, of every kind."""
    tables = [value for key, value in vars(torch_module).items() if key.startswith("_global_") and "hooks" in key]

    def count() -> int:
        return sum(len(table) for table in tables if isinstance(table, dict))

    return count
