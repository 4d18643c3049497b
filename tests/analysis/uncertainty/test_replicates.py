import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.uncertainty.replicates import estimator, paired_rows, random_groups, values_of


def test_groups_are_equal_and_drawn_from_the_seed():
    group = random_groups(103, 10, 0)
    assert sorted(np.bincount(group)) == [10] * 7 + [11] * 3
    assert np.array_equal(group, random_groups(103, 10, 0))
    assert not np.array_equal(group, random_groups(103, 10, 1))


def test_rows_keep_their_sort_and_their_pairs():
    x, y = paired_rows(x=[0.5, 1.5, 2.5], y=[1, 0, 1])
    assert (x.shape, x.dtype.kind, y.shape, y.dtype.kind) == ((3, 1), "f", (3, 1), "i")
    with pytest.raises(InputError, match="x has 3, y has 2 samples"):
        paired_rows(x=[0.5, 1.5, 2.5], y=[1, 0])


def test_values_are_those_of_the_parts():
    rng = np.random.default_rng(0)
    x, y = paired_rows(x=rng.integers(0, 3, 60), y=rng.integers(0, 3, 60))
    of = estimator("plugin", 2, 0, {})
    mask, index = np.arange(60) < 30, np.arange(30)
    values = values_of(of, x, y, [mask, index])
    assert values[0] == values[1] == of(x[:30], y[:30]).value


def test_the_seed_reaches_a_method_that_draws_and_a_seed_of_its_own_comes_first():
    x, y = paired_rows(x=np.random.default_rng(0).normal(size=(40, 1)), y=np.arange(40))
    read = {seed: estimator("sample_propagation", 2, seed, {"draws": 2})(x, y) for seed in (0, 5)}
    assert [read[seed].parameters["seed"] for seed in read] == [0, 5]
    assert read[0].value != read[5].value
    assert estimator("sample_propagation", 2, 0, {"draws": 2, "seed": 5})(x, y).value == read[5].value
    assert "seed" not in estimator("plugin", 2, 5, {})(np.arange(40) % 2, np.arange(40) % 2).parameters
