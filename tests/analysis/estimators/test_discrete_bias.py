"""The estimators for labels beside each other: their bias on known tables, exactly where it can be computed."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import exp1, xlogy

from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.count_table import plugin_entropy
from infoplane.analysis.estimators.grassberger import grassberger_entropy
from infoplane.analysis.information import mutual_information

ALL = ("plugin", "miller_madow", "grassberger", "chao_shen", "nsb", "shrinkage")
UNIFORM = np.full((10, 10), 0.01)
NOISY_IDENTITY = 0.5 * UNIFORM + 0.5 * np.eye(10) / 10
FLIP = 0.11
CHANNEL = np.array([[1 - FLIP, FLIP], [FLIP, 1 - FLIP]]) / 2


def draw(joint, n, rng):
    return np.divmod(rng.choice(joint.size, n, p=joint.ravel()), joint.shape[1])


def values(joint, n, sets, *methods, seed=0):
    """Return the values in nats, one row for each method."""
    rng = np.random.default_rng(seed)
    drawn = [draw(joint, n, rng) for _ in range(sets)]
    return np.array([[estimate(x, y, method=method, base=math.e).value for x, y in drawn] for method in methods])


def assert_mean(sample, expected):
    """Fail unless the mean is within four standard errors of what is expected."""
    assert sample.mean() == pytest.approx(expected, abs=4 * sample.std(ddof=1) / math.sqrt(sample.size))


def expected_information(joint, n, term):
    """Return E[H(X) + H(Y) - H(X,Y)] of a separable estimator exactly: H is the sum over symbols of term(count)."""

    def entropy(p):
        k = np.arange(n + 1)
        return float((stats.binom.pmf(k, n, p.ravel()[:, None]) @ term(k)).sum())

    return entropy(joint.sum(axis=1)) + entropy(joint.sum(axis=0)) - entropy(joint)


def plugin_term(n):
    return lambda k: -xlogy(k / n, k / n)


def miller_madow_term(n):
    # The 1 of (K - 1) / (2n) is counted once too little in the sum of three entropies.
    return lambda k: -xlogy(k / n, k / n) + (k > 0) / (2 * n)


def grassberger_term(n):
    def term(k):
        g = [0.0] + [math.log(c) - grassberger_entropy(np.array([c])) for c in range(1, n + 1)]
        return k / n * (math.log(n) - np.array(g))

    return term


def test_plugin_is_too_high_by_what_counting_says():
    n = 200
    (found,) = values(UNIFORM, n, 150, "plugin")
    exactly = expected_information(UNIFORM, n, plugin_term(n))
    assert_mean(found, exactly)
    assert exactly == pytest.approx(0.23695, abs=1e-5)  # the first order, 81 / 400, is not yet all of it
    n = 4000
    assert expected_information(UNIFORM, n, plugin_term(n)) == pytest.approx(81 / (2 * n), rel=0.02)
    truth = mutual_information(NOISY_IDENTITY, base=math.e)
    assert expected_information(NOISY_IDENTITY, n, plugin_term(n)) - truth == pytest.approx(81 / (2 * n), rel=0.02)


def test_impossible_pairs_make_the_plugin_value_too_low():
    # K_xy = K_x = K_y = 10: the first order is (10 - 10 - 10 + 1) / (2n) = -9 / (2n).
    n, identity = 500, np.eye(10) / 10
    assert expected_information(identity, n, plugin_term(n)) - math.log(10) == pytest.approx(-9 / (2 * n), rel=0.02)
    (found,) = values(identity, n, 100, "plugin")
    assert_mean(found, expected_information(identity, n, plugin_term(n)))


def test_miller_madow_takes_the_first_order_off():
    n = 200
    (found,) = values(UNIFORM, n, 150, "miller_madow")
    exactly = expected_information(UNIFORM, n, miller_madow_term(n)) - 1 / (2 * n)
    assert_mean(found, exactly)
    assert exactly == pytest.approx(0.06794, abs=1e-5)  # pairs never seen are not counted
    n = 4000
    left = expected_information(UNIFORM, n, miller_madow_term(n)) - 1 / (2 * n)
    assert abs(left) < 0.02 * 81 / (2 * n)


def test_miller_madow_takes_off_what_is_counted_by_hand():
    # Two symbols each: two pairs give log 2 - (2 - 2 - 2 + 1) / (2 * 4), all four 0 - (4 - 2 - 2 + 1) / (2 * 4).
    alike, crossed = (
        estimate([0, 0, 1, 1], y, method="miller_madow", base=math.e).value for y in ([0, 0, 1, 1], [0, 1, 0, 1])
    )
    assert alike == pytest.approx(math.log(2) + 1 / 8, rel=1e-14)
    assert crossed == pytest.approx(-1 / 8, rel=1e-14)


@pytest.mark.parametrize("z", [0.3, 1.0, 4.0, 25.0])
def test_grassberger_terms_have_the_bias_of_their_docstring(z):
    k = np.arange(1, 200)
    of_count = np.array([math.log(c) - grassberger_entropy(np.array([c])) for c in k])
    mean = stats.poisson.pmf(k, z) @ (k * of_count)
    assert mean == pytest.approx(z * math.log(z) + z * exp1(2 * z), rel=1e-12)


def test_grassberger_terms_follow_their_recursion():
    of_count = np.array([0] + [math.log(c) - grassberger_entropy(np.array([c])) for c in range(1, 12)])
    assert of_count[1] == pytest.approx(-np.euler_gamma - math.log(2), rel=1e-13)
    assert of_count[2] == pytest.approx(of_count[1] + 2, rel=1e-13)
    assert of_count[3:12:2] == pytest.approx(of_count[2:11:2], rel=1e-13)
    assert of_count[4:12:2] - of_count[2:10:2] == pytest.approx(2 / (2 * np.arange(1, 5) + 1), rel=1e-12)


def test_grassberger_is_nearly_unbiased_where_the_plugin_is_not():
    n = 200
    (found,) = values(UNIFORM, n, 150, "grassberger")
    exactly = expected_information(UNIFORM, n, grassberger_term(n))
    assert_mean(found, exactly)
    assert abs(exactly) < 0.03 * expected_information(UNIFORM, n, plugin_term(n))
    assert exactly == pytest.approx(exp1(2 * n * 0.01) - 2 * exp1(2 * n * 0.1) + 1 / (2 * n), rel=0.03)


def test_bias_of_the_others_is_as_their_docstrings_say():
    independent = values(UNIFORM, 200, 40, "chao_shen", "nsb", "shrinkage").mean(axis=1)
    assert independent == pytest.approx([-0.12, 0.0065, 0.0015], abs=0.025)
    truth = mutual_information(NOISY_IDENTITY, base=math.e)
    dependent = values(NOISY_IDENTITY, 200, 40, "chao_shen", "nsb", "shrinkage").mean(axis=1) - truth
    assert dependent == pytest.approx([-0.065, 0.003, -0.068], abs=0.045)
    few = values(np.eye(10) / 10, 50, 30, "nsb", "shrinkage").mean(axis=1) - math.log(10)
    assert few == pytest.approx([-0.170, -0.813], abs=0.03)


@pytest.mark.parametrize("method", ALL)
def test_binary_symmetric_channel(method):
    truth = mutual_information(CHANNEL, base=math.e)
    assert truth == pytest.approx(math.log(2) - plugin_entropy(np.array([11, 89])), rel=1e-12)
    (found,) = values(CHANNEL, 4000, 30, method)
    # The sampling error of one set is 0.0105 nat; every bias is of order 1 / n.
    assert found.mean() == pytest.approx(truth, abs=4 * 0.0105 / math.sqrt(30))
    assert found.std(ddof=1) == pytest.approx(0.0105, rel=0.4)


@pytest.mark.parametrize("method", ALL)
def test_all_methods_agree_as_samples_grow(method):
    x, y = draw(NOISY_IDENTITY, 400_000, np.random.default_rng(3))
    truth = mutual_information(NOISY_IDENTITY, base=math.e)
    assert estimate(x, y, method=method, base=math.e).value == pytest.approx(truth, rel=0.01)


@pytest.mark.parametrize("method", ["plugin", "miller_madow"])
def test_standard_error_is_the_spread_of_the_values(method):
    rng = np.random.default_rng(4)
    results = [estimate(*draw(NOISY_IDENTITY, 1000, rng), method=method) for _ in range(200)]
    spread = np.std([result.value for result in results], ddof=1)
    assert np.mean([result.standard_error for result in results]) == pytest.approx(spread, rel=0.15)


def test_standard_error_of_independent_variables_is_too_large_by_root_two():
    rng = np.random.default_rng(5)
    results = [estimate(*draw(UNIFORM, 4000, rng), method="plugin") for _ in range(200)]
    spread = np.std([result.value for result in results], ddof=1)
    assert np.mean([result.standard_error for result in results]) == pytest.approx(math.sqrt(2) * spread, rel=0.15)


@pytest.mark.parametrize(("method", "said"), [("plugin", "near min"), ("nsb", "prior"), ("shrinkage", "towards 0")])
def test_what_becomes_of_the_value_of_pairs_seen_once_is_that_of_the_method(method, said):
    # Equal variables of 200 symbols: near log n in one case, drawn to independence in the others.
    result = estimate(np.arange(200), np.arange(200), method=method)
    assert (result.value > 7) == (method == "plugin")
    assert (result.value < 1) == (method != "plugin")
    assert said in next(finding.text for finding in result.findings if finding.code == "undersampled")


@pytest.mark.parametrize("method", ALL)
def test_pairs_seen_once_are_said(method):
    rng = np.random.default_rng(6)
    x, y = rng.integers(0, 1000, (2, 200))
    assert "undersampled" in [finding.code for finding in estimate(x, y, method=method).findings]
    x, y = rng.integers(0, 4, (2, 200))
    assert "undersampled" not in [finding.code for finding in estimate(x, y, method=method).findings]
