import math

import numpy as np
import pytest
from scipy.special import logsumexp

from infoplane.analysis.validity import (
    SIGNIFICANT,
    label_bound_below_zero,
    lower_above_upper,
    one_class,
    rate_above_log_n,
    rate_below_label_bound,
)

BIT = math.log(2)


def test_a_rate_at_or_beyond_log_n_is_said_with_its_excess():
    assert rate_above_log_n(8.0, 256, where="fc").amount == 0
    found = rate_above_log_n(93.0, 256, where="fc")
    assert (found.code, found.where, found.amount, found.unit) == ("rate_above_log_n", "fc", 85.0, "bit")
    assert rate_above_log_n(7.99, 256) is None


@pytest.mark.parametrize("rate", [math.nan, math.inf, -math.inf])
def test_a_rate_that_is_no_number_is_said_elsewhere(rate):
    assert rate_above_log_n(rate, 256) is None


def test_a_label_bound_below_zero_is_said_with_what_it_lacks():
    found = label_bound_below_zero(-0.25, where="fc")
    assert (found.code, found.where, found.amount, found.unit) == ("label_bound_below_zero", "fc", 0.25, "bit")
    assert label_bound_below_zero(-0.25, base=math.e).unit == "nat"


@pytest.mark.parametrize("bound", [0.0, -1e-12, 3.0, math.nan, -math.inf, math.inf])
def test_a_label_bound_that_says_something_or_is_no_number_is_none_below_zero(bound):
    assert label_bound_below_zero(bound) is None


def test_labels_of_one_class_are_said_by_their_entropy():
    assert one_class(0.0, 46).code == "one_class"
    assert "all 46 labels" in one_class(-0.0, 46).text
    assert one_class(1e-6, 10**7) is one_class(math.nan, 3) is one_class(-math.inf, 3) is None


@pytest.mark.parametrize("check", [lower_above_upper, rate_below_label_bound])
def test_a_violation_counts_beyond_four_added_errors_alone(check):
    def found(gap, *errors):
        if check is lower_above_upper:
            return check(1 + gap, 1.0, se_lower=errors[0], se_upper=errors[1])
        return check(1.0, 1 + gap, se_label_bound=errors[0], se_rate=errors[1])

    assert SIGNIFICANT == 4
    assert found(0.41, 0.06, 0.04).amount == pytest.approx(0.41)
    assert found(0.39, 0.06, 0.04) is None
    assert found(1e-6, 0.0, 0.0) is not None
    assert found(0.0, 0.0, 0.0) is found(-1.0, 0.0, 0.0) is None
    assert found(9.0, math.nan, 0.0) is found(math.nan, 0.0, 0.0) is found(math.inf, 0.0, 0.0) is None


@pytest.mark.parametrize("factor", [0.5, 0.98])
def test_a_divergence_that_is_too_small_is_found_where_the_chain_is_tight(factor):
    """A code of the label alone, with the best prior and decoder, has mean KL = H(Y) - CE."""
    for seed in range(20):
        rate, bound, se_rate, se_bound = bounds_of_random_code(seed, noise=0.1, prior="best", spread=0.0, n=40)
        known = {"se_rate": se_rate, "se_label_bound": se_bound}
        assert rate_below_label_bound(rate, bound, **known) is None
        assert rate_below_label_bound(factor * rate, bound, **known) is not None


@pytest.mark.parametrize("prior", ["standard", "best"])
def test_the_hard_check_raises_no_false_alarm_on_random_codes(prior):
    """400 finite sets with random Gaussian codes and the Bayes decoder, 12 draws an input: the tightest honest case."""
    alarms = 0
    for seed in range(400):
        rate, bound, se_rate, se_bound = bounds_of_random_code(seed, noise=0.3, prior=prior)
        alarms += rate_below_label_bound(rate, bound, se_rate=se_rate, se_label_bound=se_bound) is not None
    assert alarms == 0


def test_two_bounds_at_the_truth_cross_beyond_four_errors_almost_never():
    """Lower and upper estimated from different samples, both centred on the truth: the worst honest case."""
    rng, se = np.random.default_rng(0), 0.1
    lower, upper = rng.normal(1, se, size=(2, 50_000))
    alarms = sum(
        lower_above_upper(one, two, se_lower=se, se_upper=se) is not None for one, two in zip(lower, upper, strict=True)
    )
    assert alarms == 0  # 0.8 lies 5.7 errors of the difference away: 8e-9 each


def bounds_of_random_code(seed, *, noise, prior, spread=0.3, draws=12, n=None):
    """Rate, H(Y) - CE and their errors in bit of a scalar Gaussian code of n = 4 to 40 inputs, the decoder exact."""
    rng = np.random.default_rng(seed)
    n = n or int(rng.integers(4, 41))
    labels = np.arange(n) % 2
    mean = spread * rng.normal(size=n) + (2.0 * labels - 1)
    z = mean[:, None] + noise * rng.normal(size=(n, draws))
    log_p = -0.5 * ((z[..., None] - mean) / noise) ** 2 - math.log(noise * math.sqrt(2 * math.pi))
    own = np.take_along_axis(log_p, np.arange(n)[:, None, None], axis=2)[..., 0]
    if prior == "best":
        kl = (own - (logsumexp(log_p, axis=2) - math.log(n))).mean(axis=1)
    else:
        kl = 0.5 * (mean**2 + noise**2 - 1) - math.log(noise)
    same = np.where(labels == labels[:, None, None], log_p, -np.inf)
    ce = (logsumexp(log_p, axis=2) - logsumexp(same, axis=2)).mean(axis=1)
    shares = np.bincount(labels) / n
    h_y = -(shares * np.log(shares)).sum()
    errors = [value.std(ddof=1) / math.sqrt(n) for value in (kl, ce - np.log(shares[labels]))]
    return [value / BIT for value in (kl.mean(), h_y - ce.mean(), *errors)]
