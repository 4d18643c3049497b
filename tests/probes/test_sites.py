import random

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.errors import SiteError
from infoplane.probes.sites import select_sites, sites


class Branching(nn.Module):
    """Three blocks of two, one module that is never called, one that is called twice, one that returns a tuple."""

    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.block2 = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6))
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.shared = nn.Dropout(0.5)
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        x = self.shared(self.block2(self.shared(self.block1(x))))
        return self.lstm(x[:, None])[0][:, 0]


def names(*patterns):
    return list(select_sites(Branching(), patterns))


def test_names_come_in_the_order_of_the_network():
    assert names("block2", "block1.0") == ["block1.0", "block2"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("block*", ["block1", "block2"]),
        ("block*.*", ["block1.0", "block1.1", "block2.0", "block2.1"]),
        ("block?.0", ["block1.0", "block2.0"]),
        ("**.1", ["block1.1", "block2.1"]),
        ("bl**", ["block1", "block1.0", "block1.1", "block2", "block2.0", "block2.1"]),
    ],
)
def test_globs_keep_within_a_component_unless_doubled(pattern, expected):
    assert names(pattern) == expected


def test_unknown_name_names_the_near_ones():
    with pytest.raises(SiteError, match=r"no module named 'blok1'; did you mean .*'block1'"):
        names("blok1")


def test_unknown_name_without_a_near_one_lists_what_is_there():
    with pytest.raises(SiteError, match=r"it has 'block1', 'block1\.0'"):
        names("zzz")


@pytest.mark.parametrize(
    ("patterns", "text"), [(["nothing*"], "matches no module"), ([], "no site"), ([3], "not by 3")]
)
def test_impossible_choices_are_refused(patterns, text):
    with pytest.raises(SiteError, match=text):
        select_sites(Branching(), patterns)


def test_dry_run_lists_shapes_calls_and_parameters():
    table = sites(Branching(), torch.zeros(3, 4))
    rows = {row.name: row for row in table}
    assert rows["block1.0"].output == "(3, 6)"
    assert rows["block1.0"].parameters == 4 * 6 + 6
    assert rows["shared"].calls == 2
    assert rows["unused"].output == "never called"
    assert rows["lstm"].output == "tuple of Tensor, tuple"
    assert list(table.to_dataframe()["name"]) == list(rows)
    assert "block2.1" in str(table)


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
