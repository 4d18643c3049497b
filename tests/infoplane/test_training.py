import numpy as np
import pytest
import torch

import infoplane as ip
from infoplane.errors import DatasetError, InputError
from infoplane.training import SCALINGS, TrainingSettings, train


def settings(**options):
    return TrainingSettings(**({"epochs": 2, "hidden": (12,), "latent": 4, "control": False} | options))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_every_scaling_trains_and_changes_the_network(tmp_path, scaling):
    plain = train(settings(), tmp_path / "plain.h5", quiet=True)
    rows = train(settings(scaling=scaling), tmp_path / "run.h5", quiet=True)
    assert [row.step for row in rows] == [14, 28]
    assert rows[-1].error < 0.9
    assert (rows[-1].loss != plain[-1].loss) == (scaling != "none")


def test_rate_reaches_the_scaling(tmp_path):
    losses = [
        train(settings(scaling="synscaw", rate=rate), tmp_path / f"{rate}.h5", quiet=True)[-1].loss
        for rate in (0.01, 0.5)
    ]
    default = train(settings(scaling="synscaw"), tmp_path / "default.h5", quiet=True)[-1].loss
    assert losses[0] == default != losses[1]


def test_training_is_reproducible_and_leaves_the_random_state_alone(tmp_path):
    before = torch.get_rng_state()
    rows = [train(settings(), tmp_path / f"{k}.h5", quiet=True) for k in range(2)]
    other = train(settings(seed=1), tmp_path / "other.h5", quiet=True)
    np.testing.assert_array_equal(rows[0][-1].bounds.i_zx, rows[1][-1].bounds.i_zx)
    assert rows[0][-1].loss == rows[1][-1].loss != other[-1].loss
    assert torch.equal(before, torch.get_rng_state())


def test_run_file_says_what_was_trained(tmp_path):
    train(settings(control=True), tmp_path / "run.h5", quiet=True)
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.configuration["hidden"] == [12]
        assert run.provenance["data"]["name"] == "digits"
        assert run.plane()["probe"].tolist() == ["hidden1", "hidden1@untrained"]
        assert run.plane()["epoch"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"scaling": "synscale"}, InputError, "did you mean"),
        ({"rate": 0.1}, InputError, "nothing it would act on"),
        ({"epochs": 0}, InputError, "epochs is 0"),
        ({"data": "minst"}, DatasetError, "did you mean 'mnist'"),
        ({"device": "tpu9"}, InputError, "device 'tpu9'"),
    ],
)
def test_unusable_settings_are_refused_before_a_file_is_made(tmp_path, options, error, text):
    with pytest.raises(error, match=text):
        train(settings(**options), tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scaling", ["none", "synscaw-stable"])
def test_training_is_the_loop_that_its_settings_describe(tmp_path, scaling):
    """A bare loop written from the settings ends with the same test loss and error, to the last bit."""
    chosen = settings(scaling=scaling, rate=0.2 if scaling != "none" else None, epochs=6, batch_size=200)
    rows = train(chosen, tmp_path / "run.h5", quiet=True)
    data = ip.datasets.load("digits")
    model = ip.models.mlp((64, 12, 10), seed=0)
    optimizer = torch.optim.Adam(model.parameters(), 5e-4)
    scaling = ip.SynScaW(model, preset="stable", gamma=0.2, seed=0) if scaling != "none" else None
    loader = data.train_loader(200, seed=0)
    for epoch in range(6):
        for group in optimizer.param_groups:
            group["lr"] = 5e-4 * 0.94 ** (epoch // 5)
        for x, y in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        if scaling is not None:
            scaling.apply()
    with torch.no_grad():
        logits = model(data.test_inputs)
    expected = torch.nn.functional.cross_entropy(logits, data.test_labels).item() / np.log(2)
    assert rows[-1].loss == pytest.approx(expected, rel=1e-6)
    assert rows[-1].error == (logits.argmax(1) != data.test_labels).double().mean().item()


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("synscaw", {"method": "SynScaW", "preset": "paper", "rule": "w2", "gamma": 0.01}),
        ("synscaw-official", {"method": "SynScaW", "preset": "official", "target": 0.1, "gamma": 0.1}),
        ("synscaw-stable", {"method": "SynScaW", "preset": "stable", "rule": "signed_w2", "gamma": 0.01}),
        ("synscal", {"method": "SynScaL", "mode": "prob", "gamma": 1.0}),
        ("synscal-logit-mean", {"method": "SynScaL", "mode": "logit_mean", "gamma": 1.0}),
    ],
)
def test_each_name_is_the_method_it_says(tmp_path, scaling, expected):
    train(settings(scaling=scaling, epochs=1), tmp_path / "run.h5", quiet=True)
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.configuration["scaling_settings"].items() >= expected.items()
