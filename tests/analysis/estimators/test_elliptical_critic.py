"""Log-ratios of normal and t laws: against the densities of another library."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal, multivariate_t, norm
from scipy.stats import t as student

from infoplane.analysis.estimators.elliptical_critic import fit_elliptical
from infoplane.analysis.known import dense_normal, student_t


def centred(ratios):
    return ratios - ratios.mean()


def test_normal_ratios_are_those_of_the_densities():
    x, y = dense_normal(2, 1).sample(400)
    critic = fit_elliptical(x, y, "gaussian")
    z = np.hstack([x, y])
    covariance = np.cov(z, rowvar=False, bias=True)
    joint = multivariate_normal(z.mean(axis=0), covariance).logpdf
    of_x = multivariate_normal(x.mean(axis=0), covariance[:2, :2]).logpdf(x[:6])
    of_y = norm(y.mean(), math.sqrt(covariance[2, 2])).logpdf(y[:6, 0])
    expected = [[joint([*x[i], *y[j]]) - of_x[i] - of_y[j] for j in range(6)] for i in range(6)]
    assert centred(critic.log_ratios(x[:6], y[:6])) == pytest.approx(centred(np.array(expected)), abs=1e-9)


def test_t_copula_ratios_are_those_of_the_densities():
    x, y = student_t(np.eye(3), dim_x=2, df=2).sample(400)
    critic = fit_elliptical(x, y, "t_copula")
    shares = (np.hstack([x, y]).argsort(axis=0).argsort(axis=0) + 1) / 401
    q = student.ppf(shares, critic.nu)[:6]
    r = np.linalg.inv(critic.precision)
    joint = multivariate_t(np.zeros(3), r, df=critic.nu).logpdf
    of_x = multivariate_t(np.zeros(2), r[:2, :2], df=critic.nu).logpdf(q[:, :2])
    of_y = student.logpdf(q[:, 2], critic.nu)
    expected = [[joint([*q[i, :2], q[j, 2]]) - of_x[i] - of_y[j] for j in range(6)] for i in range(6)]
    assert centred(critic.log_ratios(x[:6], y[:6])) == pytest.approx(centred(np.array(expected)), abs=1e-8)
