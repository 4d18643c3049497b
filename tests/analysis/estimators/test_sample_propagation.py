"""Sample propagation: channels whose information is known, and the bounds that must enclose it."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators import sample_propagation as module

RNG = np.random.default_rng(0)


def read(t, y, **parameters):
    return estimate(t, y, method="sample_propagation", base=math.e, **parameters)


def mixture_entropy(centres, sigma):
    """Return the differential entropy of equally likely normal laws on a line, by quadrature."""

    def integrand(z):
        density = stats.norm.pdf(z, centres, sigma).mean()
        return -density * math.log(density) if density > 0 else 0.0

    low, high = min(centres) - 12 * sigma, max(centres) + 12 * sigma
    return quad(integrand, low, high, points=list(centres), epsabs=1e-10, limit=400)[0]


def noise_entropy(sigma):
    return 0.5 * math.log(2 * math.pi * math.e * sigma**2)


def within(result, truth, relative=0.02):
    """Whether it is right within 4 standard errors, which are small enough for a 2 % error to show."""
    return abs(result.value - truth) < 4 * result.standard_error < relative * truth


@pytest.mark.parametrize("variance", [0.25, 1.0, 4.0])
def test_binary_input_with_gaussian_noise_has_its_capacity(variance):
    sigma = math.sqrt(variance)
    truth = mixture_entropy([-1.0, 1.0], sigma) - noise_entropy(sigma)
    assert within(read([1.0, -1.0], [0, 1], noise_variance=variance, draws=300_000), truth)


def test_capacity_at_0_dB_is_the_textbook_value():
    result = estimate([1.0, -1.0], [0, 1], method="sample_propagation", noise_variance=1.0, draws=300_000)
    assert result.value == pytest.approx(0.4859, abs=4 * result.standard_error)


def test_independent_neurons_add_up():
    corners = (np.arange(8)[:, None] >> np.arange(3) & 1) * 2.0 - 1
    truth = 3 * (mixture_entropy([-1.0, 1.0], 1.0) - noise_entropy(1.0))
    assert within(read(corners, np.arange(8), noise_variance=1.0, draws=20_000), truth)


def test_label_of_several_centres():
    centres, sigma = np.array([-3.0, -1.0, 1.0, 3.0, 4.0]), 1.0
    y = np.array([0, 0, 1, 1, 1])
    truth = mixture_entropy(centres, sigma) - sum(
        np.mean(y == label) * mixture_entropy(centres[y == label], sigma) for label in (0, 1)
    )
    assert within(read(centres, y, noise_variance=sigma**2, draws=100_000), truth)


def test_isolated_centres_read_log_n_and_say_so():
    result = read(np.arange(200.0), np.arange(200), noise_variance=1e-4)
    assert result.value == pytest.approx(math.log(200), abs=1e-12)
    assert [finding.code for finding in result.findings] == ["saturated"]


@pytest.mark.parametrize("scale", [1.0, 1e6, 1e8, 1e9, 1e12])
def test_scale_of_isolated_centres_does_not_come_into_it(scale):
    t = scale * 50 * np.arange(100.0)[:, None] * [1, -1, 1]
    result = read(t, np.arange(100), noise_variance=0.1)
    assert result.value == pytest.approx(math.log(100), abs=1e-12)
    assert result.standard_error == pytest.approx(0, abs=1e-12)
    assert "saturated" in [finding.code for finding in result.findings]


def test_every_block_finds_the_part_that_its_draws_come_from(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 60 * 16 * 7)
    result = read(1e9 * np.arange(60.0), RNG.permutation(60), noise_variance=0.1)
    assert result.value == pytest.approx(math.log(60), abs=1e-12)


def test_centres_that_overlap_are_not_said_to_stand_alone():
    t = np.tanh(RNG.standard_normal((60, 2)))
    result = read(t, np.arange(60), noise_variance=0.1)
    assert result.value < 0.7 * math.log(60)
    assert not result.findings
    assert not read(np.r_[np.arange(100.0), np.arange(100.0)], np.arange(200), noise_variance=1e-4).findings


def test_error_is_said_to_be_over_draws():
    result = read([1.0, -1.0], [0, 1], noise_variance=1.0)
    assert result.error_over == "draws"
    assert "n = 2, error over draws)" in str(result)


def test_equal_centres_carry_nothing_more():
    # Each of two places is taken by a hundred inputs: what tells them apart is lost.
    t = np.repeat([[0.0, 0.0], [50.0, 0.0]], 100, axis=0)
    assert read(t, np.arange(200), noise_variance=1.0).value == pytest.approx(math.log(2), abs=1e-12)
    assert read(t, np.arange(200) % 2, noise_variance=1.0).value == pytest.approx(0, abs=1e-12)
    assert read(t, np.repeat([0, 1], 100), noise_variance=1.0).value == pytest.approx(math.log(2), abs=1e-12)


def noisy_network(seed, n=300):
    """Layers of an untrained network; wide, narrow, saturated and rectified."""
    rng = np.random.default_rng(seed)
    t = rng.standard_normal((n, 8))
    for width, function in (
        (20, np.tanh),
        (5, lambda u: np.maximum(u, 0)),
        (3, lambda u: np.tanh(5 * u)),
        (1, np.tanh),
    ):
        t = function(t @ rng.normal(0, 1.5 / math.sqrt(t.shape[1]), (t.shape[1], width)))
        yield t


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("variance", [1e-3, 0.03, 0.3, 3.0])
def test_kde_bounds_enclose_it_with_noise_at_that_layer_only(seed, variance):
    for t in noisy_network(seed):
        for y in (np.arange(len(t)), np.arange(len(t)) % 3, (t[:, 0] > t[:, 0].mean()).astype(int)):
            value = read(t, y, noise_variance=variance, draws=8)
            lower, upper = (
                estimate(t, y, method=method, noise_variance=variance, base=math.e).value
                for method in ("kde_lower", "kde_upper")
            )
            slack = 3 * value.standard_error + 1e-9
            assert lower <= value.value + slack
            assert value.value <= upper + slack


def test_standard_error_is_the_spread_over_seeds():
    t = np.tanh(RNG.standard_normal((60, 2)))
    results = [read(t, np.arange(60), noise_variance=0.1, draws=4, seed=seed) for seed in range(200)]
    spread = np.std([result.value for result in results], ddof=1)
    assert np.mean([result.standard_error for result in results]) == pytest.approx(spread, rel=0.2)


def test_blocks_change_nothing(monkeypatch):
    t, y = np.tanh(RNG.standard_normal((90, 3))), RNG.integers(0, 4, 90)
    whole = read(t, y, noise_variance=0.1, draws=3).value
    monkeypatch.setattr(module, "_BLOCK", 90 * 3 * 7)
    assert read(t, y, noise_variance=0.1, draws=3).value == pytest.approx(whole, rel=1e-12)


def test_scale_of_the_layer_cancels():
    t = np.tanh(RNG.standard_normal((80, 3)))
    values = [read(factor * t, np.arange(80), scale="layer").value for factor in (0.1, 1, 10)]
    assert values == pytest.approx([values[1]] * 3, rel=1e-9)


def test_thousands_of_neurons_stay_finite():
    # exp of half the noise's squared norm is beyond float64; relative to a draw's own part it is not.
    t = RNG.standard_normal((30, 3000))
    value = read(t, np.arange(30), noise_variance=1e4, draws=4)
    lower, upper = (
        estimate(t, np.arange(30), method=method, noise_variance=1e4, base=math.e).value
        for method in ("kde_lower", "kde_upper")
    )
    assert lower - 3 * value.standard_error < value.value < upper + 3 * value.standard_error
    assert value.standard_error < 0.1


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"draws": 1}, "draws is 1, but it must be a whole number of at least 2"),
        ({"seed": -1}, "seed is -1"),
        ({"noise_variance": -1.0}, "a variance is a finite number above 0"),
    ],
)
def test_impossible_parameters_are_refused(parameters, said):
    with pytest.raises(InputError, match=said):
        read([1.0, -1.0], [0, 1], **parameters)
