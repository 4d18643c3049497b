from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from infoplane.errors import SiteError
from infoplane.probes.outputs import describe_output, parts, tensor_at

ITEM = torch.arange(12.0).reshape(3, 4)
OTHER = torch.ones(3, 2)
Pair = namedtuple("Pair", ["mean", "scale"])


@dataclass
class Encoded:
    code: torch.Tensor
    mask: torch.Tensor | None = None


class ModelOutput(OrderedDict):
    """As those of Hugging Face: a mapping of names that is indexed by position too, and skips what is None."""

    def __getitem__(self, key):
        return self.to_tuple()[key] if isinstance(key, int) else dict(self.items())[key]

    def to_tuple(self):
        return tuple(self.values())


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (ITEM, ()),
        ((ITEM, (OTHER, OTHER)), (0,)),
        ((OTHER, (OTHER, ITEM)), (1, 1)),
        ([OTHER, ITEM], (-1,)),
        ({"a": OTHER, "b": {"c": ITEM}}, ("b", "c")),
        ({"0": ITEM, "pool": OTHER}, (0,)),
        ({0: ITEM, "mask": OTHER}, (0,)),
        (Pair(ITEM, OTHER), ("mean",)),
        (Pair(ITEM, OTHER), (0,)),
        (Encoded(ITEM, OTHER), ("code",)),
        (ModelOutput(last_hidden_state=ITEM, pooler_output=OTHER), ("last_hidden_state",)),
        (ModelOutput(last_hidden_state=ITEM, pooler_output=OTHER), (0,)),
        (ModelOutput(last_hidden_state=OTHER, hidden_states=(OTHER, ITEM)), ("hidden_states", -1)),
        # No path: the one floating-point tensor that there is.
        ((ITEM, None), ()),
        ((ITEM, torch.zeros(3, 4, dtype=torch.int64), torch.tensor(0.5)), ()),
        ({0: ITEM, 1: ITEM, "mask": torch.ones(3, 3, dtype=torch.bool)}, ()),
        (((), {"deep": [(ITEM,)]}), ()),
        ((OTHER, {"deep": (ITEM,)}), (1,)),
    ],
)
def test_path_or_the_one_tensor(value, path):
    assert tensor_at(value, path, "site") is ITEM


def test_lstm_lists_what_it_returns_in_the_spelling_of_sites():
    lstm = nn.LSTM(4, 8, batch_first=True)
    output = lstm(torch.zeros(32, 5, 4))
    with pytest.raises(SiteError) as error:
        tensor_at(output, (), "lstm")
    assert str(error.value).endswith("there is lstm[0] (32, 5, 8), lstm[1][0] (1, 32, 8), lstm[1][1] (1, 32, 8)")
    with pytest.raises(
        SiteError, match=r"'lstm\[1\]' gives more than one .* there is lstm\[1\]\[0\] \(1, 32, 8\), lst"
    ):
        tensor_at(output, (1,), "lstm[1]")
    assert tensor_at(output, (1, 0), "lstm[1][0]") is output[1][0]


@pytest.mark.parametrize(
    ("path", "name", "text"),
    [
        ((2,), "m[2]", r"nothing at \[2\]; there is m\[0\] \(3, 4\), m\[1\]\[a\] \(3, 2\)$"),
        ((1, "b"), "m[1][b]", r"nothing at \[b\]; there is m\[1\]\[a\] \(3, 2\)$"),
        (("a",), "m[a]", r"nothing at \[a\]; there is m\[0\]"),
        ((0, 0), "m[0][0]", r"nothing at \[0\]; there is m\[0\] \(3, 4\)$"),
    ],
)
def test_wrong_path_lists_what_is_there(path, name, text):
    with pytest.raises(SiteError, match=text):
        tensor_at((ITEM, {"a": OTHER}), path, name)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "gives no floating-point tensor: there is NoneType"),
        ("text", "there is str"),
        ((), "there is tuple"),
        (torch.zeros(2, 3, dtype=torch.int64), r"gives \(2, 3\) int64; a site must give floating-point numbers"),
        (
            (torch.zeros(2, 3, dtype=torch.bool), torch.tensor(1.0)),
            r"no floating-point tensor: there is site\[0\] \(2, 3\) bool, site\[1\] \(\)$",
        ),
        (tuple(torch.zeros(1, k) for k in range(20)), r"site\[11\] \(1, 11\), and 8 more$"),
    ],
)
def test_what_cannot_be_recorded_is_refused(value, text):
    with pytest.raises(SiteError, match=text):
        tensor_at(value, (), "site")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.zeros(32, 10), "(32, 10)"),
        (torch.zeros(3, dtype=torch.int32), "(3,) int32"),
        ((ITEM, (OTHER, None)), "[0] (3, 4), [1][0] (3, 2)"),
        (ModelOutput(logits=ITEM), "[logits] (3, 4)"),
        (Encoded(ITEM), "[code] (3, 4)"),
        (None, "NoneType"),
        ({"a": 1}, "dict"),
    ],
)
def test_description(value, text):
    assert describe_output(value) == text


def test_every_part_can_be_taken_by_its_path():
    value = (ITEM, {"a": Encoded(OTHER, ITEM[:2]), "b": [torch.zeros(1, dtype=torch.int64)]})
    found = parts(value)
    assert list(found) == [(0,), (1, "a", "code"), (1, "a", "mask"), (1, "b", 0)]
    for path, tensor in found.items():
        if tensor.is_floating_point():
            assert tensor_at(value, path, "site") is tensor
    assert parts((None, ITEM)) == {(): ITEM}


def test_looking_for_a_path_puts_nothing_there():
    value = defaultdict(list, a=ITEM)
    with pytest.raises(SiteError):
        tensor_at(value, ("b",), "site[b]")
    assert list(value) == ["a"]
