"""The log-normal divergence against quadrature, scipy, brute-force bootstraps, and itself rescaled."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from infoplane.analysis import lognormal_fit as fitting
from infoplane.analysis.errors import InputError
from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.sketch import LogHistogram

N = 200_000
GRID = (np.arange(N) + 0.5) / N  # evenly spaced probabilities: a sample without sampling noise
LAWS = {
    "half-normal": stats.halfnorm(),
    "uniform": stats.uniform(),
    "exponential": stats.expon(),
    "student": stats.t(3),  # its magnitude, 3 degrees of freedom
    "log-normal": stats.lognorm(1),
}
TRUTH = {"half-normal": 0.037398, "uniform": 0.101911, "exponential": 0.020431, "student": 0.015571}  # nat


def quantiles(law):
    return LAWS[law].ppf(0.5 + GRID / 2 if law == "student" else GRID)


def sketched(values):
    sketch = LogHistogram()
    sketch.update(values)
    return sketch


AS_GIVEN = {
    "samples": lambda x: x,
    "histogram": sketched,
    "summary": lambda x: sketched(x).summary(),
}


@pytest.mark.parametrize("law", TRUTH)
def test_the_truths_used_here_are_those_of_quadrature(law):
    def density(y):  # of y = ln x
        x = np.exp(y)
        return x * LAWS[law].pdf(x) * (2 if law == "student" else 1)

    # Two pieces, for the uniform law's edge at ln x = 0.
    pieces = [np.linspace(-45.0, -1e-13, 400_001), np.linspace(1e-13, 20.0, 400_001)]
    weight = [np.trapezoid(density(y), y) for y in pieces]
    assert sum(weight) == pytest.approx(1, abs=1e-7)
    mu = sum(np.trapezoid(density(y) * y, y) for y in pieces)
    sigma = math.sqrt(sum(np.trapezoid(density(y) * (y - mu) ** 2, y) for y in pieces))
    jsd = 0.0
    for y in pieces:
        f, g = density(y), stats.norm(mu, sigma).pdf(y)
        m = (f + g) / 2
        parts = [np.where(h > 0, h * np.log(np.where(h > 0, h, 1) / np.where(m > 0, m, 1)), 0) for h in (f, g)]
        jsd += 0.5 * np.trapezoid(parts[0] + parts[1], y)
    assert jsd == pytest.approx(TRUTH[law], abs=1e-6)


@pytest.mark.parametrize("law", TRUTH)
@pytest.mark.parametrize("given_as", AS_GIVEN)
@pytest.mark.parametrize("seed", range(4))
def test_known_laws_at_random_scales_read_their_divergence_to_half_a_percent(law, given_as, seed):
    scale = math.exp(np.random.default_rng(seed).normal() * 5)
    result = lognormal_jsd(AS_GIVEN[given_as](quantiles(law) * scale), base=math.e)
    assert result.divergence == pytest.approx(TRUTH[law], rel=0.005)
    assert result.unit == "nat"
    assert result.floor < 0.02 * result.divergence
    assert not result.findings


@pytest.mark.parametrize("given_as", AS_GIVEN)
@pytest.mark.parametrize("n", [200, 320, 100_000])
def test_a_true_log_normal_stands_at_its_floor(given_as, n):
    rng = np.random.default_rng(n)
    results = [lognormal_jsd(AS_GIVEN[given_as](rng.lognormal(rng.normal() * 4, 1.3, n))) for _ in range(30)]
    found = np.array([r.divergence for r in results])
    floors = np.array([r.floor for r in results])
    assert found.mean() == pytest.approx(floors.mean(), abs=5 * found.std() / math.sqrt(30))
    # The finding is the rule here, and fails to stand in one of twenty.
    assert sum(any(f.startswith("floor: ") for f in r.findings) for r in results) >= 23


@pytest.mark.parametrize(
    ("given_as", "options"),
    [
        *((g, {"tail": t}) for g in AS_GIVEN for t in ("overflow", "truncate")),
        ("samples", {"fit": "moments"}),
    ],
)
def test_the_floor_is_what_drawing_every_value_gives(given_as, options):
    rng = np.random.default_rng(3)
    one = lognormal_jsd(AS_GIVEN[given_as](rng.lognormal(0, 1, 200)), bootstrap=400, **options)
    drawn = [
        lognormal_jsd(AS_GIVEN[given_as](rng.lognormal(one.mu, one.sigma, 200)), bootstrap=0, **options).divergence
        for _ in range(400)
    ]
    assert one.floor == pytest.approx(np.mean(drawn), rel=0.06)


@pytest.mark.parametrize("given_as", ["samples", "summary"])
def test_the_floor_of_five_values_is_what_drawing_them_gives(given_as):
    # So few that the two extremes are most of the sample, and that their exact joint law shows.
    z = np.array([-1.2, -0.8, 0.1, 0.4, 1.5])
    one = lognormal_jsd(AS_GIVEN[given_as](np.exp((z - z.mean()) / z.std())), bootstrap=1500)
    rng = np.random.default_rng(4)
    drawn = [lognormal_jsd(AS_GIVEN[given_as](rng.lognormal(size=5)), bootstrap=0).divergence for _ in range(1500)]
    assert one.floor == pytest.approx(np.mean(drawn), rel=0.01)


def test_the_floor_has_its_own_seeded_generator():
    x = np.random.default_rng(0).lognormal(size=300)
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()
    first = lognormal_jsd(x, seed=1)
    assert lognormal_jsd(x, seed=1) == first
    assert lognormal_jsd(x, seed=2).floor != first.floor
    assert np.array_equal(before, np.random.get_state()[1])
    assert torch.equal(torch_before, torch.get_rng_state())
    assert math.isnan(lognormal_jsd(x, bootstrap=0).floor)


@pytest.mark.parametrize("tail", ["overflow", "truncate"])
def test_divergence_and_distance_agree_with_scipy_on_the_same_masses(tail):
    x = np.random.default_rng(5).exponential(size=5000)
    result = lognormal_jsd(x, tail=tail)
    counts, edges = np.histogram(np.log(x), bins=result.bins)
    p, q = fitting.masses(edges, counts, result.mu, result.sigma, tail)
    assert p.sum() == pytest.approx(1)
    assert q.sum() == pytest.approx(1)
    assert p.size == result.bins + (2 if tail == "overflow" else 0)
    distance = float(jensenshannon(p, q, base=2))
    assert result.distance == pytest.approx(distance, rel=1e-9)
    assert result.divergence == pytest.approx(distance**2, rel=1e-9)


def test_mu_and_sigma_are_those_of_scipys_fit_without_location():
    x = np.random.default_rng(6).gamma(2.0, size=3000)
    shape, _, scale = stats.lognorm.fit(x, floc=0)
    result = lognormal_jsd(x)
    assert result.sigma == pytest.approx(shape, rel=1e-6)
    assert result.mu == pytest.approx(math.log(scale), abs=1e-6)
    for sketch in (sketched(x), sketched(x).summary()):
        assert lognormal_jsd(sketch).sigma == pytest.approx(shape, abs=1e-3)
        assert lognormal_jsd(sketch).mu == pytest.approx(math.log(scale), abs=1e-3)


def test_the_moment_fit_has_the_samples_mean_and_variance():
    x = np.random.default_rng(6).gamma(2.0, size=3000) * 1e30
    result = lognormal_jsd(x, fit="moments")
    law = stats.lognorm(result.sigma, scale=math.exp(result.mu))
    assert law.mean() == pytest.approx(x.mean(), rel=1e-12)
    assert law.std() == pytest.approx(x.std(), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(-200, 200), st.integers(2, 400))
def test_samples_times_a_constant_have_the_same_divergence(seed, log_scale, n):
    x = np.random.default_rng(seed).exponential(size=n)
    a, b = (lognormal_jsd(y, bootstrap=3) for y in (x, x * math.exp(log_scale)))
    assert b.divergence == pytest.approx(a.divergence, rel=1e-7)
    assert b.floor == pytest.approx(a.floor, rel=1e-7)
    assert b.sigma == pytest.approx(a.sigma, rel=1e-9)
    assert b.mu == pytest.approx(a.mu + log_scale, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(-10, 10))
def test_sketches_times_a_power_of_two_have_the_same_divergence(seed, exponent):
    x = np.random.default_rng(seed).exponential(size=3000)
    for given_as in ("histogram", "summary"):
        a, b = (lognormal_jsd(AS_GIVEN[given_as](y)) for y in (x, x * 2.0**exponent))
        assert b.divergence == pytest.approx(a.divergence, rel=1e-9)
        assert b.floor == pytest.approx(a.floor, rel=0.02)


def test_bases_change_divergence_and_floor_alike():
    x = np.random.default_rng(7).exponential(size=2000)
    bit, nat, ten = (lognormal_jsd(x, base=base) for base in (2, math.e, 10))
    assert [r.unit for r in (bit, nat, ten)] == ["bit", "nat", "hartley"]
    assert bit.divergence * math.log(2) == pytest.approx(nat.divergence)
    assert ten.floor * math.log(10) == pytest.approx(nat.floor)
    assert bit.distance == pytest.approx(math.sqrt(bit.divergence))


def test_truncating_the_tail_halves_the_uniform_laws_value():
    assert lognormal_jsd(GRID, base=math.e, tail="truncate").divergence == pytest.approx(0.0478, abs=0.0005)
    assert lognormal_jsd(sketched(GRID), base=math.e, tail="truncate").divergence == pytest.approx(0.0478, abs=0.0005)


def test_narrow_laws_are_a_resolution_finding_in_a_sketch_and_right_from_samples():
    x = 1 + GRID / 10
    assert lognormal_jsd(x, base=math.e).divergence == pytest.approx(0.0495, abs=0.0005)
    for sketch in (sketched(x), sketched(x).summary()):
        result = lognormal_jsd(sketch, base=math.e)
        assert result.divergence < 0.043
        assert [f.split(":")[0] for f in result.findings] == ["resolution"]


@pytest.mark.parametrize("given_as", AS_GIVEN)
def test_signs_zeros_and_non_finite_values_are_chosen_and_counted(given_as):
    x = np.concatenate([quantiles("half-normal"), -7 * quantiles("exponential"), np.zeros(N), [np.nan, np.inf]])
    convert = AS_GIVEN[given_as]
    positive, both = lognormal_jsd(convert(x), base=math.e), lognormal_jsd(convert(x), values="abs")
    assert positive.divergence == pytest.approx(0.037398, rel=0.005)
    assert (positive.n, both.n) == (N, 2 * N)
    assert positive.zero_fraction == both.zero_fraction == pytest.approx(1 / 3)
    assert positive.n_nonfinite == both.n_nonfinite == 2
    assert positive.findings == ("nonfinite: 2 NaN or infinite values were left out",)
    magnitudes = np.abs(x[np.isfinite(x) & (x != 0)])
    alone = lognormal_jsd(convert(magnitudes))
    assert both.divergence == pytest.approx(alone.divergence, rel=1e-3)
    assert both.mu == pytest.approx(np.log(magnitudes).mean(), abs=1e-4)
    assert both.sigma == pytest.approx(np.log(magnitudes).std(), abs=1e-4)


@pytest.mark.parametrize("given_as", AS_GIVEN)
@pytest.mark.parametrize(
    ("values", "code", "n"),
    [([], "few", 0), ([-1.0, 0.0], "few", 0), ([2.0], "few", 1), ([0.3] * 9, "constant", 9)],
)
def test_degenerate_values_give_nan_with_a_finding(given_as, values, code, n):
    result = lognormal_jsd(AS_GIVEN[given_as](values))
    assert all(math.isnan(v) for v in (result.divergence, result.distance, result.floor))
    assert result.n == n
    assert [f.split(":")[0] for f in result.findings] == [code]
    if n:
        assert result.sigma == 0.0
        assert result.mu == pytest.approx(math.log(values[0]), abs=1e-7)


def test_values_that_differ_only_by_rounding_count_as_the_same():
    x = [1e100, float(np.nextafter(1e100, 2e100))]
    assert [f.split(":")[0] for f in lognormal_jsd(x).findings] == ["constant"]


@pytest.mark.parametrize("given_as", AS_GIVEN)
@pytest.mark.parametrize("values", [[1.0, 2.0], [1e-30, 1e30], [1.0, 1.0000001], [6.0] * 50 + [0.1, 3.0]])
def test_few_and_clipped_values_give_a_number_without_a_warning(given_as, values):
    result = lognormal_jsd(AS_GIVEN[given_as](np.array(values)))
    assert 0 <= result.divergence <= 1
    assert 0 <= result.floor <= 1


def test_values_outside_a_summarys_bins_are_said():
    x = np.random.default_rng(0).lognormal(sigma=12, size=5000)
    outside = np.count_nonzero((x < 2.0**-40) | (x >= 2.0**24))
    finding = f"range: {outside} of 5000 values lie outside the bins, 2^-40 to 2^24"
    assert finding in lognormal_jsd(sketched(x).summary()).findings
    assert not any(f.startswith("range") for f in lognormal_jsd(sketched(x)).findings)


def test_bins_grow_with_the_number_of_values_and_can_be_given():
    x = np.random.default_rng(0).lognormal(size=40_000)
    found = [lognormal_jsd(x[:n], bootstrap=0).bins for n in (50, 200, 320, 999, 40_000)]
    assert found == [32, 32, 36, 63, 256]
    assert lognormal_jsd(x, bins=100).bins == 100
    assert lognormal_jsd(sketched(x[:200])).bins <= 32


def test_tensors_of_any_kind_are_samples():
    x = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    plain = lognormal_jsd(x.numpy())
    assert lognormal_jsd(x.clone().requires_grad_()) == lognormal_jsd(x) == plain
    assert lognormal_jsd(x.t()).divergence == pytest.approx(plain.divergence, rel=1e-9)
    assert lognormal_jsd(x.bfloat16()) == lognormal_jsd(x.bfloat16().double())
    assert lognormal_jsd([1, 2, 3]) == lognormal_jsd([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"values": "positiv"}, "did you mean 'positive'"),
        ({"fit": "ml"}, "'mle' or 'moments'"),
        ({"tail": 3}, "tail=3"),
        ({"base": 1}, "base is 1"),
        ({"base": "2"}, "base is '2'"),
        ({"base": math.inf}, "base is inf"),
        ({"bins": 1}, "bins=1"),
        ({"bins": 4.5}, "bins=4.5"),
        ({"bootstrap": -1}, "bootstrap=-1"),
        ({"seed": True}, "seed=True"),
    ],
)
def test_options_that_do_not_exist_are_refused(options, reason):
    with pytest.raises(InputError, match=reason):
        lognormal_jsd([1.0, 2.0, 3.0], **options)


def test_what_a_sketch_cannot_do_is_refused_with_the_reason():
    sketch = sketched([1.0, 2.0, 3.0])
    for either in (sketch, sketch.summary()):
        with pytest.raises(InputError, match="bins are fixed"):
            lognormal_jsd(either, bins=10)
        with pytest.raises(InputError, match="needs the samples"):
            lognormal_jsd(either, fit="moments")


@pytest.mark.parametrize(
    "values", [np.array([1j]), [True], "text", torch.zeros(2, dtype=torch.bool), [[1.0], [1.0, 2.0]]]
)
def test_values_that_are_no_real_numbers_are_refused(values):
    with pytest.raises(InputError, match="values"):
        lognormal_jsd(values)
