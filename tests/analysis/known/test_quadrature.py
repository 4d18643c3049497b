"""Panels integrate, and the entropy of a noisy code is that of laws known in closed form."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from infoplane.analysis.known.quadrature import noisy_entropy, noisy_entropy_2d, panels

NORMAL = 0.5 * math.log(2 * math.pi * math.e)


def test_panels_integrate_across_a_kink_at_an_edge():
    x, w = panels(np.array([-2.0, 0.5, 1.0]), 0.4)
    assert w.sum() == pytest.approx(3, rel=1e-14)
    assert w @ np.abs(x - 0.5) == pytest.approx(2.5**2 / 2 + 0.5**2 / 2, rel=1e-14)
    assert w @ np.exp(x) == pytest.approx(math.e - math.exp(-2), rel=1e-14)


def test_one_code_has_the_entropy_of_the_noise():
    assert noisy_entropy(np.array([3.0, 3.0]), np.array([0.4, 0.6]), 0.1) == pytest.approx(NORMAL + math.log(0.1))
    plane = noisy_entropy_2d(np.array([[3.0, 1.0]]), np.array([1.0]), 0.1)
    assert plane == pytest.approx(2 * (NORMAL + math.log(0.1)))


def test_two_codes_have_the_entropy_of_scipys_quadrature():
    def integrand(x):
        p = 0.3 * stats.norm.pdf(x, scale=0.5) + 0.7 * stats.norm.pdf(x, loc=1.2, scale=0.5)
        return -p * math.log(p)

    truth = integrate.quad(integrand, -5, 6, epsabs=1e-11)[0]
    assert noisy_entropy(np.array([0.0, 1.2]), np.array([0.3, 0.7]), 0.5) == pytest.approx(truth, rel=1e-9)


def test_entropy_in_the_plane_adds_up_over_independent_columns():
    codes = np.array([[a, b] for a in (0.0, 1.0) for b in (0.0, 2.0, 5.0)])
    shares = np.array([a * b for a in (0.2, 0.8) for b in (0.5, 0.3, 0.2)])
    apart = noisy_entropy(np.array([0.0, 1.0]), np.array([0.2, 0.8]), 0.4)
    apart += noisy_entropy(np.array([0.0, 2.0, 5.0]), np.array([0.5, 0.3, 0.2]), 0.4)
    assert noisy_entropy_2d(codes, shares, 0.4) == pytest.approx(apart, rel=1e-10)
