import random
from collections import OrderedDict
from dataclasses import asdict

import numpy as np
import pytest
import torch
from torch import distributed, nn
from torchvision.models import mobilenet_v3_small, resnet18

from infoplane.errors import SiteError
from infoplane.probes.outputs import tensor_at
from infoplane.probes.selection import select_sites
from infoplane.probes.sites import sites


class Branching(nn.Module):
    """Two blocks, one module that is never called, one that is called twice, one that returns nested tuples."""

    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.block2 = nn.Sequential(nn.Linear(6, 7), nn.BatchNorm1d(7))
        self.lstm = nn.LSTM(7, 5, batch_first=True)
        self.shared = nn.Dropout(0.5)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        x = self.shared(self.block2(self.shared(self.block1(x))))
        return self.lstm(x[:, None])[0][:, 0]


class Tokens(nn.Module):
    """Takes keyword arguments and returns a mapping, as Hugging Face models do."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(9, 6)
        self.encoder = Encoder()
        self.argmax = Argmax()

    def forward(self, input_ids, mask=None):
        return self.argmax(self.encoder(self.embedding(input_ids), mask=mask)["last_hidden_state"])


class Encoder(nn.Module):
    def forward(self, hidden, mask=None):
        return OrderedDict(last_hidden_state=hidden, pooler_output=hidden[:, 0], mask=mask)


class Argmax(nn.Module):
    def forward(self, hidden):
        return hidden.argmax(-1)


@pytest.fixture
def process_group():
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def outputs(table):
    return {row.name: row.output for row in table}


def test_one_row_per_module_call_and_tensor():
    table = sites(Branching(), torch.zeros(3, 4))
    assert outputs(table) == {
        "block1": "(3, 6)",
        "block1.0": "(3, 6)",
        "block1.1": "(3, 6)",
        "block2": "(3, 7)",
        "block2.0": "(3, 7)",
        "block2.1": "(3, 7)",
        "lstm[0]": "(3, 1, 5)",
        "lstm[1][0]": "(1, 3, 5)",
        "lstm[1][1]": "(1, 3, 5)",
        "shared:0": "(3, 6)",
        "shared:1": "(3, 7)",
        "unused": "never called",
    }
    rows = {row.name: row for row in table}
    assert rows["block1.0"].parameters == rows["block1"].parameters == 4 * 6 + 6
    assert rows["block2.1"].type == "BatchNorm1d"
    assert [rows[name].calls for name in ("block1", "shared:0", "shared:1", "unused")] == [1, 2, 2, 0]
    assert rows["lstm[1][0]"].module == "lstm"


def test_every_name_can_be_copied_into_sites():
    model, x = Branching(), torch.zeros(3, 4)
    table = sites(model, x)
    assert [place.name for place in select_sites(model, [row.name for row in table])] == [row.name for row in table]


def test_shape_is_that_of_the_tensor_that_the_name_leads_to():
    model, ids = Tokens(), torch.zeros(2, 5, dtype=torch.long)
    given = {"encoder": model.encoder(model.embedding(ids), mask=torch.ones(2, 5))}
    for row in sites(model, ids, mask=torch.ones(2, 5)):
        (place,) = select_sites(model, row.name)
        if place.module_name in given:
            tensor = tensor_at(given[place.module_name], place.path, place.name)
            assert row.output == str(tuple(tensor.shape))


def test_mappings_are_listed_by_key_and_keyword_inputs_are_passed():
    ids = torch.zeros(2, 5, dtype=torch.long)
    found = outputs(sites(Tokens(), input_ids=ids, mask=torch.ones(2, 5)))
    assert found == {
        "embedding": "(2, 5, 6)",
        "encoder[last_hidden_state]": "(2, 5, 6)",
        "encoder[pooler_output]": "(2, 6)",
        "encoder[mask]": "(2, 5)",
        "argmax": "(2, 5) int64",
    }


def test_without_inputs_names_types_and_parameters_are_known():
    table = sites(Branching())
    assert [row.name for row in table] == [name for name, _ in Branching().named_modules() if name]
    assert {(row.output, row.calls) for row in table} == {("?", None)}
    assert sum(row.parameters for row in table if "." not in row.name) == sum(
        p.numel() for p in Branching().parameters()
    )
    assert "?" in str(table).splitlines()[1]


def test_transformer_is_listed_module_by_module():
    """In evaluation mode torch computes a layer by one fused kernel, which calls none of the modules inside."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    fused = torch.backends.mha.get_fastpath_enabled()
    found = outputs(sites(nn.TransformerEncoder(layer, 2), torch.zeros(2, 3, 8)))
    assert found["layers.1.linear1"] == "(2, 3, 16)"
    assert found["layers.1.self_attn"] == "(2, 3, 8)"
    assert torch.backends.mha.get_fastpath_enabled() is fused


def test_attention_lists_output_and_weights():
    class Attending(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x)[0]

    found = outputs(sites(Attending(), torch.zeros(2, 5, 6)))
    assert found["attention[0]"] == "(2, 5, 6)"
    assert found["attention[1]"] == "(2, 5, 5)"


def test_torchvisions_networks():
    table = sites(resnet18(), torch.zeros(1, 3, 64, 64))
    found = outputs(table)
    assert found["layer4"] == "(1, 512, 2, 2)"
    assert found["layer1.0.relu:1"] == "(1, 64, 16, 16)"
    assert found["fc"] == "(1, 1000)"
    assert sum(row.parameters for row in table if "." not in row.name) == 11_689_512
    assert outputs(sites(mobilenet_v3_small(), torch.zeros(1, 3, 64, 64)))["features.12"] == "(1, 576, 2, 2)"


@pytest.mark.filterwarnings("ignore:Using `torch.compile")
def test_compiled_networks_are_seen_through_and_stay_compiled():
    compilations = []

    def backend(graph, inputs):
        compilations.append(graph)
        return graph.forward

    x = torch.zeros(3, 4)
    whole, in_place, part = Branching(), Branching(), Branching()
    compiled = torch.compile(whole, backend=backend)
    in_place.compile(backend=backend)
    part.block1 = torch.compile(part.block1, backend=backend)
    for model in (compiled, in_place, part):
        model(x)
    before = len(compilations)
    assert before > 0
    plain = sites(Branching(), x)
    for model in (compiled, in_place, part):
        assert outputs(sites(model, x)) == outputs(plain)
        assert [row.type for row in sites(model)] == [row.type for row in sites(Branching())]
        model(x)
    assert len(compilations) == before


class Elsewhere(nn.DataParallel):
    """On several devices its forward calls copies of the modules inside, which are not those that are listed."""

    def forward(self, *inputs):
        return self.module.__class__()(*inputs)


def test_wrappers_of_several_devices_are_seen_through(process_group):
    x = torch.zeros(3, 4)
    plain = outputs(sites(Branching(), x))
    assert outputs(sites(nn.DataParallel(Branching()), x)) == plain
    assert outputs(sites(Elsewhere(Branching()), x)) == plain
    used = Branching()
    used.unused = nn.Identity()
    assert outputs(sites(nn.parallel.DistributedDataParallel(used), x)) == plain


def test_table_prints_aligned_and_uncut():
    table = sites(mobilenet_v3_small(), torch.zeros(1, 3, 32, 32))
    lines = str(table).splitlines()
    assert len(lines) == len(table) + 1
    assert len(set(map(len, lines))) == 1
    assert lines[0].split() == ["site", "type", "output", "calls", "parameters"]
    assert [line.split()[0] for line in lines[1:]] == [row.name for row in table]
    assert lines[-1].endswith("1,025,000")
    assert repr(table[1:3]) == str(table[1:3])


def test_table_as_dataframe():
    table = sites(Branching(), torch.zeros(3, 4))
    frame = table.to_dataframe()
    assert frame.to_dict("records") == [asdict(row) for row in table]
    assert list(sites(nn.Linear(1, 1)).to_dataframe().columns) == list(frame.columns)


def test_dry_run_changes_nothing():
    model = Branching()
    model.block2.eval()
    state = {k: v.clone() for k, v in model.state_dict().items()}
    modes = [m.training for m in model.modules()]
    random_states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    sites(model, torch.randn(3, 4, generator=torch.Generator().manual_seed(0)))
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(random_states[0], torch.get_rng_state())
    assert (random_states[1] == np.random.get_state()[1]).all()
    assert random_states[2] == random.getstate()


def test_dry_run_leaves_no_hook_when_the_forward_fails():
    before = len(torch.nn.modules.module._global_forward_hooks)
    with pytest.raises(RuntimeError):
        sites(Branching(), torch.zeros(3, 9))
    assert len(torch.nn.modules.module._global_forward_hooks) == before
    assert torch.backends.mha.get_fastpath_enabled()


def test_parameters_without_a_shape_are_refused_and_left_so():
    model = nn.Sequential(nn.LazyLinear(3))
    for inputs in ((), (torch.zeros(2, 4),)):
        with pytest.raises(SiteError, match=r"'0\.weight' has no shape yet"):
            sites(model, *inputs)
    assert nn.parameter.is_lazy(model[0].weight)
