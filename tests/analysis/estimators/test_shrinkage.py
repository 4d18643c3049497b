import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.information import mutual_information


def dense(x, y, rows, columns):
    """Return the intensity and the information of the shrunk table by the formulas, cell by cell."""
    counts = np.zeros((rows, columns))
    np.add.at(counts, (x, y), 1)
    n, shares, target = counts.sum(), counts / counts.sum(), 1 / counts.size
    above = sum((1 - p) * p for p in shares.ravel()) / (n - 1)  # estimated variances of the shares
    weight = min(1.0, above / ((target - shares) ** 2).sum())
    return weight, mutual_information(weight * target + (1 - weight) * shares)


@pytest.mark.parametrize(("rows", "columns"), [(4, 3), (6, 9)])
def test_value_is_that_of_the_dense_shrunk_table(rows, columns):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, 60)
    y = np.where(rng.random(60) < 0.7, x % 3, rng.integers(0, 3, 60))
    result = estimate(x, y, method="shrinkage", alphabet_x=rows, alphabet_y=columns)
    weight, value = dense(x, y, rows, columns)
    assert 0.01 < weight < 0.99
    assert result.value == pytest.approx(value, rel=1e-11)
    assert result.parameters["intensity"] == pytest.approx(weight, rel=1e-12)


def test_samples_that_never_repeat_are_shrunk_to_independence():
    result = estimate(np.arange(50), np.arange(50), method="shrinkage")
    assert result.parameters["intensity"] == 1
    assert result.value == pytest.approx(0, abs=1e-12)


def test_intensity_falls_with_the_number_of_samples():
    rng = np.random.default_rng(1)
    weights = []
    for n in (100, 1000, 10_000):
        x = rng.integers(0, 4, n)
        weights.append(estimate(x, (x + (rng.random(n) < 0.2)) % 4, method="shrinkage").parameters["intensity"])
    assert weights[1] == pytest.approx(weights[0] / 10, rel=0.4)
    assert weights[2] == pytest.approx(weights[1] / 10, rel=0.2)


def test_uniform_counts_are_left_uniform():
    x, y = np.divmod(np.arange(16), 4)
    result = estimate(x, y, method="shrinkage", base=math.e)
    assert result.parameters["intensity"] == 1
    assert result.value == pytest.approx(0, abs=1e-12)


def test_alphabet_below_the_symbols_seen_is_refused():
    with pytest.raises(InputError, match="alphabet_y is 2, but the samples hold 3 different symbols"):
        estimate([0, 1, 2], [0, 1, 2], method="shrinkage", alphabet_y=2)
