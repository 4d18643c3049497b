"""Sliced information: closed forms for normals in the same directions and over all of them."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.ksg1 import KSG1, ksg1
from infoplane.analysis.estimators.ross import Ross, ross
from infoplane.analysis.estimators.sliced import Sliced, directions, sliced


def normals(rho, n, seed, d):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def truth(rho, d):
    """Return E -1/2 log(1 - rho² t²), t the product of two uniform directions: density (1 - t²)^((d - 3)/2)."""

    def density(t):
        return (1 - t**2) ** ((d - 3) / 2)

    mean = quad(lambda t: -0.5 * math.log(1 - (rho * t) ** 2) * density(t), -1, 1)[0]
    return mean / quad(density, -1, 1)[0]


def test_normals_give_the_mean_of_their_slices():
    rho, d, n, slices = 0.95, 3, 2000, 60
    rng = np.random.default_rng(0)
    thetas, phis = directions(rng, slices, d), directions(rng, slices, d)
    exact = -0.5 * np.log(1 - (rho * (thetas * phis).sum(axis=1)) ** 2)
    values = [sliced(*normals(rho, n, seed, d), Sliced(slices=slices)).nats for seed in range(2)]
    assert np.mean(values) == pytest.approx(exact.mean(), rel=0.04)
    assert exact.mean() == pytest.approx(truth(rho, d), abs=3 * exact.std() / math.sqrt(slices))


def test_standard_error_is_that_of_the_slices():
    result = estimate(*normals(0.9, 1000, 0, 4), method="sliced", base=math.e, slices=64)
    assert result.quantity == "sliced mutual information"
    assert abs(result.value - truth(0.9, 4)) < 4 * result.standard_error
    assert result.standard_error == pytest.approx(0.11 / 8, rel=0.5)


def test_one_column_has_one_slice_and_no_error_over_slices():
    x, y = normals(0.9, 500, 0, 1)
    labels = (y[:, 0] > 0).astype(np.int64)
    for other, whole in ((y, ksg1(x, y, KSG1())), (labels, ross(x, labels, Ross()))):
        reading = sliced(x, other, Sliced(slices=3))
        assert reading.nats == pytest.approx(whole.nats, abs=1e-9)
        assert math.isnan(reading.standard_error)


def test_one_column_beside_several_is_sliced():
    x, y = normals(0.9, 500, 0, 2)
    for pair in ((x[:, :1], y), (x, y[:, :1])):
        assert sliced(*pair, Sliced(slices=5)).standard_error > 0.01


def test_labels_are_not_projected():
    # Two classes 2 a apart along one axis; a slice at angle u sees them 2 a |cos u| apart.
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 4000)
    x = rng.standard_normal((4000, 2)) + np.column_stack([np.where(y, 2.0, -2.0), np.zeros(4000)])

    def binary(a):
        def density(t):
            return (math.exp(-((t - a) ** 2) / 2) + math.exp(-((t + a) ** 2) / 2)) / math.sqrt(8 * math.pi)

        return quad(lambda t: -density(t) * math.log(density(t)), -12, 12)[0] - 0.5 * math.log(2 * math.pi * math.e)

    thetas = directions(np.random.default_rng(0), 40, 2)
    exact = np.mean([binary(2 * abs(theta[0])) for theta in thetas])
    result = estimate(x, y, method="sliced", base=math.e, slices=40)
    assert result.value == pytest.approx(exact, rel=0.03)
    assert result.parameters["per_slice"] == "ross"


def test_ties_are_said_once():
    x, y = (np.maximum(side, 0) for side in normals(0.9, 400, 0, 2))
    codes = [(finding.code, finding.where) for finding in sliced(x, y, Sliced(slices=5)).findings]
    assert codes == [("ties", "x"), ("ties", "y")]


def test_directions_are_uniform_unit_vectors():
    found = directions(np.random.default_rng(0), 20_000, 3)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-12)
    assert found.T @ found / 20_000 == pytest.approx(np.eye(3) / 3, abs=0.01)


def test_parameters_out_of_range_are_refused():
    with pytest.raises(InputError, match="slices is 1"):
        Sliced(slices=1)
