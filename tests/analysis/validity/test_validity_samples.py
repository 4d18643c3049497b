import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.rows import row_keys
from infoplane.analysis.validity import collapsed_dimensions, duplicate_inputs, non_finite, outside_bins


def test_counts_are_said_only_where_there_are_any():
    assert non_finite(0, 10, where="fc") is outside_bins(0, 10, where="fc") is None
    assert str(non_finite(3, 10, where="fc")).startswith("non_finite: fc: 3 of 10 values are NaN or infinite")
    found = outside_bins(2, 10, where="fc", bins="30 bins on [-1, 1]")
    assert (found.amount, found.unit, found.text) == (2.0, "1", "2 of 10 values lie outside 30 bins on [-1, 1]")


def test_duplicates_cost_log_n_less_the_entropy_of_the_inputs():
    # 8 inputs, one of them three times and one twice: H = log2 8 - (3 log2 3 + 2 log2 2) / 8
    found = duplicate_inputs(np.array([0, 0, 0, 1, 1, 2, 3, 4]))
    assert found.amount == pytest.approx((3 * math.log2(3) + 2) / 8)
    assert "3 of 8 inputs repeat" in found.text
    assert duplicate_inputs(np.array([0, 0, 1]), base=math.e).unit == "nat"


def test_different_inputs_have_no_finding():
    assert duplicate_inputs(np.arange(5)) is duplicate_inputs(np.empty(0, np.uint64)) is None
    images = np.random.default_rng(0).random((3000, 64))
    assert duplicate_inputs(row_keys(images)) is None
    assert duplicate_inputs(row_keys(np.concatenate([images, images[:1]]))).text.startswith("1 of 3001")


def test_keys_that_are_no_integers_are_refused():
    with pytest.raises(InputError, match="one integer per input"):
        duplicate_inputs(np.zeros((3, 2)))


def test_collapsed_dimensions_are_counted_in_nats_whatever_the_unit():
    rates = np.array([2.0, 0.0, 0.009, 0.011])  # nats
    assert collapsed_dimensions(rates, base=math.e).amount == 2
    assert collapsed_dimensions(rates / math.log(2), base=2).amount == 2
    assert collapsed_dimensions(rates[[0, 3]], base=math.e) is None
    assert "2 of 4 dimensions" in collapsed_dimensions(rates, base=math.e).text
    assert collapsed_dimensions(np.array([math.nan, 1.0])) is None


def test_a_code_that_is_all_prior_is_said_to_carry_nothing():
    assert "all 3 dimensions" in collapsed_dimensions(np.zeros(3)).text
