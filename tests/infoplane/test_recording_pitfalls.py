"""What once went wrong in a recording, though each part was right by itself."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.analysis.noisy_code import rate
from infoplane.errors import InputError

CLASSES = 3


def data(n=60, seed=1):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % CLASSES
    return torch.randn(n, 6, generator=generator) + 2 * functional.one_hot(y, 6), y


def steps(rec, model, count=3):
    x, y = data()
    for _ in range(count):
        (functional.cross_entropy(model(x).float(), y) + rec.loss(y)).backward()


def seeded(build):
    torch.manual_seed(0)
    return build()


class Backwards(nn.Module):
    """Declares its layers in one order and calls them in the other."""

    def __init__(self):
        super().__init__()
        self.late, self.early = nn.Linear(6, CLASSES), nn.Linear(6, 6)

    def forward(self, x):
        return self.late(torch.relu(self.early(x)))


def recording(model, path=None, **options):
    return ip.record(model, path, **({"sites": "early", "classes": CLASSES, "latent": 4} | options))


def test_raw_activations_are_those_of_the_site_they_are_named_after(tmp_path):
    model = seeded(Backwards)
    with recording(model, tmp_path / "run.h5", sites="*", raw=60) as rec:
        steps(rec, model)
        rec.measure([data()])
        early = model.early(data()[0])
        expected = {"early": early, "late": model.late(torch.relu(early))}
    with ip.open_run(tmp_path / "run.h5") as run:
        for site, activation in expected.items():
            np.testing.assert_allclose(run.raw(site)[0], activation.detach(), rtol=1e-5, atol=1e-6)


class Gated(nn.Module):
    """A chain, but for inputs whose last feature is above a threshold: these go around as well."""

    def __init__(self, threshold):
        super().__init__()
        self.narrow, self.last, self.around = nn.Linear(6, 1), nn.Linear(1, CLASSES), nn.Linear(6, CLASSES)
        self.threshold = threshold

    def forward(self, x):
        return self.last(self.narrow(x)) + (x[:, -1:] > self.threshold) * self.around(x)


@pytest.mark.parametrize(("threshold", "is_chain"), [(1.0, False), (-10.0, False), (100.0, True)])
def test_a_path_that_is_open_for_some_inputs_alone_is_no_chain(threshold, is_chain):
    """Inputs with the path open stand at the end of a batch; the experiment must not look at the first ones alone."""
    model, (x, y) = seeded(lambda: Gated(threshold)), data(200)
    order = x[:, -1].argsort()
    with recording(model, sites=["narrow"]) as rec:
        steps(rec, model)
        rec.measure([(x[order], y[order])])
        later = rec._observer._later
    assert ("" in later["narrow"]) == is_chain  # "" is the network's own output


def test_weights_of_a_sketched_step_are_those_that_it_ran_with(tmp_path):
    """Inside rec.batch the optimizer has moved them before the probes learn."""
    model, (x, y) = seeded(Backwards), data()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    ran_with = []
    with recording(model, tmp_path / "run.h5", sketch_at=1) as rec:
        for _ in range(2):
            ran_with.append(model.early.weight.detach().clone())
            with rec.batch(y):
                loss = functional.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with ip.open_run(tmp_path / "run.h5") as run:
        for row, weight in enumerate(ran_with):
            largest = run.sketch("step_weights", "early.weight", row)["maximum_positive"]
            assert largest == pytest.approx(float(weight.max()), rel=1e-6)


def test_a_snapshot_asked_for_between_forward_and_loss_is_of_the_next_step(tmp_path):
    model, (x, y) = seeded(Backwards), data()
    with recording(model, tmp_path / "run.h5", sketch_at=None) as rec:
        model(x)
        rec.snapshot()
        rec.loss(y)
        steps(rec, model, 1)
    with ip.open_run(tmp_path / "run.h5") as run:
        assert run.stream("step_activations").row_values.tolist() == [1]
        assert run.sketch("step_activations", "early")["n"] == 60 * 6


def test_control_of_joint_probes_gathers_as_they_do():
    """With a host that never moves the control must be the probe itself."""
    model = seeded(Backwards)
    with recording(model, mode="joint", control=True, probe_every=3) as rec:
        steps(rec, model, 9)
        bounds = rec.measure([data()]).bounds
    assert bounds.i_zx[0] == pytest.approx(bounds.i_zx[1], rel=1e-6)
    assert bounds.i_zy[0] == pytest.approx(bounds.i_zy[1], rel=1e-5)


def test_probe_is_the_one_that_was_measured_where_weights_are_averaged():
    model = seeded(Backwards)
    with recording(model, averaging=0.9, learning_rate=0.05) as rec:
        steps(rec, model, 20)
        measured = rec.measure([data()])
        code = rec.probe("early").code(model.early(data()[0]))
    assert measured.bounds.i_zx[0] == pytest.approx(rate(code).value, rel=1e-4)


class Soft(Backwards):
    def forward(self, x):
        return (4 * super().forward(x)).softmax(1).bfloat16()


def test_probabilities_of_low_precision_are_known_as_such():
    model, (x, y) = seeded(Soft), data(600)
    with recording(model) as rec:
        model(x)
        rec.loss(y)
        measured = rec.measure([(x, y)])
        expected = functional.nll_loss(model(x).double().log(), y).item() / math.log(2)
    assert measured.loss == pytest.approx(expected, rel=1e-2)


def test_a_loss_that_was_refused_leaves_nothing_behind():
    model, (x, y) = seeded(Backwards), data()
    with recording(model) as rec:
        model(x)
        with pytest.raises(InputError, match="a label is 7"):
            rec.loss(torch.full((60,), 7))
        model(x)
        rec.loss(y)


def test_a_held_out_order_that_changes_is_said_once(caplog):
    model, (x, y) = seeded(Backwards), data()
    with recording(model) as rec, caplog.at_level("WARNING"):
        for shift in (0, 1, 2):
            steps(rec, model, 1)
            rec.measure([(x.roll(shift, 0), y.roll(shift, 0))])
    assert sum("another order" in record.getMessage() for record in caplog.records) == 1


class Passed(nn.Module):
    """A bottleneck with or without a path around it."""

    def __init__(self, around):
        super().__init__()
        self.first, self.code, self.last = nn.Linear(6, 6), ip.VIBBottleneck(6, 6), nn.Linear(6, CLASSES)
        self.around = around

    def forward(self, x):
        h = self.first(x)
        return self.last(self.code(h) + self.around * h)


@pytest.mark.parametrize("around", [0.0, 1.0])
def test_a_bottleneck_with_a_path_around_it_has_no_label_bound(around, caplog):
    model = seeded(lambda: Passed(around))
    with ip.record(model, None, mode="bottleneck", classes=CLASSES) as rec, caplog.at_level("WARNING"):
        steps(rec, model)
        measured = rec.measure([data()])
    assert math.isfinite(measured.bounds.i_zx[0])
    for value in (measured.bounds.i_zy[0], measured.bounds.ce[0], measured.bounds.error[0], measured.i_ty_chain[0]):
        assert math.isnan(value) == (around > 0)
    assert ("alone" in caplog.text) == (around > 0)


def test_betas_that_would_have_one_name_are_refused():
    with pytest.raises(InputError, match="alike in six digits"):
        recording(seeded(Backwards), beta=(0.1, 0.10000001))


def test_a_code_too_extreme_to_be_enclosed_is_said_to_be(tmp_path):
    model = seeded(Backwards)
    with recording(model, tmp_path / "run.h5", scale_twins=(1e4,)) as rec:
        steps(rec, model)
        measured = rec.measure([data()])
    assert math.isfinite(measured.bounds.i_zx[1])
    assert math.isnan(measured.i_zx_lower[1])
    with ip.open_run(tmp_path / "run.h5") as run:
        found = run.findings().to_dataframe().set_index("code")["where"]
    assert found["sandwich_missing"] == "early@x10000"


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.each, self.last = nn.Linear(6, 4), nn.Linear(4, CLASSES)

    def forward(self, x):
        return self.last(self.each(x).mean(1))


def test_inputs_of_another_size_are_refused_by_the_name_of_the_site():
    model, y = seeded(Tokens), torch.arange(12) % CLASSES
    with recording(model, sites="each", reduce="flatten") as rec:
        model(torch.zeros(12, 6, 6))
        rec.loss(y)
        with pytest.raises(LookupError, match=r"'each' gave \(12, 4, 4\).*makes 16 numbers.*began with 24"):
            model(torch.zeros(12, 4, 6))


@pytest.mark.parametrize("option", ["control", "activations", "weights", "neurons", "overwrite"])
def test_a_word_is_no_truth_value(option):
    with pytest.raises(InputError, match=f"{option} is 'no', but it must be True or False"):
        recording(seeded(Backwards), **{option: "no"})


@pytest.mark.parametrize(("options", "text"), [({"sinks": [3]}, "3 is no sink"), ({"split": None}, "split is None")])
def test_sinks_and_split_of_a_wrong_kind_are_refused(options, text):
    with pytest.raises(InputError, match=text):
        recording(seeded(Backwards), **options)


def test_what_is_returned_is_shown_in_a_line():
    model = seeded(Backwards)
    with recording(model) as rec:
        steps(rec, model, 2)
        assert repr(rec.measure([data()])) == "<Measurement at step 2: 1 probe, n = 60; see bounds>"
        assert repr(rec) == "<Recording without a file: early; step 2>"
