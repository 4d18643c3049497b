"""What neighbours cannot resolve: the two findings, and where they stay silent."""

import math

import numpy as np
import pytest
from scipy.special import psi

from infoplane.analysis.estimators.ksg1 import KSG1, ksg1
from infoplane.analysis.estimators.resolution import findings_of_neighbours


def test_wide_neighbourhoods_are_said_by_their_median():
    radius = np.repeat([0.01, 0.9, 5.0], [300, 401, 300])
    (finding,) = findings_of_neighbours(0.0, radius, 1, 1)
    assert (finding.code, finding.amount, finding.unit) == ("wide_neighbourhoods", 0.9, "sd")
    assert not findings_of_neighbours(0.0, radius - 0.1, 1, 1)


def test_how_wide_is_too_wide_follows_from_the_value():
    # 1 nat in one column leaves exp(-1) = 0.37 standard deviations of it, in two columns exp(-1/2) = 0.61 of each.
    assert findings_of_neighbours(1.0, np.full(1000, 0.35), 3, 1)
    assert not findings_of_neighbours(1.0, np.full(1000, 0.29), 3, 1)
    assert findings_of_neighbours(1.0, np.full(1000, 0.55), 3, 2)
    assert not findings_of_neighbours(1.0, np.full(1000, 0.48), 3, 2)


def sums(n, d, rho):
    """Return d normal columns, and one that their sum tells with correlation rho."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d))
    return x, rho * x.sum(axis=1, keepdims=True) / math.sqrt(d) + math.sqrt(1 - rho**2) * rng.standard_normal((n, 1))


@pytest.mark.parametrize(
    ("n", "d", "rho", "said"), [(1000, 4, 0.96, True), (400, 3, 0.95, True), (2000, 3, 0.8, False)]
)
def test_normal_laws_are_doubted_where_they_read_too_low(n, d, rho, said):
    truth = -0.5 * math.log(1 - rho**2)
    reading = ksg1(*sums(n, d, rho), KSG1())
    assert (reading.nats < 0.9 * truth) == said
    assert [finding.code for finding in reading.findings] == ["wide_neighbourhoods"] * said


def test_a_value_near_the_ceiling_is_said():
    ceiling = psi(1000) - psi(3)
    radius = np.full(1000, 0.001)
    (finding,) = findings_of_neighbours(0.95 * ceiling, radius, 3, 1)
    assert (finding.code, finding.unit) == ("near_ceiling", "nat")
    assert finding.text == "the value is near the most that 1000 samples and 3 neighbours can read"
    assert finding.in_units("bit", math.log(2)).amount == pytest.approx(ceiling / math.log(2))
    assert not findings_of_neighbours(0.85 * ceiling, radius, 3, 1)
