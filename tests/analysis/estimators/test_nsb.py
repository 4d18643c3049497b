import math

import numpy as np
import pytest
from mpmath import mp
from scipy.special import psi

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.nsb import nsb_entropy


def by_brute_force(counts, size):
    """Return the entropy by the formulas of the docstring, at 30 digits and 700 points of log b."""
    mp.dps = 30
    n = sum(counts)

    def density_and_entropy(u):
        b = mp.exp(u)
        height = mp.loggamma(size * b) - mp.loggamma(n + size * b)
        height += sum(mp.loggamma(c + b) - mp.loggamma(b) for c in counts)
        slope = size * mp.psi(1, size * b + 1) - mp.psi(1, b + 1)
        shares = [(c + b) / (n + size * b) for c in list(counts) + [0] * (size - len(counts))]
        mean = mp.psi(0, n + size * b + 1)
        mean -= sum(p * mp.psi(0, p * (n + size * b) + 1) for p in shares)
        weight = mp.exp(height) * slope * b
        return weight, weight * mean

    terms = [density_and_entropy(mp.mpf(i) / 4) for i in range(-60, 100)]
    return float(sum(term[1] for term in terms) / sum(term[0] for term in terms))


@pytest.mark.parametrize(
    ("counts", "size"), [([4, 2, 3, 2, 4, 2, 1, 1], 11), ([1] * 6, 20), ([9, 9, 9], 3), ([40, 1], 2)]
)
def test_value_is_the_integral(counts, size):
    assert nsb_entropy(np.array(counts), size) == pytest.approx(by_brute_force(counts, size), rel=1e-9)


def test_values_are_those_of_an_independent_library():
    # The examples of the package ndd: release 1.6.1 (first), and its current page, whose grid is coarser (second).
    counts = np.array([12, 4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2])
    assert nsb_entropy(counts, 100) == pytest.approx(2.840012048914245, rel=1e-10)
    assert nsb_entropy(counts[1:], 100) == pytest.approx(2.8060922529931225, rel=3e-6)


def test_sharp_posteriors_and_huge_alphabets_are_integrated():
    # A million samples of 4096 equal symbols: the entropy is known to (K - 1) / (2n) and its own spread.
    counts = np.random.default_rng(0).multinomial(10**6, np.full(4096, 1 / 4096))
    assert nsb_entropy(counts, 4096) == pytest.approx(math.log(4096), abs=2e-4)
    # No repeat among 4096 samples of an alphabet of 2^24: between log n and log K.
    assert math.log(4096) < nsb_entropy(np.ones(4096, int), 2**24) < math.log(2**24)
    assert nsb_entropy(np.array([5]), 1) == 0


def test_few_samples_of_a_large_alphabet_are_read_where_the_plugin_cannot():
    # The plug-in value is below log 200, more than 1.6 nat too low.
    rng = np.random.default_rng(1)
    found = [nsb_entropy(np.unique(rng.integers(0, 1000, 200), return_counts=True)[1], 1000) for _ in range(30)]
    assert np.mean(found) == pytest.approx(math.log(1000), abs=0.15)


def test_posterior_mean_is_calibrated_under_its_prior():
    # Tables drawn from the prior itself: the mean error of a posterior mean is 0, whatever n is.
    rng = np.random.default_rng(2)
    size, n, errors = 10, 20, []
    slopes = np.linspace(-12, 12, 4001)
    b = np.exp(slopes)
    xi = psi(size * b + 1) - psi(b + 1)
    for level in rng.uniform(0, math.log(size), 400):
        p = rng.dirichlet(np.full(size, np.interp(level, xi, b)))
        counts = rng.multinomial(n, p)
        truth = -float((p[p > 0] * np.log(p[p > 0])).sum())
        errors.append(nsb_entropy(counts[counts > 0], size) - truth)
    assert np.mean(errors) == pytest.approx(0, abs=4 * np.std(errors) / math.sqrt(len(errors)))
    assert np.std(errors) / math.sqrt(len(errors)) < 0.012


def test_sizes_of_alphabets_matter_and_are_recorded():
    x = np.repeat(np.arange(4), 5)
    default = estimate(x, x, method="nsb", base=math.e)
    assert {**default.parameters} == {"alphabet_x": 4, "alphabet_y": 4, "alphabet_xy": 16}
    stated = estimate(x, x, method="nsb", alphabet_xy=4, base=math.e)
    assert stated.value == pytest.approx(nsb_entropy(np.full(4, 5), 4), rel=1e-12)
    assert default.value < stated.value
    wider = estimate(x, x, method="nsb", alphabet_x=8, base=math.e)
    assert wider.parameters["alphabet_xy"] == 32


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"alphabet_x": 3}, "alphabet_x is 3, but the samples hold 4"),
        ({"alphabet_xy": 3}, "alphabet_xy is 3, but the samples hold 4"),
        ({"alphabet_xy": 17}, "alphabet_xy is 17, but 4 and 4 symbols make at most 16"),
        ({"alphabet_y": 0}, "alphabet_y is 0, but it must be a whole number of at least 1"),
    ],
)
def test_impossible_alphabets_are_refused(sizes, said):
    x = np.repeat(np.arange(4), 5)
    with pytest.raises(InputError, match=said):
        estimate(x, x, method="nsb", **sizes)
