import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from torch.distributions import Independent, Normal, kl_divergence

from infoplane.analysis.bounds import BoundSums, gaussian_kl
from infoplane.analysis.errors import InputError
from infoplane.analysis.label_costs import ClassCosts, RealCosts
from infoplane.analysis.moments import Moments

FIELDS = (
    "n",
    "h_y",
    "i_zx",
    "i_zy",
    "ce",
    "error",
    "se_i_zx",
    "se_i_zy",
    "se_ce",
    "covariance_i_zx",
    "covariance_i_zy",
)


def bounds(kl, ce, correct, labels, classes, base=2):
    sums = BoundSums.zeros(len(kl), classes)
    sums.update(kl, ce, correct, labels)
    return sums.compute(base)


def made_up(n, *, probes=3, classes=4, seed=0, offset=400.0):
    """Correlated probes, unequal classes, a cross-entropy that depends on the class, and a rate far from zero."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, n, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    shared = rng.normal(size=n)
    kl = offset + shared + 0.5 * rng.normal(size=(probes, n))
    ce = 0.3 * (labels + 1) * np.exp(0.5 * shared + 0.3 * rng.normal(size=(probes, n)))
    return kl, ce, rng.random((probes, n)) < 0.8, labels


# --- the divergence


def test_divergence_of_an_untrained_code():
    # s = softplus(-5), mean 0: 4.5034 nats per dimension, 1663.234 bits in 256 dimensions.
    std = torch.nn.functional.softplus(torch.full((2, 256), -5.0, dtype=torch.float64))
    kl = gaussian_kl(torch.zeros(2, 256, dtype=torch.float64), std.log())
    assert kl.shape == (2,)
    torch.testing.assert_close(kl / math.log(2), torch.full_like(kl, 1663.234), atol=5e-4, rtol=0)
    torch.testing.assert_close(kl / 256, torch.full_like(kl, 4.5034), atol=5e-5, rtol=0)


@pytest.mark.parametrize(("dtype", "rtol"), [(torch.float64, 1e-13), (torch.float32, 2e-6)])
def test_divergence_equals_that_of_torch(dtype, rtol):
    generator = torch.Generator().manual_seed(0)
    mean = 3 * torch.randn(50, 7, generator=generator, dtype=torch.float64)
    std = (2 * torch.randn(50, 7, generator=generator, dtype=torch.float64)).exp()
    prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(std)), 1)
    truth = kl_divergence(Independent(Normal(mean, std), 1), prior)
    torch.testing.assert_close(gaussian_kl(mean.to(dtype), std.log().to(dtype)).double(), truth, rtol=rtol, atol=0)


def test_divergence_of_the_prior_itself_is_zero_and_its_gradient_too():
    mean, log_std = torch.zeros(1, 4, requires_grad=True), torch.zeros(1, 4, requires_grad=True)
    kl = gaussian_kl(mean, log_std).sum()
    kl.backward()
    assert kl.item() == 0
    assert mean.grad.abs().max() == log_std.grad.abs().max() == 0


@pytest.mark.parametrize("shapes", [((3, 2), (3, 3)), ((3,), (3,)), ((2, 3, 4), (2, 3, 4)), ((3, 2), (1, 2))])
def test_divergence_needs_two_equal_matrices(shapes):
    with pytest.raises(InputError, match="mean has shape"):
        gaussian_kl(torch.zeros(shapes[0]), torch.ones(shapes[1]))


# --- what the bounds leave between them and the truth


class FiniteSet:
    """Five inputs of equal weight, a label each, a normal code in one dimension, and a decoder that is not Bayes'."""

    mean = np.array([-1.5, -0.4, 0.2, 0.9, 2.0])
    std = np.array([0.3, 0.5, 0.8, 0.4, 0.6])
    labels = np.array([0, 0, 1, 0, 1])

    def density(self, z):
        return stats.norm.pdf(z, self.mean, self.std)

    def posterior(self, z):
        joint = np.array([self.density(z)[self.labels == y].sum() for y in (0, 1)])
        return joint / joint.sum()

    def decoder(self, z):
        q = 1 / (1 + math.exp(0.3 - 1.1 * z))
        return np.array([1 - q, q])

    def integral(self, function):
        cuts = np.arange(-8, 9)
        return sum(integrate.quad(function, a, b, epsabs=1e-13, limit=200)[0] for a, b in pairwise(cuts))

    def results(self, decoder, base):
        """kl is gaussian_kl's; ce is the exact mean over draws, by quadrature."""
        kl = gaussian_kl(torch.tensor(self.mean)[:, None], torch.tensor(self.std)[:, None].log())
        ce = [
            self.integral(lambda z, i=i, y=y: -self.density(z)[i] * math.log(decoder(z)[y]))
            for i, y in enumerate(self.labels)
        ]
        return bounds(kl[None], [ce], [[True] * 5], self.labels, 2, base)


@pytest.mark.parametrize("base", [2, math.e])
def test_the_rate_exceeds_the_information_by_the_divergence_of_the_marginal_from_the_prior(base):
    x = FiniteSet()

    def information(z):
        p = x.density(z)
        return float(sum(v * math.log(v / p.mean()) for v in p if v > 0)) / 5

    def gap(z):
        p = x.density(z).mean()
        return p * (math.log(p) - stats.norm.logpdf(z)) if p > 0 else 0.0

    unit = math.log(base)
    truth, slack = x.integral(information) / unit, x.integral(gap) / unit
    assert slack > 0.03
    assert x.results(x.decoder, base).i_zx[0] - truth == pytest.approx(slack, abs=1e-10)


@pytest.mark.parametrize("base", [2, math.e])
def test_the_label_bound_falls_short_by_the_divergence_of_the_decoder_from_the_posterior(base):
    x = FiniteSet()

    def divergence(z, p, q):
        return float(x.density(z).mean() * sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 1e-300))

    unit = math.log(base)
    truth = x.integral(lambda z: divergence(z, x.posterior(z), (0.6, 0.4))) / unit
    slack = x.integral(lambda z: divergence(z, x.posterior(z), x.decoder(z))) / unit
    assert slack > 0.03
    assert truth - x.results(x.decoder, base).i_zy[0] == pytest.approx(slack, abs=1e-10)
    # With Bayes' decoder the bound is the information itself.
    assert x.results(x.posterior, base).i_zy[0] == pytest.approx(truth, abs=1e-10)


def test_a_code_that_ignores_its_input_has_no_gap():
    kl = gaussian_kl(torch.zeros(6, 3), torch.zeros(6, 3))[None]
    labels = np.array([0, 1, 1, 2, 2, 2])
    ce = -np.log(np.array([1, 2, 3])[labels] / 6)[None]  # the decoder that knows the class frequencies alone
    result = bounds(kl, ce, np.ones((1, 6)), labels, 3)
    assert result.i_zx[0] == 0
    assert result.i_zy[0] == pytest.approx(0, abs=1e-15)
    assert result.se_i_zy[0] == pytest.approx(0, abs=1e-8)


# --- values


def test_values_equal_a_recomputation():
    kl, ce, correct, labels = made_up(1000)
    result = bounds(kl, ce, correct, labels, 4)
    h_y = stats.entropy(np.bincount(labels), base=2)
    assert result.n == 1000
    assert result.unit == "bit"
    assert result.h_y == pytest.approx(h_y, rel=1e-14)
    np.testing.assert_allclose(result.i_zx, kl.mean(1) / math.log(2), rtol=1e-14)
    np.testing.assert_allclose(result.ce, ce.mean(1) / math.log(2), rtol=1e-13)
    np.testing.assert_allclose(result.i_zy, h_y - ce.mean(1) / math.log(2), rtol=1e-12)
    np.testing.assert_allclose(result.error, 1 - correct.mean(1), rtol=1e-14)
    np.testing.assert_allclose(result.se_i_zx, stats.sem(kl, axis=1) / math.log(2), rtol=1e-10)
    np.testing.assert_allclose(result.se_ce, stats.sem(ce, axis=1) / math.log(2), rtol=1e-10)


def test_covariances_equal_those_of_numpy():
    kl, ce, correct, labels = made_up(500)
    result = bounds(kl, ce, correct, labels, 4, math.e)
    np.testing.assert_allclose(result.covariance_i_zx, np.cov(kl) / 500, rtol=1e-10)
    gain = -np.log(np.bincount(labels) / 500)[labels] - ce
    np.testing.assert_allclose(result.covariance_i_zy, np.cov(gain) / 500, rtol=1e-10)
    np.testing.assert_allclose(result.se_i_zy, stats.sem(gain, axis=1), rtol=1e-10)


def test_paired_differences_have_the_error_of_the_difference():
    kl, ce, correct, labels = made_up(500)
    result = bounds(kl, ce, correct, labels, 4, math.e)
    for covariance, series in ((result.covariance_i_zx, kl), (result.covariance_i_zy, ce)):
        paired = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        assert paired == pytest.approx(stats.sem(series[0] - series[1]), rel=1e-9)
        unpaired = math.sqrt(covariance[0, 0] + covariance[1, 1])
        assert paired < 0.75 * unpaired


def test_standard_errors_are_the_spread_of_repeated_data_sets():
    repeats = [bounds(*made_up(400, seed=seed), 4) for seed in range(1500)]
    for value, error in (("i_zx", "se_i_zx"), ("i_zy", "se_i_zy"), ("ce", "se_ce")):
        spread = np.std([getattr(r, value) for r in repeats], axis=0, ddof=1)
        claimed = np.mean([getattr(r, error) for r in repeats], axis=0)
        # The spread of 1,500 values has a relative standard error of 0.018.
        np.testing.assert_allclose(claimed, spread, rtol=0.07)
    # H(Y) is estimated from the same labels; here that makes the error of i_zy another than that of ce.
    assert np.abs(np.mean([r.se_i_zy / r.se_ce for r in repeats]) - 1) > 0.1


def test_with_equally_frequent_labels_the_error_of_the_label_bound_is_that_of_the_cross_entropy():
    kl, ce, correct, _ = made_up(400)
    result = bounds(kl, ce, correct, np.arange(400) % 4, 4)
    np.testing.assert_allclose(result.se_i_zy, result.se_ce, rtol=1e-12)


def test_entropy_of_labels_counts_seen_classes_only():
    result = bounds(np.zeros((1, 4)), np.zeros((1, 4)), np.ones((1, 4)), [0, 0, 7, 7], 10)
    assert result.h_y == 1
    assert result.i_zy[0] == 1


def test_nothing_is_clipped():
    result = bounds(np.full((1, 2), -0.5), np.full((1, 2), 9.0), np.zeros((1, 2)), [0, 1], 2)
    assert result.i_zx[0] == -0.5 / math.log(2)
    assert result.i_zy[0] == pytest.approx(1 - 9 / math.log(2))
    assert result.error[0] == 1


@pytest.mark.parametrize("base", [math.e, 10, 4])
def test_bases_differ_by_a_factor(base):
    data = made_up(100)
    bits, other = bounds(*data, 4), bounds(*data, 4, base)
    for name in FIELDS:
        power = {"n": 0, "error": 0}.get(name, 2 if name.startswith("covariance") else 1)
        np.testing.assert_allclose(
            getattr(other, name), getattr(bits, name) * (math.log(2) / math.log(base)) ** power, rtol=1e-12
        )


# --- merging


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 120), max_size=5), st.booleans())
def test_any_split_gives_what_one_pass_gives(cuts, nested):
    kl, ce, correct, labels = made_up(120)
    whole = bounds(kl, ce, correct, labels, 4)
    parts = []
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 120], strict=True):
        part = BoundSums.zeros(3, 4)
        part.update(kl[:, start:stop], ce[:, start:stop], correct[:, start:stop], labels[start:stop])
        parts.append(part)
    total = BoundSums.zeros(3, 4)
    for part in reversed(parts) if nested else parts:
        total.merge(part)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(total.compute(), name), getattr(whole, name), rtol=1e-11, err_msg=name)


def test_small_spreads_far_from_zero_keep_their_digits():
    # Sums of squares would leave no digit of a variance of 1e-12 at a mean of 400.
    kl = 400 + 1e-6 * np.random.default_rng(0).normal(size=(2, 10_000))
    sums = BoundSums.zeros(2, 2)
    for start in range(0, 10_000, 37):
        part = kl[:, start : start + 37]
        sums.update(part, np.ones_like(part), np.ones_like(part), np.zeros(part.shape[1], int))
    np.testing.assert_allclose(sums.compute(math.e).covariance_i_zx, np.cov(kl - 400) / 10_000, rtol=1e-6)


def test_merging_leaves_the_other_as_it_was():
    data = made_up(50)
    first, second = BoundSums.zeros(3, 4), BoundSums.zeros(3, 4)
    second.update(*data)
    before = second.compute()
    first.merge(second)
    first.update(*made_up(50, seed=1))
    assert second.n == 50
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(second.compute(), name), getattr(before, name))


def test_a_batch_without_inputs_changes_nothing():
    sums = BoundSums.zeros(3, 4)
    sums.update(*made_up(20))
    before = sums.compute()
    empty = np.zeros((3, 0))
    sums.update(empty, empty, empty, np.zeros(0, int))
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(sums.compute(), name), getattr(before, name))


# --- odd input


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("batch", [10, 100])
def test_a_broken_probe_breaks_no_other(broken, batch):
    kl, ce, correct, labels = made_up(100)
    clean = bounds(kl, ce, correct, labels, 4)
    kl[1, 37], ce[1, 53] = broken, broken
    sums = BoundSums.zeros(3, 4)
    for start in range(0, 100, batch):
        part = slice(start, start + batch)
        sums.update(kl[:, part], ce[:, part], correct[:, part], labels[part])
    result = sums.compute()
    others = np.ix_([0, 2], [0, 2])
    for name in FIELDS[2:]:
        value, truth = getattr(result, name), getattr(clean, name)
        at = others if value.ndim == 2 else [0, 2]
        np.testing.assert_allclose(value[at], truth[at], rtol=1e-11, err_msg=name)
        if name != "error":
            assert not np.isfinite(value[1]).any(), name
    assert result.i_zx[1] == pytest.approx(broken, nan_ok=True)
    assert result.i_zy[1] == pytest.approx(-broken, nan_ok=True)
    assert result.h_y == clean.h_y


def test_one_input_has_no_standard_error():
    result = bounds(*made_up(1), 4)
    assert np.isnan(result.se_i_zx).all()
    assert np.isnan(result.covariance_i_zy).all()
    assert np.isfinite(result.i_zx).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_of_any_precision_are_summed_in_float64(dtype):
    kl, ce, correct, labels = made_up(64, offset=3.0)
    kl, ce = torch.tensor(kl).to(dtype), torch.tensor(ce).to(dtype).requires_grad_()
    sums = BoundSums.zeros(3, 4)
    sums.update(kl, ce, torch.tensor(correct), torch.tensor(labels))
    np.testing.assert_allclose(sums.compute(math.e).i_zx, kl.double().numpy().mean(1), rtol=1e-14)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"kl": np.zeros((2, 5))}, r"kl has shape \(2, 5\), but \(probes, inputs\) is \(2, 4\)"),
        ({"ce": np.zeros((1, 4))}, r"ce has shape \(1, 4\)"),
        ({"correct": np.zeros(4)}, r"correct has shape \(4,\)"),
        ({"kl": [[1.0, 2.0, 3.0, 4.0], [1.0]]}, "kl cannot be read"),
        ({"kl": np.full((2, 4), "a")}, "kl has entries of type"),
        ({"labels": [0, 1, 2, 3]}, "labels run from 0 to 3, but 3 classes are 0 to 2"),
        ({"labels": [0, 1, -1, 2]}, "labels run from -1 to 2"),
        ({"labels": [0.0, 1.0, 2.0, 0.0]}, "labels have shape"),
        ({"labels": [[0, 1, 2, 0]]}, "labels have shape"),
        ({"labels": torch.zeros(4, 3)}, "labels have shape"),
    ],
)
def test_rejected_batches_add_nothing(change, text):
    batch = {"kl": np.ones((2, 4)), "ce": np.ones((2, 4)), "correct": np.ones((2, 4)), "labels": [0, 1, 2, 0]}
    sums = BoundSums.zeros(2, 3)
    with pytest.raises(InputError, match=text):
        sums.update(**{**batch, **change})
    assert sums.n == 0


def test_no_inputs_have_no_bounds():
    with pytest.raises(InputError, match="no inputs"):
        BoundSums.zeros(2, 3).compute()


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (-1, 3), (2, 2.5), (True, 3)])
def test_rejected_sizes(shape):
    with pytest.raises(InputError, match="must be a whole number"):
        BoundSums.zeros(*shape)


def test_only_like_sums_merge():
    with pytest.raises(InputError, match="cannot take in"):
        BoundSums.zeros(2, 3).merge(BoundSums.zeros(3, 3))
    with pytest.raises(InputError, match="int"):
        BoundSums.zeros(2, 3).merge(3)


def test_moments_of_no_inputs_are_zero():
    assert Moments.of(np.zeros((2, 0))).n == 0


# --- the rate given the label


def test_the_rate_given_the_label_and_its_error():
    kl, ce, correct, labels = made_up(200)
    given = kl - 390
    sums = BoundSums.zeros(3, 4)
    for part in (slice(0, 70), slice(70, 200)):
        sums.update(kl[:, part], ce[:, part], correct[:, part], labels[part], given[:, part])
    result = sums.compute()
    np.testing.assert_allclose(result.i_zx_given_y, given.mean(1) / math.log(2), rtol=1e-13)
    np.testing.assert_allclose(result.se_i_zx_given_y, stats.sem(given, axis=1) / math.log(2), rtol=1e-10)


def test_a_rate_given_the_label_that_is_not_known_is_nan_and_touches_nothing_else():
    kl, ce, correct, labels = made_up(60)
    given = np.stack([kl[0], kl[1], np.where(labels == 2, np.nan, kl[2])])
    sums = BoundSums.zeros(3, 4)
    sums.update(kl, ce, correct, labels, given)
    result, without = sums.compute(), bounds(kl, ce, correct, labels, 4)
    assert np.isfinite(result.i_zx_given_y[:2]).all()
    assert np.isnan([result.i_zx_given_y[2], result.se_i_zx_given_y[2]]).all()
    assert np.isnan(without.i_zx_given_y).all()
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(result, name), getattr(without, name))


def test_rate_given_the_label_and_label_information_make_up_the_rate():
    # With b(z|y) = p(z|y) and r = p(z) of a discrete code: E KL(p(z|x)||r) = E KL(p(z|x)||b) + I(Z;Y).
    rng = np.random.default_rng(0)
    code = rng.dirichlet(np.ones(6), 40)  # p(z|x) of 40 inputs, uniform
    labels = np.arange(40) % 4
    by_label = np.stack([code[labels == y].mean(0) for y in range(4)])
    posterior = by_label / by_label.sum(0)
    kl = stats.entropy(code, code.mean(0), axis=1)
    given = stats.entropy(code, by_label[labels], axis=1)
    ce = -(code * np.log(posterior.T[:, labels].T)).sum(1)
    sums = BoundSums.zeros(1, 4)
    sums.update(kl[None], ce[None], np.ones((1, 40)), labels, given[None])
    result = sums.compute()
    assert result.i_zx[0] == pytest.approx(result.i_zx_given_y[0] + result.i_zy[0], rel=1e-12)


# --- real labels


def regression(n, *, noise=0.5, seed=0, offset=0.0):
    """Two correlated labels that a linear decoder predicts, its squared error, and the label covariance's factor."""
    rng = np.random.default_rng(seed)
    mix = np.array([[1.0, 0.0], [0.8, 0.6]])
    x, left = rng.normal(size=(n, 2)), noise * rng.normal(size=(n, 2))
    y = (x + left) @ mix.T + offset
    return x, y, mix


def gaussian_cost(y, prediction, covariance):
    rest = y - prediction
    distance = (rest @ np.linalg.inv(covariance) * rest).sum(1)
    return 0.5 * (distance + np.linalg.slogdet(2 * np.pi * covariance)[1])


@pytest.mark.parametrize("base", [2, math.e])
def test_the_best_linear_decoder_of_one_label_reads_half_the_log_of_one_less_r_squared(base):
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    y = 3 + 2 * x + rng.normal(size=500)
    slope, start = np.polyfit(x, y, 1)
    prediction = start + slope * x
    spread = (y - prediction).var()
    ce = 0.5 * ((y - prediction) ** 2 / spread + np.log(2 * np.pi * spread))
    sums = BoundSums.of_real_labels(1, 1)
    sums.update(np.zeros((1, 500)), ce[None], ((y - prediction) ** 2)[None], y[:, None])
    result = sums.compute(base)
    r_squared = np.corrcoef(x, y)[0, 1] ** 2
    assert result.i_zy[0] == pytest.approx(-0.5 * math.log(1 - r_squared, base), rel=1e-10)
    assert result.error[0] == pytest.approx(1 - r_squared, rel=1e-10)
    assert result.kind == "estimate"


def test_correlated_labels_are_not_counted_twice():
    # Y = (A, A + a little): two decoders that each know A know it once.
    x, y, mix = regression(5000)
    left = 0.25 * mix @ mix.T
    sums = BoundSums.of_real_labels(1, 2)
    sums.update(np.zeros((1, 5000)), gaussian_cost(y, x @ mix.T, left)[None], np.zeros((1, 5000)), y)
    truth = 0.5 * 2 * math.log(1 + 1 / 0.25)  # of two independent channels, whatever they are mixed to
    assert sums.compute(math.e).i_zy[0] == pytest.approx(truth, abs=0.03)
    assert sums.compute(math.e).h_y == pytest.approx(
        stats.multivariate_normal(cov=np.cov(y.T, bias=True)).entropy(), rel=1e-12
    )


def test_a_known_entropy_makes_a_bound_of_it():
    x, y, mix = regression(300)
    ce = gaussian_cost(y, x @ mix.T, 0.25 * mix @ mix.T)
    sums = BoundSums.of_real_labels(1, 2, 1.7)
    sums.update(np.zeros((1, 300)), ce[None], np.zeros((1, 300)), y)
    result = sums.compute(math.e)
    assert result.h_y == 1.7
    assert result.i_zy[0] == pytest.approx(1.7 - ce.mean(), rel=1e-12)
    assert result.se_i_zy[0] == pytest.approx(stats.sem(ce), rel=1e-10)
    assert result.kind == "lower_bound"
    assert bounds(*made_up(20), 4).kind == "lower_bound"


@pytest.mark.parametrize("offset", [0.0, 300.0])
def test_the_error_with_an_estimated_entropy_is_the_spread_of_repeated_data_sets(offset):
    found = []
    for seed in range(600):
        x, y, mix = regression(200, seed=seed, offset=offset)
        ce = gaussian_cost(y, x @ mix.T + offset, 0.25 * mix @ mix.T)
        sums = BoundSums.of_real_labels(2, 2)
        sums.update(np.zeros((2, 200)), np.stack([ce, 2 * ce]), np.zeros((2, 200)), y)
        found.append(sums.compute(math.e))
    values = np.array([r.i_zy for r in found])
    claimed = np.mean([r.se_i_zy for r in found], axis=0)
    np.testing.assert_allclose(claimed, values.std(axis=0), rtol=0.1)  # of 600: 3 %
    assert claimed[0] / np.mean([r.se_ce[0] for r in found]) != pytest.approx(1, abs=0.1)


def test_parts_of_real_labels_merge_into_the_whole():
    x, y, mix = regression(101)
    ce = gaussian_cost(y, x @ mix.T, 0.25 * mix @ mix.T)
    kl, squared = np.arange(101.0)[None], ((y - x @ mix.T) ** 2).sum(1)[None]
    whole = BoundSums.of_real_labels(1, 2)
    whole.update(kl, ce[None], squared, torch.tensor(y))
    parts = []
    for part in (slice(0, 37), slice(37, 101)):
        parts.append(BoundSums.of_real_labels(1, 2))
        parts[-1].update(kl[:, part], ce[None, part], squared[:, part], y[part])
    parts[1].merge(parts[0])
    for name in FIELDS:
        np.testing.assert_allclose(
            getattr(parts[1].compute(), name), getattr(whole.compute(), name), rtol=1e-9, err_msg=name
        )


def test_labels_on_a_line_have_no_density():
    y = np.stack([np.arange(9.0), 2 * np.arange(9.0)], axis=1)
    sums = BoundSums.of_real_labels(1, 2)
    sums.update(np.zeros((1, 9)), np.zeros((1, 9)), np.zeros((1, 9)), y)
    assert sums.compute().i_zy[0] == -np.inf
    assert np.isnan(sums.compute().se_i_zy[0])


def test_a_broken_probe_breaks_no_other_of_real_labels():
    x, y, mix = regression(50)
    ce = np.stack([gaussian_cost(y, x @ mix.T, 0.25 * mix @ mix.T)] * 2)
    ce[1, 7] = np.nan
    sums = BoundSums.of_real_labels(2, 2)
    sums.update(np.zeros((2, 50)), ce, np.zeros((2, 50)), y)
    result = sums.compute()
    assert np.isfinite([result.i_zy[0], result.se_i_zy[0]]).all()
    assert np.isnan([result.i_zy[1], result.se_i_zy[1]]).all()


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (np.zeros(4), r"labels have shape \(4,\), but \(inputs, 2\)"),
        (np.zeros((4, 3)), r"labels have shape \(4, 3\)"),
        (np.full((4, 2), np.nan), "not finite"),
        (np.full((4, 2), "a"), "labels has entries of type"),
    ],
)
def test_rejected_real_labels_add_nothing(labels, text):
    sums = BoundSums.of_real_labels(1, 2)
    with pytest.raises(InputError, match=text):
        sums.update(np.zeros((1, 4)), np.zeros((1, 4)), np.zeros((1, 4)), labels)
    assert sums.n == 0


def test_classes_and_real_labels_do_not_merge():
    with pytest.raises(InputError, match="cannot take in"):
        BoundSums.zeros(2, 3).merge(BoundSums.of_real_labels(2, 3))


def test_costs_of_a_fold_count_the_labels_of_the_whole():
    _, ce, _, labels = made_up(400)
    fold, rest = (ClassCosts.zeros(3, 4).of(ce[:, k::2], labels[k::2]) for k in range(2))
    whole = fold.merged(rest)
    gain = -np.log(np.bincount(labels) / 400)[labels[::2]] - ce[:, ::2]
    np.testing.assert_allclose(fold.gains(whole).covariance_of_means(), np.cov(gain) / 200, rtol=1e-10)
    x, y, mix = regression(400)
    cost = gaussian_cost(y, x @ mix.T, 0.25 * mix @ mix.T)[None]
    real, other = (RealCosts.zeros(1, 2).of(cost[:, k::2], y[k::2]) for k in range(2))
    away = y - y.mean(0)
    distance = 0.5 * (away @ np.linalg.inv(np.cov(y.T, bias=True)) * away).sum(1)
    products = real.gains(real.merged(other)).covariance_of_means()
    assert products[0, 0] == pytest.approx((distance - cost[0])[::2].var(ddof=1) / 200, rel=1e-9)
