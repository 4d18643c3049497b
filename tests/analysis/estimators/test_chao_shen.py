import math

import numpy as np
import pytest

from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.chao_shen import chao_shen_entropy

COUNTS = np.array([4, 2, 3, 2, 4, 2, 1, 1])


def test_value_is_that_of_an_independent_library():
    # infomeasure 0.6.3: entropy(samples with these counts, approach="chao_shen", base="e").
    assert chao_shen_entropy(COUNTS) == pytest.approx(2.201137101279585, rel=1e-12)


def test_terms_are_shares_shrunk_by_the_coverage_over_the_chance_of_being_seen():
    n, covered = 19, 17 / 19
    terms = [-covered * c / n * math.log(covered * c / n) / (1 - (1 - covered * c / n) ** n) for c in COUNTS]
    assert chao_shen_entropy(COUNTS) == pytest.approx(sum(terms), rel=1e-12)


def test_unseen_symbols_are_allowed_for():
    # Uniform over 1000 symbols, 200 samples: the plug-in can reach log 200 at most.
    rng = np.random.default_rng(0)
    found = [chao_shen_entropy(np.unique(rng.integers(0, 1000, 200), return_counts=True)[1]) for _ in range(100)]
    assert np.mean(found) == pytest.approx(math.log(1000), abs=0.12)
    assert np.mean(found) > math.log(200) + 1


def test_samples_without_a_repeat_give_a_number_and_a_finding():
    result = estimate(np.arange(30), np.arange(30), method="chao_shen")
    assert math.isfinite(result.value)
    (finding,) = [finding for finding in result.findings if finding.code == "no_coverage"]
    assert finding.where == "x, y, (x, y)"
    result = estimate(np.arange(30), np.arange(30) % 3, method="chao_shen")
    assert [finding.where for finding in result.findings if finding.code == "no_coverage"] == ["x, (x, y)"]


def test_without_a_repeat_one_symbol_counts_as_seen_twice():
    # f_1 = n - 1, so that the coverage is 1 / n and every share 1 / n^2.
    n = 4
    share = 1 / n**2
    expected = -n * share * math.log(share) / (1 - (1 - share) ** n)
    assert chao_shen_entropy(np.ones(n, int)) == pytest.approx(expected, rel=1e-12)


def test_a_single_symbol_has_no_entropy():
    assert chao_shen_entropy(np.array([7])) == 0
