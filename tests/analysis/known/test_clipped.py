"""Rectified and saturated normal laws, with ties."""

import math

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import clipped_normal


@pytest.mark.parametrize(("offset", "truth"), [(0.0, 0.34642), (-1.0, 0.14691)])
def test_rectified_law_has_the_truth_that_was_computed_apart(offset, truth):
    assert clipped_normal(0.8, offset=offset).nats == pytest.approx(truth, abs=5e-6)


@pytest.mark.parametrize("rho", [-0.9, 0.3, 0.8])
def test_without_limits_it_is_the_normal_law(rho):
    assert clipped_normal(rho, low=-math.inf).nats == pytest.approx(-0.5 * math.log(1 - rho**2), rel=1e-9)


def test_independent_sides_tell_nothing():
    assert clipped_normal(0.0, low=-1, high=0.5).nats == pytest.approx(0, abs=1e-10)


def test_mirror_images_have_the_same_information():
    assert clipped_normal(0.7, low=-math.inf, high=0.3).nats == pytest.approx(clipped_normal(0.7, low=-0.3).nats)
    assert clipped_normal(-0.7, low=-1, high=1).nats == pytest.approx(clipped_normal(0.7, low=-1, high=1).nats)
    assert clipped_normal(0.7, offset=5, low=4, high=6).nats == pytest.approx(clipped_normal(0.7, low=-1, high=1).nats)


def test_narrow_limits_leave_two_signs():
    # P(same sign) = 1/2 + arcsin(rho) / pi (Sheppard's formula).
    same = 0.5 + math.asin(0.8) / math.pi
    signs = math.log(2) + same * math.log(same) + (1 - same) * math.log(1 - same)
    assert clipped_normal(0.8, low=-1e-5, high=1e-5).nats == pytest.approx(signs, rel=1e-3)


@pytest.mark.parametrize(("offset", "high"), [(0.0, math.inf), (-0.2, 1.0)])
def test_samples_have_the_stated_law(offset, high):
    rho = 0.8
    law = clipped_normal(rho, offset=offset, high=high)
    x, y = (side[:, 0] for side in law.sample(400_000, seed=0))
    spread = math.sqrt(1 - rho**2)
    low, top = -offset, high - offset

    def log_given(v, u):
        """Log probability or density of v, clipped, given u unclipped."""
        at_low, at_top = stats.norm.logcdf((low - rho * u) / spread), stats.norm.logsf((top - rho * u) / spread)
        inside = stats.norm.logpdf(v, loc=rho * u, scale=spread)
        return np.where(v <= low, at_low, np.where(v >= top, at_top, inside))

    def log_own(v):
        inside = np.where(v >= top, stats.norm.logsf(top), stats.norm.logpdf(v))
        return np.where(v <= low, stats.norm.logcdf(low), inside)

    u, v = x - offset, y - offset
    ends = [(-np.inf, low), (top, np.inf)]
    normal = stats.multivariate_normal(cov=[[1, rho], [rho, 1]])
    ratio = log_given(v, u) - log_own(v)
    for of_u, (a, b) in zip((u <= low, u >= top), ends, strict=True):
        ratio[of_u] = log_given(u[of_u], v[of_u]) - log_own(u[of_u])
        for of_v, (c, d) in zip((v <= low, v >= top), ends, strict=True):
            corner = of_u & of_v
            if corner.any():
                chance = normal.cdf([b, d], lower_limit=[a, c])
                ratio[corner] = math.log(chance) - log_own(u[corner]) - log_own(v[corner])
    error = ratio.std() / math.sqrt(len(ratio))
    assert 4 * error < 0.02 * law.nats
    assert abs(ratio.mean() - law.nats) < 4 * error
    assert (x == 0).mean() == pytest.approx(stats.norm.cdf(-offset), abs=0.004)


@pytest.mark.parametrize(
    "options", [{"correlation": 1.0}, {"correlation": 0.5, "offset": math.inf}, {"correlation": 0.5, "high": -1.0}]
)
def test_limits_out_of_range_are_refused(options):
    with pytest.raises(InputError, match=r"correlation is|a finite offset"):
        clipped_normal(**options)
