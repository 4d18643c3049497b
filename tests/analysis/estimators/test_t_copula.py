"""The t copula: its closed form, its likelihood and its fit."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, multivariate_t, norm
from scipy.stats import t as student

from infoplane.analysis.estimators.gaussian_copula import GaussianCopula, gaussian_copula
from infoplane.analysis.estimators.t_copula import TCopula, TFit, fit_t_copula, information, t_copula, tail_information
from infoplane.analysis.known import asinh, bivariate_normal, student_t, transformed


@pytest.mark.parametrize("nu", [0.7, 1, 3, 30])
@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (2, 3), (5, 5)])
def test_tail_information_is_the_difference_of_entropies(nu, dx, dy):
    h = {d: multivariate_t(np.zeros(d), np.eye(d), df=nu).entropy() for d in (dx, dy, dx + dy)}
    assert tail_information(nu, dx, dy) == pytest.approx(h[dx] + h[dy] - h[dx + dy], rel=1e-9)


def test_information_adds_the_correlations():
    correlation = np.array([[1, 0.6], [0.6, 1]])
    fit = TFit(2.0, correlation, 0.0)
    joint = multivariate_t(np.zeros(2), correlation, df=2).entropy()
    assert information(fit, 1) == pytest.approx(2 * student(2).entropy() - joint, rel=1e-9)


def test_gain_is_that_of_the_densities():
    points = np.hstack(student_t(np.eye(2), dim_x=1, df=2).sample(500))
    fit = fit_t_copula(points)
    shares = (points.argsort(axis=0).argsort(axis=0) + 1) / 501
    q = student.ppf(shares, fit.nu)
    joint = multivariate_t(np.zeros(2), fit.correlation, df=fit.nu).logpdf(q) - student.logpdf(q, fit.nu).sum(axis=1)
    s = norm.ppf(shares)
    normal = multivariate_normal(np.zeros(2), np.corrcoef(s, rowvar=False)).logpdf(s) - norm.logpdf(s).sum(axis=1)
    assert fit.gain == pytest.approx(joint.sum() - normal.sum(), rel=1e-9)


CASES = [(np.eye(2), 1, 1), (np.eye(10), 5, 2), (np.full((6, 6), 0.5) + 0.5 * np.eye(6), 3, 4)]


@pytest.mark.parametrize(("dispersion", "dim_x", "df"), CASES)
def test_student_laws_read_true_whatever_the_margins(dispersion, dim_x, df):
    known = transformed(student_t(dispersion, dim_x=dim_x, df=df), x=asinh, y=asinh)
    readings = [t_copula(*known.sample(5000, seed), TCopula()) for seed in range(4)]
    assert np.mean([reading.nats for reading in readings]) == pytest.approx(known.nats, abs=0.02 * known.nats + 0.005)
    assert np.mean([reading.chosen["nu"] for reading in readings]) == pytest.approx(df, rel=0.06)
    assert min(reading.chosen["log_likelihood_gain"] for reading in readings) > 5


def test_normal_dependence_has_no_tail():
    x, y = bivariate_normal(0.75).sample(3000)
    reading = t_copula(x, np.exp(y), TCopula())
    assert reading.chosen["nu"] == math.inf
    assert reading.nats == pytest.approx(gaussian_copula(x, y, GaussianCopula()).nats, rel=1e-9)


def test_increasing_maps_of_columns_change_nothing():
    x, y = student_t(np.eye(4), dim_x=2, df=2).sample(400)
    assert t_copula(np.arctan(x), y**3, TCopula()).nats == t_copula(x, y, TCopula()).nats


def test_shared_direction_is_infinite_and_said():
    x, y = bivariate_normal(0.5).sample(200)
    reading = t_copula(np.hstack([x, y]), y, TCopula())
    assert reading.nats == math.inf
    assert [finding.code for finding in reading.findings] == ["deterministic"]
