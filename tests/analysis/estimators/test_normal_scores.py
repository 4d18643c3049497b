"""Normal scores: ranks as quantiles, for the samples themselves and for new ones."""

import numpy as np
import pytest
from scipy.stats import norm

from infoplane.analysis.estimators.normal_scores import Ranking, normal_scores, tie_findings, tie_share


def test_scores_are_the_quantiles_of_the_ranks():
    column = np.array([[3.0], [-1.0], [10.0]])
    assert norm.cdf(normal_scores(column)).ravel() == pytest.approx([0.5, 0.25, 0.75])


def test_increasing_maps_change_nothing():
    side = np.random.default_rng(0).standard_normal((100, 2))
    assert np.array_equal(normal_scores(np.exp(3 * side)), normal_scores(side))


def test_ties_share_their_middle_rank():
    column = np.array([[0.0], [0.0], [0.0], [5.0]])
    assert norm.cdf(normal_scores(column)).ravel() == pytest.approx([0.4, 0.4, 0.4, 0.8])


def test_new_values_stand_between_the_fitted():
    ranking = Ranking.of(np.array([[1.0], [2.0], [3.0]]))
    shares = ranking.shares(np.array([[0.0], [2.0], [2.5], [9.0]]))
    assert shares.ravel() == pytest.approx([0.125, 0.5, 0.625, 0.875])


def test_share_of_the_commonest_value_is_said():
    x = np.maximum(np.random.default_rng(0).standard_normal((1000, 2)), 0)
    y = np.random.default_rng(1).standard_normal((1000, 1))
    assert tie_share(x) == pytest.approx(0.5, abs=0.05)
    assert tie_share(y) == 0.001
    assert [(finding.code, finding.where) for finding in tie_findings(x, y)] == [("ties", "x")]
