"""Statistics of the scores of all pairs, held against loops over pairs and against repeated draws."""

import math

import numpy as np
import pytest
import torch

from infoplane.analysis.estimators.critic_statistics import Normaliser, log_mean_exp, of_joint, of_product


def exact_scores(rho, n, rng):
    """Return log p(x_i, y_j) / (p(x_i) p(y_j)) of n samples of a bivariate normal law."""
    x = rng.standard_normal(n)
    y = rho * x + math.sqrt(1 - rho**2) * rng.standard_normal(n)
    a, b = x[:, None], y[None]
    ratio = -0.5 * math.log(1 - rho**2) - (rho**2 * (a**2 + b**2) - 2 * rho * a * b) / (2 * (1 - rho**2))
    return torch.as_tensor(ratio)


def test_pairs_of_the_product_law_are_those_off_the_diagonal():
    scores = torch.arange(16.0).view(4, 4)
    assert of_joint(scores).tolist() == [0, 5, 10, 15]
    assert of_product(scores).tolist() == [[1, 2, 3], [4, 6, 7], [8, 9, 11], [12, 13, 14]]


def test_normaliser_equals_loops_over_pairs():
    scores = torch.as_tensor(np.random.default_rng(0).standard_normal((7, 7)))
    e = scores.exp().numpy()
    z = (e.sum() - np.trace(e)) / 42
    found = Normaliser.of(scores)
    assert found.log == pytest.approx(math.log(z), rel=1e-12)
    assert float(log_mean_exp(scores)) == pytest.approx(math.log(z), rel=1e-12)
    rows, columns = (e.sum(axis) - np.diag(e) for axis in (1, 0))
    assert found.influence.numpy() == pytest.approx((rows + columns) / 6 / z - 2, rel=1e-12)


def test_mean_over_the_product_law_is_unbiased():
    rng = np.random.default_rng(1)
    means = [math.exp(float(log_mean_exp(exact_scores(0.5, 10, rng)))) for _ in range(4000)]
    assert np.mean(means) == pytest.approx(1, abs=4 * np.std(means) / math.sqrt(4000))
    assert np.std(means) / math.sqrt(4000) < 0.01


def test_relative_error_is_the_spread_over_draws():
    rng = np.random.default_rng(2)
    found = [Normaliser.of(exact_scores(0.5, 100, rng) / 2) for _ in range(1000)]
    spread = np.std([one.log for one in found])
    assert np.mean([one.relative_error for one in found]) == pytest.approx(spread, rel=0.08)


def test_relative_error_is_too_large_rather_than_too_small_under_the_exact_critic():
    # Every row and column then has mean 1, and what is left is noise of pairs, counted twice.
    rng = np.random.default_rng(3)
    found = [Normaliser.of(exact_scores(0.5, 100, rng)) for _ in range(600)]
    spread = np.std([one.log for one in found])
    assert spread < np.mean([one.relative_error for one in found]) < 1.5 * spread


def test_mean_that_rests_on_few_pairs_is_said():
    scores = torch.zeros(50, 50, dtype=torch.float64)
    assert Normaliser.of(scores).findings == ()
    scores[3, 4] = 12
    assert [finding.code for finding in Normaliser.of(scores).findings] == ["few_pairs"]
