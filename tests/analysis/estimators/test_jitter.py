"""Standardised columns, and the jitter of those with ties."""

import numpy as np
import pytest

from infoplane.analysis.estimators.jitter import SIZE, standardised, untied


def test_columns_get_mean_0_and_deviation_1():
    side = np.random.default_rng(0).normal([5, -1e3], [1e-4, 50], (1000, 2))
    scaled = standardised(side)
    assert scaled.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert scaled.std(axis=0) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e307])
def test_columns_of_any_scale_are_standardised(scale):
    side = np.random.default_rng(0).normal(1, 1, (1000, 2))
    scaled = standardised(side * [scale, 1])
    assert scaled[:, 0] == pytest.approx(standardised(side)[:, 0], abs=1e-9)
    assert np.array_equal(scaled[:, 1], standardised(side)[:, 1])


def test_a_power_of_two_changes_no_digit():
    side = np.random.default_rng(0).normal(3, 1, (1000, 2))
    centred = side - side.mean(axis=0)
    assert np.array_equal(standardised(side), centred / centred.std(axis=0))
    assert np.array_equal(standardised(side), standardised(side * [2.0**-700, 2.0**900]))


def test_only_columns_with_ties_are_moved_and_by_no_more_than_said():
    rng = np.random.default_rng(0)
    side = np.column_stack([rng.standard_normal(500), np.maximum(rng.standard_normal(500), 0)])
    data = untied(0, x=side)
    moved = data.sides[0] - standardised(side)
    assert not moved[:, 0].any()
    assert SIZE == 1e-10  # far under what single precision resolves of a column, 6e-8
    assert SIZE / 2 < np.abs(moved[:, 1]).max() < SIZE * (1 + 1e-5)
    assert np.unique(data.sides[0][:, 1]).size > 495
    share = (side[:, 1] == 0).mean()
    assert data.chosen == {"columns": "standardised", "jitter_x": SIZE, "tied_x": share}
    assert [(finding.code, finding.where, finding.amount) for finding in data.findings] == [("ties", "x", share)]


def test_samples_without_ties_stay_and_nothing_is_said():
    side = np.random.default_rng(0).standard_normal((500, 3))
    data = untied(0, y=side)
    assert np.array_equal(data.sides[0], standardised(side))
    assert data.chosen == {"columns": "standardised"}
    assert not data.findings


def test_a_few_chance_ties_are_jittered_without_a_finding():
    side = np.random.default_rng(0).standard_normal((1000, 1))
    side[0] = side[1]
    data = untied(0, x=side)
    assert data.sides[0][0] != data.sides[0][1]
    assert data.chosen["tied_x"] == 0.002
    assert not data.findings


def test_sides_get_jitters_of_their_own():
    side = np.repeat([[0.0], [1.0]], 50, axis=0)
    data = untied(3, x=side, y=side)
    assert not np.array_equal(*data.sides)
    again = untied(3, x=side, y=side)
    assert np.array_equal(data.sides[0], again.sides[0])
    assert not np.array_equal(data.sides[0], untied(4, x=side).sides[0])
