import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.validity import rate_still_falling, train_test_gap, twins_disagree

# The rate of one probe on a frozen network, digits, bit by epoch
FROZEN = [396.19, 377.23, 358.55, 340.37, 322.33, 304.53, 287.38, 270.72]


@pytest.mark.parametrize("rows", range(2, 9))
def test_a_frozen_networks_probe_that_is_not_trained_out_is_found(rows):
    found = rate_still_falling(FROZEN[:rows], where="fc@untrained")
    assert found.code == "rate_still_falling"
    assert found.amount == pytest.approx(FROZEN[max(0, rows - 5)] - FROZEN[rows - 1])


@pytest.mark.parametrize(
    "rates",
    [
        [],
        [300.0],
        [100, 100, 100, 100],
        [100, 101, 102, 103],
        [100, 99.9, 99.8, 99.7, 99.6],  # 0.4 % over four rows
        [120, 100, 101, 99, 98],  # one change upward
        [400, 100, 100.1, 100, 100.1, 100],  # fell long ago
        [100, 97],  # 3 % once may be the optimizer's wobble
        [100, math.nan, 80],
    ],
)
def test_a_rate_that_rests_rises_wobbles_or_is_unknown_has_no_finding(rates):
    assert rate_still_falling(rates) is None


@pytest.mark.parametrize("wobble", [0.001, 0.003, 0.005])
def test_fewer_than_one_in_a_hundred_settled_rows_raises_it(wobble):
    rng, alarms, rows = np.random.default_rng(0), 0, 0
    for _ in range(150):
        rates = 150 * (1 + wobble * rng.normal(size=60))
        for row in range(2, 61):
            alarms += rate_still_falling(rates[:row]) is not None
            rows += 1
    assert alarms < 0.01 * rows


def test_shrinking_at_absolute_noise_alone_disagrees_with_its_twin():
    found = twins_disagree([8.0, 6.0, 4.0], [5.0, 5.1, 5.0], se_absolute=0.05, se_relative=0.05)
    assert (found.code, found.amount) == ("twins_disagree", -4.0)
    assert "falls" in found.text
    assert "rises" in twins_disagree([4.0, 8.0], [5.0, 4.0], se_absolute=0.0, se_relative=0.0).text


@pytest.mark.parametrize(
    ("absolute", "relative", "error"),
    [
        ([8, 4], [8, 5], 0.05),  # both fall
        ([8, 7.9], [5, 5], 0.05),  # within the error
        ([8, 7], [5, 5], 0.2),
        ([8, 7.5], [5, 4.7], 0.06),  # differ, but both ways fall
        ([5, 5], [8, 4], 0.05),  # only the relative one moves: no claim is made from it
    ],
)
def test_twins_that_agree_or_cannot_be_told_apart_have_no_finding(absolute, relative, error):
    assert twins_disagree(absolute, relative, se_absolute=error, se_relative=error) is None


def test_an_unknown_error_says_nothing_and_none_at_all_is_refused():
    assert twins_disagree([8, 4], [5, 5], se_absolute=math.nan, se_relative=0.0) is None
    assert twins_disagree([8, 4], [5, 5], se_absolute=0.0, se_relative=math.nan) is None
    with pytest.raises(TypeError, match="se_absolute"):
        twins_disagree([8, 4], [5, 5])


def test_true_twins_raise_no_false_alarm():
    """Both fall by the same 0.3 bit, or by nothing, and are seen with errors of 0.1 bit."""
    rng, alarms = np.random.default_rng(0), 0
    for fall in (0.0, 0.3):
        for _ in range(5000):
            one, two = np.array([1.0, 1.0 - fall]) + rng.normal(0, 0.1, size=(2, 2))
            alarms += twins_disagree(one, two, se_absolute=0.1, se_relative=0.1) is not None
    assert alarms == 0


def test_twins_of_other_lengths_are_refused():
    with pytest.raises(InputError, match="same number"):
        twins_disagree([1, 2], [1, 2, 3], se_absolute=0.0, se_relative=0.0)
    with pytest.raises(InputError, match="one number per row"):
        rate_still_falling(np.zeros((2, 2)))


def test_a_gap_between_the_splits_has_a_sign_and_counts_beyond_four_errors():
    assert train_test_gap(3.3, 3.0, se_train=0.03, se_test=0.04).amount == pytest.approx(0.3)
    assert train_test_gap(3.0, 3.3, se_train=0.03, se_test=0.04).amount == pytest.approx(-0.3)
    assert train_test_gap(3.19, 3.0, se_train=0.03, se_test=0.04) is None
    # Four times the root of the squares is 0.2; four times the sum would be 0.28.
    assert train_test_gap(3.21, 3.0, se_train=0.03, se_test=0.04).code == "train_test_gap"
    assert train_test_gap(3.3, 3.0, se_train=math.nan, se_test=0.04) is None


def test_equal_splits_raise_no_false_alarm():
    """Means of 200 exponential losses on either side, with their own estimated errors."""
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(5000):
        one, two = rng.exponential(size=(2, 200))
        errors = [losses.std(ddof=1) / math.sqrt(200) for losses in (one, two)]
        alarms += train_test_gap(one.mean(), two.mean(), se_train=errors[0], se_test=errors[1]) is not None
    assert alarms <= 4  # 6.3e-5 for a normal law: 0.3 expected
