"""Paired seeds: Student's interval where there are seeds alone, the crossed table's variance where there are images."""

import math

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts import crossed_bootstrap, paired_seeds

A, B = [1.30, 1.21, 1.17, 1.25, 1.19], [1.10, 1.15, 1.16, 1.20, 1.02]


def crossed(rng, seeds, images, of_seed, of_image, rest):
    """A table of differences whose true mean is 0."""
    return (
        rng.normal(0, of_seed, (seeds, 1)) + rng.normal(0, of_image, (1, images)) + rng.normal(0, rest, (seeds, images))
    )


def share_covered(tables, truth=0.0):
    intervals = [paired_seeds(np.zeros_like(table), table).interval() for table in tables]
    return np.mean([low <= truth <= high for low, high in intervals])


def test_without_images_it_is_the_paired_t_test():
    pair = paired_seeds(A, B)
    found = stats.ttest_rel(B, A)
    assert pair.p_value() == pytest.approx(found.pvalue, rel=1e-12)
    limits = found.confidence_interval(0.9)
    assert pair.interval(0.9) == pytest.approx((limits.low, limits.high), rel=1e-12)
    assert pair.estimate == pytest.approx(np.mean(B) - np.mean(A))
    assert pair.images is None
    assert pair.image_error == 0


def test_p_value_against_another_number_is_that_of_the_shifted_arm():
    assert paired_seeds(A, B).p_value(-0.05) == pytest.approx(stats.ttest_rel(np.add(B, 0.05), A).pvalue, rel=1e-9)


def test_errors_of_a_table_are_its_mean_squares():
    # Sums of squares by hand: seeds' means 1, 3, images' means 1, 2, 3; residuals +-0.5 in the outer columns.
    table = np.array([[0.5, 1.0, 1.5], [1.5, 3.0, 4.5]])
    pair = paired_seeds(np.zeros((2, 3)), table)
    e = 4 * 0.5**2 / (1 * 2)
    assert pair.estimate == pytest.approx(2)
    assert pair.deviation == pytest.approx(math.sqrt(2))
    assert pair.floor == pytest.approx(math.sqrt(e / 3))
    assert pair.seed_error == pytest.approx(1.0)
    assert pair.image_error == pytest.approx(math.sqrt((1 - e / 2) / 3))
    assert (pair.seeds, pair.images) == (2, 3)


def test_squared_error_is_the_variance_of_the_estimate():
    rng = np.random.default_rng(0)
    tables = [crossed(rng, 8, 30, 1.0, 3.0, 2.0) for _ in range(3000)]
    pairs = [paired_seeds(np.zeros_like(table), table) for table in tables]
    truth = 1 / 8 + 9 / 30 + 4 / 240
    mean = np.mean([pair.seed_error**2 + pair.image_error**2 for pair in pairs])
    assert mean == pytest.approx(truth, rel=0.02)
    assert np.var([pair.estimate for pair in pairs]) == pytest.approx(truth, rel=0.08)


def test_interval_and_p_value_never_disagree():
    rng = np.random.default_rng(1)
    for spread in (0.0, 0.5, 2.0):
        table = 0.4 + crossed(rng, 4, 40, 0.3, spread, 1.0)
        pair = paired_seeds(np.zeros_like(table), table)
        for against in (0.0, 0.3, -1.0):
            low, high = pair.interval(1 - pair.p_value(against))
            nearest = min((low, high), key=lambda end: abs(end - against))
            assert nearest == pytest.approx(against, abs=1e-7)


def test_p_value_of_a_hopeless_hypothesis_is_small_and_not_zero():
    rng = np.random.default_rng(2)
    table = crossed(rng, 40, 500, 1e-9, 0.5, 1e-3) + 30
    assert 0 < paired_seeds(np.zeros_like(table), table).p_value() < 1e-40
    assert 0 < paired_seeds(np.zeros(40), 1 + 1e-9 * rng.normal(size=40)).p_value() < 1e-100


# How often the interval is right: with 2000 experiments the standard error of a coverage of 0.95 is 0.005.


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_interval_of_seeds_alone_covers_as_it_says(seeds):
    rng = np.random.default_rng(seeds)
    assert share_covered(rng.normal(0, 1, (2000, seeds))) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize(
    ("of_seed", "of_image", "rest"), [(1.0, 0.0, 1.0), (0.1, 0.0, 2.0), (0.1, 1.5, 2.0), (0.0, 2.0, 0.5)]
)
def test_interval_of_a_table_covers_at_least_as_it_says(seeds, of_seed, of_image, rest):
    rng = np.random.default_rng(7)
    covered = share_covered(crossed(rng, seeds, 100, of_seed, of_image, rest) for _ in range(700))
    assert covered > 0.95 - 0.025


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_interval_covers_for_right_and_wrong_images_of_a_network_like_table(seeds):
    """Images of different difficulty; the second arm is better by a mean of 0.86 points, on some images worse."""
    rng = np.random.default_rng(seeds)
    truth = stats.norm.sf(6 / math.sqrt(10.01)) - stats.norm.sf(5.7 / math.sqrt(10.26))
    tables = []
    for _ in range(500):
        hard = rng.normal(-6, 3, 500)
        arms = [
            at + rng.normal(0, 0.1, (seeds, 1)) + rng.normal(0, 1, (seeds, 500)) > 0
            for at in (hard + 0.3 + rng.normal(0, 0.5, 500), hard)
        ]
        tables.append(arms[1].astype(float) - arms[0])
    assert np.mean(tables) == pytest.approx(truth, abs=8e-4)
    assert share_covered(tables, truth) > 0.95 - 0.03


def test_seeds_alone_do_not_cover_other_images_but_the_table_does():
    rng = np.random.default_rng(3)
    tables = [crossed(rng, 5, 100, 0.1, 1.5, 2.0) for _ in range(1000)]
    alone = np.mean(
        [low <= 0 <= high for low, high in (paired_seeds(np.zeros(5), t.mean(1)).interval() for t in tables)]
    )
    assert alone < 0.9
    assert share_covered(tables) > 0.93


def test_percentile_bootstrap_of_three_seeds_covers_far_too_little():
    rng = np.random.default_rng(4)
    draws = rng.normal(0, 1, (400, 3))
    covered = np.mean(
        [low <= 0 <= high for low, high in (crossed_bootstrap(np.zeros(3), d, draws=400).interval() for d in draws)]
    )
    assert covered == pytest.approx(0.75, abs=0.07)


# What nothing can be said of


def test_one_seed_says_nothing_of_another():
    for pair in (paired_seeds([1.2], [1.1]), paired_seeds([[1, 0, 0]], [[0, 0, 0]])):
        assert not pair.has_spread
        assert pair.interval() == (-math.inf, math.inf)
        assert pair.p_value() == 1
        assert math.isnan(pair.deviation)
        assert math.isnan(pair.seed_error)


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_equal_differences_say_nothing_of_another_seed(shift):
    pair = paired_seeds(A, np.add(A, shift))
    assert not pair.has_spread  # though floating point makes them differ in the last digit
    assert pair.interval() == (-math.inf, math.inf)
    assert pair.p_value() == 1


def test_seeds_that_agree_by_chance_do_not_agree_better_than_their_images_allow():
    rng = np.random.default_rng(5)
    table = rng.permuted(np.repeat([[1.0, 0.0]], [2, 98], axis=1).repeat(3, axis=0), axis=1)
    pair = paired_seeds(np.zeros_like(table), table)
    assert pair.deviation == 0
    assert pair.floor == pytest.approx(math.sqrt(0.02 * 0.98 / 100), rel=0.1)
    assert pair.has_spread
    assert 0 < pair.seed_error == pair.floor / math.sqrt(3)
    assert pair.p_value() > 0.05


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ([1.0, 2.0], [1.0], r"first has shape \(2,\) and second \(1,\)"),
        ([], [], r"first has shape \(0,\)"),
        ([[1.0], [2.0]], [[1.0], [2.0]], "images"),
        ([1.0, 2.0], [1.0, math.nan], "second has a value that is not finite, at place 1.*leave its seed out"),
        (["a"], ["b"], "first cannot be read as numbers"),
        (np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), r"first has shape \(1, 2, 3\)"),
    ],
)
def test_what_does_not_pair_is_refused(first, second, says):
    with pytest.raises(InputError, match=says):
        paired_seeds(first, second)


@pytest.mark.parametrize("level", [0, 1, 95, True, "0.95"])
def test_level_is_a_probability(level):
    with pytest.raises(InputError, match="level is"):
        paired_seeds(A, B).interval(level)
