"""Columns that span all: which are kept."""

import numpy as np

from infoplane.analysis.estimators.independent_columns import independent_columns


def test_independent_columns_are_all_kept():
    side = np.random.default_rng(0).standard_normal((50, 4)) * [1, 1e-6, 1e6, 1]
    kept, findings = independent_columns("x", side)
    assert kept.tolist() == [0, 1, 2, 3]
    assert findings == ()


def test_a_combination_is_left_out_whatever_the_scales_and_offsets():
    side = np.random.default_rng(0).standard_normal((50, 3))
    side = np.column_stack([side, 1e5 * side[:, 0] - side[:, 2] + 7])
    kept, findings = independent_columns("x", side)
    assert len(kept) == 3
    assert np.linalg.matrix_rank(side[:, kept] - side[:, kept].mean(axis=0)) == 3
    assert findings[0].code == "collinear"
    assert "1 of 4" in findings[0].text


def test_a_column_that_differs_a_little_from_another_is_kept():
    side = np.random.default_rng(0).standard_normal((50, 2))
    close = np.column_stack([side[:, 0], side[:, 0] + 1e-6 * side[:, 1]])
    assert independent_columns("x", close)[0].tolist() == [0, 1]
    same = np.column_stack([side[:, 0], side[:, 0] + 1e-13 * side[:, 1]])
    assert len(independent_columns("x", same)[0]) == 1


def test_scales_at_the_ends_of_the_range_change_nothing():
    side = np.random.default_rng(0).standard_normal((50, 3))
    kept, findings = independent_columns("x", np.column_stack([side, side[:, 0] + side[:, 2]]) * [1e-250, 1e250, 1, 1])
    assert 1 in kept
    assert len(kept) == 3
    assert len(findings) == 1
