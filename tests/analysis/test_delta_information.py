import dataclasses
import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from infoplane.analysis.bernoulli_neuron import bernoulli_neuron_information
from infoplane.analysis.delta_information import (
    FIG4_COLOUR_BAR,
    VARIANTS,
    delta_information,
    delta_information_surface,
)
from infoplane.analysis.errors import InputError

GRID = np.linspace(-1, 1, 201)
W, Z = np.meshgrid(GRID, GRID)  # w along the abscissa, zhat along the ordinate
HALF = {"x": 0.5, "base": math.e}


def span(values):
    return [values.min(), values.max()]


# --- values


def test_the_formula_of_equation_22_as_printed():
    w, z, x, gamma, b = 0.8, -0.3, 0.7, 0.9, 0.2
    scaled = w + w**2 * z * gamma
    truth = math.log2((1 + math.exp(-w * x - b)) / (1 + math.exp(-x * scaled - b)))
    assert delta_information(w, z, x=x, gamma=gamma, b=b) == pytest.approx(truth, rel=1e-14)


def test_the_formula_of_every_other_reading():
    w, o, x, gamma, b = 0.8, 0.3, 0.7, 0.9, 0.2
    xi = 1 + math.exp(-w * x - b)
    below = {
        "eq25": 1 + math.exp(-x * (w + w**2 * o * gamma) - b),
        "eq24": 1 + math.exp(-x * (w + w**2 * o * gamma - b)),
        "appendix_delta": 1 + math.exp(-w * x + w**2 * o * gamma - b),
    }
    for variant, delta in below.items():
        value = delta_information(w, zbar=o, x=x, gamma=gamma, b=b, variant=variant)
        assert value == pytest.approx(math.log2(xi / delta), rel=1e-13), variant


def test_the_surface_of_figure_4():
    surface = delta_information_surface()
    assert surface.values.shape == (100, 100)
    assert surface.minimum == pytest.approx(-0.559984, abs=5e-7)
    assert surface.maximum == pytest.approx(0.489340, abs=5e-7)
    assert surface.mean == pytest.approx(-0.00267, abs=5e-6)
    assert surface.minimum == pytest.approx(math.log2((1 + math.e) / (1 + math.e**1.5)), rel=1e-14)
    assert surface.maximum == pytest.approx(math.log2((1 + math.e) / (1 + math.e**0.5)), rel=1e-14)
    np.testing.assert_allclose([surface.minimum, surface.maximum], FIG4_COLOUR_BAR, atol=1e-4)
    assert surface.unit == "bit"


def test_the_surface_has_weights_in_its_columns():
    surface = delta_information_surface(11)
    row, column = np.unravel_index(surface.values.argmin(), (11, 11))
    assert (surface.zbar[row], surface.w[column]) == (1, -1)
    assert surface.values[2, 9] == delta_information(surface.w[9], zbar=surface.zbar[2])
    np.testing.assert_array_equal(surface.values[5], np.zeros(11))  # zbar = target


def test_positive_and_negative_weights_lose_alike_on_average():
    surface = delta_information_surface()
    for side in (surface.w > 0, surface.w < 0):
        assert surface.values[:, side].mean() == pytest.approx(-0.00267, abs=1e-5)


def test_the_mean_of_the_grid_is_not_the_integral():
    nodes, weights = np.polynomial.legendre.leggauss(40)
    values = delta_information(nodes, zhat=nodes[:, None] / 2)
    assert (weights @ values @ weights) / 4 == pytest.approx(-0.002527, abs=5e-7)


def test_the_surface_at_the_input_that_the_text_names():
    surface = delta_information_surface(x=0.5)
    assert span(surface.values) == pytest.approx([-0.23486, 0.21372], abs=5e-6)


def test_the_exact_surface():
    surface = delta_information_surface(variant="exact")
    assert span(surface.values) == pytest.approx([-0.041183, 0.059934], abs=5e-7)
    assert surface.mean == pytest.approx(0.00076, abs=5e-6)


# --- the readings of the paper and the ranges that follow, in nats at x = 0.5


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"zhat": Z}, [-0.339, 0.281]),
        ({"zhat": -Z}, [-0.339, 0.281]),  # zhat := zbar - target
        ({"zbar": (Z + 1) / 2, "variant": "eq25"}, [0, 0.281]),
        ({"zhat": Z, "variant": "eq25"}, [-0.163, 0.398]),
        ({"zbar": Z, "variant": "eq24", "b": 0.5}, [-0.809, -0.074]),
        ({"zbar": (Z + 1) / 2, "variant": "eq24", "b": 0.5}, [-0.444, -0.074]),
        ({"zbar": Z, "variant": "appendix_delta"}, [-0.727, 0.500]),
        ({"zhat": Z, "variant": "appendix_delta"}, [-1.153, 0.281]),
        ({"zhat": 0.5 - expit(0.5 * W)}, [-0.0236, 0.0377]),  # the neuron's own activation
        ({"zhat": 0.5 - expit(0.5 * W), "gamma": 2.0}, [-0.048, 0.074]),
    ],
)
def test_ranges_of_the_readings(keywords, expected):
    assert span(delta_information(W, **HALF, **keywords)) == pytest.approx(expected, abs=6e-4)


def properties(abscissa, values, at_no_input):
    """What the paper's text says of its figure."""
    right, left = values[abscissa > 1e-9], values[abscissa < -1e-9]
    return (
        bool((right <= 1e-15).all()),  # loss where the abscissa is positive
        bool((left >= -1e-15).all()),  # gain where it is negative
        bool(np.abs(at_no_input).max() < 1e-15),  # no change without input
        bool(abs(right.min()) > abs(left.max())),  # the loss is the larger
    )


@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"zhat": Z}, "--+-"),
        ({"zhat": Z, "variant": "eq25"}, "--+-"),
        ({"zbar": (Z + 1) / 2, "variant": "eq25"}, "-++-"),
        ({"zbar": Z, "variant": "eq24", "b": 0.5}, "+--+"),
        ({"zbar": Z, "variant": "appendix_delta"}, "----"),
        ({"zhat": Z, "variant": "appendix_delta"}, "---+"),
        ({"zhat": 0.5 - expit(0.5 * W)}, "+++-"),
        ({"zhat": Z, "variant": "exact"}, "--+-"),
    ],
)
def test_no_reading_has_the_properties_that_the_text_sees(keywords, expected):
    values = delta_information(W, **HALF, **keywords)
    without = delta_information(W, **{**HALF, "x": 0.0}, **keywords)
    if expected == "+++-":  # without input this neuron's activation is one half
        without = delta_information(W, 0.5 - expit(0 * W), x=0.0)
    found = properties(W, values, without)
    assert "".join("-+"[p] for p in found) == expected


def test_exchanged_axes_have_them_all():
    # The weight on the ordinate, and zbar - target growing along the abscissa.
    values = delta_information(Z, zhat=-W, **HALF)
    assert properties(W, values, delta_information(Z, zhat=-W, x=0.0)) == (True, True, True, True)
    assert span(values) == pytest.approx([-0.339, 0.281], abs=6e-4)
    # The appendix's delta, exchanged, changes without input: that tells the two apart.
    values = delta_information(Z, zbar=W, variant="appendix_delta", **HALF)
    without = delta_information(Z, zbar=W, variant="appendix_delta", x=0.0)
    assert properties(W, values, without) == (True, True, False, True)
    assert span(values) == pytest.approx([-0.727, 0.500], abs=6e-4)


# --- identities


@pytest.mark.parametrize("x", [0.5, 1.0, 2.0])
def test_sign_is_that_of_zhat(x):
    nonzero = W != 0
    np.testing.assert_array_equal(np.sign(delta_information(W, Z, x=x))[nonzero], np.sign(Z)[nonzero])


def test_negative_weights_follow_from_positive_ones():
    rng = np.random.default_rng(0)
    w, z, x, gamma = (
        rng.uniform(0, 3, 2000),
        rng.uniform(-1, 1, 2000),
        rng.uniform(0.1, 2, 2000),
        rng.uniform(0.1, 2, 2000),
    )
    linear = w**2 * z * gamma * x / math.log(2)
    mirrored = delta_information(w, -z, x=x, gamma=gamma)
    # The two summands have opposite signs: the error counts against the larger.
    error = np.abs(delta_information(-w, z, x=x, gamma=gamma) - (linear + mirrored)) / np.abs(linear)
    assert error.max() < 5e-16


def test_zbar_is_target_less_zhat():
    for variant in VARIANTS:
        first = delta_information(W, zbar=0.3 - Z, z_target=0.3, b=0.4, variant=variant)
        second = delta_information(W, Z, z_target=0.3, b=0.4, variant=variant)
        np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-15)
    # Where zbar does not enter, the target plays no part.
    np.testing.assert_array_equal(delta_information(W, Z), delta_information(W, Z, z_target=0.9))


def test_bases_differ_by_a_factor():
    for variant in VARIANTS:
        bits = delta_information(W, Z, variant=variant)
        np.testing.assert_allclose(
            delta_information(W, Z, variant=variant, base=math.e), bits * math.log(2), rtol=1e-13, atol=1e-16
        )


# --- numerics


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "exact"])
@pytest.mark.parametrize("b", [0.0, -0.7])
def test_all_digits_from_tiny_to_huge_weights(variant, b):
    mpmath = pytest.importorskip("mpmath")  # torch brings it, with sympy

    def truth(w, o):
        z = mpmath.mpf(o)
        w, bias, x = mpmath.mpf(w), mpmath.mpf(b), mpmath.mpf(0.5)
        a, c = (
            w * x + bias,
            {
                "eq22": x * (w + w**2 * z) + bias,
                "eq25": x * (w + w**2 * z) + bias,
                "eq24": x * (w + w**2 * z - bias),
                "appendix_delta": w * x - w**2 * z + bias,
            }[variant],
        )

        def log_sigmoid(t):
            return -mpmath.log1p(mpmath.exp(-t)) if t > 0 else t - mpmath.log1p(mpmath.exp(t))

        return float((log_sigmoid(c) - log_sigmoid(a)) / mpmath.log(2))

    weights = np.array([s * 10.0**k for k in range(-9, 7) for s in (1, -1)])
    for o in (0.375, -0.25):
        keyword = {"zhat": o} if variant == "eq22" else {"zbar": o}
        values = delta_information(weights, x=0.5, b=b, variant=variant, **keyword)
        with mpmath.workdps(60):
            expected = np.array([truth(w, o) for w in weights])
        assert np.isfinite(values).all()
        # The argument x w + b is itself rounded, which counts where sigma is in its tail: e^-t turns 1 ulp of t into t.
        np.testing.assert_allclose(values, expected, rtol=3e-14, atol=1e-300)


def test_asymptotes():
    # ln sigma(t) -> t for t -> -inf and 0 for t -> inf; w' = 1e6 - 0.25e12 here.
    assert delta_information(1e6, -0.25, base=math.e) == -(0.25e12 - 1e6)
    assert delta_information(-1e6, 0.25, base=math.e) == 1e6
    assert delta_information(1e6, 0.25) == 0
    # First order in w: w^2 zhat gamma x / 2; two rounded logarithms would give 0.
    assert delta_information(1e-9, 0.25, base=math.e) == pytest.approx(1e-18 * 0.25 / 2, rel=1e-8)


def test_exact_variant_from_tiny_to_huge_weights():
    weights = np.array([s * 10.0**k for k in range(-9, 7) for s in (1, -1)])
    values = delta_information(weights, 0.25, variant="exact")
    assert np.isfinite(values).all()
    # The sign is that of |w'| - |w|.
    np.testing.assert_array_equal(np.sign(values), np.sign(np.abs(weights + 0.25 * weights**2) - np.abs(weights)))
    # I is w^2 / 24 nats for a weak weight, so its change w^3 zhat / 12; ln 2 - pi^2 / (6 w) for a strong one.
    assert delta_information(1e-5, 0.25, variant="exact", base=math.e) == pytest.approx(1e-15 * 0.25 / 12, rel=1e-5)
    strong = math.pi**2 / 6 * (1e-6 - 1 / (1e6 + 0.25e12))
    assert delta_information(1e6, 0.25, variant="exact", base=math.e) == pytest.approx(strong, rel=1e-9)


def test_exact_variant_with_other_inputs():
    law = ([-1.0, 0.5, 2.0], [0.2, 0.5, 0.3])
    for given in (law, stats.norm(0.5, 2)):
        scaled = 0.8 + 0.8**2 * -0.4 * 0.5
        truth = bernoulli_neuron_information(scaled * 0.7, 0.1, input_law=given)
        truth -= bernoulli_neuron_information(0.8 * 0.7, 0.1, input_law=given)
        value = delta_information(0.8, -0.4, x=0.7, gamma=0.5, b=0.1, variant="exact", input_law=given)
        assert value == pytest.approx(truth, rel=1e-13)


# --- shapes and errors


@pytest.mark.parametrize("variant", VARIANTS)
def test_shapes(variant):
    scalar = delta_information(0.5, 0.1, variant=variant)
    assert isinstance(scalar, np.float64)
    grid = delta_information(np.ones((3, 1)), np.ones(4), x=np.ones((2, 1, 1)), variant=variant)
    assert grid.shape == (2, 3, 4)
    assert delta_information(np.ones(0), 0.1, variant=variant).shape == (0,)
    assert delta_information(1, 1, b=0, variant=variant) == delta_information(1.0, 1.0, variant=variant)


@pytest.mark.parametrize("variant", VARIANTS)
def test_nan_stays_where_it_is(variant):
    values = delta_information([0.5, np.nan, 0.5], [0.1, 0.1, np.nan], variant=variant)
    assert np.isnan(values).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "keywords", "text"),
    [
        ((1.0,), {}, "neither of zhat and zbar"),
        ((1.0, 0.1), {"zbar": 0.4}, "both of zhat and zbar"),
        ((1.0, 0.1), {"variant": "eq52"}, "no variant 'eq52'; did you mean 'eq25'"),
        ((1.0, 0.1), {"variant": "Exact"}, "did you mean 'exact'"),
        ((1.0, 0.1), {"variant": None}, "the variants are eq22, eq25, eq24, appendix_delta and exact"),
        ((1.0, 0.1), {"input_law": ([0.0], [1.0])}, "input_law goes with variant 'exact' only"),
        ((1.0, 0.1), {"base": 1}, "base is 1"),
        (("a", 0.1), {}, "w has entries of type"),
        ((1.0, 1j), {}, "zhat has entries of type complex"),
        ((1.0,), {"zbar": "0.5"}, "zbar has entries of type"),
        (([[1.0], [1.0, 2.0]], 0.1), {}, "w cannot be read"),
        ((np.ones(3), np.ones(4)), {}, r"do not broadcast: w \(3,\)"),
    ],
)
def test_rejected_arguments(arguments, keywords, text):
    with pytest.raises(InputError, match=text):
        delta_information(*arguments, **keywords)


@pytest.mark.parametrize("points", [1, 0, -3, 10.0, "10", True])
def test_a_surface_needs_two_points(points):
    with pytest.raises(InputError, match="points is"):
        delta_information_surface(points)


def test_rejected_surfaces():
    with pytest.raises(InputError, match=r"x has shape \(2,\)"):
        delta_information_surface(x=[1.0, 2.0])
    with pytest.raises(InputError, match="no variant"):
        delta_information_surface(variant="fig4")


def test_a_surface_knows_its_parameters():
    surface = delta_information_surface(5, x=0.5, gamma=2.0, b=0.1, z_target=0.4, base=math.e, variant="eq25")
    again = delta_information(
        surface.w,
        zbar=surface.zbar[:, None],
        **{k: getattr(surface, k) for k in ("x", "gamma", "b", "z_target", "base", "variant")},
    )
    np.testing.assert_array_equal(surface.values, again)
    assert surface.unit == "nat"
    with pytest.raises(dataclasses.FrozenInstanceError):
        surface.x = 1.0
