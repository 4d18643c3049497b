import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.information import mutual_information
from infoplane.analysis.uncertainty.extrapolation import extrapolate

JOINT = 0.5 * np.full((10, 10), 0.01) + 0.5 * np.eye(10) / 10


def draw(rng, n):
    return np.divmod(rng.choice(100, n, p=JOINT.ravel()), 10)


def test_bias_of_the_plugin_value_is_removed():
    rng, truth = np.random.default_rng(0), mutual_information(JOINT)
    results = [extrapolate(*draw(rng, 4000), method="plugin") for _ in range(40)]
    plain = np.array([result.estimate.value for result in results])
    limit = np.array([result.value for result in results])
    first_order = 81 / (2 * 4000) / math.log(2)
    assert plain.mean() - truth == pytest.approx(first_order, abs=4 * plain.std() / math.sqrt(40))
    # The same sets: the difference varies little, and 4 of its errors are a tenth of the bias.
    removed = plain - limit
    assert removed.mean() == pytest.approx(first_order, rel=0.1)
    assert limit.mean() == pytest.approx(truth, abs=4 * limit.std() / math.sqrt(40))


def test_slope_is_that_of_the_bias():
    rng = np.random.default_rng(1)
    slopes = [extrapolate(*draw(rng, 4000), method="plugin", base=math.e).coefficients[1] for _ in range(30)]
    assert np.mean(slopes) == pytest.approx(81 / 2, rel=0.15)


def test_values_of_the_divisions_are_kept_with_their_sizes():
    x, y = draw(np.random.default_rng(2), 600)
    result = extrapolate(x, y, method="plugin", divisions=(1, 2, 4), degree=1)
    assert result.sizes.tolist() == [600, 300, 150]
    assert result.values[0] == pytest.approx(result.estimate.value, rel=1e-12)
    assert (np.diff(result.values) > 0).all()
    fitted = result.coefficients[0] + result.coefficients[1] / result.sizes
    residuals = result.values - fitted
    weights = np.linalg.inv([[3, 7], [7, 21]])  # sums of 1, d and d^2 over the divisions
    assert result.residual_error == pytest.approx(math.sqrt((residuals**2).sum() * weights[0, 0]), rel=1e-9)
    assert residuals.sum() == pytest.approx(0, abs=1e-12)
    assert extrapolate(x, y, method="plugin", divisions=(1, 2, 4), degree=1).value == result.value


def test_a_fit_through_every_point_has_no_residual_error():
    x, y = draw(np.random.default_rng(3), 600)
    result = extrapolate(x, y, method="plugin", divisions=(1, 2, 3))
    assert math.isnan(result.residual_error)
    # Through v1, v2, v3 at 1/n, 2/n, 3/n, the parabola reads 3 v1 - 3 v2 + v3 at 0.
    assert result.value == pytest.approx(result.values @ [3, -3, 1], rel=1e-9)
    assert "residual error nan" in str(result)


def test_divisions_that_do_not_fit_are_refused():
    x, y = draw(np.random.default_rng(4), 60)
    with pytest.raises(InputError, match="needs at least 3 different ones"):
        extrapolate(x, y, method="plugin", divisions=(1, 2))
    with pytest.raises(InputError, match="needs at least 3 different ones"):
        extrapolate(x, y, method="plugin", divisions=(1, 2, 2, 3))
    with pytest.raises(InputError, match="one of divisions is 40, but 60 samples make at most 30 groups"):
        extrapolate(x, y, method="plugin", divisions=(1, 2, 40))


def test_what_a_part_is_refused_for_is_not_said_of_the_whole():
    x = np.random.default_rng(5).normal(size=(10, 1))
    with pytest.raises(InputError, match=r"a part of \d of the 10 samples cannot be estimated: there are \d samples"):
        extrapolate(x, x + 1, method="ksg1", k=4, divisions=(1, 2, 3))
