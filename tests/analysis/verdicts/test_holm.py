"""Holm's procedure: a published example, and closed testing over all subsets, from which it follows."""

from itertools import combinations

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts import holm


def test_example_of_four_hypotheses():
    # The example of the encyclopedias: at 0.05 the first and the fourth are rejected.
    found = holm([0.01, 0.04, 0.03, 0.005])
    assert found.adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert found.rejected.tolist() == [True, False, False, True]
    assert found.alphas == pytest.approx([0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 4])


def test_it_is_closed_testing_with_bonferroni():
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = rng.uniform(0, 0.15, 5)
        subsets = [s for size in range(1, 6) for s in combinations(range(5), size)]
        for k, adjusted in enumerate(holm(p).adjusted):
            closed = max(min(1, len(s) * min(p[i] for i in s)) for s in subsets if k in s)
            assert adjusted == pytest.approx(closed, abs=1e-15)


def test_rejected_where_the_adjusted_value_or_the_own_one_at_its_step_is_small():
    rng = np.random.default_rng(1)
    for _ in range(300):
        p = rng.uniform(0, 0.1, rng.integers(1, 8))
        found = holm(p, level=0.9)
        assert (found.rejected == (found.adjusted <= 0.1 + 1e-15)).all()
        assert (found.rejected == (p <= found.alphas)).all()
        assert ((0.1 / len(p) - 1e-15 <= found.alphas) & (found.alphas <= 0.1 + 1e-15)).all()


def test_one_hypothesis_is_left_as_it_is_and_none_is_no_error():
    assert holm([0.03]).adjusted.tolist() == [0.03]
    assert holm([0.03]).alphas == pytest.approx([0.05])
    assert holm([]).adjusted.shape == (0,)


@pytest.mark.parametrize("p", [[-0.1], [1.1], [float("nan")], 0.5])
def test_what_is_no_p_value_is_refused(p):
    with pytest.raises(InputError, match="p_values is"):
        holm(p)
