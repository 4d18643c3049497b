"""Labels and noisy codes, against the mean log ratio of their samples and limits."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import noisy_codes

PLANE_IN_FIVE = np.random.default_rng(0).standard_normal((6, 2)) @ np.random.default_rng(1).standard_normal((2, 5))


@pytest.mark.parametrize(
    ("codes", "shares"),
    [
        (np.array([[0.0], [1.0]]), [0.5, 0.5]),
        (np.array([[0.0], [1.0], [3.0]]), [0.2, 0.5, 0.3]),
        (np.array([[0.0, 0.0], [1.0, 0.5], [0.0, 2.0]]), [0.6, 0.3, 0.1]),
        (PLANE_IN_FIVE, [1 / 6] * 6),
    ],
)
def test_samples_have_the_stated_law(codes, shares):
    law = noisy_codes(codes, noise=0.6, shares=shares)
    x, y = law.sample(200_000, seed=0)
    log_given = stats.norm.logpdf(x[:, None, :], loc=codes, scale=0.6).sum(axis=2)
    ratio = log_given[np.arange(len(y)), y] - logsumexp(log_given, b=shares, axis=1)
    error = ratio.std() / math.sqrt(len(ratio))
    assert 4 * error < 0.02 * law.nats
    assert abs(ratio.mean() - law.nats) < 4 * error
    assert np.bincount(y) / len(y) == pytest.approx(shares, abs=0.005)


def test_codes_far_apart_tell_the_whole_label():
    shares = np.array([0.2, 0.3, 0.5])
    law = noisy_codes([0.0, 5.0, 11.0], noise=0.1, shares=shares)
    assert law.nats == pytest.approx(stats.entropy(shares), rel=1e-9)


def test_equal_codes_tell_nothing():
    assert noisy_codes([[1.0, 2.0], [1.0, 2.0]], noise=0.5).nats == 0


def test_weights_need_not_sum_to_one():
    assert (
        noisy_codes([0, 1], noise=1.0, shares=[2, 6]).nats == noisy_codes([0, 1], noise=1.0, shares=[0.25, 0.75]).nats
    )


@pytest.mark.parametrize(
    ("codes", "options", "text"),
    [
        ([1.0], {}, r"shape \(1, 1\)"),
        ([0.0, math.nan], {}, "all of them finite"),
        (np.eye(4), {}, "span 3 dimensions"),
        ([0.0, 1.0], {"shares": [1.0]}, "2 non-negative weights"),
        ([0.0, 1.0], {"shares": [0.0, 0.0]}, "positive sum"),
        ([0.0, 1.0], {"noise": 0.0}, "noise is 0.0"),
    ],
)
def test_what_are_no_codes_is_refused(codes, options, text):
    with pytest.raises(InputError, match=text):
        noisy_codes(codes, **{"noise": 1.0, **options})
