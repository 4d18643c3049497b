"""A whole plane: what the estimates of several layers contradict, and what they do not."""

import math
from dataclasses import replace

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.validity import Accuracy, findings_of_layers

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 2, 300)
INPUTS = np.arange(300)
LAYER = np.where(LABELS, 1.0, -1.0)[:, None] + 0.5 * RNG.standard_normal((300, 2))
READ = estimate(LAYER, LABELS, method="ross")


def read(value, kind="estimate", error=0.0, **changes):
    return replace(READ, value=value, kind=kind, standard_error=error, **changes)


def said(*arguments, **options):
    return [(finding.code, finding.where) for finding in findings_of_layers(*arguments, **options)]


def test_true_bounds_of_a_chain_contradict_nothing():
    layers = {}
    for name, t in (("one", LAYER), ("two", np.tanh(LAYER)), ("three", np.tanh(LAYER[:, :1]))):
        layers[name] = [
            estimate(t, LABELS, method=method, noise_variance=noise)
            for method in ("kde_lower", "kde_upper", "sample_propagation")
            for noise in (0.01, 1.0)
        ]
    assert said(layers) == []
    assert said(layers, accuracy={"one": Accuracy(0.5, 300, 2, 1.0)}, train=layers) == []


def test_a_lower_bound_above_an_upper_one_is_found_in_its_layer():
    layers = {"a": [read(0.5, "lower_bound"), read(0.4, "upper_bound")], "b": [read(0.5, "upper_bound")]}
    assert said(layers) == [("lower_above_upper", "a")]
    assert findings_of_layers(layers)[0].amount == pytest.approx(0.1)
    within = {"a": [read(0.5, "lower_bound", 0.02), read(0.4, "upper_bound", 0.01)]}
    assert said(within) == []
    assert said({"a": [read(0.5, "lower_bound", math.nan), read(0.4, "upper_bound")]}) == []


def test_bounds_of_other_noise_are_bounds_of_another_layer():
    lower = estimate(LAYER, INPUTS, method="kde_lower", noise_variance=0.01)
    upper = estimate(LAYER, INPUTS, method="kde_upper", noise_variance=10.0)
    assert lower.value > upper.value + 1
    assert said({"a": [lower, upper, read(0.9, "lower_bound")]}) == []
    same = estimate(LAYER, INPUTS, method="kde_upper", noise_variance=0.01)
    assert said({"a": [lower, replace(same, value=lower.value - 0.1)]}) == [("lower_above_upper", "a")]


def test_an_accuracy_proves_more_than_an_estimate_of_its_layer():
    known = Accuracy(error=0.02, n=10_000, classes=2, entropy=1.0)
    layers = {"a": [read(0.3)], "b": [read(0.3, "lower_bound")], "c": [read(0.95)], "d": [read(0.3)]}
    assert said(layers, accuracy=dict.fromkeys("abc", known)) == [("below_fano", "a")]


def test_exact_counts_and_bounds_gain_along_a_chain_alone():
    exact = [estimate(codes, np.arange(64), method="exact") for codes in (np.arange(64) // 8, np.arange(64))]
    layers = {"a": [exact[0]], "b": [exact[1]]}
    assert said(layers, chain=["a", "b"]) == [("counts_gain_information", "b after a")]
    assert said(layers, chain=["b", "a"]) == said(layers) == []
    bounds = {"a": [read(0.2, "upper_bound")], "b": [read(0.3)], "c": [read(0.4, "lower_bound")]}
    assert said(bounds, chain=["a", "b", "c"]) == [("bounds_gain_information", "c after a")]
    assert said(bounds, chain=["c", "b", "a"]) == []


def test_bins_and_noise_of_each_layers_own_only_differ_in_resolution():
    small = 0.05 * LAYER
    for low, high in (("kde_upper", "kde_lower"), ("binning", "binning")):
        options = {"number": 8} if low == "binning" else {"noise_variance": 0.01}
        layers = {
            "small": [estimate(small if low != "binning" else small[:, :1], LABELS, method=low, **options)],
            "large": [estimate(LAYER, LABELS, method=high, **options)],
        }
        expected = [("resolution_differs", "large after small")] if low == high else []
        assert said(layers, chain=["small", "large"]) == expected


def test_splits_differ_beyond_their_errors_of_sampling_only():
    test = {"a": [read(0.5, error=0.01)], "b": [read(0.5, error=0.01)]}
    train = {"a": [read(0.7, error=0.01)], "b": [read(0.52, error=0.01)]}
    assert said(test, train=train) == [("train_test_gap", "a")]
    binned = [{"a": [estimate(t, LABELS, method="binning", number=number)]} for t, number in ((LAYER, 4), (LAYER, 40))]
    assert said(binned[0], train=binned[1]) == []


def test_names_and_units_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="no estimates of 'b'"):
        findings_of_layers({"a": [READ]}, chain=["a", "b"])
    with pytest.raises(InputError, match=r"is in bit, but base=2\.718"):
        findings_of_layers({"a": [READ]}, base=math.e)
