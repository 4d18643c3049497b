"""The three tests of an estimator on images, with estimators that pass and that fail."""

import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import self_consistency

RHO = 0.8


@pytest.fixture(scope="module")
def field():
    """Return images (n, 3, 1) of a Gaussian field whose rows are a Markov chain of correlation RHO."""
    rng = np.random.default_rng(0)
    rows = [rng.standard_normal(20_000)]
    for _ in range(2):
        rows.append(RHO * rows[-1] + math.sqrt(1 - RHO**2) * rng.standard_normal(20_000))
    return np.stack(rows, axis=1)[:, :, None]


def of_signs(x, y):
    """Plug-in information of the signs, in bits; y is part of x, so that it is the entropy of its signs."""
    counts = np.bincount((y > 0) @ 2 ** np.arange(y.shape[1]))
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def of_noisy_pixels(x, y):
    """Information of y with noise of its own on every pixel: right one by one, but it counts a copy twice."""
    return 0.5 * float(np.linalg.slogdet(np.eye(y.shape[1]) + np.cov(y.T))[1])


def test_signs_of_a_gaussian_field_have_their_known_truth(field):
    # P(same sign) = 1/2 + arcsin(rho) / pi (Sheppard's formula).
    same = 0.5 + math.asin(RHO) / math.pi
    more = -same * math.log2(same) - (1 - same) * math.log2(1 - same)
    result = self_consistency(of_signs, field, rows=[1, 2])
    assert result.rows == (1, 2)
    assert result.values == pytest.approx([1, 1 + more], rel=0.005)
    whole = self_consistency(of_signs, field, rows=[3]).values[0]
    assert result.shares == pytest.approx(np.array(result.values) / whole, rel=1e-12)


def test_good_estimator_has_the_ideal_values(field):
    result = self_consistency(of_signs, field)
    assert result.rows == (1, 2, 3)
    assert result.monotone
    assert result.at_zero == result.IDEAL_AT_ZERO
    assert result.shares[-1] == 1
    assert result.data_processing == pytest.approx([result.IDEAL_DATA_PROCESSING] * 3, rel=1e-12)
    assert result.additivity == pytest.approx([result.IDEAL_ADDITIVITY] * 3, rel=0.005)


def test_data_processing_catches_an_estimator_that_counts_a_copy_twice(field):
    result = self_consistency(of_noisy_pixels, field)
    assert result.monotone
    assert result.at_zero == 0
    assert result.additivity == pytest.approx([2, 2, 2], rel=0.005)
    assert result.data_processing[0] == pytest.approx(1)
    assert min(result.data_processing[1:]) > 1.2
    nothing_added = self_consistency(of_noisy_pixels, field, hidden=3)
    assert nothing_added.data_processing == pytest.approx([1, 1, 1])


def test_additivity_catches_a_ceiling(field):
    result = self_consistency(lambda x, y: min(of_signs(x, y), 2.0), field)
    assert result.additivity[0] == pytest.approx(2, rel=0.005)
    assert max(result.additivity[1:]) < 1.5


def test_masks_catch_a_value_that_falls(field):
    result = self_consistency(lambda x, y: -of_signs(x, y), field)
    assert not result.monotone


def test_a_value_of_zero_gives_no_ratio(field):
    result = self_consistency(lambda x, y: 0.0, field[:10])
    assert all(math.isnan(ratio) for ratio in (*result.shares, *result.data_processing, *result.additivity))


def test_seed_draws_the_partners(field):
    seen = []
    for seed in (0, 0, 1):
        self_consistency(lambda x, y: seen.append(x.sum(axis=0)[-1] * x[0, -1]) or 1.0, field[:50], rows=[3], seed=seed)
    # The calls of one run: alone, twice the same, with a partner, all hidden.
    assert len(seen) == 12
    assert seen[2] == seen[6]
    assert seen[2] != seen[10]


@pytest.mark.parametrize(
    ("shape", "options", "text"),
    [
        ((5, 3), {}, r"shape \(5, 3\)"),
        ((1, 3, 3), {}, "at least 2"),
        ((5, 3, 3), {"rows": [4]}, "rows is 4"),
        ((5, 3, 3), {"rows": [2, 1]}, "must rise"),
        ((5, 3, 3), {"rows": []}, "at least one"),
        ((5, 3, 3), {"hidden": -1}, "hidden is -1"),
        ((5, 3, 3), {"seed": -1}, "seed is -1"),
    ],
)
def test_what_are_no_images_is_refused(shape, options, text):
    with pytest.raises(InputError, match=text):
        self_consistency(of_signs, np.ones(shape), **options)


def test_images_must_be_finite():
    with pytest.raises(InputError, match="NaN or infinite"):
        self_consistency(of_signs, np.full((5, 3, 3), np.nan))
