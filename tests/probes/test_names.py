import pytest
import torch
from torch import distributed, nn
from torchvision.models import resnet18

from infoplane.probes.names import module_names, parameter_names, unwrapped


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return self.norm(self.fc1(x)) * self.scale


class OwnModule(nn.Module):
    """A network that itself calls a part ``module``."""

    def __init__(self, part=None):
        super().__init__()
        self.module = nn.Sequential(nn.Linear(4, 4), nn.ReLU()) if part is None else part

    def forward(self, x):
        return self.module(x)


@pytest.fixture
def process_group():
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def compiled(model):
    return torch.compile(model, backend="eager")


def assert_same_names(wrapped, model):
    assert list(module_names(wrapped)) == list(module_names(model))
    assert all(module_names(wrapped)[name] is module for name, module in module_names(model).items())
    assert list(parameter_names(wrapped)) == list(parameter_names(model))
    assert all(parameter_names(wrapped)[name] is value for name, value in parameter_names(model).items())


@pytest.mark.parametrize("make", [resnet18, lambda: nn.TransformerEncoderLayer(8, 2), Block, OwnModule])
def test_unwrapped_network_keeps_torchs_own_names_and_their_order(make):
    model = make()
    assert list(module_names(model).items()) == [(n, m) for n, m in model.named_modules() if n]
    assert list(parameter_names(model).items()) == list(model.named_parameters())


@pytest.mark.parametrize(
    "wrap",
    [
        nn.DataParallel,
        compiled,
        lambda m: nn.DataParallel(compiled(m)),
        lambda m: compiled(nn.DataParallel(m)),
        lambda m: nn.DataParallel(nn.DataParallel(m)),
    ],
)
@pytest.mark.parametrize("make", [Block, OwnModule])
def test_wrappers_leave_no_trace_in_names(make, wrap):
    model = make()
    assert_same_names(wrap(model), model)
    assert unwrapped(wrap(model)) is model


def test_distributed_wrapper_leaves_no_trace_in_names(process_group):
    model = Block()
    wrapped = nn.parallel.DistributedDataParallel(model)
    assert "module.fc1.weight" in dict(wrapped.named_parameters())
    assert_same_names(wrapped, model)
    assert_same_names(compiled(wrapped), model)
    assert unwrapped(compiled(wrapped)) is model


@pytest.mark.parametrize("wrap", [nn.DataParallel, compiled])
def test_wrappers_inside_a_network_are_dropped_and_a_module_of_its_own_is_kept(wrap):
    part = Block()
    model = OwnModule(wrap(part))
    assert list(module_names(model)) == ["module", "module.fc1", "module.norm"]
    assert module_names(model)["module"] is part
    assert list(parameter_names(model)) == [f"module.{name}" for name, _ in part.named_parameters()]


def test_what_is_shared_goes_by_its_first_name():
    model = nn.ModuleDict({"a": nn.Linear(3, 3), "b": nn.Linear(3, 3)})
    model["c"] = model["a"]
    model["b"].weight = model["a"].weight
    assert list(module_names(model)) == ["a", "b"]
    assert list(parameter_names(model)) == ["a.weight", "a.bias", "b.bias"]


def test_a_part_that_stands_there_bare_and_compiled_is_one():
    model = nn.ModuleDict({"part": nn.Linear(3, 3)})
    model["quick"] = compiled(model["part"])
    assert list(module_names(model)) == ["part"]
    assert list(parameter_names(model)) == ["part.weight", "part.bias"]


def test_a_network_without_modules_inside_has_no_names_but_its_parameters():
    assert module_names(nn.Linear(2, 2)) == {}
    assert list(parameter_names(compiled(nn.Linear(2, 2)))) == ["weight", "bias"]
