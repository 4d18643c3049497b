"""Uniform noise on a uniform number, against quadrature of the entropy."""

import itertools
import math

import pytest
from scipy import integrate

from infoplane.analysis.errors import InputError
from infoplane.analysis.known import additive_noise


@pytest.mark.parametrize("epsilon", [0.01, 0.1, 0.5, 0.75, 3.0])
def test_information_is_the_entropy_of_y_less_that_of_the_noise(epsilon):
    def integrand(y):
        p = max(0.0, min(1, y + epsilon) - max(0, y - epsilon)) / (2 * epsilon)
        return -p * math.log(p) if p > 0 else 0.0

    kinks = sorted({-epsilon, epsilon, 1 - epsilon, 1 + epsilon})
    h = sum(integrate.quad(integrand, a, b)[0] for a, b in itertools.pairwise(kinks))
    assert additive_noise(epsilon).nats == pytest.approx(h - math.log(2 * epsilon), rel=1e-9)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.inf, math.nan])
def test_a_width_out_of_range_is_refused(epsilon):
    with pytest.raises(InputError, match="epsilon is"):
        additive_noise(epsilon)
