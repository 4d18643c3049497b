"""The maps are one to one, and are what their names say."""

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import Spiral, ToMixture, asinh, half_cube, normal_cdf, swiss_roll, wiggly_x, wiggly_y

LINE = np.linspace(-6, 6, 5001)[:, None]


@pytest.mark.parametrize("rising", [normal_cdf, half_cube, asinh, wiggly_x, wiggly_y])
def test_maps_of_one_number_rise_everywhere(rising):
    assert np.diff(rising(LINE), axis=0).min() > 0


def test_half_cube_is_a_power_on_either_side():
    assert half_cube(np.array([[4.0, -4.0, 0.0]])) == pytest.approx(np.array([[8.0, -8.0, 0.0]]))


@pytest.mark.parametrize("at", [0.0, 2.0])
def test_wiggly_maps_have_the_benchmarks_waves(at):
    on_x = at + 0.4 * np.sin(at) + 0.2 * np.sin(1.7 * at + 1) + 0.03 * np.sin(3.3 * at - 2.5)
    on_y = at - 0.4 * np.sin(0.4 * at) + 0.17 * np.sin(1.3 * at + 3.5) + 0.02 * np.sin(4.3 * at - 2.5)
    assert wiggly_x(np.full((1, 1), at))[0, 0] == pytest.approx(on_x, rel=1e-12)
    assert wiggly_y(np.full((1, 1), at))[0, 0] == pytest.approx(on_y, rel=1e-12)


def test_swiss_roll_goes_round_once_and_never_meets_itself():
    roll = swiss_roll(np.linspace(0, 1, 1001)[:, None])
    radius = np.linalg.norm(roll, axis=1)
    assert np.diff(radius).min() > 0
    assert radius[[0, -1]] == pytest.approx(np.array([1.5, 4.5]) * np.pi / 21)
    turns = np.unwrap(np.arctan2(roll[:, 1], roll[:, 0]))
    assert turns[-1] - turns[0] == pytest.approx(3 * np.pi)


def test_swiss_roll_takes_one_column():
    with pytest.raises(InputError, match=r"shape \(3, 2\)"):
        swiss_roll(np.zeros((3, 2)))


def test_spiral_turns_by_the_squared_norm_and_back():
    point = np.array([[3.0, 0.0, 4.0]])
    turned = Spiral((0, 1), np.pi / 50)(point)
    assert turned == pytest.approx(np.array([[0.0, 3.0, 4.0]]), abs=1e-12)
    values = np.random.default_rng(0).standard_normal((100, 4))
    there = Spiral((1, 3), 0.7)(values)
    assert np.linalg.norm(there, axis=1) == pytest.approx(np.linalg.norm(values, axis=1))
    assert Spiral((1, 3), -0.7)(there) == pytest.approx(values, abs=1e-12)
    assert np.array_equal(there[:, [0, 2]], values[:, [0, 2]])


def test_spiral_needs_its_columns():
    with pytest.raises(InputError, match="plane"):
        Spiral((1, 2), 1.0)(np.zeros((3, 2)))


def test_to_mixture_gives_the_mixtures_law():
    map_ = ToMixture(weights=(0.3, 0.7), means=(0.0, 5.0))
    values = map_(LINE)
    mixture = 0.3 * stats.norm.cdf(values) + 0.7 * stats.norm.cdf(values, loc=5)
    assert mixture == pytest.approx(stats.norm.cdf(LINE), rel=1e-10, abs=1e-14)
    assert np.diff(values, axis=0).min() > 0
