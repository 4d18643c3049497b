import re
from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torchvision.models import mobilenet_v3_small, resnet18

from infoplane.errors import InputError, SiteError
from infoplane.probes.selection import is_leaf, select_sites


class Branching(nn.Module):
    """Three blocks of two, an LSTM, a module under two names, and one that is never called."""

    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.block2 = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6))
        self.lstm = nn.LSTM(6, 5, batch_first=True)
        self.shared = nn.Dropout(0.5)
        self.unused = nn.Linear(2, 2)
        self.heads = nn.ModuleDict({"a:0": nn.Linear(5, 2), "tied": self.shared})


BRANCHING = Branching()


def names(sites, model=BRANCHING):
    return [place.name for place in select_sites(model, sites)]


def test_places_come_once_and_in_the_order_of_the_network():
    assert names(["block2", "block1.0", "block*"]) == ["block1", "block1.0", "block2"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("block*", ["block1", "block2"]),
        ("block*.*", ["block1.0", "block1.1", "block2.0", "block2.1"]),
        ("block?.0", ["block1.0", "block2.0"]),
        ("b*?1", ["block1"]),
        ("**.1", ["block1.1", "block2.1"]),
        ("bl**", ["block1", "block1.0", "block1.1", "block2", "block2.0", "block2.1"]),
        ("*", ["block1", "block2", "lstm", "shared", "unused", "heads"]),
        ("**d", ["shared", "unused"]),
    ],
)
def test_globs_keep_within_a_component_unless_doubled(pattern, expected):
    assert names(pattern) == expected


def test_regular_expressions_match_whole_names():
    assert names(re.compile(r"block\d\.0")) == ["block1.0", "block2.0"]
    assert names(re.compile(r"block\d")) == ["block1", "block2"]
    with pytest.raises(SiteError, match="'lock' matches no whole name"):
        names(re.compile("lock"))


def test_classes_predicates_and_lists_of_all():
    assert names(nn.Linear) == ["block1.0", "block2.0", "unused", "heads.a:0"]
    assert names(lambda name, module: "block" in name and isinstance(module, nn.Linear)) == ["block1.0", "block2.0"]
    assert names([nn.LSTM, re.compile("unused"), "block1.*", lambda name, module: name == "shared"]) == [
        "block1.0",
        "block1.1",
        "lstm",
        "shared",
        "unused",
    ]


def test_class_counts_are_those_of_the_network():
    model = resnet18()
    kinds = Counter(type(module) for module in model.modules())
    assert len(names(nn.Conv2d, model)) == kinds[nn.Conv2d] == 20
    assert len(names(is_leaf, model)) == sum(not list(module.children()) for module in model.modules())


@pytest.mark.parametrize(
    ("text", "module", "call", "side", "path"),
    [
        ("lstm[1][0]", "lstm", None, "output", (1, 0)),
        ("lstm[-1]", "lstm", None, "output", (-1,)),
        ("block1.0:1[0]", "block1.0", 1, "output", (0,)),
        ("block1@input", "block1", None, "input", ()),
        ("block1@input[0]", "block1", None, "input", (0,)),
        ("lstm:2@input[hidden_states][0]", "lstm", 2, "input", ("hidden_states", 0)),
        ("heads.a:0", "heads.a:0", None, "output", ()),
        ("heads.a:0:1", "heads.a:0", 1, "output", ()),
    ],
)
def test_strings_may_carry_call_input_and_keys(text, module, call, side, path):
    (place,) = select_sites(BRANCHING, text)
    assert place.module is BRANCHING.get_submodule(module)
    assert (place.name, place.module_name) == (text, module)
    assert (place.call, place.side, place.path, place.named) == (call, side, path, True)


def test_globs_may_carry_them_too():
    assert names("block?.0:1@input[0]") == ["block1.0:1@input[0]", "block2.0:1@input[0]"]


def test_input_comes_before_output_and_calls_in_their_order():
    asked = ["block2", "lstm[0]", "block1:1", "block1:0", "block1@input", "lstm@input"]
    assert names(asked) == ["block1@input", "block1:0", "block1:1", "block2", "lstm@input", "lstm[0]"]


def test_a_module_as_a_whole_stands_for_its_calls():
    assert names(["block*", "block1:1", "block1:0@input"]) == ["block1:0@input", "block1", "block2"]
    assert names({"block1": "whole", "block1:1": "second"}) == ["whole", "second"]


def test_only_what_is_named_must_be_there():
    def named(sites):
        return [place.named for place in select_sites(BRANCHING, sites)]

    assert named("block1") == named({"block1": "first"}) == named({"blo*1": "first"}) == [True]
    assert named("blo*1") == named(nn.LSTM) == named(re.compile("lstm")) == named(lambda n, m: n == "lstm") == [False]
    assert set(named(None)) == {False}
    assert named(["block*", "block2"]) == named(["block2", "block*"]) == [False, True]


def test_module_with_two_names_goes_by_the_first_and_answers_to_both():
    assert names("heads.tied") == names("shared") == names("heads.t*") == names(["shared", "heads.tied"]) == ["shared"]
    assert names(re.compile(r"heads\.t.*")) == ["shared"]
    assert names({"heads.tied": "drop"}) == ["drop"]


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda m: torch.compile(m, backend="eager")])
def test_wrapped_network_has_the_same_places_however_they_are_spelled(wrap):
    wrapped = wrap(BRANCHING)
    for asked in (None, "block*", nn.Linear, "lstm@input", ["block1", "shared:1"]):
        assert select_sites(wrapped, asked) == select_sites(BRANCHING, asked)
    for model in (wrapped, BRANCHING):
        for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."):
            assert names(prefix + "block1.0", model) == ["block1.0"]
            assert names(prefix + "block?.0", model) == ["block1.0", "block2.0"]
            assert names(prefix + "lstm[0]", model) == ["lstm[0]"]


def test_wrapped_part_answers_to_its_own_name_and_to_torchs():
    inner = Branching()
    model = nn.ModuleDict({"module": torch.compile(inner, backend="eager"), "out": nn.Linear(2, 2)})
    assert names("module.block1.0", model) == ["module.block1.0"]
    assert names("module._orig_mod.block1.0", model) == ["module.block1.0"]
    assert names("module", model) == ["module"]
    assert select_sites(model, "module")[0].module is inner
    assert names("block1.module.0", nn.ModuleDict({"block1": nn.DataParallel(inner.block1)})) == ["block1.0"]


def test_default_is_every_leaf():
    assert names(None) == [
        "block1.0", "block1.1", "block2.0", "block2.1", "lstm", "shared", "unused", "heads.a:0"
    ]  # fmt: skip


def test_a_parametrized_layer_is_a_leaf_and_its_parametrization_is_none():
    model = nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 3)), nn.ParameterList([torch.zeros(2)]))
    assert names(None, model) == ["0"]


def test_too_many_leaves_ask_and_the_three_answers_work():
    model = mobilenet_v3_small()
    with pytest.raises(SiteError) as error:
        select_sites(model)
    text = str(error.value)
    leaves = len(names(is_leaf, model))
    for part in (f"has {leaves} leaf modules", "limit of 32", "'*' (its 3 outermost", "Conv2d: 52", "is_leaf"):
        assert part in text
    assert len(names("*", model)) == 3
    assert len(names(nn.Conv2d, model)) == 52
    assert len(select_sites(model, limit=leaves)) == leaves > 32
    with pytest.raises(SiteError):
        select_sites(model, limit=leaves - 1)
    with pytest.raises(InputError, match="limit is 0"):
        select_sites(model, limit=0)


def test_unknown_name_names_the_near_ones():
    with pytest.raises(SiteError, match=r"no module named 'blok1'; did you mean .*'block1'"):
        names("blok1")
    with pytest.raises(SiteError, match=r"'block1@output'; did you mean 'block1'.* followed by ':call', '@input'"):
        names("block1@output")


def test_unknown_name_without_a_near_one_lists_what_is_there():
    with pytest.raises(SiteError, match=r"it has 'block1', 'block1\.0'"):
        names("zzz")


def test_alias_is_the_label():
    places = select_sites(BRANCHING, {"lstm[0]": "code", "block1": "first", "blo*2": "second"})
    assert [(place.name, place.module_name, place.path) for place in places] == [
        ("first", "block1", ()),
        ("second", "block2", ()),
        ("code", "lstm", (0,)),
    ]


@pytest.mark.parametrize(
    ("sites", "text"),
    [
        ("nothing*", "the glob 'nothing[*]' matches no module"),
        (nn.GRU, "has no GRU; its modules are of the classes BatchNorm1d, Dropout, LSTM, Linear"),
        (lambda name, module: False, "the function '<lambda>' chose none"),
        ([], "no site was asked for"),
        ({}, "no site was asked for"),
        ([3], "not chosen by 3, but by a name or a glob"),
        (int, "not chosen by <class 'int'>"),
        ({"block1"}, "or a list of these"),
        (BRANCHING.lstm, "not by the module itself; this one is called 'lstm'"),
        (nn.Linear(1, 1), "this one is not in the network"),
        ({"block*": "all"}, "'all' is for one site, but 'block[*]' matches 2: 'block1', 'block2'"),
        ({"block1": "a", "block2": "a"}, "'block1' and 'block2' both have the label 'a'"),
        ({"block1": "a", "module.block1": "b"}, "two aliases, 'a' and 'b'"),
        ({"block1": ""}, "gives no alias"),
        ({"block1": 3}, "gives no alias"),
        ({nn.Linear: "a"}, "gives no alias"),
        ("", "no module named ''"),
        ("block1[0", "no module named .*; did you mean 'block1'"),
    ],
)
def test_impossible_choices_are_refused(sites, text):
    with pytest.raises(SiteError, match=text):
        select_sites(BRANCHING, sites)


def test_two_places_may_not_have_one_label():
    model = nn.ModuleDict({"a": nn.Linear(1, 1), "a:0": nn.Linear(1, 1)})
    assert [place.module_name for place in select_sites(model, ["a", "a:0"])] == ["a", "a:0"]
    with pytest.raises(SiteError, match=r"'a' and 'b' both have the label 'b'|'b' and 'a'"):
        select_sites(nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)}), {"a": "b", "b": "b"})


def test_a_network_without_modules_inside_says_what_to_do():
    with pytest.raises(SiteError, match="single Linear without modules inside"):
        select_sites(nn.Linear(2, 2))
