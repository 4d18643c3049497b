"""The Gaussian staircase and its cubic twin."""

import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import cubic_staircase, cubic_step, gaussian_staircase, gaussian_step


def sample_nats(x, y):
    """Return the information of the normal law with the samples' covariance, less its leading bias."""
    log_det = [np.linalg.slogdet(np.cov(side.T))[1] for side in (x, y, np.hstack([x, y]))]
    return 0.5 * (log_det[0] + log_det[1] - log_det[2]) - x.shape[1] * y.shape[1] / (2 * len(x))


@pytest.mark.parametrize("staircase", [gaussian_staircase, cubic_staircase])
def test_steps_are_two_to_ten_nats_in_twenty_dimensions(staircase):
    laws = staircase()
    assert [law.nats for law in laws] == pytest.approx([2, 4, 6, 8, 10], rel=1e-12)
    assert {(law.dim_x, law.dim_y) for law in laws} == {(20, 20)}


@pytest.mark.parametrize("index", [0, 4])
def test_samples_have_the_correlation_and_the_cube_undoes(index):
    truth = 2 + 2 * index
    x, y = gaussian_staircase()[index].sample(30_000, seed=0)
    rho = math.sqrt(1 - math.exp(-2 * truth / 20))
    assert (x * y).mean(axis=0) == pytest.approx(np.full(20, rho), abs=0.03)
    assert sample_nats(x, y) == pytest.approx(truth, rel=0.02)
    x, z = cubic_staircase()[index].sample(30_000, seed=0)
    assert sample_nats(x, np.cbrt(z)) == pytest.approx(truth, rel=0.02)
    assert np.abs((x * np.cbrt(z)).mean(axis=0)).max() < 0.9 * rho


def test_seed_draws_the_rotation():
    first, second = (cubic_step(2.0, dim=4, seed=seed).sample(3, seed=0) for seed in (0, 1))
    assert np.array_equal(first[0], second[0])
    assert not np.allclose(first[1], second[1])


@pytest.mark.parametrize(
    ("nats", "dim", "text"), [(0.0, 20, "nats is 0.0"), (math.inf, 20, "nats is inf"), (1.0, 0, "dim")]
)
def test_a_step_out_of_range_is_refused(nats, dim, text):
    with pytest.raises(InputError, match=text):
        gaussian_step(nats, dim=dim)
