import numpy as np
import pytest

from infoplane.analysis.best_bound import Fold, best_lower_bound


def fold(n, *ce, variance=None):
    return Fold(n, np.array(ce), np.full(len(ce), 0.01) if variance is None else np.array(variance))


def every(count):
    return np.ones(count, bool)


def test_each_fold_is_read_where_the_other_chose():
    even, odd = fold(30, 0.5, 0.4, 0.9, variance=[1, 2, 3]), fold(10, 0.3, 0.6, 0.2, variance=[4, 5, 6])
    found = best_lower_bound(2.0, [even, odd], every(3))
    # On the even fold decoder 1 is best, on the odd one decoder 2.
    assert found.value == pytest.approx(2 - (0.75 * 0.9 + 0.25 * 0.6))
    assert found.standard_error == pytest.approx(np.sqrt(0.75**2 * 3 + 0.25**2 * 5))
    assert found.best == 0  # 0.45, 0.45 and 0.725 on both together; the first of equals


def test_only_candidates_are_chosen():
    found = best_lower_bound(2.0, [fold(5, 0.1, 0.5), fold(5, 0.1, 0.7)], np.array([False, True]))
    assert (found.value, found.best) == (pytest.approx(1.4), 1)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_decoder_that_is_broken_on_one_fold_is_chosen_on_none(broken, swapped):
    folds = [fold(5, broken, 0.5), fold(5, 0.1, 0.7)]
    found = best_lower_bound(2.0, folds[::-1] if swapped else folds, every(2))
    assert (found.value, found.best) == (pytest.approx(1.4), 1)


@pytest.mark.parametrize(
    ("folds", "candidates"),
    [
        ([fold(0, 0.0), fold(5, 0.1)], every(1)),
        ([fold(5, 0.1), fold(5, 0.1)], ~every(1)),
        ([fold(5, np.nan), fold(5, np.nan)], every(1)),
    ],
)
def test_nothing_to_choose_from(folds, candidates):
    found = best_lower_bound(1.0, folds, candidates)
    assert np.isnan([found.value, found.standard_error]).all()
    assert found.best == -1


def repeats(advantage):
    """Values, errors and plain maxima of 2,000 sets of 80 inputs, of twenty decoders with the true bound 2."""
    rng = np.random.default_rng(0)
    values, errors, naive = [], [], []
    for _ in range(2000):
        ce = 1 + rng.normal(size=(20, 80))
        ce[0] -= advantage
        folds = [Fold(40, part.mean(1), part.var(axis=1, ddof=1) / 40) for part in (ce[:, ::2], ce[:, 1::2])]
        found = best_lower_bound(3.0, folds, every(20))
        values.append(found.value)
        errors.append(found.standard_error)
        naive.append(3 - ce.mean(1).min())
    return np.array(values), np.array(errors), np.array(naive)


def test_the_best_of_equal_bounds_has_no_bias_and_a_plain_maximum_has():
    values, errors, naive = repeats(0)
    assert naive.mean() - 2 > 0.15
    assert abs(values.mean() - 2) < 4 * values.std() / np.sqrt(2000)
    assert 0.85 < errors.mean() / values.std() < 1


def test_of_one_that_is_clearly_best_the_error_is_the_spread():
    values, errors, _ = repeats(3)
    assert abs(values.mean() - 5) < 4 * values.std() / np.sqrt(2000)
    assert errors.mean() == pytest.approx(values.std(), rel=0.06)  # the spread of 2,000 has an error of 1.6 %
