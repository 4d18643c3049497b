import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoplane.analysis.estimate import estimate
from infoplane.analysis.information import entropy, mutual_information
from infoplane.analysis.rows import row_symbols

INPUTS = (np.arange(4096)[:, None] >> np.arange(12)) & 1


def test_information_about_the_input_is_the_entropy_of_the_code():
    ones = INPUTS.sum(axis=1)
    result = estimate(ones, row_symbols(INPUTS), method="exact")
    assert result.value == pytest.approx(entropy([math.comb(12, k) / 4096 for k in range(13)]), rel=1e-12)
    assert (result.standard_error, result.kind, result.findings) == (0, "estimate", ())


def test_a_code_that_keeps_everything_has_twelve_bits():
    codes = np.tanh(INPUTS @ np.random.default_rng(0).standard_normal((12, 5)))
    result = estimate(codes, row_symbols(INPUTS), method="exact")
    assert result.value == pytest.approx(12, rel=1e-12)
    assert [finding.code for finding in result.findings] == ["floats_as_labels"]
    assert not estimate(row_symbols(codes), row_symbols(INPUTS), method="exact").findings


def test_error_is_none_over_the_whole_set():
    result = estimate([0, 1, 0, 1], [0, 1, 2, 3], method="exact")
    assert (result.standard_error, result.error_over) == (0, "the whole set")
    assert "± 0 bit (exact, estimate, n = 4, error over the whole set)" in str(result)


def test_information_about_labels_is_counted():
    ones, parity = INPUTS.sum(axis=1), INPUTS.sum(axis=1) % 2
    assert estimate(ones, parity, method="exact").value == pytest.approx(1, rel=1e-12)
    assert estimate(INPUTS[:, :11], parity, method="exact").value == 0
    majority = (INPUTS[:, :3].sum(axis=1) > 1).astype(int)
    joint = np.array([[3, 1], [1, 3]]) / 8
    assert estimate(INPUTS[:, 0], majority, method="exact").value == pytest.approx(mutual_information(joint), rel=1e-12)


def test_repeated_inputs_are_said_with_what_they_cost():
    inputs = np.concatenate([INPUTS[:6], INPUTS[:2]])
    result = estimate(inputs, row_symbols(inputs), method="exact")
    (finding,) = result.findings
    assert finding.code == "duplicate_inputs"
    assert (finding.amount, finding.unit) == (pytest.approx(3 - entropy([2 / 8] * 2 + [1 / 8] * 4), rel=1e-12), "bit")
    assert result.value == pytest.approx(3 - finding.amount, rel=1e-12)
    assert not estimate(inputs, [0, 0, 0, 1, 1, 1, 0, 0], method="exact").findings


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=2, max_size=60),
    st.lists(st.integers(0, 4), min_size=10, max_size=10),
)
def test_a_function_of_a_code_never_tells_more(pairs, function):
    first, labels = np.array(pairs).T
    second = np.array(function)[first]
    inputs = np.arange(len(pairs))
    for target in (labels, inputs):
        before, after = (estimate(code, target, method="exact").value for code in (first, second))
        assert after <= before + 1e-12
