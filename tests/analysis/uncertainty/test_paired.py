import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.uncertainty.jackknife import jackknife
from infoplane.analysis.uncertainty.paired import paired_difference


def layers(rng, n):
    """Return labels and two layers that share most of their noise: the second adds a little of its own."""
    y = rng.standard_normal(n)
    first = y + 0.8 * rng.standard_normal(n)
    return first, first + 0.2 * rng.standard_normal(n), y


def test_error_is_the_spread_of_the_difference_and_below_that_of_unpaired_ones():
    rng = np.random.default_rng(0)
    sets = [layers(rng, 400) for _ in range(80)]
    results = [paired_difference(*one, method="gaussian") for one in sets]
    spread = np.std([result.value for result in results], ddof=1)
    rms = math.sqrt(np.mean([result.standard_error**2 for result in results]))
    assert rms == pytest.approx(spread, rel=0.25)
    apart = [math.hypot(*(jackknife(t, y, method="gaussian").standard_error for t in one[:2])) for *one, y in sets[:15]]
    assert rms < 0.5 * np.mean(apart)
    truth = 0.5 * math.log2(1 + 1 / 0.64) - 0.5 * math.log2(1 + 1 / 0.68)
    assert np.mean([result.value for result in results]) == pytest.approx(truth, abs=4 * spread / math.sqrt(80))


def test_error_is_right_for_labels():
    rng, results = np.random.default_rng(1), []
    for _ in range(80):
        y = rng.integers(0, 4, 400)
        first = np.where(rng.random(400) < 0.7, y, rng.integers(0, 4, 400))
        second = np.where(rng.random(400) < 0.9, first, rng.integers(0, 4, 400))
        results.append(paired_difference(first, second, y, method="plugin"))
    spread = np.std([result.value for result in results], ddof=1)
    assert math.sqrt(np.mean([r.standard_error**2 for r in results])) == pytest.approx(spread, rel=0.25)


def test_a_layer_and_itself_differ_by_nothing():
    first, _, y = layers(np.random.default_rng(2), 100)
    result = paired_difference(first, first.copy(), y, method="gaussian")
    assert (result.value, result.standard_error) == (0, 0)


def test_value_is_that_of_the_two_estimates():
    first, second, y = layers(np.random.default_rng(3), 100)
    result = paired_difference(first, second, y, method="gaussian", base=math.e)
    assert result.value == result.first.value - result.second.value
    assert result.unit == "nat"
    assert str(result).startswith("difference 0.")


def test_unpaired_samples_are_refused():
    first, second, y = layers(np.random.default_rng(4), 100)
    with pytest.raises(InputError, match="first has 100, second has 99, y has 100 samples"):
        paired_difference(first, second[1:], y, method="gaussian")
