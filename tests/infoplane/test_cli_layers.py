"""``infoplane layers``: the table on stdout, all else in one sentence on stderr."""

import json
import sys

import pytest

from infoplane.cli import run as cli

NETS = """
from torch import nn

print("made")

class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(7, 4), nn.LSTM(4, 3, batch_first=True)

    def forward(self, x):
        print("called")
        return self.lstm(self.embedding(x))

def small():
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))

def wide(width):
    return nn.Linear(width, width)

def broken():
    raise ValueError("no weights\\nnor biases")

def text():
    return "a network"

network, number = small(), 3
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    (tmp_path / "cli_layers_nets.py").write_text(NETS)
    (tmp_path / "cli_layers_needy.py").write_text("import no_such_library\n")
    (tmp_path / "cli_layers_cut.py").write_text("x = (\n")
    monkeypatch.chdir(tmp_path)
    path = list(sys.path)
    yield
    assert sys.path == path
    sys.modules.pop("cli_layers_nets", None)


def layers(capfd, *arguments):
    """Return exit code, lines on stdout, and stderr without what the network's own code prints."""
    code = cli(["layers", *arguments])
    captured = capfd.readouterr()
    said = [line for line in captured.err.splitlines() if line not in ("made", "called")]
    return code, captured.out.splitlines(), "\n".join(said)


def test_own_network_needs_no_shape(capfd):
    code, lines, said = layers(capfd, "mlp")
    assert (code, said) == (0, "")
    assert lines[0].split() == ["site", "type", "output", "calls", "parameters"]
    assert ["hidden2", "Sequential", "(2,", "1024)", "1", "1,049,600"] in [line.split() for line in lines]


def test_network_of_a_library_with_shapes(capfd):
    code, lines, said = layers(capfd, "torchvision.models:resnet18", "--shape", "3,32,32", "--batch", "1", "--json")
    rows = {row["name"]: row for row in map(json.loads, lines)}
    assert (code, said) == (0, "")
    assert rows["layer4"] == {
        "name": "layer4",
        "module": "layer4",
        "type": "Sequential",
        "output": "(1, 512, 1, 1)",
        "calls": 1,
        "parameters": 8_393_728,
    }
    assert {"layer1.0.relu:0", "layer1.0.relu:1"} <= set(rows)


@pytest.mark.parametrize("name", ["small", "network"])
def test_file_in_the_current_folder(capfd, name):
    code, lines, said = layers(capfd, f"cli_layers_nets:{name}", "--shape", "4")
    assert (code, said) == (0, "")
    assert [line.split()[:4] for line in lines[1:]] == [
        ["0", "Linear", "(2,", "3)"],
        ["1", "ReLU", "(2,", "3)"],
        ["2", "Linear", "(2,", "2)"],
    ]


def test_tokens_are_whole_numbers_and_only_the_wanted_modules_are_shown(capfd):
    asked = ("cli_layers_nets:Tokens", "--shape", "5", "--dtype", "int64", "--batch", "3", "--json")
    code, lines, said = layers(capfd, *asked, "--sites", "l*")
    assert (code, said) == (0, "")
    found = {row["name"]: row["output"] for row in map(json.loads, lines)}
    assert found == {"lstm[0]": "(3, 5, 3)", "lstm[1][0]": "(1, 3, 3)", "lstm[1][1]": "(1, 3, 3)"}


def test_without_a_shape_it_says_how_to_see_more(capfd):
    code, lines, said = layers(capfd, "cli_layers_nets:small", "--json")
    assert code == 0
    assert [(row["output"], row["calls"]) for row in map(json.loads, lines)] == [("?", None)] * 3
    assert said.startswith("infoplane: outputs and calls are known after a forward; --shape")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["mlpp"], "no model 'mlpp'; accepted: mlp, "),
        (["cli_layers_nets"], "no model 'cli_layers_nets'; accepted: mlp, "),
        (["cli_layers_nets:"], "MODEL is a network by name, or package.module:name"),
        (["resnet32"], "--shape is missing: resnet32 is made for inputs of one shape"),
        (["cli_layers_net:small"], "there is no module 'cli_layers_net' for 'cli_layers_net:small'"),
        (["torchvision.modls:resnet18"], "there is no module 'torchvision.modls'"),
        (["cli_layers_nets:smal"], "cli_layers_nets has no 'smal'; did you mean 'small'?"),
        (["cli_layers_nets:wide"], "cannot be called without arguments (missing a required argument: 'width')"),
        (["cli_layers_nets:text"], "returned an object of the type str"),
        (["cli_layers_nets:number"], "is of the type int"),
        (["mlp", "--shape", "3,x"], "--shape is '3,x'"),
        (["mlp", "--shape", "0"], "--shape is '0'"),
        (["mlp", "--dtype", "float16"], "--dtype is 'float16'"),
        (["mlp", "--batch", "0"], "batch"),
        (["mlp", "--sites", "hiden1"], "no module named 'hiden1'; did you mean 'hidden1'"),
        (["mlp", "--sites", "hidden1@input"], "--sites is 'hidden1@input', but it takes a name or glob"),
        (["mlp", "--sites", "hidden*:0"], "--sites is 'hidden*:0'"),
        (["cli_layers_nets:Tokens", "--sites", "lstm[0]"], "--sites is 'lstm[0]'"),
        ([], "MODEL"),
    ],
)
def test_wrong_calls_get_one_sentence_and_code_2(capfd, arguments, text):
    code, lines, said = layers(capfd, *arguments)
    assert (code, lines) == (2, [])
    assert text in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["cli_layers_nets:broken"], "making cli_layers_nets:broken failed: ValueError: no weights ("),
        (["cli_layers_needy:net"], "importing cli_layers_needy failed: ModuleNotFoundError: No module named 'no_such"),
        (["cli_layers_cut:net"], "importing cli_layers_cut failed: SyntaxError"),
        (
            ["cli_layers_nets:small", "--shape", "5"],
            "infoplane: RuntimeError: the forward on float32 of shape (2, 5) failed: mat1",
        ),
        (["cli_layers_nets:Tokens", "--shape", "5"], "the forward on float32 of shape (2, 5) failed"),
    ],
)
def test_code_that_fails_says_where_and_gives_code_1(capfd, arguments, text):
    code, lines, said = layers(capfd, *arguments)
    assert (code, lines) == (1, [])
    assert text in said
    assert len(said.splitlines()) == 1
