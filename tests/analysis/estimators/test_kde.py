"""Kolchinsky and Tracey's bounds: exact where the pairs are, around the truth where it is known."""

import math
import tracemalloc

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import logsumexp

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate

RNG = np.random.default_rng(0)
LAYER = np.tanh(RNG.standard_normal((700, 6)) @ RNG.standard_normal((6, 4)))
IDS = np.arange(len(LAYER))
CLASSES = (LAYER[:, 0] + 0.3 * RNG.standard_normal(len(LAYER)) > 0.2).astype(int)


def read(t, y, method, **parameters):
    return estimate(t, y, method=method, base=math.e, **parameters)


def entropy_by_hand(t, divisor):
    """Return -mean log mean exp(-|t_i - t_j|^2 / divisor) from all differences."""
    squares = ((t[:, None] - t[None]) ** 2).sum(axis=2)
    return float(-(logsumexp(-squares / divisor, axis=1) - math.log(len(t))).mean())


def given_by_hand(t, y, divisor):
    return sum(np.mean(y == label) * entropy_by_hand(t[y == label], divisor) for label in np.unique(y))


@pytest.mark.parametrize("variance", [1e-4, 0.01, 0.1, 10.0])
def test_bounds_are_the_published_sums_over_pairs(variance):
    upper, lower = (entropy_by_hand(LAYER, factor * variance) for factor in (2, 8))
    assert read(LAYER, IDS, "kde_upper", noise_variance=variance).value == pytest.approx(upper, rel=1e-11)
    assert read(LAYER, IDS, "kde_lower", noise_variance=variance).value == pytest.approx(lower, rel=1e-11)
    upper_y, lower_y = (given_by_hand(LAYER, CLASSES, factor * variance) for factor in (2, 8))
    of_label = {method: read(LAYER, CLASSES, method, noise_variance=variance) for method in ("kde_upper", "kde_lower")}
    assert of_label["kde_upper"].value == pytest.approx(upper - lower_y, rel=1e-11)
    assert of_label["kde_lower"].value == pytest.approx(lower - upper_y, rel=1e-11)
    same = read(LAYER, CLASSES, "kde_upper", noise_variance=variance, conditional="same")
    assert same.value == pytest.approx(upper - upper_y, rel=1e-9)


def test_tiles_and_repeated_rows_change_nothing():
    t = np.repeat(RNG.standard_normal((620, 2)), 2, axis=0)
    t[:300] = t[0]
    for method, factor in (("kde_upper", 2), ("kde_lower", 8)):
        value = read(t, np.arange(len(t)), method, noise_variance=0.02).value
        assert value == pytest.approx(entropy_by_hand(t, factor * 0.02), rel=1e-11)


def test_repeated_rows_stay_equal_when_the_noise_is_tiny_against_the_offset():
    t = np.repeat([[1e6 + 0.1, 3.0], [1e6 + 0.2, 5.0]], 50, axis=0)
    for method in ("kde_lower", "kde_upper"):
        assert read(t, np.arange(100), method, noise_variance=1e-12).value == pytest.approx(math.log(2), abs=1e-12)


@pytest.mark.parametrize("variance", [0.05, 0.3, 1, 3, 20])
def test_bounds_enclose_the_capacity_of_a_binary_input_channel(variance):
    def integrand(z):
        density = math.exp(-((z - 1) ** 2) / (2 * variance)) / math.sqrt(2 * math.pi * variance)
        return density * (math.log(2) - np.logaddexp(0, -2 * z / variance))

    truth = quad(integrand, 1 - 12 * variance**0.5, 1 + 12 * variance**0.5, epsabs=1e-12)[0]
    x, y = np.repeat([1.0, -1.0], 20), np.repeat([0, 1], 20)
    lower, upper = (read(x, y, method, noise_variance=variance) for method in ("kde_lower", "kde_upper"))
    assert lower.value <= truth + 1e-12
    assert upper.value >= truth - 1e-12
    assert (lower.kind, upper.kind) == ("lower_bound", "upper_bound")
    assert lower.value == pytest.approx(-math.log((1 + math.exp(-4 / (8 * variance))) / 2), rel=1e-11)
    assert upper.value == pytest.approx(-math.log((1 + math.exp(-4 / (2 * variance))) / 2), rel=1e-11)


@pytest.mark.parametrize("method", ["kde_lower", "kde_upper"])
def test_isolated_samples_read_log_n_and_say_so(method):
    result = read(np.arange(300.0), np.arange(300), method, noise_variance=1e-4)
    assert result.value == pytest.approx(math.log(300), rel=1e-12)
    assert "saturated" in [finding.code for finding in result.findings]


@pytest.mark.parametrize("method", ["kde_lower", "kde_upper"])
def test_overlap_of_a_few_hundredths_is_not_said_to_be_saturated(method):
    # Pairs that share a place: log n less half of log 2, some 0.94 of log n.
    t = np.r_[np.repeat(np.arange(100.0), 2), 100 + np.arange(200.0)]
    result = read(t, np.arange(400), method, noise_variance=1e-4)
    assert result.value == pytest.approx(math.log(400) - 0.5 * math.log(2), rel=1e-12)
    assert not result.findings


@pytest.mark.parametrize("method", ["kde_lower", "kde_upper", "sample_propagation"])
def test_what_rounding_does_to_a_spread_layer_is_said(method):
    near = RNG.standard_normal((200, 2))
    far = near + np.where(np.arange(200) < 100, 0.0, 1e8)[:, None]
    (finding,) = read(far, IDS[:200], method, noise_variance=0.1).findings
    assert (finding.code, finding.where, finding.unit) == ("rounding", "x", "1")
    assert finding.amount == pytest.approx(np.finfo(float).eps * 2 * (0.5e8) ** 2 / 0.1, rel=1e-6)
    # The offset that all share does nothing, and neither does a spread that the noise is in proportion to.
    assert "rounding" not in [finding.code for finding in read(near + 1e8, IDS[:200], method).findings]
    assert "rounding" not in [finding.code for finding in read(far, IDS[:200], method, scale="layer").findings]


@pytest.mark.parametrize(("spread", "said"), [(0.9, False), (1.1, True)])
def test_rounding_is_said_from_a_thousandth_of_an_exponent_on(spread, said):
    t = spread * math.sqrt(1e-3 * 0.1 / np.finfo(float).eps) * np.array([[1.0], [-1.0]])
    found = [finding.code for finding in read(t, [0, 1], "kde_upper", noise_variance=0.1).findings]
    assert ("rounding" in found) == said


@pytest.mark.parametrize("method", ["kde_lower", "kde_upper"])
def test_noise_in_proportion_to_the_layer_leaves_dead_neurons_out(method):
    wide = np.column_stack([LAYER, np.full((len(LAYER), 3), 7.0)])
    dead, alive = (read(t, IDS, method, scale="layer", noise_variance=0.5) for t in (wide, LAYER))
    assert (dead.value, dead.parameters["variance"]) == (alive.value, alive.parameters["variance"])


@pytest.mark.parametrize("method", ["kde_lower", "kde_upper"])
def test_tight_classes_far_apart_carry_the_entropy_of_the_label(method):
    y = np.repeat([0, 1, 2, 2], 50)
    t = 100.0 * y[:, None] + 1e-3 * RNG.standard_normal((200, 3))
    entropy = -(2 * 0.25 * math.log(0.25) + 0.5 * math.log(0.5))
    assert read(t, y, method, noise_variance=1.0).value == pytest.approx(entropy, abs=1e-4)


@pytest.mark.parametrize("method", ["kde_lower", "kde_upper"])
def test_noise_in_proportion_to_the_layer_is_scale_free_and_absolute_noise_is_not(method):
    relative, absolute = (
        [read(factor * LAYER, IDS, method, scale=scale).value for factor in (0.1, 1, 10)]
        for scale in ("layer", "absolute")
    )
    assert relative == pytest.approx([relative[1]] * 3, rel=1e-10)
    assert absolute[0] + 1 < absolute[1] < absolute[2] - 1
    result = read(LAYER, IDS, method, scale="layer", noise_variance=0.5)
    assert result.parameters["variance"] == pytest.approx(0.5 * LAYER.var(axis=0).mean())


def test_kind_is_that_of_a_bound_only_where_it_bounds():
    assert read(LAYER, CLASSES, "kde_upper").kind == "upper_bound"
    assert read(LAYER, CLASSES, "kde_lower").kind == "lower_bound"
    assert read(LAYER, CLASSES, "kde_upper", conditional="same").kind == "estimate"
    assert read(LAYER, CLASSES, "kde_lower", conditional="same").kind == "estimate"
    assert read(LAYER, IDS, "kde_upper", conditional="same").kind == "upper_bound"


def test_bounds_that_say_nothing_are_findings():
    wide = [read(LAYER, CLASSES, method, noise_variance=0.1) for method in ("kde_lower", "kde_upper")]
    assert wide[0].value < 0
    assert wide[1].value > math.log(2)
    assert all("vacuous" in [finding.code for finding in result.findings] for result in wide)
    assert not read(LAYER, IDS, "kde_upper", noise_variance=0.1).findings


def test_memory_stays_far_below_all_pairs():
    t = np.tile(RNG.standard_normal((3000, 1)), 8) + RNG.standard_normal((3000, 8))
    tracemalloc.start()
    try:
        read(t, np.arange(3000), "kde_upper")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3000 * 3000 * 8 / 10


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"noise_variance": 0.0}, "noise_variance is 0.0, but a variance is a finite number above 0"),
        ({"noise_variance": math.nan}, "noise_variance is nan"),
        ({"scale": "layers"}, "did you mean 'layer'"),
        ({"conditional": "equal"}, "it is one of 'opposite', 'same'"),
    ],
)
def test_impossible_parameters_are_refused(parameters, said):
    with pytest.raises(InputError, match=said):
        read(LAYER, IDS, "kde_upper", **parameters)
