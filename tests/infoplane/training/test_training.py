"""A training is the loop that its settings describe, whatever the method, data, network and precision."""

import random
import sys

import numpy as np
import pytest
import torch
from torch import nn

import infoplane as ip
from infoplane.errors import DatasetError, InfoplaneError, InputError
from infoplane.regularizers import METHODS
from infoplane.scaling.synscaw import SynScaW
from infoplane.training import TrainingError, train
from infoplane.training.session import Session

CLASSES_ONLY = [name for name in METHODS if name != "synscal-regression"]


@pytest.fixture(scope="module")
def plain(small, tmp_path_factory):
    """The rows of a training without a method."""
    return train(small(), tmp_path_factory.mktemp("plain") / "run.h5", quiet=True)


@pytest.mark.parametrize("method", [*CLASSES_ONLY, "synscaw+confidence-penalty", "synscal+label-smoothing"])
def test_every_method_trains_and_changes_the_network(small, plain, tmp_path, method):
    rows = train(small(method=method), tmp_path / "run.h5", quiet=True)
    assert [row.step for row in rows] == [4, 8]
    assert np.isfinite(rows[-1].loss)
    assert (rows[-1].loss != plain[-1].loss) == (method != "baseline")
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.configuration["method_configuration"]["method"] == method
        assert ("scaling" in run.streams) == ("synscaw" in method)


def test_rate_reaches_the_scaling(small, tmp_path):
    found = [
        train(small(method="synscaw", scaling__rate=rate), tmp_path / f"{rate}.h5", quiet=True)[-1].loss
        for rate in (0.01, 0.5, "none")
    ]
    assert found[0] == found[2] != found[1]


def test_training_is_reproducible_and_leaves_the_random_states_alone(small, tmp_path):
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    rows = [train(small(method="dropout"), tmp_path / f"{k}.h5", quiet=True) for k in range(2)]
    other = train(small(method="dropout", seed=1), tmp_path / "other.h5", quiet=True)
    np.testing.assert_array_equal(rows[0][-1].bounds.i_zx, rows[1][-1].bounds.i_zx)
    assert rows[0][-1].loss == rows[1][-1].loss != other[-1].loss
    assert before[:2] == (random.getstate(), np.random.get_state()[1].tolist())
    assert torch.equal(before[2], torch.get_rng_state())


def test_run_file_says_what_was_trained(small, tmp_path):
    train(small(probes__control=True, optimizer__schedule="none"), tmp_path / "run.h5", quiet=True)
    with ip.open_run(tmp_path / "run.h5") as run:
        configuration = dict(run.configuration)
        del configuration["method_configuration"]
        assert configuration == small(probes__control=True, optimizer__schedule="none").configuration
        assert configuration["model"]["hidden"] == [12]
        assert run.provenance["data"].items() >= {"name": "digits", "train": 200, "test": 450, "classes": 10}.items()
        assert run.plane()["probe"].tolist() == ["hidden1", "hidden1@untrained"]
        assert run.plane()["epoch"].tolist() == [1, 2]
        assert len(run.stream("inputs")) == 1  # of the last row


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"data.name": "minst"}, DatasetError, "did you mean 'mnist'"),
        ({"data.fold": 3, "data.name": "digits"}, InputError, "fold"),
        ({"model.name": "resnet33", "model.hidden": "none"}, InputError, "resnet32"),
        ({"training.device": "tpu9"}, InputError, "device 'tpu9'"),
        ({"training.precision": "float16"}, InputError, "needs a GPU"),
        ({"method": "synscal-regression"}, InputError, "is for real labels"),
        ({"data.name": "diabetes", "training.class_weights": True}, InputError, "labels of 'diabetes' are real"),
        ({"data.name": "diabetes", "method": "label-smoothing"}, InputError, "labels are real numbers"),
        ({"probes.sites": "hiden1"}, InfoplaneError, "hidden1"),
        ({"data.train": 10**6}, InputError, "train is 1000000"),
    ],
)
def test_unusable_settings_are_refused_before_a_file_is_made(small, tmp_path, options, error, text):
    with pytest.raises(error, match=text):
        train(small(**options), tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


OPTIMIZERS = {
    "adam, step": ({"decay": 0.5, "decay_every": 2}, lambda p: torch.optim.Adam(p, 5e-4)),
    "sgd": (
        {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-2, "schedule": "none"},
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=1e-2),
    ),
    "adam, decay of weights": (
        {"weight_decay": 0.1, "schedule": "none"},
        lambda p: torch.optim.Adam(p, 5e-4, weight_decay=0.1),
    ),
}


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_is_the_loop_that_its_settings_describe(small, tmp_path, name, scaled):
    """A bare loop written from the settings ends with the same test loss and error, to the last bit."""
    said, make = OPTIMIZERS[name]
    method = {"method": "synscaw-stable", "scaling.rate": 0.2, "scaling.gamma_decay": True} if scaled else {}
    chosen = small(**{f"optimizer.{key}": value for key, value in said.items()} | method | {"training.epochs": 5})
    rows = train(chosen, tmp_path / "run.h5", quiet=True)
    data = ip.datasets.load("digits").subset(train=200, seed=0)
    model = ip.models.mlp((64, 12, 10), seed=0)
    optimizer = make(model.parameters())
    scaling = SynScaW(model, preset="stable", gamma=0.2, seed=0) if scaled else None
    loader = data.train_loader(50, seed=0)
    for epoch in range(5):
        factor = 0.5 ** (epoch // 2) if "step" in name else 1
        for group in optimizer.param_groups:
            group["lr"] = said.get("learning_rate", 5e-4) * factor
        for x, y in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        if scaling is not None:
            scaling.apply(gamma=0.2 * factor)
    with torch.no_grad():
        logits = model(data.test_inputs)
    expected = torch.nn.functional.cross_entropy(logits, data.test_labels).item() / np.log(2)
    assert rows[-1].loss == pytest.approx(expected, rel=1e-6)
    assert rows[-1].error == (logits.argmax(1) != data.test_labels).double().mean().item()
    kept = torch.load(tmp_path / "run.ckpt", weights_only=True)["model"]
    for key, value in model.state_dict().items():
        torch.testing.assert_close(kept[key], value, rtol=0, atol=0)


def test_a_plateau_of_the_training_loss_lowers_the_learning_rate(small, tmp_path):
    """At a rate at which nothing moves, every `decay_every`-th epoch that is not better does; one that gains, none."""
    still = {"optimizer.learning_rate": 1e-12, "optimizer.schedule": "plateau", "optimizer.decay": 0.1}
    train(small(**still, training__epochs=6, optimizer__decay_every=2), tmp_path / "still.h5", quiet=True)
    moving = {**still, "optimizer.learning_rate": 1e-2}
    train(small(**moving, training__epochs=6, optimizer__decay_every=2), tmp_path / "moving.h5", quiet=True)
    factors = [
        torch.load(tmp_path / f"{name}.ckpt", weights_only=True)["optimizer"]["param_groups"][0]["lr"] / first
        for name, first in (("still", 1e-12), ("moving", 1e-2))
    ]
    assert factors == pytest.approx([0.01, 1])  # at epochs 3 and 5: the first one is the best so far


def test_classes_weigh_the_same_where_that_is_asked_for(small, tmp_path):
    """With class weights a class ten times as rare counts ten times as much: torch's weighted loss says how much."""
    draws = np.random.default_rng(0)
    labels = (np.arange(220) % 11 == 0).astype(int)
    inputs = draws.normal(size=(220, 4)).astype("float32")
    file = tmp_path / "rare.npz"
    np.savez(file, train_inputs=inputs, train_labels=labels, test_inputs=inputs, test_labels=labels)
    named = {"data.name": "npz", "data.root": str(file), "data.train": "none", "training.epochs": 1}
    named |= {"training.batch_size": 220, "optimizer.name": "sgd", "optimizer.learning_rate": 0.1}
    for weighted in (False, True):
        train(small(**named, training__class_weights=weighted), tmp_path / f"{weighted}.h5", quiet=True)
        model = ip.models.mlp((4, 12, 2), seed=0)
        weights = torch.tensor([220 / (2 * 200), 220 / (2 * 20)]) if weighted else None
        loader = ip.datasets.load("npz", root=file).train_loader(220, seed=0)
        x, y = next(iter(loader))
        torch.nn.functional.cross_entropy(model(x), y, weight=weights).backward()
        kept = torch.load(tmp_path / f"{weighted}.ckpt", weights_only=True)["model"]
        for name, p in model.named_parameters():
            torch.testing.assert_close(kept[name], p.detach() - 0.1 * p.grad, rtol=1e-6, atol=1e-7)


def test_real_labels_are_trained_by_squared_error(small, tmp_path):
    """A bare loop leaves the same share of the labels' variance unexplained."""
    named = {"data.name": "diabetes", "data.train": "none", "training.epochs": 4, "optimizer.learning_rate": 0.01}
    rows = train(small(**named), tmp_path / "run.h5", quiet=True)
    data = ip.datasets.load("diabetes")
    model = ip.models.mlp((10, 12, 1), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    loader = data.train_loader(50, seed=0)
    for _ in range(4):
        for x, y in loader:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x)[:, 0], y).backward()
            optimizer.step()
    with torch.no_grad():
        residual = data.test_labels - model(data.test_inputs)[:, 0]
    assert rows[-1].error == pytest.approx(
        float(residual.square().mean() / data.test_labels.var(correction=0)), rel=1e-5
    )
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.provenance["data"]["classes"] is None
        assert run.provenance["data"]["targets"] == 1


def test_the_divergence_of_a_bottleneck_counts_once_in_every_mode(small, tmp_path):
    """The loss of the first step's network, seen through one step of SGD, is the same whoever adds the divergence."""
    named = {"method": "vib", "optimizer.name": "sgd", "optimizer.learning_rate": 0.1, "regularizers.vib_beta": 0.5}
    states = []
    for mode in ("observe", "bottleneck"):
        more = {"probes.latent": 256} if mode == "bottleneck" else {}
        chosen = small(**named, **more, probes__mode=mode, probes__draws=12, training__iterations=1)
        path = tmp_path / f"{mode}.h5"
        train(chosen, path, quiet=True)
        states.append(ip.open_run(path).sketch("weights", "output.bottleneck.encoder.weight", row=-1).scalars)
        with ip.open_run(path) as run:
            assert run.configuration["probes"]["beta"] == (0.5 if mode == "bottleneck" else 1e-3)
    np.testing.assert_allclose(states[0], states[1], rtol=1e-5)


def test_bfloat16_is_near_float32_and_keeps_weights_in_it(small, tmp_path):
    rows = [
        train(small(training__precision=p, training__epochs=5), tmp_path / f"{p}.h5", quiet=True)
        for p in ("float32", "bfloat16")
    ]
    assert rows[0][-1].loss != rows[1][-1].loss
    assert rows[1][-1].loss == pytest.approx(rows[0][-1].loss, rel=0.02)
    kept = torch.load(tmp_path / "bfloat16.ckpt", weights_only=True)["model"]
    assert {value.dtype for value in kept.values()} == {torch.float32}


def test_a_loss_that_is_no_number_stops_the_training_in_one_sentence(small, tmp_path):
    path = tmp_path / "run.h5"
    wild = small(optimizer__name="sgd", optimizer__learning_rate=1e30, optimizer__schedule="none")
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) at step (\d+), and the training was stopped"):
        train(wild, path, quiet=True)
    with ip.open_run(path) as run:
        assert run.status == "interrupted"
        assert any("the loss is" in text for text in run.events()["text"].tolist())


def test_scaling_that_breaks_a_weight_stops_the_training_in_one_sentence(small, tmp_path):
    path = tmp_path / "run.h5"
    wild = small(method="synscaw", scaling__rate=1e60, scaling__every=1)
    with pytest.raises(TrainingError, match="the training was stopped at step"):
        train(wild, path, quiet=True)
    with ip.open_run(path) as run:
        assert any("was stopped at step" in text for text in run.events()["text"].tolist())


def test_rows_are_as_rare_as_asked_for_but_for_the_last(small, tmp_path):
    rows = train(small(training__epochs=5, training__measure_every=2), tmp_path / "run.h5", quiet=True)
    assert [row.step for row in rows] == [8, 16, 20]


def test_iterations_end_a_training_within_an_epoch(small, tmp_path):
    chosen = small(training__epochs="none", training__iterations=10, probes__refit=1)
    assert [row.step for row in train(chosen, tmp_path / "run.h5", quiet=True)] == [4, 8, 10]
    both = small(training__epochs=1, training__iterations=10)
    assert [row.step for row in train(both, tmp_path / "both.h5", quiet=True)] == [4]


def test_a_network_that_gives_no_tensor_is_refused(small, tmp_path, monkeypatch):
    (tmp_path / "two_outputs.py").write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, classes):\n"
        "        super().__init__()\n"
        "        self.layer = nn.Linear(64, classes)\n"
        "    def forward(self, x):\n"
        "        return {'logits': self.layer(x.flatten(1))}\n"
    )
    monkeypatch.chdir(tmp_path)
    chosen = small(**{"model.name": "two_outputs:Net", "model.hidden": "none"})
    with pytest.raises(InputError, match="returns a dict, but a training needs one tensor"):
        train(chosen, tmp_path / "run.h5", quiet=True)


def narrow(shape, classes, seed):
    return nn.Sequential(nn.Flatten(), nn.Linear(99, 8), nn.Linear(8, classes))


def test_a_network_that_cannot_read_the_data_is_refused_and_leaves_nothing(small, tmp_path):
    settings = small(model__name=f"{__name__}:narrow", model__hidden=None, probes__sites="1")
    with pytest.raises(InputError, match=r":narrow' cannot read inputs of shape \(1, 8, 8\), those of 'digits': mat1"):
        train(settings, tmp_path / "run.h5", quiet=True)
    assert not list(tmp_path.iterdir())  # not even the first checkpoint, which would be in the way of the next call


def test_a_network_that_a_pass_has_spoilt_ends_its_training(small, tmp_path, monkeypatch):
    whole = Session.end_epoch

    def spoiling(session, *given):
        with torch.no_grad():
            session.parts.model.get_submodule("output").bias.fill_(torch.nan)
        return whole(session, *given)

    monkeypatch.setattr(Session, "end_epoch", spoiling)
    with pytest.raises(TrainingError, match="the loss on held-out inputs is nan after epoch 1"):
        train(small(), tmp_path / "run.h5", quiet=True)
    with ip.open_run(tmp_path / "run.h5") as run:
        assert len(run.plane()) == 1


class Terminal:
    """A stderr that is a terminal."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)

    def flush(self): ...

    def isatty(self):
        return True


def test_progress_is_one_bar_with_the_error_and_silent_elsewhere(small, tmp_path, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    rows = train(small(), tmp_path / "shown.h5")
    assert "digits, baseline:" in terminal.text
    assert f"error {100 * rows[-1].error:.2f} %" in terminal.text
    terminal.text = ""
    train(small(), tmp_path / "quiet.h5", quiet=True)
    assert terminal.text == ""
    monkeypatch.undo()
    train(small(), tmp_path / "piped.h5")
    assert "step/s" not in capsys.readouterr().err
