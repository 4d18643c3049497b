"""``infoplane compare`` on runs that record() made."""

import json
from collections.abc import Iterator

import pytest
import torch
import typer
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.cli.compare import compare
from infoplane.errors import InputError

SEEDS = (0, 1, 2)


def train(path, seed, arm):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(90, 6, generator=torch.Generator().manual_seed(9))
    labels = (inputs[:, 0] > 0).long() + (inputs[:, 1] > 0).long()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = torch.optim.Adam(model.parameters(), 3e-2)
    options = {
        "sites": "1",
        "classes": 3,
        "latent": 4,
        "inputs": 40,
        "seed": seed,
        "scale_twins": (0.1,),
        "sketch_at": None,
    }
    settings = {"configuration": {"arm": arm, "seed": seed}, "data": {"name": "made up", "sha256": "0"}}
    with ip.record(model, path, **options, **settings) as rec:
        for epoch in (1, 2):
            # The second arm learns from a single batch, and worse.
            for batch in torch.randperm(50, generator=generator).split(10)[: 5 if arm == "base" else 1]:
                loss = functional.cross_entropy(model(inputs[batch]), labels[batch]) + rec.loss(labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            rec.measure([(inputs[50:], labels[50:])], epoch=epoch)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    for arm in ("base", "less"):
        (folder / arm).mkdir()
        for seed in SEEDS:
            train(folder / arm / f"{seed}.h5", seed, arm)
    return folder


@pytest.fixture
def call(runs, monkeypatch, capsys) -> Iterator:
    monkeypatch.chdir(runs)
    app = typer.Typer()
    app.command()(compare)

    def run(*words):
        app(args=list(words), standalone_mode=False)
        return capsys.readouterr().out

    return run


FILES = [f"{arm}/{seed}.h5" for arm in ("base", "less") for seed in SEEDS]


def test_files_of_two_folders_are_two_arms(call):
    text = call(*FILES, "--claim", "-2")
    lines = text.splitlines()
    assert lines[:5] == [
        "A: 3 runs, base/0.h5 to base/2.h5",
        "B: 3 runs, less/0.h5 to less/2.h5",
        "Paired by seed: 0, 1, 2. Compared at the last row (epoch 2).",
        "B differs from A in:",
        '  configuration.arm: "base" -> "less"',
    ]
    assert lines[6].split("  ")[0] == "claim"
    assert lines[8].startswith("error [%]")
    assert "Claimed: -2 points, of which half is -1." in " ".join(text.split())
    assert "(95 %, 3 paired seeds, 40 images)" in " ".join(text.split())
    assert max(map(len, lines)) <= 100


def test_every_way_of_naming_the_arms_gives_the_same(call):
    expected = call(*FILES)
    assert call("base/*.h5", "less/*.h5") == expected
    assert call(*FILES[:3], "--b", "less/*.h5") == expected
    assert call(*FILES[:3], *(word for path in FILES[3:] for word in ("--b", path))) == expected
    assert call(*FILES[3:], *FILES[:3]) != expected  # the other way around


def test_json_has_one_object_per_claim(call):
    lines = call(*FILES, "--metric", "error", "--metric", "i_zx", "--json").splitlines()
    error, rate = map(json.loads, lines)
    assert (error["metric"], rate["metric"], rate["site"]) == ("error", "i_zx", "1")
    assert error["estimate"] == pytest.approx(sum(error["second"]) / 3 - sum(error["first"]) / 3)
    assert error["paired_by_seed"] == [0, 1, 2]
    assert [check["name"] for check in rate["checks"]] == [
        "sandwich's upper bound",
        "rate of the scale twin x0.1",
        "label bound I(Z;Y)",
    ]
    strict = json.loads(call(*FILES, "--metric", "loss", "--level", "0.99", "--direction", "lower", "--json"))
    assert (strict["level"], strict["direction"], strict["images"]) == (0.99, "lower", 40)


def test_numbers_are_the_files(call, runs):
    found = json.loads(call(*FILES, "--metric", "jsd_weights", "--site", "0.weight", "--json"))
    table = ip.reports.jsd([runs / "base" / "0.h5"]).to_dataframe().set_index(["stream", "name"])
    assert found["first"][0] == table.loc[("weights", "0.weight"), "divergence"]
    pooled = json.loads(call(*FILES, "--metric", "jsd_activations", "--json"))
    table = ip.reports.jsd([runs / "less" / "2.h5"]).to_dataframe().set_index(["stream", "name"])
    assert pooled["second"][2] == table.loc[("activations", "(all)"), "divergence"]


def test_two_single_runs(call):
    text = " ".join(call("base/0.h5", "less/0.h5").split())
    assert "One seed never decides" in text
    assert "These two networks:" in text
    assert "McNemar's exact p value is" in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (FILES[:3], "3 run files in 1 folder are not two arms"),
        (FILES[:1], "1 run file in 1 folder are not two arms"),
        ([*FILES, "--metric", "error", "--metric", "loss", "--claim", "1"], "--claim belongs to one metric"),
        ([*FILES, "--metric", "i_zx", "--metric", "i_zy", "--site", "1"], "--site belongs to one metric"),
        ([*FILES, "--direction", "down"], "direction is 'down'"),
        ([*FILES, "--metric", "accuracy"], "the metric of a claim is 'accuracy'"),
        ([*FILES, "--margin", "-1"], "margin is -1"),
        ([*FILES, "--level", "95"], "level is 95"),
        ([FILES[0], FILES[0]], "in both arms"),
    ],
)
def test_wrong_calls_say_what_is_accepted(call, words, says):
    with pytest.raises(InputError, match=says):
        call(*words)
