import numpy as np
import pytest

from infoplane.analysis.log_sigmoid import log_sigmoid_change

mpmath = pytest.importorskip("mpmath")  # torch brings it, with sympy

PLACES = [0.0, 1e-8, 0.3, 1.0, 5.0, 40.0, 700.0, 1e6]
STEPS = [1e-17, 1e-8, 0.1, 1.0, 3.0, 30.0, 45.0, 700.0, 1e6, 1e12]


def exact(a, d):
    with mpmath.workdps(800):  # e^-700 and 1 + e^-700 both need their digits

        def log_sigmoid(t):
            return -mpmath.log1p(mpmath.exp(-t)) if t > 0 else t - mpmath.log1p(mpmath.exp(t))

        a = mpmath.mpf(a)
        return float(log_sigmoid(a + mpmath.mpf(d)) - log_sigmoid(a))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("direction", [1, -1])
def test_all_digits_are_right(place, side, direction):
    a, d = side * place, direction * np.array(STEPS)
    truth = [exact(a, step) for step in d]
    np.testing.assert_allclose(log_sigmoid_change(np.float64(a), d), truth, rtol=3e-15, atol=1e-300)


def test_no_step_is_no_change():
    a = np.array([-1e300, -1e6, -1.0, 0.0, 1.0, 1e6, 1e300])
    np.testing.assert_array_equal(log_sigmoid_change(a, np.zeros(7)), np.zeros(7))


def test_nan_stays_nan():
    assert np.isnan(log_sigmoid_change(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))).all()
