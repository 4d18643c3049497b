"""What `estimate` adds to a method's reading: findings about the samples, limits, and what an error is over."""

import math

import numpy as np
import pandas as pd
import pytest

from infoplane.analysis import estimate as module
from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import Estimate, estimate
from infoplane.analysis.estimators import NAMES, method_named
from infoplane.analysis.estimators.method import MUTUAL_INFORMATION, Method, Reading
from infoplane.analysis.estimators.plugin import Plugin
from infoplane.analysis.uncertainty import jackknife

RNG = np.random.default_rng(0)
X = RNG.standard_normal((400, 3))
Y = RNG.integers(0, 3, 400)
OF_LABELS = [name for name in NAMES if method_named(name).y == "discrete"]


def codes(result):
    return [finding.code for finding in result.findings]


def made_up(nats, *, quantity=MUTUAL_INFORMATION, **more):
    """Return a method that reads what it is told to."""
    return Method(
        name="made up",
        function=lambda x, y, parameters: Reading(nats, 0.1),
        parameters=Plugin,
        kind="estimate",
        x="either",
        y="either",
        assumes="nothing",
        wrong_when="always",
        source="none",
        quantity=quantity,
        **more,
    )


@pytest.fixture
def reads(monkeypatch):
    """Return a function that estimates with a made-up method."""

    def read(x, y, nats, **more):
        monkeypatch.setattr(module, "method_named", lambda name: made_up(nats, **more))
        return estimate(x, y, method="made up", base=math.e)

    return read


@pytest.mark.parametrize("more", [{}, {"quantity": "another", "within_entropies": True}])
def test_limits_of_shannon_information_are_tested_where_they_hold(reads, more):
    assert codes(reads(X, Y, -0.1, **more)) == ["negative"]
    assert codes(reads(X, Y, 1.2, **more)) == ["above_entropy"]
    assert codes(reads(X, X, 6.1, **more)) == ["above_log_n"]
    assert codes(reads(X, Y, math.nan, **more)) == ["not_finite"]
    assert not reads(X, Y, 1.0, **more).findings


def test_limits_of_shannon_information_are_no_limits_of_other_quantities(reads):
    for nats in (-0.1, 1.2, 6.1):
        assert not reads(X, Y, nats, quantity="another").findings
        assert not reads(X, X, nats, quantity="another").findings
    assert codes(reads(X, Y, math.inf, quantity="another")) == ["not_finite"]


def test_amount_above_the_entropy_is_that_of_the_labels(reads):
    (finding,) = reads(X, [0] * 100 + [1] * 300, 1.0).findings
    assert finding.amount == pytest.approx(1 + 0.25 * math.log(0.25) + 0.75 * math.log(0.75), rel=1e-12)
    assert finding.unit == "nat"


def test_sliced_information_stays_within_the_entropies_and_renyi_information_need_not():
    assert method_named("sliced").within_entropies
    renyi = method_named("renyi")
    assert renyi.quantity != MUTUAL_INFORMATION
    assert not renyi.within_entropies


@pytest.mark.parametrize(
    ("name", "over"), [("plugin", "samples"), ("sliced", "slices"), ("sample_propagation", "draws")]
)
def test_what_a_standard_error_is_over_is_kept_and_shown(name, over):
    x = Y if name == "plugin" else X
    result = estimate(x, Y, method=name, **({"slices": 5} if name == "sliced" else {}))
    assert result.standard_error > 0
    assert result.error_over == over
    assert (f"n = 400, error over {over})" in str(result)) == (over != "samples")


def test_error_that_there_is_not_is_over_nothing():
    made = Estimate(1.0, "bit", "estimate", "made up", {}, 9, math.nan, (), MUTUAL_INFORMATION, error_over="draws")
    assert str(made) == "mutual information 1.0000 bit (made up, estimate, n = 9)"
    assert Estimate(1.0, "bit", "estimate", "made up", {}, 9, 0.1, (), MUTUAL_INFORMATION).error_over == "samples"


@pytest.mark.parametrize("name", [name for name in OF_LABELS if name not in ("ross", "v_information", "online_mdl")])
def test_floats_that_are_read_as_one_label_each_are_said(name):
    x = Y if method_named(name).x == "discrete" else X
    y = RNG.standard_normal(400)
    (finding,) = [found for found in estimate(x, y, method=name).findings if found.code == "floats_as_labels"]
    assert finding.where == "y"
    assert "400 labels among 400 samples" in finding.text
    assert "floats_as_labels" not in codes(estimate(x, np.argsort(np.argsort(y)), method=name))
    assert "floats_as_labels" not in codes(estimate(x, Y.astype(float), method=name))


@pytest.mark.parametrize(("different", "said"), [(10, False), (11, True)])
def test_floats_are_labels_while_at_most_half_of_them_differ(different, said):
    y = np.arange(20.0) % different
    assert ("floats_as_labels" in codes(estimate(np.arange(20), y, method="plugin"))) == said
    both = estimate(y, y, method="plugin")
    assert [finding.where for finding in both.findings if finding.code == "floats_as_labels"] == ["x", "y"] * said


@pytest.mark.parametrize("name", ["ross", "binning", "kde_upper"])
def test_a_constant_variable_is_said_beside_its_columns(name):
    result = estimate(np.zeros((400, 2)), Y, method=name)
    assert (result.value, codes(result)) == (0, ["constant_columns", "constant"])
    assert [finding.where for finding in estimate(X, Y * 0, method=name).findings] == ["y"]
    both = estimate(np.zeros((400, 2)), Y * 0, method=name)
    assert [finding.where for finding in both.findings if finding.code == "constant"] == ["x", "y"]


def test_a_dead_neuron_does_not_make_its_layer_constant():
    dead = np.column_stack([X, np.zeros(400)])
    for name in ("ross", "binning"):
        assert "constant" not in codes(estimate(dead, Y, method=name))


def test_pandas_objects_of_different_indices_are_not_paired_by_position():
    x = pd.DataFrame(np.random.default_rng(0).standard_normal((50, 2)))
    y = x[0] ** 2
    assert math.isfinite(estimate(x, y, method="gaussian").value)
    shuffled = y.sample(frac=1, random_state=0)
    with pytest.raises(InputError, match="different indices"):
        estimate(x, shuffled, method="gaussian")
    with pytest.raises(InputError, match="different indices"):
        jackknife(x, shuffled, method="gaussian")


def test_feature_maps_are_refused_with_the_way_to_flatten_them():
    with pytest.raises(InputError, match=r"x.reshape\(len\(x\), -1\)"):
        estimate(np.zeros((10, 2, 3, 3)), np.arange(10), method="binning")


@pytest.mark.parametrize(
    ("wrong", "near"), [("KSG1", "'ksg1'"), ("kde", "'kde_lower' or 'kde_upper'"), ("Ross", "'ross'")]
)
def test_near_names_go_on_from_what_was_typed_whatever_its_case(wrong, near):
    with pytest.raises(InputError, match=f"did you mean {near}"):
        estimate([0.0, 1.0], [0.0, 1.0], method=wrong)


def test_reason_of_the_choice_is_printed():
    rng = np.random.default_rng(0)
    found = estimate(rng.standard_normal(200), rng.standard_normal(200))
    assert f"why: {found.parameters['why']}" in str(found)
