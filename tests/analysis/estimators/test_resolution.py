"""What neighbours cannot resolve: the two findings, and where they stay silent."""

import math

import numpy as np
import pytest
from scipy.special import psi

from infoplane.analysis.estimators.resolution import WIDE, findings_of_neighbours


def test_wide_neighbourhoods_are_said_by_their_median():
    radius = np.array([0.1, WIDE + 0.1, 5.0])
    (finding,) = findings_of_neighbours(0.0, radius, 1)
    assert (finding.code, finding.amount, finding.unit) == ("wide_neighbourhoods", WIDE + 0.1, "sd")
    assert not findings_of_neighbours(0.0, radius - 0.1, 1)


def test_a_value_near_the_ceiling_is_said():
    ceiling = psi(1000) - psi(3)
    radius = np.full(1000, 0.1)
    (finding,) = findings_of_neighbours(0.95 * ceiling, radius, 3)
    assert (finding.code, finding.unit) == ("near_ceiling", "nat")
    assert finding.in_units("bit", math.log(2)).amount == pytest.approx(ceiling / math.log(2))
    assert not findings_of_neighbours(0.85 * ceiling, radius, 3)
