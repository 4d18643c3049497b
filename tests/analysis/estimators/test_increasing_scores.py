"""The map of columns to normal scores that is fitted on one part and applied to another."""

import numpy as np
import pytest
from scipy.special import ndtri

from infoplane.analysis.estimators.increasing_scores import IncreasingScores


def test_fitted_values_get_the_scores_of_their_mid_ranks():
    column = np.array([3.0, 1.0, 1.0, 7.0])[:, None]
    scores = IncreasingScores.fitted(column)(column)[:, 0]
    assert scores == pytest.approx(ndtri([2.5 / 4, 1 / 4, 1 / 4, 3.5 / 4]))


def test_map_is_strictly_increasing_between_and_beyond_the_fitted_values():
    fitted = np.random.default_rng(0).standard_t(2, (500, 2))
    ladder = np.sort(np.concatenate([np.linspace(-1e4, 1e4, 4001), fitted[:, 0]]))
    scores = IncreasingScores.fitted(fitted)(np.column_stack([ladder, ladder]))
    assert (np.diff(scores, axis=0)[np.diff(ladder) > 0] > 0).all()
    assert np.abs(scores).max() < 20


def test_new_samples_of_any_scale_come_out_standard_normal():
    rng = np.random.default_rng(1)
    scores = IncreasingScores.fitted(np.exp(9 + 3 * rng.standard_normal((20_000, 1))))
    new = scores(np.exp(9 + 3 * rng.standard_normal((20_000, 1))))
    assert new.mean() == pytest.approx(0, abs=0.03)
    assert new.std() == pytest.approx(1, abs=0.03)


def test_column_that_is_constant_among_the_fitted_still_tells_values_apart():
    scores = IncreasingScores.fitted(np.full((9, 1), 2.0))(np.array([[1.0], [2.0], [5e300]]))
    assert np.isfinite(scores).all()
    assert (np.diff(scores[:, 0]) > 0).all()
