"""Local non-uniformity correction: strong dependence, where KSG stops, and laws that need no correction."""

import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.ksg2 import KSG2, ksg2
from infoplane.analysis.estimators.lnc import LNC, lnc, log_alpha


def normals(rho, n, seed, d=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


@pytest.mark.parametrize(("n", "d"), [(500, 1), (2000, 2)])
def test_strong_dependence_is_read_where_ksg_stops(n, d):
    rho = 1 - 1e-6
    truth = -d / 2 * math.log(1 - rho**2)
    pairs = [normals(rho, n, seed, d) for seed in range(3)]
    corrected = np.mean([lnc(*pair, LNC()).nats for pair in pairs])
    plain = np.mean([ksg2(*pair, KSG2()).nats for pair in pairs])
    assert abs(corrected - truth) < 0.05 * truth
    assert plain < 0.8 * truth


def rectified(rho, n, seed, d):
    return tuple(np.maximum(side, 0) for side in normals(rho, n, seed, d))


@pytest.mark.parametrize(("d", "rho", "truth"), [(2, 0, 0), (3, 0, 0), (2, 0.8, 0.69284), (3, 0.8, 1.03926)])
def test_rectified_layers_of_several_columns_are_read_as_by_ksg(d, rho, truth):
    # A tie in one column makes the box of the pair as thin as the jitter: that is no dependence.
    values = [lnc(*rectified(rho, 2000, seed, d), LNC()).nats for seed in range(3)]
    assert abs(np.mean(values) - truth) < max(0.03, 0.16 * truth)


def test_strong_dependence_of_rectified_units_is_read():
    # rho = 0.9999: 2.461 nat.
    values = [lnc(*rectified(0.9999, 2000, seed, 1), LNC()).nats for seed in range(3)]
    assert abs(np.mean(values) - 2.461) < 0.05 * 2.461


def test_neighbours_too_far_to_show_a_sum_are_said():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 10))
    y = (0.96 * x.sum(axis=1, keepdims=True) / math.sqrt(10)) + 0.28 * rng.standard_normal((1000, 1))
    reading = lnc(x, y, LNC(k=12))
    assert reading.nats < 0.5 * 1.273
    assert [finding.code for finding in reading.findings] == ["wide_neighbourhoods"]
    assert not lnc(x[:, :2], y, LNC()).findings


@pytest.mark.parametrize(("rho", "n", "d"), [(0.8, 1000, 1), (1 - 1e-6, 500, 1), (0.5, 2000, 2), (1 - 1e-6, 2000, 2)])
def test_what_is_read_well_is_not_doubted(rho, n, d):
    assert not lnc(*normals(rho, n, 0, d), LNC()).findings


def test_ordinary_dependence_is_read_as_by_ksg():
    truth = -0.5 * math.log(1 - 0.8**2)
    readings = [lnc(*normals(0.8, 5000, seed), LNC()) for seed in range(3)]
    assert abs(np.mean([reading.nats for reading in readings]) - truth) < 0.02
    assert max(reading.chosen["corrected"] for reading in readings) < 0.02


def test_share_of_false_corrections_is_the_one_asked_for():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(2, 20_000, 1))
    for false_alarm in (0.005, 0.05):
        corrected = lnc(x, y, LNC(false_alarm=false_alarm)).chosen["corrected"]
        assert corrected == pytest.approx(false_alarm, rel=0.25)


def test_dependence_within_one_side_is_not_taken_for_information():
    rng = np.random.default_rng(0)
    angle, y = rng.uniform(0, 2 * math.pi, 2000), rng.standard_normal((2000, 1))
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    assert abs(lnc(circle, y, LNC()).nats) < 0.03
    repeated = np.column_stack([angle, angle])
    reading = lnc(repeated, y, LNC())
    assert abs(reading.nats) < 0.03
    assert not reading.findings


def test_a_deterministic_relation_is_said():
    x = np.random.default_rng(0).standard_normal((500, 1))
    reading = lnc(x, 2 * x, LNC())
    assert math.isfinite(reading.nats)
    assert "deterministic" in [finding.code for finding in reading.findings]


def test_alpha_is_the_chance_that_points_leave_a_square_empty():
    # Three points in a square, drawn anew: as many ratios lie under alpha as it says.
    rng = np.random.default_rng(7)
    alpha = math.exp(log_alpha(3, 1, 1, 0.1))
    under = 0
    for _ in range(4000):
        points = rng.uniform(-1, 1, (3, 2))
        axes = np.linalg.svd(points)[2].T
        under += np.prod(np.abs(points @ axes).max(axis=0)) < alpha * np.prod(np.abs(points).max(axis=0))
    assert under / 4000 == pytest.approx(0.1, abs=0.02)


def test_too_few_neighbours_for_the_columns_are_refused():
    with pytest.raises(InputError, match="k is 10, but the 12 columns of x and y"):
        lnc(*normals(0.5, 100, 0, d=6), LNC())
    for share in (0.7, 0, "x", True, None):
        with pytest.raises(InputError, match="false_alarm is"):
            LNC(false_alarm=share)
    with pytest.raises(InputError, match="k is 2"):
        LNC(k=2)
