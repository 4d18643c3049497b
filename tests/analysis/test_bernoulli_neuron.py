import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import entr, expit

from infoplane.analysis.bernoulli_neuron import bernoulli_neuron_information
from infoplane.analysis.errors import InputError
from infoplane.analysis.information import mutual_information

WEIGHTS = [1e-9, 1e-6, 1e-3, 0.1, 1.0, 1.9999, 2.0001, 3.0, 10.0, 29.9, 30.1, 100.0, 1e3, 1e6]


def exact_uniform(w, b):
    """I in nats by 80-digit arithmetic, X uniform on (-1, 1)."""
    mpmath = pytest.importorskip("mpmath")  # torch brings it, with sympy
    with mpmath.workdps(80):
        w, b = mpmath.mpf(w), mpmath.mpf(b)

        def softplus(t):
            return mpmath.log1p(mpmath.exp(t)) if t < 0 else t + mpmath.log1p(mpmath.exp(-t))

        def entropy_integral(t):  # from 0 to t
            y = mpmath.exp(-abs(t))
            value = mpmath.pi**2 / 6 + 2 * mpmath.polylog(2, -y) - abs(t) * mpmath.log1p(y)
            return value if t >= 0 else -value

        p = (softplus(b + w) - softplus(b - w)) / (2 * w)
        total = -p * mpmath.log(p) - (1 - p) * mpmath.log1p(-p)
        return float(total - (entropy_integral(b + w) - entropy_integral(b - w)) / (2 * w))


@pytest.mark.parametrize("b", [0.0, 0.5, -3.0, 10.0, -30.0])
def test_uniform_input_to_all_digits(b):
    truth = [exact_uniform(w, b) for w in WEIGHTS]
    np.testing.assert_allclose(bernoulli_neuron_information(WEIGHTS, b, base=math.e), truth, rtol=1e-13)
    np.testing.assert_allclose(bernoulli_neuron_information(np.negative(WEIGHTS), b, base=math.e), truth, rtol=1e-13)


@pytest.mark.parametrize(("w", "b"), [(0.7, 0.0), (3.0, -1.0), (12.0, 2.0)])
def test_uniform_input_by_quadrature(w, b):
    def mean(function):
        return integrate.quad(function, -1, 1, epsabs=1e-13, points=[-b / w])[0] / 2

    def h(p):
        return entr(p) + entr(1 - p)

    truth = h(mean(lambda x: expit(w * x + b))) - mean(lambda x: h(expit(w * x + b)))
    assert bernoulli_neuron_information(w, b, base=math.e) == pytest.approx(truth, rel=1e-9)


def test_limits():
    # A weak weight: w^2 Var(X) / 8 nats. A strong one: the sign of X, one bit, less the blurred zone's pi^2 / (6 w).
    assert bernoulli_neuron_information(1e-9, base=math.e) == pytest.approx(1e-18 / 24, rel=1e-13)
    assert bernoulli_neuron_information(1e6, base=math.e) == pytest.approx(math.log(2) - math.pi**2 / 6e6, rel=1e-13)
    assert bernoulli_neuron_information(0.0) == 0
    assert bernoulli_neuron_information(5.0, 1e4) == 0


def test_a_finite_law_gives_the_information_of_its_joint_table():
    rng = np.random.default_rng(0)
    values, probabilities = rng.normal(size=9), rng.dirichlet(np.ones(9))
    for w, b in [(0.5, 0.0), (-2.0, 1.0), (30.0, -4.0)]:
        p = expit(w * values + b)
        truth = mutual_information(np.stack([probabilities * p, probabilities * (1 - p)], axis=1))
        value = bernoulli_neuron_information(w, b, input_law=(values, probabilities))
        assert value == pytest.approx(truth, rel=1e-12)


def test_a_weak_weight_on_a_finite_law_keeps_its_digits():
    # w^2 Var(X) sigma'(b + w E X) / 2 to leading order; 1 - 1e-18 and 1 are one number.
    value = bernoulli_neuron_information(1e-9, 2.0, input_law=([0.0, 1.0], [0.75, 0.25]), base=math.e)
    assert value == pytest.approx(1e-18 * 0.1875 * expit(2) * expit(-2) / 2, rel=1e-8)


@pytest.mark.parametrize("b", [0.0, -3.0])
def test_the_quadrature_of_a_continuous_law_meets_the_closed_form(b):
    value = bernoulli_neuron_information(WEIGHTS, b, input_law=stats.uniform(-1, 2))
    np.testing.assert_allclose(value, bernoulli_neuron_information(WEIGHTS, b), rtol=1e-12)


@pytest.mark.parametrize(
    "law", [stats.norm(0.3, 2), stats.expon(), stats.t(2), stats.lognorm(1), stats.laplace(), stats.truncnorm(-1, 2)]
)
@pytest.mark.parametrize(("w", "b"), [(0.3, 0.0), (-2.0, 0.5), (40.0, -20.0)])
def test_continuous_laws_by_adaptive_quadrature(law, w, b):
    low, high = law.support()
    cuts = np.unique(np.clip([-np.inf, -50, -b / w - 1, -b / w, -b / w + 1, 0, 1, 50, np.inf], low, high))

    def mean(function):
        return sum(
            integrate.quad(lambda x: law.pdf(x) * function(x), start, stop, epsabs=1e-13, epsrel=1e-11, limit=400)[0]
            for start, stop in pairwise(cuts)
        )

    p = mean(lambda x: expit(w * x + b))

    def h(q):
        return entr(q) + entr(1 - q)

    truth = h(p) - mean(lambda x: h(expit(w * x + b)))
    assert bernoulli_neuron_information(w, b, input_law=law, base=math.e) == pytest.approx(truth, abs=2e-9)


def test_narrow_and_far_laws():
    # Var(X) is 1e-6 at X near 1000: only the standardised neuron counts.
    value = bernoulli_neuron_information(2.0, -2000.0, input_law=stats.norm(1000, 1e-3))
    assert value == pytest.approx(bernoulli_neuron_information(2e-3, input_law=stats.norm()), rel=1e-9)
    # No moment at all: for a steep neuron the sign of a Cauchy variable, one bit.
    assert bernoulli_neuron_information(1e9, input_law=stats.cauchy()) == pytest.approx(1, abs=1e-7)


def test_shapes():
    assert isinstance(bernoulli_neuron_information(1.0), np.float64)
    assert bernoulli_neuron_information(np.ones((3, 1)), np.ones(4)).shape == (3, 4)
    assert bernoulli_neuron_information(np.ones((0, 2))).shape == (0, 2)
    assert np.isnan(bernoulli_neuron_information([np.nan, 1.0])).tolist() == [True, False]


def test_a_large_array_is_worked_in_blocks():
    w = np.linspace(-2, 2, 3001)
    law = (np.linspace(-1, 1, 2001), np.full(2001, 1 / 2001))
    whole = bernoulli_neuron_information(w, input_law=law)
    assert whole[1234] == bernoulli_neuron_information(w[1234], input_law=law)


@pytest.mark.parametrize(
    ("law", "text"),
    [
        (([0, 1], [0.5, 0.6]), "sums to 1.1"),
        (([0, 1], [1.0]), "as many probabilities"),
        (([[0, 1]], [[0.5, 0.5]]), "one-dimensional"),
        (([0, np.inf], [0.5, 0.5]), "finite values"),
        ((["a", "b"], [0.5, 0.5]), "cannot be read"),
        ("uniform", "input_law is a str"),
        (stats.poisson(3), "for a discrete one give its values"),
        (stats.rv_histogram(np.histogram([1, 2, 2, 3, 5, 8, 8], 3)), "give the law as"),
        (stats.beta(0.1, 0.1), "give the law as"),
    ],
)
def test_rejected_laws(law, text):
    with pytest.raises(InputError, match=text):
        bernoulli_neuron_information(1.0, input_law=law)


def test_rejected_shapes():
    with pytest.raises(InputError, match="broadcast"):
        bernoulli_neuron_information(np.ones(3), np.ones(4))
    with pytest.raises(InputError, match="w and b must be"):
        bernoulli_neuron_information("a")
