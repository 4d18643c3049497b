"""KSG, first form: normal and rectified normal laws, scikit-learn's values, and what holds for any samples."""

import math

import numpy as np
import pytest
from scipy.special import psi
from sklearn.feature_selection import mutual_info_regression

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.ksg1 import KSG1, ksg1


def normals(rho, n, seed, d=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def test_bivariate_normal_is_read_within_its_spread():
    truth = -0.5 * math.log(1 - 0.8**2)
    errors = [ksg1(*normals(0.8, 20_000, seed), KSG1()).nats - truth for seed in range(3)]
    assert abs(np.mean(errors)) < 0.016


@pytest.mark.parametrize(("offset", "truth"), [(0, 0.34642), (-1, 0.14691)])
def test_rectified_normals_are_read_through_their_jitter(offset, truth):
    errors = []
    for seed in range(3):
        x, y = (np.maximum(side + offset, 0) for side in normals(0.8, 20_000, seed))
        reading = ksg1(x, y, KSG1())
        errors.append(reading.nats - truth)
        assert [finding.code for finding in reading.findings] == ["ties", "ties"]
    assert abs(np.mean(errors)) < 0.012  # 0.03 is asked for


@pytest.mark.parametrize("k", [1, 3, 10])
def test_one_column_gives_the_value_of_scikit_learn(k):
    x, y = normals(0.6, 1500, 0)
    theirs = mutual_info_regression(x, y[:, 0], n_neighbors=k, random_state=0)[0]
    assert ksg1(x, y, KSG1(k=k)).nats == pytest.approx(theirs, abs=1e-9)


def test_several_columns_give_the_value_of_counting():
    x, y = normals(0.6, 120, 0, d=2)
    sides = [side / side.std(axis=0) for side in (x, y)]
    tables = [np.abs(side[:, None] - side[None]).max(axis=2) for side in sides]
    terms = []
    for i in range(120):
        others = [np.delete(table[i], i) for table in tables]
        radius = np.sort(np.maximum(*others))[3]
        terms.append(sum(psi((other < radius).sum() + 1) for other in others))
    expected = psi(4) + psi(120) - np.mean(terms)
    assert ksg1(x, y, KSG1(k=4)).nats == pytest.approx(expected, abs=1e-9)


def test_equal_variables_read_the_ceiling_and_it_is_said():
    x = np.random.default_rng(0).standard_normal((1000, 2))
    result = estimate(x, x, method="ksg1", base=math.e)
    assert result.value == pytest.approx(psi(1000) - psi(3), rel=1e-12)
    (finding,) = (finding for finding in result.findings if finding.code == "near_ceiling")
    assert finding.amount == pytest.approx(psi(1000) - psi(3), rel=1e-12)


def test_scale_of_a_column_does_not_matter():
    x, y = normals(0.9, 800, 0, d=2)
    scaled = x * [1, 2.0**20] + [0, 5]
    assert ksg1(scaled, y, KSG1()).nats == pytest.approx(ksg1(x, y, KSG1()).nats, abs=1e-6)


def test_many_columns_are_said_to_be_too_coarse():
    x, y = normals(0.5, 1000, 0, d=10)
    reading = ksg1(x, y, KSG1())
    assert reading.nats < 0.7 * -5 * math.log(1 - 0.5**2)
    assert [finding.code for finding in reading.findings] == ["wide_neighbourhoods"]
    assert not ksg1(*normals(0.5, 1000, 0, d=2), KSG1()).findings


def test_parameters_out_of_range_are_refused():
    with pytest.raises(InputError, match="k is 0"):
        KSG1(k=0)
    with pytest.raises(InputError, match="there are 5 samples, but each sample's neighbour number 5 needs at least 6"):
        ksg1(*normals(0.5, 5, 0), KSG1(k=5))
