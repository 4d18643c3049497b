"""The Gaussian copula: margins do not matter, the bias is taken off, ties are said."""

import numpy as np
import pytest

from infoplane.analysis.estimators.gaussian import Gaussian, gaussian
from infoplane.analysis.estimators.gaussian_copula import GaussianCopula, gaussian_copula
from infoplane.analysis.known import bivariate_normal, dense_normal, sparse_normal


def test_increasing_maps_of_columns_change_nothing():
    x, y = sparse_normal(3, 3).sample(400)
    assert gaussian_copula(np.exp(x), y**3, GaussianCopula()).nats == gaussian_copula(x, y, GaussianCopula()).nats


def test_strange_margins_keep_the_truth_that_correlations_lose():
    known = bivariate_normal(0.75)
    pairs = [known.sample(5000, seed) for seed in range(6)]
    values = [gaussian_copula(np.exp(2 * x), np.sinh(y), GaussianCopula()).nats for x, y in pairs]
    assert np.mean(values) == pytest.approx(known.nats, abs=0.01)
    assert gaussian(np.exp(2 * pairs[0][0]), np.sinh(pairs[0][1]), Gaussian()).nats < known.nats - 0.1


def test_bias_of_fifty_columns_is_taken_off():
    known = dense_normal(50, 50)
    values = [gaussian_copula(*known.sample(5000, seed), GaussianCopula()).nats for seed in range(3)]
    assert np.mean(values) == pytest.approx(known.nats, abs=0.025)


def test_ties_are_said():
    x, y = bivariate_normal(0.8).sample(2000)
    found = gaussian_copula(np.maximum(x, 0), y, GaussianCopula()).findings
    assert [(finding.code, finding.where) for finding in found] == [("ties", "x")]
    assert found[0].amount == pytest.approx(0.5, abs=0.05)
