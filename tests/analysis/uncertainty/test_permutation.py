import math

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.uncertainty.permutation import permutation_null


def test_p_values_are_uniform_under_independence():
    rng, p_values = np.random.default_rng(0), []
    for _ in range(120):
        x, y = rng.standard_normal((2, 30))
        p_values.append(permutation_null(x, y, method="gaussian", permutations=19).p_value)
    # p is one of 1/20 .. 20/20, equally likely; less a uniform step it is continuous.
    smooth = np.array(p_values) - rng.random(120) / 20
    assert stats.kstest(smooth, "uniform").pvalue > 0.01
    assert min(p_values) >= 1 / 20


def test_ties_of_labels_keep_the_p_value_valid():
    rng, p_values = np.random.default_rng(1), []
    for _ in range(120):
        x, y = rng.integers(0, 2, (2, 16))
        p_values.append(permutation_null(x, y, method="plugin", permutations=19).p_value)
    for level in (0.05, 0.1, 0.5):
        assert np.mean(np.array(p_values) <= level) <= level + 3 * math.sqrt(level * (1 - level) / 120)


def test_p_value_is_the_smallest_under_dependence():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 4, 200)
    y = np.where(rng.random(200) < 0.5, x, rng.integers(0, 4, 200))
    result = permutation_null(x, y, method="plugin", permutations=99)
    assert result.p_value == 1 / 100
    assert result.value > result.quantiles[0.99]


def test_mean_of_the_null_is_the_bias_at_independence():
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 6, (2, 1000))
    result = permutation_null(x, y, method="plugin", permutations=200, base=math.e)
    chi2 = stats.chi2(25)  # 2n times the plug-in value, for 6 x 6 symbols
    assert result.mean == pytest.approx(25 / 2000, abs=4 * chi2.std() / 2000 / math.sqrt(200))
    assert result.standard_deviation == pytest.approx(chi2.std() / 2000, rel=0.2)
    assert result.quantiles[0.95] == pytest.approx(chi2.ppf(0.95) / 2000, rel=0.1)
    assert result.excess == pytest.approx(result.value - result.mean, rel=1e-12)


def test_one_seed_gives_one_null():
    x, y = np.random.default_rng(4).standard_normal((2, 50))
    first, again, other = (permutation_null(x, y, method="gaussian", permutations=10, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.replicates, again.replicates)
    assert not np.array_equal(first.replicates, other.replicates)
    assert "p = " in str(first)
    with pytest.raises(InputError, match="permutations is 0"):
        permutation_null(x, y, method="gaussian", permutations=0)
