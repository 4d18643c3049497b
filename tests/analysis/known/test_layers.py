"""Noisy layers, against a second quadrature and their own samples."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import noisy_layer, noisy_layers

FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}


def log_density(activation, noise, gain=1.0):
    """Return a grid of t and log p(t) there, from 6,000 equally likely inputs: another quadrature than the code's."""
    codes = FUNCTIONS[activation](gain * stats.norm.ppf((np.arange(6000) + 0.5) / 6000))
    t = np.linspace(codes.min() - 7 * noise, codes.max() + 7 * noise, 1200)
    return t, np.log(
        np.mean([stats.norm.pdf(t, loc=part[:, None], scale=noise).mean(0) for part in codes.reshape(60, 100)], 0)
    )


@pytest.mark.parametrize("activation", FUNCTIONS)
@pytest.mark.parametrize("noise", [0.1, 0.3, 1.0])
def test_information_of_a_unit_and_its_samples(activation, noise):
    law = noisy_layer(activation, noise=noise, units=1, inputs=1)
    t, log_p = log_density(activation, noise)
    entropy = -np.trapezoid(np.exp(log_p) * log_p, t)
    assert law.nats == pytest.approx(entropy - 0.5 * math.log(2 * math.pi * math.e * noise**2), rel=0.003)
    x, y = (side[:, 0] for side in law.sample(600_000, seed=0))
    a = x if np.corrcoef(x, y)[0, 1] > 0 else -x
    ratio = stats.norm.logpdf(y, loc=FUNCTIONS[activation](a), scale=noise) - np.interp(y, t, log_p)
    error = ratio.std() / math.sqrt(len(ratio))
    assert 4 * error < 0.02 * law.nats
    assert abs(ratio.mean() - law.nats) < 4 * error + 0.001


def test_little_noise_leaves_the_entropy_of_the_noiseless_unit():
    noise = 0.01
    # tanh is one to one: I = h(A) + E log f'(A) - h(noise), but for the noise squared times a Fisher information.
    slope = integrate.quad(lambda a: stats.norm.pdf(a) * -2 * np.log(np.cosh(a)), -10, 10)[0]
    tanh = noisy_layer("tanh", noise=noise, units=1)
    assert tanh.nats == pytest.approx(slope - math.log(noise), abs=0.02)
    # Half of the rectified units are 0 and half are half-normal: I = H(1/2) + (h(half-normal) - h(noise)) / 2, but for
    # the units a few deviations of the noise from 0.
    relu = noisy_layer("relu", noise=noise, units=1)
    assert relu.nats == pytest.approx(0.5 * math.log(2) - 0.5 * math.log(noise), abs=0.05)


def test_linear_range_of_tanh_is_a_gaussian_channel():
    law = noisy_layer("tanh", noise=0.01, gain=0.02, units=3, inputs=4)
    assert law.nats == pytest.approx(3 * 0.5 * math.log(1 + 4), rel=0.001)


def test_steep_tanh_is_a_sign():
    law = noisy_layer("tanh", noise=0.5, gain=400.0, units=1)
    p = stats.norm(scale=0.5)
    x = np.linspace(-6, 6, 60_001)
    mixture = 0.5 * (p.pdf(x - 1) + p.pdf(x + 1))
    entropy = -np.trapezoid(mixture * np.log(mixture), x)
    assert law.nats == pytest.approx(entropy - p.entropy(), rel=0.01)


def test_units_are_independent_and_the_weights_are_drawn_by_the_seed():
    law = noisy_layer("relu", noise=0.3, units=3, inputs=5, gain=2.0)
    assert law.nats == pytest.approx(3 * noisy_layer("relu", noise=0.3, units=1, gain=2.0).nats, rel=1e-12)
    assert (law.dim_x, law.dim_y) == (5, 3)
    x, y = law.sample(100_000, seed=1)
    assert np.corrcoef(np.hstack([x, y]).T)[5:, 5:] == pytest.approx(np.eye(3), abs=0.015)
    weights = np.linalg.lstsq(x, y, rcond=None)[0]  # half the gain: a rectified unit is half linear
    assert weights.T @ weights == pytest.approx(np.eye(3), abs=0.05)
    other = noisy_layer("relu", noise=0.3, units=3, inputs=5, gain=2.0, seed=1).sample(5, seed=1)
    assert not np.allclose(other[1], y[:5])


def test_noise_takes_information_away():
    values = [law.nats for law in noisy_layers()]
    assert values[0] > values[1] > values[2]
    assert values[3] > values[4] > values[5]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"activation": "thanh", "noise": 1.0}, "did you mean 'tanh'"),
        ({"activation": "tanh", "noise": 0.0}, "noise is 0.0"),
        ({"activation": "tanh", "noise": 1.0, "gain": math.inf}, "gain is inf"),
        ({"activation": "tanh", "noise": 1.0, "units": 3}, "units is 3"),
    ],
)
def test_what_is_no_layer_is_refused(options, text):
    with pytest.raises(InputError, match=text):
        noisy_layer(**options)
