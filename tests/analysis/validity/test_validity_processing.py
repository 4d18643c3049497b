import math
from itertools import pairwise

import numpy as np
import pytest

from infoplane.analysis.rows import row_symbols
from infoplane.analysis.validity import bounds_gain_information, counts_gain_information, resolution_differs


def counted(codes):
    """I(X;T) in bit of T = f(X) on equally frequent inputs: H(T)."""
    shares = np.bincount(row_symbols(codes)) / len(codes)
    return float(-(shares * np.log2(shares)).sum())


def test_exact_counts_of_a_function_never_gain():
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(500):
        first = rng.integers(0, 4, size=(200, 3))
        second = (first @ rng.integers(-2, 3, size=(3, 2))) // 2
        alarms += counts_gain_information(counted(first), counted(second)) is not None
    assert alarms == 0


def test_exact_counts_that_gain_are_impossible():
    found = counts_gain_information(1.0, 2.98, where="layer 5")
    assert (found.code, found.where) == ("counts_gain_information", "layer 5")
    assert math.isclose(found.amount, 1.98)
    assert counts_gain_information(1.0, 1.0 + 1e-12) is None
    assert counts_gain_information(1.0, math.nan) is None


def test_bounds_gain_only_when_the_later_lower_one_exceeds_the_earlier_upper_one():
    assert bounds_gain_information(2.0, 2.5, se_upper=0.05, se_lower=0.05).amount == 0.5
    assert bounds_gain_information(2.0, 2.5, se_upper=0.10, se_lower=0.05) is None
    assert bounds_gain_information(2.0, 1.9, se_upper=0.0, se_lower=0.0) is None
    assert bounds_gain_information(2.0, 9.0, se_upper=math.nan, se_lower=0.0) is None


def test_a_rectified_layer_on_bins_of_a_saturated_one_is_said_to_differ_in_resolution():
    # the row of 30 bins on [-1, 1]: 1.00 -> 2.98 -> 3.29 bit, which no chain does
    rows = [1.00, 2.98, 3.29]
    said = [resolution_differs(one, two, se=0.0) for one, two in pairwise(rows)]
    assert [finding.code for finding in said] == ["resolution_differs"] * 2
    assert "information cannot" in said[0].text


def test_estimates_that_fall_or_rise_within_their_error_say_nothing():
    assert resolution_differs(3.0, 2.9, se=0.0) is None
    assert resolution_differs(3.0, 3.3, se=0.1) is None
    assert resolution_differs(3.0, 3.5, se=0.1) is not None
    assert resolution_differs(3.0, 3.5, se=math.nan) is None
    with pytest.raises(TypeError, match="se"):
        resolution_differs(3.0, 3.5)
