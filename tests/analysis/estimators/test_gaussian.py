"""The normal law's information: against its closed form, with the bias of few samples taken off."""

import math

import numpy as np
import pytest

from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.gaussian import Gaussian, gaussian, wishart_bias
from infoplane.analysis.known import dense_normal, sparse_normal


def test_bias_of_few_samples_is_taken_off_exactly():
    known = dense_normal(3, 2)
    readings = [gaussian(*known.sample(20, seed), Gaussian()).nats for seed in range(1500)]
    error = np.std(readings) / math.sqrt(len(readings))
    assert wishart_bias(20, 3, 2) > 15 * error
    assert np.mean(readings) == pytest.approx(known.nats, abs=3 * error)


def test_fifty_columns_lose_their_bias():
    known = dense_normal(50, 50)
    readings = [gaussian(*known.sample(5000, seed), Gaussian()).nats for seed in range(3)]
    assert np.mean(readings) == pytest.approx(known.nats, abs=0.025)
    assert wishart_bias(5000, 50, 50) > 0.25


def test_linear_maps_of_a_side_change_nothing():
    x, y = sparse_normal(3, 3).sample(300)
    maps = np.random.default_rng(0).standard_normal((2, 3, 3))
    moved = gaussian(x @ maps[0] + 5, y @ maps[1], Gaussian())
    assert moved.nats == pytest.approx(gaussian(x, y, Gaussian()).nats, rel=1e-9)


def test_combination_of_columns_is_left_out_and_said():
    x, y = sparse_normal(3, 3).sample(300)
    wide = np.column_stack([x, x[:, 0] + 2 * x[:, 1]])
    found = estimate(wide, y, method="gaussian", base=math.e)
    assert found.value == pytest.approx(gaussian(x, y, Gaussian()).nats, rel=1e-9)
    assert [finding.code for finding in found.findings] == ["collinear"]


def test_shared_direction_is_infinite_and_said():
    x, y = sparse_normal(2, 2).sample(300)
    found = estimate(x, np.column_stack([y[:, 0], x.sum(axis=1)]), method="gaussian")
    assert found.value == math.inf
    assert {"deterministic", "not_finite"} <= {finding.code for finding in found.findings}


@pytest.mark.parametrize("noise", [1e-3, 1e-6, 1e-9, 1e-11])
def test_information_near_a_deterministic_relation_is_read_to_its_digits(noise):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 2))
    y = x + noise * rng.standard_normal((2000, 2))
    found = gaussian(x, y, Gaussian())
    assert found.nats == pytest.approx(math.log1p(1 / noise**2), rel=0.02)
    assert not found.findings
