"""Two networks on one test set: counted by hand."""

from math import comb

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts import errors_alone, mcnemar


def outcomes(both, only_first, only_second, neither):
    pattern = [(1, 1)] * both + [(1, 0)] * only_first + [(0, 1)] * only_second + [(0, 0)] * neither
    return np.array(pattern).T


@pytest.mark.parametrize(("b", "c"), [(3, 0), (0, 3), (10, 4), (7, 7), (0, 0), (12, 13)])
def test_p_value_counts_the_halves_of_the_binomial_law(b, c):
    found = mcnemar(*outcomes(20, b, c, 100))
    tail = sum(comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert found.p_value == pytest.approx(min(1, 2 * tail))
    assert (found.images, found.first_errors, found.second_errors) == (120 + b + c, 20 + b, 20 + c)
    assert (found.only_first, found.only_second) == (b, c)


def test_errors_alone_give_the_least_p_value_that_any_images_could_give():
    least = errors_alone(117, 114, 10000).p_value
    assert least == 0.25
    cases = [mcnemar(*outcomes(117 - 3 - k, 3 + k, k, 9883 - k)).p_value for k in range(115)]
    assert min(cases) == least


def test_what_the_papers_two_errors_are():
    assert str(errors_alone(117, 114, 10000)) == (
        "These two networks: 1.17 % and 1.14 % of 10,000 images are 117 and 114 errors, 3 images apart; the binomial "
        "standard error of one is 0.11 points. Whichever images they are, McNemar's exact p value is at least 0.25."
    )
    assert errors_alone(117, 114, 10000).binomial_error == pytest.approx(0.001075, abs=5e-7)


def test_outcomes_say_where_the_networks_disagree():
    assert str(mcnemar(*outcomes(3, 1, 2, 494))) == (
        "These two networks: 0.8 % and 1.0 % of 500 images are 4 and 5 errors, 1 image apart: 1 image wrong in A "
        "alone, 2 images in B alone; McNemar's exact p value is 1."
    )


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [([1, 0], [1], "both must be"), ([0.5, 1], [0, 1], "first_wrong holds"), ([0, 1], [0, 2], "second_wrong holds")],
)
def test_what_is_no_outcome_is_refused(first, second, says):
    with pytest.raises(InputError, match=says):
        mcnemar(first, second)


@pytest.mark.parametrize("counts", [(-1, 0, 10), (11, 0, 10), (1, 11, 10), (0, 0, 0), (1.5, 0, 10)])
def test_what_is_no_count_is_refused(counts):
    with pytest.raises(InputError):
        errors_alone(*counts)
