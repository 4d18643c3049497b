"""Mixed KSG: densities, point masses and both at once."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import psi
from scipy.stats import poisson

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.ksg1 import KSG1, ksg1
from infoplane.analysis.estimators.mixed_ksg import MixedKSG, mixed_ksg


def normals(rho, n, seed, d=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def mean_error(draw, truth, seeds=4):
    return np.mean([mixed_ksg(*draw(np.random.default_rng(seed)), MixedKSG()).nats for seed in range(seeds)]) - truth


@pytest.mark.parametrize("d", [1, 3, 8])
def test_without_ties_it_is_ksg(d):
    pair = normals(0.7, 400, 0, d)
    assert mixed_ksg(*pair, MixedKSG(k=4)).nats == pytest.approx(ksg1(*pair, KSG1(k=4)).nats, abs=1e-12)


@pytest.mark.parametrize(("offset", "truth"), [(0, 0.34642), (-1, 0.14691)])  # by quadrature
def test_rectified_normals_are_read(offset, truth):
    def draw(rng):
        u = rng.standard_normal((20_000, 1))
        v = 0.8 * u + 0.6 * rng.standard_normal((20_000, 1))
        return np.maximum(u + offset, 0), np.maximum(v + offset, 0)

    assert abs(mean_error(draw, truth)) < 0.02 * truth


@pytest.mark.parametrize(("d", "most"), [(1, 0.012), (2, 0.04), (3, 0.03), (7, 0.03)])
def test_independent_rectified_layers_read_near_0(d, most):
    def draw(rng):
        return tuple(np.maximum(rng.standard_normal((2, 2000, d)), 0))

    assert abs(mean_error(draw, 0)) < most


def test_several_pairs_at_the_distance_of_the_kth_neighbour_are_none_of_them_nearer():
    # On a lattice of 7 values and 9 halves of them, by a table of all distances.
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 7, (120, 2)).astype(float), rng.integers(0, 9, (120, 1)) / 2
    along_x, along_y = (
        np.abs(side[:, None] - side[None]).max(axis=2) for side in (x / x.std(axis=0), y / y.std(axis=0))
    )
    joint = np.maximum(along_x, along_y)
    rho = np.sort(joint, axis=1)[:, 4]  # the first is the sample itself
    assert (rho > 0).all()

    def psi_nearer(table):
        return psi((table < rho[:, None] * (1 - 1e-9)).sum(axis=1))

    terms = psi_nearer(joint) + psi(120) - psi_nearer(along_x) - psi_nearer(along_y)
    assert mixed_ksg(x, y, MixedKSG(k=4)).nats == pytest.approx(terms.mean(), abs=1e-12)


def test_uniform_noise_on_a_discrete_value_is_read():
    # X uniform on 0 .. 4, Y uniform on (X, X + 2): log 5 - (4/5) log 2 (first experiment of Gao et al. 2017).
    def draw(rng):
        x = rng.integers(0, 5, (5000, 1)).astype(float)
        return x, x + 2 * rng.random((5000, 1))

    truth = math.log(5) - 0.8 * math.log(2)
    assert abs(mean_error(draw, truth)) < 0.01 * truth


def test_zero_inflated_poisson_counts_are_read():
    # X exponential, Y Poisson of mean X but 0 with probability 0.15; Y alone is a mixture of 0 and a geometric law.
    counts = np.arange(100)
    zero = 0.15 * (counts == 0)

    def minus_entropy(x):
        p = zero + 0.85 * poisson.pmf(counts, x)
        return (p[p > 0] * np.log(p[p > 0])).sum()

    marginal = zero + 0.85 * 0.5 ** (counts + 1)
    truth = quad(lambda x: math.exp(-x) * minus_entropy(x), 0, 50, limit=200)[0] - (marginal * np.log(marginal)).sum()

    def draw(rng):
        x = rng.exponential(size=(5000, 1))
        return x, np.where(rng.random((5000, 1)) < 0.15, 0.0, rng.poisson(x))

    assert truth == pytest.approx(0.2298, abs=1e-4)
    assert abs(mean_error(draw, truth)) < 0.02


def test_point_masses_alone_give_the_digammas_of_their_counts():
    table = np.array([[30, 10], [20, 40]])
    cells = np.repeat([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)], table.ravel(), axis=0)
    of_cells = psi(table) - psi(table.sum(axis=1, keepdims=True)) - psi(table.sum(axis=0)) + psi(100)
    reading = mixed_ksg(cells[:, :1], cells[:, 1:], MixedKSG(k=5))
    assert reading.nats == pytest.approx((table * of_cells).sum() / 100, abs=1e-12)
    assert reading.chosen["tied_pairs"] == 1


def test_equal_pairs_of_two_values_have_digammas_for_logarithms():
    x = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert mixed_ksg(x, x, MixedKSG(k=1)).nats == pytest.approx(1 / 2 + 1 / 3, abs=1e-12)  # not log 2


def test_high_dimension_is_said():
    found = estimate(*normals(0.5, 500, 0, d=10), method="mixed_ksg").findings
    assert [finding.code for finding in found] == ["wide_neighbourhoods"]


def test_parameters_out_of_range_are_refused():
    with pytest.raises(InputError, match="k is 0"):
        MixedKSG(k=0)
