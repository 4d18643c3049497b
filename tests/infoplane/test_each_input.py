"""What every single held-out input gave: its means are the row's numbers, and ranks and batches do not matter."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import infoplane as ip

N = 90


def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(N, 5, generator=generator)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()


def recorded(path, *, measured=None, keep=(True,), labels=None, **options):
    torch.manual_seed(0)
    x, y = data()
    y = y if labels is None else labels
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3 if labels is None else labels.shape[1]))
    options = {"sites": ["0", "1"], "latent": 2, "draws": 2, "sandwich": 8, "sketch_at": None, **options}
    if labels is None:
        options["classes"] = 3
    rows = []
    with ip.record(model, path, **options) as rec:
        for kept in keep:
            out = model(x)
            (F.cross_entropy(out, y) if labels is None else F.mse_loss(out, y)).backward()
            rec.loss(y)
            rows.append(rec.measure([(x, y)] if measured is None else measured(x, y), keep_inputs=kept))
    return model, rows


def test_means_over_all_inputs_are_the_numbers_of_the_row(tmp_path):
    _, (row,) = recorded(tmp_path / "run.h5", inputs=N, control=True)
    with ip.open_run(tmp_path / "run.h5") as run:
        inputs = run.inputs()
        assert inputs["position"][0].tolist() == list(range(N))
        assert inputs["probe"].tolist() == run.plane()["probe"].tolist()
        np.testing.assert_allclose(inputs["error"].mean(1), row.error)
        np.testing.assert_allclose(inputs["loss"].mean(1), row.loss, rtol=1e-6)
        np.testing.assert_allclose(inputs["rate"][0].mean(1), row.bounds.i_zx, rtol=1e-6)
        np.testing.assert_allclose(row.bounds.h_y - inputs["ce"][0].mean(1), row.bounds.i_zy, atol=1e-6)
        assert inputs.attrs["split"] == "test"


def test_the_host_s_own_error_and_loss_are_those_of_its_output(tmp_path):
    model, _ = recorded(tmp_path / "run.h5", inputs=N)
    x, y = data()
    with torch.no_grad():
        output = model(x)
    with ip.open_run(tmp_path / "run.h5") as run:
        np.testing.assert_array_equal(run.inputs()["error"][0], (output.argmax(1) != y).float())
        expected = F.cross_entropy(output, y, reduction="none") / math.log(2)
        np.testing.assert_allclose(run.inputs()["loss"][0], expected, rtol=1e-5)


def test_fewer_places_than_inputs_keep_the_same_random_subset_in_every_row(tmp_path):
    recorded(tmp_path / "all.h5", inputs=N, keep=(True, True))
    recorded(tmp_path / "some.h5", inputs=20, keep=(True, True))
    with ip.open_run(tmp_path / "all.h5") as every, ip.open_run(tmp_path / "some.h5") as run:
        positions = run.inputs()["position"]
        assert positions.shape == (2, 20)
        assert (positions[0] == positions[1]).all()
        assert (np.diff(positions[0]) > 0).all()
        assert positions[0].max() < N
        for name in ("error", "loss", "rate", "ce"):
            np.testing.assert_array_equal(run.inputs()[name], every.inputs()[name][..., positions[0]])


def test_the_subset_is_the_same_for_every_seed(tmp_path):
    for seed in (0, 1):
        recorded(tmp_path / f"{seed}.h5", inputs=20, seed=seed)
    with ip.open_run(tmp_path / "0.h5") as first, ip.open_run(tmp_path / "1.h5") as second:
        np.testing.assert_array_equal(first.inputs()["position"], second.inputs()["position"])


def test_more_places_than_inputs_are_filled_with_none(tmp_path):
    recorded(tmp_path / "run.h5", inputs=N + 10)
    with ip.open_run(tmp_path / "run.h5") as run:
        inputs = run.inputs()
        assert inputs["position"][0, N:].tolist() == [-1] * 10
        for name in ("error", "loss", "rate", "ce"):
            assert np.isnan(inputs[name][..., N:]).all()
            assert np.isfinite(inputs[name][..., :N]).all()


def test_batches_do_not_matter(tmp_path):
    recorded(tmp_path / "whole.h5", inputs=N)
    recorded(tmp_path / "cut.h5", inputs=N, measured=lambda x, y: zip(x.split(17), y.split(17), strict=True))
    with ip.open_run(tmp_path / "whole.h5") as whole, ip.open_run(tmp_path / "cut.h5") as cut:
        np.testing.assert_array_equal(whole.inputs()["position"], cut.inputs()["position"])
        np.testing.assert_array_equal(whole.inputs()["error"], cut.inputs()["error"])
        np.testing.assert_allclose(whole.inputs()["rate"], cut.inputs()["rate"], rtol=1e-5)


def test_rows_keep_them_where_asked(tmp_path):
    _, rows = recorded(tmp_path / "run.h5", inputs=N, keep=(False, True, False))
    assert [row.each_input is None for row in rows] == [True, False, True]
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.plane()["step"].tolist() == [1, 2, 3]
        assert run.inputs()["step"].tolist() == [2]


def test_of_real_labels_the_error_is_the_squared_distance(tmp_path):
    x, _ = data()
    labels = torch.stack([x[:, 0], x[:, 1] ** 2], dim=1)
    model, _ = recorded(tmp_path / "run.h5", inputs=N, labels=labels, targets=2)
    with torch.no_grad():
        expected = (model(x) - labels).square().sum(1)
    with ip.open_run(tmp_path / "run.h5") as run:
        np.testing.assert_allclose(run.inputs()["error"][0], expected, rtol=1e-5)
        assert np.isnan(run.inputs()["loss"]).all()


def test_without_them_there_is_no_stream(tmp_path):
    recorded(tmp_path / "run.h5")
    with ip.open_run(tmp_path / "run.h5") as run:
        assert "inputs" not in run.streams


@pytest.mark.parametrize("given", [-1, 2.5, True, "all"])
def test_a_number_of_inputs_that_cannot_be_is_refused(tmp_path, given):
    with pytest.raises(ip.errors.InputError, match="inputs"):
        recorded(tmp_path / "run.h5", inputs=given)
