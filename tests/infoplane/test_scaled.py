"""Passes of synaptic scaling in a run file: every number of a report, and a warning where a layer is driven away."""

import logging

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import infoplane as ip
from infoplane.runfile.scaling_stream import SCALING_QUANTITIES


def network(scale=1.0):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    with torch.no_grad():
        model[0].weight.mul_(scale)
    return model


def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(60, 6, generator=generator)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()


def recording(model, path, scaling, **options):
    options = {"sites": ["1"], "classes": 3, "latent": 2, "draws": 1, "sandwich": 4, "sketch_at": None, **options}
    return ip.record(model, path, scaling=scaling, **options)


def step(model, rec):
    x, y = data()
    F.cross_entropy(model(x), y).backward()
    rec.loss(y)


def test_every_number_of_every_report_is_in_the_file(tmp_path):
    model = network()
    scaling, reports = ip.SynScaW(model, preset="stable", gamma=0.2), []
    with recording(model, tmp_path / "run.h5", scaling) as rec:
        for epoch in (1, 2):
            step(model, rec)
            reports.append(scaling.apply(gamma=0.1 * epoch))
            rec.scaled(reports[-1], epoch=epoch)
    with ip.open_run(tmp_path / "run.h5") as run:
        passes = run.scaling()
        assert passes["layer"].tolist() == ["0", "2"]
        assert passes["activation"].tolist() == ["ReLU", "identity"]
        assert passes["step"].tolist() == [1, 2]
        assert passes["epoch"].tolist() == [1, 2]
        np.testing.assert_allclose(passes["gamma"], [0.1, 0.2])
        assert (passes.attrs["rule"], passes.attrs["granularity"]) == ("signed_w2", "layer")
        for row, report in enumerate(reports):
            for k, layer in enumerate(report):
                values = dict(zip(passes["quantity"], passes["values"][row, k], strict=True))
                assert values == {name: getattr(layer, name) for name in SCALING_QUANTITIES}
                assert passes["away"][row, k] == layer.away
        table = passes.to_dataframe()
        assert set(table["unit"]) == {"unit of the activations", "unit of the weights"}
        assert run.provenance["scaling"] == scaling.configuration


def test_a_layer_that_is_driven_away_is_said_once_and_marked_every_time(tmp_path, caplog):
    model = network(scale=6.0)
    scaling = ip.SynScaW(model, gamma=0.05, layers=["0"])
    with caplog.at_level(logging.WARNING, "infoplane"), recording(model, tmp_path / "run.h5", scaling) as rec:
        for _ in range(3):
            step(model, rec)
            report = scaling.apply()
            assert report.away == ("0",)
            rec.scaled(report)
    said = [record.message for record in caplog.records if "SynScaW" in record.message]
    assert len(said) == 1
    assert "away from its target 0.25" in said[0]
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.scaling()["away"].tolist() == [[1], [1], [1]]
        assert [text for text in run.events()["text"] if "SynScaW" in text] == said


def test_where_no_pass_was_due_there_is_nothing_to_append(tmp_path):
    model = network()
    scaling = ip.SynScaW(model, every="2 steps", layers=["0"])
    with recording(model, tmp_path / "run.h5", scaling) as rec:
        for count in range(1, 5):
            step(model, rec)
            rec.scaled(scaling.after_step(count))
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.scaling()["step"].tolist() == [2, 4]


def test_a_state_remembers_what_was_said(tmp_path, caplog):
    model = network(scale=6.0)
    scaling = ip.SynScaW(model, gamma=0.05, layers=["0"])
    with recording(model, tmp_path / "run.h5", scaling) as rec:
        step(model, rec)
        rec.scaled(scaling.apply())
        state = rec.state_dict()
    caplog.clear()
    with recording(model, tmp_path / "run.h5", scaling, resume=True) as rec:
        rec.load_state_dict(state)
        step(model, rec)
        rec.scaled(scaling.apply())
    assert not [record for record in caplog.records if "SynScaW" in record.message]
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.scaling()["step"].tolist() == [1, 2]


def test_a_resumed_file_must_scale_the_same_layers(tmp_path):
    model = network()
    scaling = ip.SynScaW(model, layers=["0"])
    with recording(model, tmp_path / "run.h5", scaling) as rec:
        step(model, rec)
        rec.scaled(scaling.apply())
    other = ip.SynScaW(model, layers=["2"])
    with (
        pytest.raises(
            ip.errors.RunFileError, match=r"activations of scaling is .*ReLU.* in the file and .*identity.* now"
        ),
        recording(model, tmp_path / "run.h5", other, resume=True),
    ):
        pass
    with (
        pytest.raises(ip.errors.RunFileError, match="stream 'scaling' is in the file alone"),
        recording(model, tmp_path / "run.h5", None, resume=True) as rec,
    ):
        step(model, rec)


@pytest.mark.parametrize(
    ("misuse", "error", "text"),
    [
        (lambda rec, report: rec.scaled({"0": 1}), ip.errors.InputError, "it was given dict"),
        (lambda rec, report: rec.scaled(report(["0"])), ip.errors.InputError, "the report is of the layers"),
        (lambda rec, report: [rec.scaled(report(None)) for _ in range(2)], ip.errors.CaptureError, "at step 1 before"),
    ],
)
def test_reports_that_do_not_fit_are_refused(tmp_path, misuse, error, text):
    model = network()
    with recording(model, tmp_path / "run.h5", ip.SynScaW(model)) as rec:
        step(model, rec)
        with pytest.raises(error, match=text):
            misuse(rec, lambda layers: ip.SynScaW(model, layers=layers).apply())


def test_a_pass_before_the_first_step_is_refused(tmp_path):
    model = network()
    scaling = ip.SynScaW(model)
    with (
        recording(model, tmp_path / "run.h5", scaling) as rec,
        pytest.raises(ip.errors.CaptureError, match="there was none yet"),
    ):
        rec.scaled(scaling.apply())


def test_a_pass_without_scaling_in_the_recording_is_refused(tmp_path):
    model = network()
    with recording(model, tmp_path / "run.h5", None) as rec:
        step(model, rec)
        with pytest.raises(ip.errors.InputError, match=r"record\(\.\.\., scaling=\)"):
            rec.scaled(ip.SynScaW(model).apply())
    with pytest.raises(ip.errors.InputError, match="must be a SynScaW"):
        recording(model, tmp_path / "other.h5", "synscaw")
