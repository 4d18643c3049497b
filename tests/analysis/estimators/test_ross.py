"""Ross: a mixture of known information, scikit-learn's values, and classes of few samples."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import psi
from scipy.stats import norm
from sklearn.feature_selection import mutual_info_classif

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.ross import Ross, ross

SHARES, SHIFTS = (0.5, 0.3, 0.2), (0.0, 1.5, 4.0)


def mixture(n, seed):
    """Return labels of three classes and a normal that each of them shifts."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, n, p=SHARES)
    return np.take(SHIFTS, y)[:, None] + rng.standard_normal((n, 1)), y


def truth_of_mixture():
    def density(x):
        return sum(share * norm.pdf(x, shift) for share, shift in zip(SHARES, SHIFTS, strict=True))

    entropy = quad(lambda x: -density(x) * math.log(density(x)), -10, 14, limit=200)[0]
    return entropy - 0.5 * math.log(2 * math.pi * math.e)


def test_shifted_normals_are_read():
    truth = truth_of_mixture()
    errors = [ross(*mixture(10_000, seed), Ross()).nats - truth for seed in range(4)]
    assert abs(np.mean(errors)) < 0.02 * truth


@pytest.mark.parametrize("k", [1, 3, 8])
def test_one_column_gives_the_value_of_scikit_learn(k):
    x, y = mixture(800, 0)
    y[:4] = 7, 8, 8, 9  # classes of one, of two, and of one
    theirs = mutual_info_classif(x, y, discrete_features=False, n_neighbors=k, random_state=0)[0]
    result = estimate(x, y, method="ross", k=k, base=math.e)
    assert result.value == pytest.approx(theirs, abs=1e-9)
    (finding,) = result.findings
    assert (finding.code, finding.amount) == ("single_samples", 2 / 800)
    assert "2 of 800 samples" in finding.text


def test_classes_of_fewer_than_k_others_take_all_of_them():
    x, y = mixture(300, 1)
    y[:9] = np.repeat([7, 8], [4, 5])
    theirs = mutual_info_classif(x, y, discrete_features=False, n_neighbors=8, random_state=0)[0]
    assert ross(x, y, Ross(k=8)).nats == pytest.approx(theirs, abs=1e-9)
    # Three at 0, 1 and 3 among classes far away: all others of the class, at 3, 2 and 3, and nobody else nearer.
    x = np.array([0.0, 1, 3, 100, 101, 103, 106, 110])[:, None]
    y = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    assert ross(x, y, Ross(k=6)).nats == pytest.approx(
        psi(8) - (3 * psi(3) + 5 * psi(5)) / 8 + (3 * psi(2) + 5 * psi(4)) / 8 - nearer_or_last(x, y).mean(), abs=1e-12
    )


def nearer_or_last(x, y):
    """Return psi of the samples up to the farthest of the class."""
    far = np.abs(x - x.T)
    farthest = np.where(y[:, None] == y, far, 0).max(axis=1)
    return psi((far < farthest[:, None]).sum(axis=1))  # the sample itself stands for the farthest


@pytest.mark.parametrize("d", [4, 10, 50])
def test_a_sign_that_many_columns_hide_is_said(d):
    x = np.random.default_rng(0).standard_normal((400, d))
    reading = ross(x, (x[:, 0] > 0).astype(int), Ross())
    assert reading.nats < 0.8 * math.log(2)
    (finding,) = reading.findings
    assert (finding.code, finding.where, finding.unit) == ("wide_neighbourhoods", "x", "sd")
    assert finding.amount > 0.5


def shifted(n, d, seed):
    """Return a normal law of d columns whose mean is 2 on either side of 0 along their diagonal: 0.633 nat."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return (4 * y[:, None] - 2) / math.sqrt(d) + rng.standard_normal((n, d)), y


@pytest.mark.parametrize(("n", "d"), [(400, 6), (2000, 10)])
def test_classes_that_are_read_well_among_far_neighbours_are_not_doubted(n, d):
    for seed in range(3):
        reading = ross(*shifted(n, d, seed), Ross())
        assert reading.nats == pytest.approx(0.633, rel=0.06)
        assert not reading.findings


def test_independent_labels_are_doubted_where_nothing_could_be_seen():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((400, 50)), rng.integers(0, 2, 400)
    assert [finding.code for finding in ross(x, y, Ross()).findings] == ["wide_neighbourhoods"]
    assert not ross(x[:, :3], y, Ross()).findings


@pytest.mark.parametrize("d", [3, 20])
def test_separate_classes_carry_the_entropy_of_the_label(d):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 2000)
    x = 10.0 * y[:, None] + rng.standard_normal((2000, d))
    reading = ross(x, y, Ross())
    assert reading.nats == pytest.approx(math.log(4), abs=0.01)
    assert not reading.findings


def test_rectified_units_are_read_through_their_jitter():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 20_000)
    x = np.maximum(rng.standard_normal((20_000, 1)) + np.where(y, 1.0, -1.0)[:, None], 0)
    result = estimate(x, y, method="ross", base=math.e)

    def gain(density, mean):
        return density * math.log(density / mean) if density else 0.0

    zero = norm.cdf(-1), norm.cdf(1)
    truth = sum(0.5 * gain(p, 0.5 * sum(zero)) for p in zero)
    for shift in (1, -1):
        truth += quad(lambda x, s=shift: 0.5 * gain(norm.pdf(x, s), 0.5 * (norm.pdf(x, 1) + norm.pdf(x, -1))), 0, 9)[0]
    assert result.value == pytest.approx(truth, abs=0.02)
    (ties,) = [finding for finding in result.findings if finding.code == "ties"]
    assert "mixed_ksg" not in ties.advice  # which takes no labels


def test_labels_of_their_own_are_refused():
    for method in ("ross", "auto"):
        with pytest.raises(InputError, match=r"all 5 samples have labels of their own.* take exact, binning"):
            estimate(np.arange(5.0), np.arange(5), method=method)


def test_labels_mostly_of_their_own_come_with_a_way_on():
    y = np.r_[np.arange(30), 40, 40]
    (single, *_) = estimate(np.arange(32.0), y, method="ross").findings
    assert single.code == "single_samples"
    assert "take exact, binning" in single.advice


def test_one_class_left_carries_nothing():
    result = estimate([0.0, 1.0, 2.0], [4, 4, 5], method="ross")
    assert result.value == 0
    assert [finding.code for finding in result.findings] == ["single_samples"]


def test_parameters_out_of_range_are_refused():
    with pytest.raises(InputError, match="k is 0"):
        Ross(k=0)
