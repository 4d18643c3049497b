"""Normal laws of any covariance, against canonical correlations and scipy's densities."""

import math

import numpy as np
import pytest
from scipy import linalg, stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import (
    bivariate_normal,
    dense_normal,
    gaussian_channel,
    multivariate_normal,
    sparse_normal,
)


def random_covariance(d, seed=0):
    a = np.random.default_rng(seed).standard_normal((d, 2 * d))
    return a @ a.T


@pytest.mark.parametrize(("dim_x", "dim_y"), [(1, 1), (2, 3), (6, 1), (4, 8)])
def test_information_is_that_of_the_canonical_correlations(dim_x, dim_y):
    s = random_covariance(dim_x + dim_y)
    inner = linalg.solve(s[:dim_x, :dim_x], s[:dim_x, dim_x:]) @ linalg.solve(s[dim_x:, dim_x:], s[dim_x:, :dim_x])
    truth = -0.5 * np.log1p(-linalg.eigvals(inner).real).sum()
    assert multivariate_normal(s, dim_x=dim_x).nats == pytest.approx(truth, rel=1e-11)


def test_samples_have_the_covariance_and_the_stated_information():
    s = random_covariance(5, seed=1)
    law = multivariate_normal(s, dim_x=2)
    x, y = law.sample(200_000, seed=0)
    both = np.hstack([x, y])
    assert np.cov(both.T) == pytest.approx(s, abs=0.02 * np.abs(s).max())
    ratio = (
        stats.multivariate_normal(cov=s).logpdf(both)
        - stats.multivariate_normal(cov=s[:2, :2]).logpdf(x)
        - stats.multivariate_normal(cov=s[2:, 2:]).logpdf(y)
    )
    error = ratio.std() / math.sqrt(len(ratio))
    assert 4 * error < 0.02 * law.nats
    assert abs(ratio.mean() - law.nats) < 4 * error


def test_scale_of_a_column_tells_nothing():
    s = random_covariance(5, seed=2)
    scale = np.diag([1e3, 1e-3, 1.0, 7.0, 1e2])
    scaled = multivariate_normal(scale @ s @ scale, dim_x=2).nats
    assert scaled == pytest.approx(multivariate_normal(s, dim_x=2).nats, rel=1e-9)


@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.3, 0.999])
def test_bivariate_is_its_closed_form(rho):
    assert bivariate_normal(rho).nats == pytest.approx(-0.5 * math.log(1 - rho**2), rel=1e-10, abs=1e-15)


@pytest.mark.parametrize(("d", "rho"), [(1, 0.5), (3, 0.5), (20, 0.9)])
def test_dense_has_one_canonical_correlation(d, rho):
    canonical = d * rho / (1 + (d - 1) * rho)
    assert dense_normal(d, d, correlation=rho).nats == pytest.approx(-0.5 * math.log(1 - canonical**2), rel=1e-10)


def test_sparse_is_a_sum_over_its_pairs():
    rho = 9 / 10
    assert sparse_normal(4, 6, pairs=3, strength=3.0).nats == pytest.approx(-1.5 * math.log(1 - rho**2), rel=1e-12)
    assert sparse_normal(4, 6, pairs=0).nats == 0
    x, y = sparse_normal(2, 3, pairs=1, strength=3.0).sample(100_000, seed=0)
    expected = np.eye(5)
    expected[0, 2] = expected[2, 0] = rho
    assert np.corrcoef(np.hstack([x, y]).T) == pytest.approx(expected, abs=0.015)


def test_gaussian_channel_has_its_capacity():
    law = gaussian_channel(3.0, dim=4)
    assert law.mutual_information() == pytest.approx(4 * 0.5 * math.log2(1 + 3), rel=1e-12)
    x, y = law.sample(100_000, seed=0)
    assert x.var(axis=0) == pytest.approx(np.full(4, 3), rel=0.02)
    assert (y - x).var(axis=0) == pytest.approx(np.ones(4), rel=0.02)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: multivariate_normal(np.eye(3)[:2], dim_x=1), r"shape \(2, 3\)"),
        (lambda: multivariate_normal([[1, 0.5], [0.4, 1]], dim_x=1), "not symmetric"),
        (lambda: multivariate_normal([[1, np.nan], [np.nan, 1]], dim_x=1), "not symmetric and finite"),
        (lambda: multivariate_normal([[1, 1], [1, 1]], dim_x=1), "not positive definite"),
        (lambda: multivariate_normal(np.eye(3), dim_x=3), "dim_x is 3"),
        (lambda: bivariate_normal(1.0), "correlation is 1.0"),
        (lambda: dense_normal(0, 2), "dim_x is 0"),
        (lambda: dense_normal(3, 3, correlation=-0.5), "not positive definite"),
        (lambda: sparse_normal(2, 5, pairs=3), "pairs is 3"),
        (lambda: sparse_normal(2, 5, strength=math.inf), "strength is inf"),
        (lambda: gaussian_channel(0.0), "signal_to_noise is 0.0"),
        (lambda: gaussian_channel(1.0, dim=0), "dim is 0"),
    ],
)
def test_what_is_no_law_is_refused(make, text):
    with pytest.raises(InputError, match=text):
        make()
