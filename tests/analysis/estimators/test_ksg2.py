"""KSG, second form: normal laws, counting, and its ceiling."""

import math

import numpy as np
import pytest
from scipy.special import psi

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.ksg2 import KSG2, ksg2


def normals(rho, n, seed, d=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def test_bivariate_normal_is_read_within_its_spread():
    truth = -0.5 * math.log(1 - 0.8**2)
    errors = [ksg2(*normals(0.8, 20_000, seed), KSG2()).nats - truth for seed in range(3)]
    assert abs(np.mean(errors)) < 0.016


def test_two_columns_a_side_are_read():
    # Against the mean of log [p(x, y) / (p(x) p(y))] over the same samples: their own spread (0.023 nat) cancels.
    errors = []
    for seed in range(3):
        x, y = normals(0.8, 5000, seed, d=2)
        log_ratio = 0.5 * (y**2 - (y - 0.8 * x) ** 2 / (1 - 0.8**2)) - 0.5 * math.log(1 - 0.8**2)
        errors.append(ksg2(x, y, KSG2()).nats - log_ratio.sum(axis=1).mean())
    assert abs(np.mean(errors)) < 0.03  # 0.021: some 2 % upwards


@pytest.mark.parametrize(("offset", "truth"), [(0, 0.34642), (-1, 0.14691)])
def test_rectified_normals_are_read_through_their_jitter(offset, truth):
    errors = [
        ksg2(*(np.maximum(side + offset, 0) for side in normals(0.8, 20_000, seed)), KSG2()).nats - truth
        for seed in range(3)
    ]
    assert abs(np.mean(errors)) < 0.012


def test_value_is_that_of_counting():
    x, y = normals(0.6, 120, 0, d=2)
    tables = [np.abs(side[:, None] - side[None]).max(axis=2) for side in (x / x.std(axis=0), y / y.std(axis=0))]
    terms = []
    for i in range(120):
        others = [np.delete(table[i], i) for table in tables]
        nearest = np.argsort(np.maximum(*others))[:4]
        terms.append(sum(psi((other <= other[nearest].max()).sum()) for other in others))
    expected = psi(4) - 1 / 4 + psi(120) - np.mean(terms)
    assert ksg2(x, y, KSG2(k=4)).nats == pytest.approx(expected, abs=1e-9)


def test_equal_variables_read_the_ceiling():
    x = np.random.default_rng(0).standard_normal((1000, 2))
    reading = ksg2(x, x, KSG2())
    assert reading.nats == pytest.approx(psi(1000) - psi(3) - 1 / 3, rel=1e-12)
    assert [finding.code for finding in reading.findings] == ["near_ceiling"]


def test_parameters_out_of_range_are_refused():
    with pytest.raises(InputError, match="k is 2"):
        KSG2(k=2.0)
    with pytest.raises(InputError, match="seed is -1"):
        KSG2(seed=-1)
