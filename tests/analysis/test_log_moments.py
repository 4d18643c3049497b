"""Moments against integrals of ln x by another quadrature, and against themselves in other company."""

import math

import numpy as np
import pytest
from scipy import integrate

from infoplane.analysis.log_moments import Run, log_moments
from infoplane.analysis.sketch_codes import EDGES


def bits(value):
    return int(np.float32(value).view(np.uint32))


def run(minimum, maximum, counts):
    first = int(np.searchsorted(EDGES, np.float64(np.float32(minimum)), side="right")) - 1
    return Run(first, np.array(counts), bits(minimum), bits(maximum))


def integrated(given):
    """Mean and deviation of ln x, piece by piece with scipy."""
    edges = EDGES[given.first : given.first + given.counts.size + 1].copy()
    edges[[0, -1]] = ends = np.array([given.minimum, given.maximum], np.uint32).view(np.float32).astype(float)
    inner = given.counts.astype(float)
    inner[0] -= 1
    inner[-1] -= 1

    def expected(f):
        pieces = [
            n * integrate.quad(f, a, b)[0] / (b - a) for n, a, b in zip(inner, edges[:-1], edges[1:], strict=True) if n
        ]
        return (sum(pieces) + f(ends[0]) + f(ends[1])) / given.counts.sum()

    mean = expected(math.log)
    return mean, math.sqrt(expected(lambda x: (math.log(x) - mean) ** 2))


RUNS = (
    run(1.003, 1.9, [7, *range(27), 3]),
    run(1.001, 1.03, [10]),  # both extremes cut one bin
    run(3e-30, 3.3e-30, [5, 0, 9, 2, 0, 1]),
)


@pytest.mark.parametrize("given", RUNS)
def test_moments_are_the_integrals_over_the_cut_bins(given):
    minimum, maximum, mean, deviation = log_moments([given])[0]
    assert (bits(minimum), bits(maximum)) == (given.minimum, given.maximum)
    assert (mean, deviation) == pytest.approx(integrated(given), rel=1e-9)


def test_values_in_a_bin_without_width_are_the_maximum():
    _, _, mean, deviation = log_moments([run(0.5, 2.0, [1, *[0] * 63, 3])])[0]
    assert mean == pytest.approx((math.log(0.5) + 3 * math.log(2.0)) / 4, rel=1e-12)
    assert deviation == pytest.approx(math.log(4.0) * math.sqrt(3) / 4, rel=1e-12)


def test_moments_do_not_depend_on_the_company():
    alone = [log_moments([given])[0] for given in RUNS]
    rng = np.random.default_rng(0)
    for _ in range(20):
        order = rng.permutation(len(RUNS))
        assert np.array_equal(log_moments([RUNS[k] for k in order]), [alone[k] for k in order])


@pytest.mark.parametrize("n", [1, 2, 1000])
@pytest.mark.parametrize("value", [1.0, 0.3, 1e-40, 3e38])
def test_equal_values_have_no_deviation(value, n):
    minimum, maximum, mean, deviation = log_moments([run(value, value, [n])])[0]
    assert minimum == maximum == np.float32(value)
    assert mean == pytest.approx(math.log(np.float32(value)), rel=1e-12, abs=1e-15)
    assert deviation == 0.0
