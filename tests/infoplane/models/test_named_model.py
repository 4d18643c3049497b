"""A user's own network by package.module:function: what is passed, and one sentence for each thing that goes wrong."""

import random
import sys

import numpy as np
import pytest
import torch
from torch import nn

from infoplane.errors import InputError
from infoplane.models import build, check_model, default_sites

CODE = """
import random
import numpy as np
import torch
from torch import nn

seen = {}


def all_of_it(shape, classes, hidden, vocabulary, seed, *, width=3):
    seen.update(shape=shape, classes=classes, hidden=hidden, vocabulary=vocabulary, seed=seed, width=width)
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0], classes))


def defaults(shape, classes, hidden=(5,), seed=7, **rest):
    seen.clear()
    seen.update(hidden=hidden, seed=seed, rest=rest)
    return nn.Linear(shape[0], classes)


class Small(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.fc = nn.Linear(4, classes)


def draws():
    network = nn.Linear(2, 2)
    network.drawn = random.random(), np.random.rand()
    return network


def needs(width, *, depth):
    return nn.Linear(width, depth)


def raises():
    raise KeyError("no such layer")


def wrong():
    return [nn.Linear(1, 1)]


def positional(classes, /):
    return nn.Linear(1, classes)


ready = nn.Linear(2, 2)
number = 3
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of the current folder, under a name of its own for each test."""
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    yield name
    sys.modules.pop(name, None)


def test_the_function_is_given_what_it_names(mine):
    path = list(sys.path)
    network = build(f"{mine}:all_of_it", shape=[6], classes=3, seed=5, width=8)
    assert isinstance(network, nn.Sequential)
    assert sys.modules[mine].seen == {
        "shape": (6,),
        "classes": 3,
        "hidden": None,
        "vocabulary": None,
        "seed": 5,
        "width": 8,
    }
    assert sys.path == path


def test_its_own_defaults_stay_where_nothing_is_given(mine):
    build(f"{mine}:defaults", shape=(6,), classes=3, rank=2)
    assert sys.modules[mine].seen == {"hidden": (5,), "seed": 7, "rest": {"rank": 2}}
    build(f"{mine}:defaults", shape=(6,), classes=3, hidden=(9, 9), seed=1)
    assert sys.modules[mine].seen == {"hidden": (9, 9), "seed": 1, "rest": {}}


def test_a_class_is_called_too(mine):
    assert build(f"{mine}:Small", shape=(4,), classes=6).fc.out_features == 6
    assert build("torch.nn:Identity", shape=(4,), classes=6).training


def test_a_seed_reaches_all_that_is_drawn_and_the_global_states_stay(mine):
    torch.manual_seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    first, second, other = (build(f"{mine}:draws", shape=(2,), classes=2, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    assert random.getstate() == before[2]
    assert torch.equal(first.weight, second.weight)
    assert first.drawn == second.drawn
    assert not torch.equal(first.weight, other.weight)
    assert first.drawn[0] != other.drawn[0]
    assert first.drawn[1] != other.drawn[1]


@pytest.mark.parametrize(
    ("name", "options", "text"),
    [
        ("needs", {}, "needs 'width', 'depth'"),
        ("needs", {"width": 2}, "needs 'depth'"),
        ("positional", {}, "needs 'classes'"),
        ("raises", {}, "making the model .* failed: KeyError: 'no such layer'"),
        ("wrong", {}, "returned a list, but it must return a torch.nn.Module"),
        ("ready", {}, "is a network itself"),
        ("number", {}, "is an int"),
        ("nedes", {}, "has no 'nedes'.*did you mean 'needs'"),
        ("all_of_it", {"wdith": 3}, "has no option 'wdith'; it takes shape, .*did you mean 'width'"),
        ("Small", {"hidden": (3,)}, r"hidden is \(3,\), but the model .* takes no hidden"),
    ],
)
def test_what_goes_wrong_gets_one_clear_sentence(mine, name, options, text):
    path = list(sys.path)
    with pytest.raises(InputError, match=text):
        build(f"{mine}:{name}", shape=(4,), classes=2, **options)
    assert sys.path == path


def test_modules_that_are_missing_or_broken_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken_for_a_test.py").write_text("import not_there_either\n")
    (tmp_path / "syntax_for_a_test.py").write_text("def (:\n")
    for text, message in (
        ("not_there_at_all:f", "there is no module 'not_there_at_all'.*not in the current folder"),
        ("torch.not_there:f", "there is no module 'torch.not_there'"),
        ("broken_for_a_test:f", "importing 'broken_for_a_test' .* failed: ModuleNotFoundError.*not_there_either"),
        ("syntax_for_a_test:f", "importing 'syntax_for_a_test' .* failed: SyntaxError"),
        ("my file:f", "names no model"),
        ("module:", "names no model"),
    ):
        with pytest.raises(InputError, match=message):
            build(text, shape=(4,), classes=2)


def test_only_the_spelling_is_checked_before_it_is_needed():
    check_model("not_there_at_all:f")
    with pytest.raises(InputError, match="names no model"):
        check_model("not there:f")


def test_default_sites_are_all_leaves_up_to_a_limit():
    assert default_sites("mine:f") is None
    assert default_sites("mine:f", nn.Sequential(*(nn.Linear(1, 1) for _ in range(32)))) is None
    assert default_sites("mine:f", nn.Sequential(*(nn.Linear(1, 1) for _ in range(33)))) == ("*",)
