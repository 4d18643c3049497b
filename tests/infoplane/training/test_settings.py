"""Settings: from TOML, from the command line, whole, and refused with the name that was meant."""

import pickle
import tomllib
from typing import Any

import pytest

from infoplane.cli import run as cli
from infoplane.errors import InputError
from infoplane.training import PRESETS, Settings, read_settings, to_toml
from infoplane.training.fields import typed
from infoplane.training.length import Length

EXAMPLE = """
method = "synscaw+confidence-penalty"
seed = 3

[data]
name = "szt12"

[model]
hidden = [10, 7]

[optimizer]
name = "sgd"
momentum = 0.9
learning_rate = 1

[scaling]
rate = 0.03

[regularizers]
penalty = 0.5

[probes]
beta = [1e-3, 1e-2]
sites = { "hidden1" = "first" }
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(EXAMPLE)
    return path


def test_toml_is_read_and_written_back_to_the_same_settings(config, tmp_path):
    settings = read_settings(config)
    assert (settings.method, settings.seed, settings.data.name) == ("synscaw+confidence-penalty", 3, "szt12")
    assert settings.model.hidden == (10, 7)
    assert settings.optimizer.learning_rate == 1.0
    assert isinstance(settings.optimizer.learning_rate, float)
    assert settings.probes.beta == (1e-3, 1e-2)
    assert settings.probes.sites == {"hidden1": "first"}
    assert settings.scaling == {"rate": 0.03}
    again = tmp_path / "again.toml"
    again.write_text(to_toml(settings))
    assert read_settings(again).configuration == settings.configuration
    assert tomllib.loads(to_toml(settings)) == settings.configuration
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_overrides_stand_over_the_file_and_are_read_by_type(config):
    texts = {
        "method": "synscal",
        "regularizers.penalty": "none",
        "scaling.rate": "0.5",
        "model.hidden": "64",
        "probes.beta": "0.1,0.2",
        "probes.sites": "hidden1,hidden2",
        "probes.control": "false",
        "data.train": "1_000",
        "data.root": "0",
        "seed": "7",
        "optimizer.learning_rate": "1",
        "optimizer.momentum": "0",
        "optimizer.name": "adam",
        "probes.scale_twins": "0.1,10",
        "probes.sketch_at": "log",
        "training.iterations": "30",
        "data.name": "iris",
        "data.fold": "[1, 10]",
    }
    settings = read_settings(config, texts)
    assert settings.regularizers == {}
    assert settings.scaling == {"rate": 0.5}
    assert settings.model.hidden == (64,)
    assert settings.probes.beta == (0.1, 0.2)
    assert settings.probes.sites == ("hidden1", "hidden2")
    assert settings.probes.control is False
    assert (settings.data.train, settings.data.root, settings.seed) == (1000, "0", 7)
    assert settings.data.options == {"fold": [1, 10]}
    assert settings.probes.scale_twins == (0.1, 10.0)
    assert settings.training.iterations == 30
    assert read_settings(config, {"probes.sketch_at": "50"}).probes.sketch_at == 50


def test_what_follows_from_others_is_said_and_follows_them_again():
    settings = Settings()
    assert settings.configuration["model"]["hidden"] == [64, 64]
    assert settings.configuration["training"]["epochs"] == 20
    assert settings.configuration["probes"]["control"] is True
    mnist = settings.changed({"data.name": "mnist", "training.iterations": 5})
    assert mnist.configuration["model"]["hidden"] == [1024, 1024]
    assert "epochs" not in mnist.configuration["training"]
    vib = settings.changed({"method": "vib", "probes.mode": "bottleneck", "regularizers.vib_beta": 0.1})
    assert vib.configuration["probes"]["control"] is False
    assert vib.configuration["probes"]["beta"] == 0.1


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"scaling.rte": "0.1", "method": "synscaw"}, "rate"),
        ({"scaling.rate": "0.1"}, "baseline"),
        ({"optimiser.name": "sgd"}, "there is no setting 'optimiser.name'; did you mean 'optimizer.name'"),
        ({"optimizer.learning_rat": "1"}, "did you mean 'optimizer.learning_rate'"),
        ({"optimizer": "sgd"}, "no name of one value"),
        ({"seed.value": "1"}, "no name of one value; it is written as 'seed'"),
        ({"optimizer.learning_rate": "fast"}, "optimizer.learning_rate is 'fast', but it must be a number"),
        ({"training.epochs": "2.5"}, "training.epochs is '2.5', but it must be a whole number or left out"),
        ({"training.epochs": True}, "training.epochs is True, but it must be a whole number"),
        ({"training.epochs": "0"}, "training.epochs is 0"),
        ({"model.hidden": "a,b"}, "model.hidden is 'a,b', but it must be whole numbers with commas"),
        ({"model.hidden": "0"}, "a width of model.hidden is 0"),
        ({"model.hidden": ""}, "model.hidden is empty"),
        ({"probes.control": "perhaps"}, "probes.control is 'perhaps', but it must be true or false"),
        ({"probes.latent": "0"}, "probes: latent is 0"),
        ({"probes.mode": "obserf"}, "did you mean 'observe'"),
        ({"probes.sketch_at": "lag"}, "did you mean 'log'"),
        ({"optimizer.name": "adamm"}, "did you mean 'adam'"),
        ({"optimizer.momentum": "0.9"}, "belongs to 'sgd', not to 'adam'"),
        ({"optimizer.learning_rate": "-1"}, "optimizer.learning_rate is -1.0"),
        ({"optimizer.decay": "1.5"}, "optimizer.decay is 1.5"),
        ({"optimizer.weight_decay": "nan"}, "optimizer.weight_decay is nan"),
        ({"training.precision": "float8"}, "did you mean 'float32'"),
        ({"method": "synscav"}, "did you mean 'synscaw'"),
        ({"seed": "-1"}, "seed is -1"),
        ({"preset": "paper"}, "did you mean 'paper-mlp'"),
        ({"method": "vib", "probes.mode": "bottleneck", "probes.beta": "0.5"}, "give regularizers.vib_beta alone"),
        ({"method": "vib", "probes.mode": "bottleneck", "probes.control": "true"}, "probes: control is for probes"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_name_that_was_meant(overrides, said):
    with pytest.raises(InputError, match=said):
        read_settings(None, overrides)


def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"none.toml: cannot be read"):
        read_settings(tmp_path / "none.toml")
    path = tmp_path / "config.toml"
    for text, said in {
        "seed = ": "is no TOML",
        "epochs = 3": "there is no setting 'epochs'; did you mean 'training.epochs'",
        "[training]\nepoch = 3": "did you mean 'training.epochs'",
        "training = 3": "training is 3, but it is a table",
        'seed = "3"': "seed is '3', but it must be a whole number",
        "scaling = 3": "scaling is 3, but it is a table",
    }.items():
        path.write_text(text)
        with pytest.raises(InputError, match=said):
            read_settings(path)


def test_presets_are_the_papers_settings_and_what_is_said_stands_over_them(tmp_path):
    mlp = read_settings(None, {"preset": "paper-mlp"})
    assert mlp.model.hidden == (1024, 1024)
    assert (mlp.optimizer.name, mlp.optimizer.learning_rate) == ("adam", 5e-4)
    assert (mlp.optimizer.schedule, mlp.optimizer.decay, mlp.optimizer.decay_every) == ("step", 0.94, 5)
    assert (mlp.training.epochs, mlp.training.batch_size, mlp.data.name) == (200, 100, "mnist")
    resnet = read_settings(None, {"preset": "paper-resnet50"})
    assert (resnet.optimizer.name, resnet.optimizer.learning_rate, resnet.optimizer.momentum) == ("sgd", 0.1, 0.9)
    assert (resnet.optimizer.weight_decay, resnet.optimizer.schedule, resnet.optimizer.decay) == (1e-4, "plateau", 0.1)
    assert (resnet.training.iterations, resnet.resolved.training.epochs) == (600_000, None)
    appendix = {"preset": "appendix", "data.name": "iris"}
    found = read_settings(None, appendix)
    assert (found.optimizer.learning_rate, found.optimizer.decay, found.optimizer.decay_every) == (0.01, 0.9, 40)
    assert (found.training.epochs, found.training.class_weights, found.model.name) == (100, True, "leaky-mlp")
    assert found.scaling == {}
    assert read_settings(None, {**appendix, "method": "dropout+synscal"}).scaling == {"rate": 0.5}
    scaled = read_settings(None, {**appendix, "method": "synscaw-stable", "scaling.rate": 0.2})
    assert scaled.scaling == {"rate": 0.2, "gamma_decay": True}
    path = tmp_path / "config.toml"
    path.write_text('preset = "paper-mlp"\n[training]\nepochs = 3\nbatch_size = 7\n')
    both = read_settings(path, {"training.batch_size": "9"})
    assert (both.training.epochs, both.training.batch_size, both.model.hidden) == (3, 9, (1024, 1024))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_of_settings_that_can_be_used_and_written(name):
    for method in ("baseline", "synscaw", "synscal"):
        settings = read_settings(None, {"preset": name, "method": method})
        assert Settings.of(tomllib.loads(to_toml(settings))).configuration == settings.configuration


def test_lengths_count_as_the_loader_does():
    settings = Settings().changed({"training.epochs": 3, "training.batch_size": 10}).training
    one, two = (Length.of(settings, inputs=25, world=world) for world in (1, 2))
    assert (one.batch_size, one.steps_per_epoch, one.epochs, one.steps) == (10, 3, 3, 9)
    assert (two.batch_size, two.steps_per_epoch, two.epochs, two.steps) == (5, 3, 3, 9)  # 12 inputs each
    cut = Length.of(Settings().changed({"training.iterations": 7}).training, inputs=300, world=1)
    assert (cut.epochs, cut.steps, [cut.is_whole(k) for k in (1, 2, 3)]) == (3, 7, [True, True, False])
    with pytest.raises(InputError, match="3 processes cannot share it evenly"):
        Length.of(settings, inputs=25, world=3)


def test_a_text_means_what_its_field_says():
    assert typed("n", "1", str, is_text=True) == "1"
    assert typed("n", "1", int | None, is_text=True) == 1
    assert typed("n", "none", int | None, is_text=True) is None
    assert typed("n", "1", float | tuple[float, ...], is_text=True) == 1.0
    assert typed("n", "1,2", float | tuple[float, ...], is_text=True) == (1.0, 2.0)
    assert typed("n", "[1, 2]", tuple[int, ...], is_text=True) == (1, 2)
    assert typed("n", "a,b", str | tuple[str, ...] | None, is_text=True) == ("a", "b")
    assert typed("n", "a", str | tuple[str, ...] | None, is_text=True) == "a"
    assert typed("n", 1, float) == 1.0
    # What is no number in TOML, and one in a shell.
    assert [typed("n", text, Any, is_text=True) for text in (".1", "-1.", "+.5e-1")] == [0.1, -1.0, 0.05]
    assert typed("n", "v1.", Any, is_text=True) == "v1."
    for value, kind in ((1.0, int), (True, int), (True, float), (1, str), ("1", int), ([1.5], tuple[int, ...])):
        with pytest.raises(InputError, match="n is"):
            typed("n", value, kind)


def test_the_command_prints_the_settings_that_it_would_use(tmp_path, config, capfd):
    options = ["--set", "scaling.rate=0.1", "--epochs", "3", "--no-control", "--print-config"]
    assert cli(["train", str(config), *options]) == 0
    printed = tomllib.loads(capfd.readouterr().out)
    assert printed["scaling"] == {"rate": 0.1}
    assert printed["training"]["epochs"] == 3
    assert printed["probes"]["control"] is False
    assert printed["optimizer"]["name"] == "sgd"
    for wrong, said in {
        ("--set", "scaling.rate"): "--set takes NAME=VALUE",
        ("--set", "seed=1", "--seed", "2"): "seed is given twice, as 2 and '1'",
        ("--set", "sed=1"): "there is no setting 'sed'; did you mean 'seed'",
    }.items():
        assert cli(["train", "--print-config", *wrong]) == 2
        captured = capfd.readouterr()
        assert said in captured.err
        assert len(captured.err.splitlines()) == 1
