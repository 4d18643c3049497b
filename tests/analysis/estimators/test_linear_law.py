"""One linear law or several: the level under normal laws, and what it detects where networks see nothing."""

import numpy as np

from infoplane.analysis.estimators.linear_law import change_of_slopes
from infoplane.analysis.known import dense_normal


def test_normal_laws_are_seldom_accused():
    known = dense_normal(4, 3)
    chances = np.array([change_of_slopes(*known.sample(200, seed)) for seed in range(300)])
    assert np.mean(chances < 0.1) < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 300)
    assert np.mean(chances < 0.1) > 0.03  # Bonferroni over seven columns loses some, not all


def test_saturation_is_found_in_twenty_columns():
    rng = np.random.default_rng(0)
    u = rng.standard_normal((5000, 20))
    factor = np.where((u**2).sum(axis=1, keepdims=True) > 20, 0.4, 0.8)
    v = factor * u + 0.6 * rng.standard_normal((5000, 20))
    assert change_of_slopes(u, v) < 1e-6


def test_too_few_samples_say_nothing():
    rng = np.random.default_rng(0)
    assert change_of_slopes(rng.standard_normal((30, 20)), rng.standard_normal((30, 2))) == 1
