"""What holds no site inside runs compiled while the network is recorded; the numbers are those of the plain network."""

import copy
import shutil

import numpy as np
import pytest
import torch
from torch import nn

import infoplane as ip
from infoplane.errors import InputError
from infoplane.training import train
from infoplane.training.compiled import compile_between

# torch's compiler looks at .grad of what it is given, and hides the warning of that by a filter of its own.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")


@pytest.fixture(autouse=True)
def anew():
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch._dynamo.reset()


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.stage = nn.Sequential(*(nn.Sequential(nn.Linear(6, 6), nn.ReLU()) for _ in range(2)))
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.stage(self.stem(x)))


def test_the_largest_parts_without_a_site_or_a_hook_inside_are_taken():
    assert compile_between(Blocks(), ["stage"], backend="eager") == ("stem", "stage")
    assert compile_between(Blocks(), ["stage.0"], backend="eager") == ("stem", "stage.0", "stage.1")
    assert compile_between(Blocks(), ["stage.0.1", "stem"], backend="eager") == ("stem", "stage.1")
    hooked = Blocks()
    hooked.stage[0][0].register_forward_hook(lambda *_: None)
    assert compile_between(hooked, ["head"], backend="eager") == ("stem",)
    with pytest.raises(InputError, match="nothing to compile"):
        compile_between(Blocks(), ["stem.0", "stage.0.0", "stage.1.0"], backend="eager")
    with pytest.raises(InputError, match=r"'inductr', but torch.compile has the backends"):
        compile_between(Blocks(), ["stage"], backend="inductr")


def test_copies_and_states_are_those_of_the_network():
    torch.manual_seed(0)
    plain = Blocks()
    model = copy.deepcopy(plain)
    compile_between(model, ["stage"], backend="eager")
    assert list(model.state_dict()) == list(plain.state_dict())
    twin, x = copy.deepcopy(model), torch.randn(5, 4)
    with torch.no_grad():
        twin.stem[0].weight.zero_()
    torch.testing.assert_close(model(x), plain(x), rtol=0, atol=0)
    assert not torch.equal(twin(x), plain(x))


@pytest.mark.parametrize("named", [{"probes.control": True, "method": "synscaw"}, {"probes.mode": "joint"}])
def test_a_compiled_training_records_the_numbers_of_the_plain_one(small, assert_same_training, tmp_path, named):
    chosen = small(**named)
    train(chosen, tmp_path / "plain.h5", quiet=True)
    assert not torch._dynamo.utils.counters["stats"]
    train(chosen.changed({"training.compile": "eager"}), tmp_path / "compiled.h5", quiet=True)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 1
    assert_same_training(tmp_path / "plain.h5", tmp_path / "compiled.h5")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch's compiler needs a C++ compiler on a CPU")
@pytest.mark.filterwarnings("ignore")
def test_torchs_own_compiler_agrees_up_to_rounding(small, tmp_path):
    rows = [train(small(training__compile=asked), tmp_path / f"{asked}.h5", quiet=True)[-1] for asked in (False, True)]
    assert rows[1].loss == pytest.approx(rows[0].loss, rel=1e-5)
    np.testing.assert_allclose(rows[1].bounds.i_zx, rows[0].bounds.i_zx, rtol=1e-4)
    with ip.open_run(tmp_path / "True.h5") as run:
        assert not any("as it is written" in text for text in run.events()["text"].tolist())
