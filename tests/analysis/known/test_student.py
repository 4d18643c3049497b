"""Student laws, against entropies by quadrature and scipy's densities."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import multivariate_normal, student_t


def entropy(df, d):
    """Return h of a standard t law, -log p(0) + (df + d)/2 E log(1 + r^2/df), by quadrature over the radius."""
    at_zero = stats.multivariate_t(shape=np.eye(d), df=df).logpdf(np.zeros(d))

    def integrand(u):
        r = u / (1 - u)
        surface = 2 * math.pi ** (d / 2) / math.gamma(d / 2) * r ** (d - 1) / (1 - u) ** 2
        return surface * math.exp(at_zero) * (1 + r**2 / df) ** (-(df + d) / 2) * math.log1p(r**2 / df)

    return -at_zero + (df + d) / 2 * integrate.quad(integrand, 0, 1, epsabs=1e-11, epsrel=1e-11)[0]


@pytest.mark.parametrize(("df", "dim_x", "dim_y"), [(1, 1, 1), (2, 3, 3), (3, 5, 5), (2.5, 1, 4), (30, 2, 2)])
def test_identity_dispersion_has_the_information_of_the_common_scale(df, dim_x, dim_y):
    law = student_t(np.eye(dim_x + dim_y), dim_x=dim_x, df=df)
    truth = entropy(df, dim_x) + entropy(df, dim_y) - entropy(df, dim_x + dim_y)
    assert law.nats == pytest.approx(truth, rel=1e-6)
    assert law.nats > 0


def test_cauchy_pair_is_its_closed_form():
    # h(d) of the Cauchy laws: log 4 pi for one number, log 2 pi + 3 for a pair.
    assert student_t(np.eye(2), dim_x=1, df=1).nats == pytest.approx(
        2 * math.log(4 * math.pi) - math.log(2 * math.pi) - 3
    )


def test_many_degrees_of_freedom_are_the_normal_law():
    s = np.array([[1, 0.5, 0.2], [0.5, 2, 0.1], [0.2, 0.1, 1]])
    normal = multivariate_normal(s, dim_x=1).nats
    assert student_t(s, dim_x=1, df=1e7).nats == pytest.approx(normal, abs=1e-6)


def test_samples_have_the_stated_law():
    s = np.array([[1, 0.8, 0.2], [0.8, 2, 0.1], [0.2, 0.1, 1]])
    law = student_t(s, dim_x=1, df=3)
    x, y = law.sample(200_000, seed=0)
    ratio = (
        stats.multivariate_t(shape=s, df=3).logpdf(np.hstack([x, y]))
        - stats.multivariate_t(shape=s[:1, :1], df=3).logpdf(x)
        - stats.multivariate_t(shape=s[1:, 1:], df=3).logpdf(y)
    )
    assert abs(ratio.mean() - law.nats) < 4 * ratio.std() / math.sqrt(len(ratio))
    assert stats.kstest(x[:, 0], stats.t(df=3).cdf).pvalue > 0.001


@pytest.mark.parametrize("df", [0, -1, math.inf, math.nan])
def test_degrees_of_freedom_out_of_range_are_refused(df):
    with pytest.raises(InputError, match="df is"):
        student_t(np.eye(2), dim_x=1, df=df)


def test_a_dispersion_that_is_none_is_refused():
    with pytest.raises(InputError, match="dispersion is not positive definite"):
        student_t([[1, 2], [2, 1]], dim_x=1, df=2)
