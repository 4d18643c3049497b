"""The bounds of a probe against the information of its own code, by identities on finite sets of inputs.

With X uniform on n inputs and all sums over all of them, in nats:

    mean KL - I(Z;X) = KL(p(z) || r)        I(Z;Y) - [H(Y) - CE] = E KL(p(y|z) || q(y|z))

The right-hand sides come by quadrature or by draws of their own, never from the probe. A one-sided test would pass a
divergence that is twice too large; that these do not is tested too.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import log_softmax, logsumexp

from infoplane.analysis.information import entropy
from infoplane.analysis.noisy_code import sandwich
from infoplane.probes.target import RealTarget
from infoplane.probes.vib import VIBProbe
from infoplane.probes.vib_settings import VIBSettings

ENCODERS = 60


@dataclass
class Case:
    """A probe on n inputs, one-hot, so that its weights are its codes; labels of the inputs; the codes as arrays."""

    probe: VIBProbe
    labels: torch.Tensor
    mean: np.ndarray
    std: np.ndarray

    @property
    def inputs(self):
        return torch.eye(len(self.labels))

    def evaluate(self, seed=0):
        return self.probe.evaluate(self.inputs, self.labels, generator=torch.Generator().manual_seed(seed))

    def log_densities(self, z):
        """ln p(z|x_j), shape (points, n), of z (points, N)."""
        return stats.norm.logpdf(z[:, None], self.mean, self.std).sum(axis=2)

    def log_classes(self, z):
        """ln p(y|z) by Bayes, shape (points, C)."""
        log_p, y = self.log_densities(z), self.labels.numpy()
        joint = np.stack([logsumexp(np.where(y == c, log_p, -np.inf), axis=1) for c in range(y.max() + 1)], axis=1)
        return joint - logsumexp(joint, axis=1, keepdims=True)

    def log_decoder(self, z):
        """ln q(y|z) of the probe's decoder, shape (points, C)."""
        weight, bias = (p.detach().double().numpy() for p in self.probe.decoder.parameters())
        return log_softmax(z @ weight.T + bias, axis=1)


def random_case(seed, latent, draws=1):
    """Random codes that overlap, some narrow and some wide, and a random decoder."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 12))
    labels = torch.tensor(np.concatenate([[0, 1], rng.integers(0, 2, n - 2)]))
    mean, rho = rng.normal(0, 1.5, (n, latent)), rng.uniform(3, 6.5, (n, latent))
    probe = VIBProbe(n, 2, VIBSettings(latent=latent, draws=draws))
    return set_codes(probe, labels, mean, rho, rng.normal(0, 1.5, (2, latent)), rng.normal(0, 1, 2))


def set_codes(probe, labels, mean, rho, weight, bias):
    with torch.no_grad():
        probe.encoder.weight.copy_(torch.tensor(np.concatenate([mean, rho], axis=1).T))
        probe.decoder.weight.copy_(torch.tensor(weight))
        probe.decoder.bias.copy_(torch.tensor(bias))
    rounded = probe.encoder.weight.detach().double().numpy().T
    latent = mean.shape[1]
    return Case(probe, labels, rounded[:, :latent], np.logaddexp(0, rounded[:, latent:] - 5))


def grid(case):
    """Points of the line and weights that integrate over it, for a code of one dimension."""
    low, high = (case.mean - 12 * case.std).min(), (case.mean + 12 * case.std).max()
    points = max(4001, int((high - low) / case.std.min() * 12))
    z = np.linspace(low, high, points)
    return z[:, None], np.full(points, z[1] - z[0])


def draws_of(case, count, seed):
    """Draws of z from p(z): `count` of each input, shape (n * count, N), and the input of each."""
    which = np.repeat(np.arange(len(case.mean)), count)
    noise = np.random.default_rng([seed, 7]).standard_normal((which.size, case.mean.shape[1]))
    return case.mean[which] + case.std[which] * noise, which


def assert_standard_normal(z_values):
    """Sum of squares of independent z values, two-sided: neither too large nor too small by chance of 1 in 1000."""
    total, count = np.square(z_values).sum(), len(z_values)
    assert stats.chi2.ppf(5e-4, count) < total < stats.chi2.ppf(1 - 5e-4, count)


def rate_gap(case, rate):
    """mean KL - I(Z;X) - KL(p(z) || r), of which all but the rate is by quadrature; 0 where the rate is right."""
    z, weights = grid(case)
    log_p = case.log_densities(z)
    p, log_marginal = np.exp(log_p), logsumexp(log_p, axis=1) - math.log(len(case.mean))
    information = (weights[:, None] * p * (log_p - log_marginal[:, None])).sum() / len(case.mean)
    excess = (weights * np.exp(log_marginal) * (log_marginal - stats.norm.logpdf(z[:, 0]))).sum()
    return rate - information - excess


def test_rate_less_information_is_the_divergence_of_the_marginal_from_the_prior():
    for seed in range(ENCODERS):
        case = random_case(seed, 1)
        rate = case.evaluate().kl.mean().item()
        assert rate_gap(case, rate) == pytest.approx(0, abs=1e-5 * max(rate, 1))
        assert abs(rate_gap(case, 2 * rate)) > 0.01  # the identity has power
        assert abs(rate_gap(case, 1.01 * rate)) > 1e-3


def test_the_same_in_three_dimensions_by_draws():
    z_values, twice = [], []
    for seed in range(ENCODERS):
        case = random_case(seed, 3)
        rate = case.evaluate().kl.mean().item()
        means, variances = [], []
        for half in range(2):  # independent draws for the two terms
            z, which = draws_of(case, 400, 2 * seed + half)
            log_p = case.log_densities(z)
            log_marginal = logsumexp(log_p, axis=1) - math.log(len(case.mean))
            own = log_p[np.arange(which.size), which]
            terms = own - log_marginal if half == 0 else log_marginal - stats.norm.logpdf(z).sum(axis=1)
            terms = terms.reshape(len(case.mean), 400)
            means.append(terms.mean())
            variances.append(terms.var(axis=1, ddof=1).mean() / terms.size)
        z_values.append((rate - sum(means)) / math.sqrt(sum(variances)))
        twice.append((2 * rate - sum(means)) / math.sqrt(sum(variances)))
    assert_standard_normal(z_values)
    assert np.abs(twice).min() > 10


def label_terms(case):
    """By quadrature: I(Z;Y), E KL(p(y|z) || q), and the standard error of the probe's cross-entropy over its draws."""
    z, weights = grid(case)
    densities = np.exp(case.log_densities(z)) * weights[:, None]
    marginal = densities.mean(axis=1)
    log_bayes, log_q = case.log_classes(z), case.log_decoder(z)
    bayes = np.exp(log_bayes)
    h_y = entropy(np.bincount(case.labels) / len(case.labels), base=math.e)
    information = h_y + (marginal[:, None] * bayes * np.where(bayes > 0, log_bayes, 0)).sum()
    gap = (marginal[:, None] * bayes * np.where(bayes > 0, log_bayes - log_q, 0)).sum()
    nll = -log_q[:, case.labels.numpy()]
    spread = (densities * nll**2).sum(axis=0) - (densities * nll).sum(axis=0) ** 2
    n = len(case.labels)
    return h_y, information, gap, math.sqrt(spread.sum() / case.probe.settings.draws) / n


def test_information_less_its_bound_is_the_divergence_of_the_decoder_from_bayes():
    z_values, twice = [], []
    for seed in range(ENCODERS):
        case = random_case(seed, 1, draws=300)
        found = case.evaluate(seed)
        ce, (h_y, information, gap, error) = found.ce.mean().item(), label_terms(case)
        assert found.kl.mean().item() > h_y - ce - 4 * error
        z_values.append((information - (h_y - ce) - gap) / error)
        twice.append((information - (h_y - 2 * ce) - gap) / error)
    assert_standard_normal(z_values)
    assert np.abs(twice).min() > 10


def bayes_case(seed, latent=2, draws=400, spread=1.5):
    """One input a class and one width: there the softmax of a linear decoder is p(y|z) itself."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    mean, rho = rng.normal(0, spread, (n, latent)), np.full((n, latent), 5.5)
    std = math.log1p(math.exp(0.5))
    probe = VIBProbe(n, n, VIBSettings(latent=latent, draws=draws))
    return set_codes(probe, torch.arange(n), mean, rho, mean / std**2, -((mean / std) ** 2).sum(1) / 2)


def test_with_the_decoder_of_bayes_the_bound_is_the_information():
    z_values = []
    for seed in range(ENCODERS):
        case = bayes_case(seed)
        z, which = draws_of(case, 1000, seed)
        log_bayes, y = case.log_classes(z), case.labels.numpy()
        np.testing.assert_allclose(case.log_decoder(z), log_bayes, atol=1e-4)
        own = -log_bayes[np.arange(which.size), y[which]].reshape(len(y), 1000)
        ce = case.evaluate(seed).ce
        # H(Y) cancels: both sides are H(Y) less a mean over draws, of different draws.
        error = math.sqrt(own.var(axis=1, ddof=1).sum() * (1 / 1000 + 1 / 400)) / len(y)
        z_values.append((ce.mean().item() - own.mean()) / error)
    assert_standard_normal(z_values)


@pytest.mark.parametrize("rho", [0.1, 0.6, 0.95])
def test_no_gap_where_the_marginal_is_the_prior(rho):
    """z = rho x + sqrt(1 - rho^2) e with x ~ N(0, 1): p(z) = N(0, 1), and the rate is I(Z;X) = -1/2 ln(1 - rho^2)."""
    x, weights = np.polynomial.hermite_e.hermegauss(20)
    probe = VIBProbe(1, 2, VIBSettings(latent=1))
    with torch.no_grad():
        probe.encoder.weight.copy_(torch.tensor([[rho], [0.0]]))
        probe.encoder.bias.copy_(torch.tensor([0.0, 5 + math.log(math.expm1(math.sqrt(1 - rho**2)))]))
    kl = probe.evaluate(torch.tensor(x)[:, None], torch.zeros(20, dtype=torch.int64)).kl
    assert kl @ torch.tensor(weights / weights.sum()).float() == pytest.approx(-0.5 * math.log(1 - rho**2), abs=1e-5)


def test_the_sandwich_encloses_the_information_of_the_code():
    """On a uniform finite set the lower bound is I_n itself in expectation, and the upper at least n / (n - 1) I_n."""
    z_values, over = [], []
    for seed in range(ENCODERS):
        case = random_case(seed, 1)
        z, weights = grid(case)
        log_p = case.log_densities(z)
        log_ratio = log_p - (logsumexp(log_p, axis=1) - math.log(len(case.mean)))[:, None]
        p = weights[:, None] * np.exp(log_p)
        truth = (p * log_ratio).sum() / len(case.mean)
        spread = ((p * log_ratio**2).sum(axis=0) - (p * log_ratio).sum(axis=0) ** 2).sum()
        error = math.sqrt(spread / 300) / len(case.mean)
        low, high = sandwich(case.probe.code(case.inputs), draws=300, seed=seed, base=math.e)
        z_values.append((low.value - truth) / error)
        over.append(high.value - truth)
    assert_standard_normal(z_values)
    assert min(over) > 0


def test_mean_divergence_is_never_below_the_bound_on_the_label():
    """A hard check; where codes nearly are the prior it is tight, and half a divergence would break it."""
    smallest = math.inf
    for seed in range(100):
        case = bayes_case(seed, latent=1, draws=1, spread=0.3)
        _, information, gap, _ = label_terms(case)
        assert case.evaluate().kl.mean().item() > information - gap
    for seed in range(20):
        a = 0.2 + 0.01 * seed
        probe = VIBProbe(2, 2, VIBSettings(latent=1, draws=1))
        std = math.sqrt(1 - a * a)
        mean, rho = np.array([[a], [-a]]), np.full((2, 1), 5 + math.log(math.expm1(std)))
        case = set_codes(probe, torch.arange(2), mean, rho, mean / std**2, np.zeros(2))
        _, information, gap, _ = label_terms(case)
        found = case.evaluate(seed)
        assert found.kl.mean().item() >= information
        assert gap == pytest.approx(0, abs=1e-6)
        smallest = min(smallest, information / found.kl.mean().item())
    assert 0.5 < smallest < 1


def gaussian_channel(seed=0):
    """X ~ N(0, I_3) and Y = w.X + noise, with I(X;Y) = 1.16 bit; a probe trained on it, and 4,000 held-out inputs."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(12_000, 3, generator=generator)
    w, noise = torch.tensor([1.0, -0.8, 0.5]), 0.7
    y = x @ w + noise * torch.randn(12_000, generator=generator)
    variance = float(w @ w + noise**2)
    target = RealTarget(1, entropy=0.5 * math.log(2 * math.pi * math.e * variance))
    probe = VIBProbe(3, target, VIBSettings(latent=2, beta=0.05, draws=50), seed=seed)
    optimizer = torch.optim.Adam(probe.parameters(), 0.02)
    for step in range(1200):
        if step == 800:
            optimizer.param_groups[0]["lr"] = 0.003
        rows = torch.randint(0, 8000, (500,), generator=generator)
        optimizer.zero_grad()
        probe.loss(x[rows], y[rows], generator=generator).backward()
        optimizer.step()
    return probe, target, x[8000:], y[8000:], w, variance


def test_a_probe_trained_on_a_gaussian_channel_reads_the_information_of_its_own_code():
    probe, target, x, y, w, variance = gaussian_channel()
    found = probe.evaluate(x, y, generator=torch.Generator().manual_seed(1))
    rate = found.kl.mean().item() / math.log(2)
    bound = (target.label_entropy([[variance]]) - found.ce.mean().item()) / math.log(2)
    # The code is linear in x, with a width that training has made all but constant: Z, X and Y are jointly normal.
    weight = probe.encoder.weight[:2].detach().double().numpy()
    spread = np.diag((2 * found.log_std.double()).exp().mean(0).numpy())
    assert found.log_std.std(dim=0).max() < 0.1
    covariance = weight @ weight.T + spread
    of_input = 0.5 * np.linalg.slogdet(covariance)[1] - 0.5 * np.log(np.diag(spread)).sum()
    cross = weight @ w.double().numpy()
    of_label = -0.5 * math.log(1 - cross @ np.linalg.solve(covariance, cross) / variance)
    assert rate == pytest.approx(of_input / math.log(2), abs=0.1)
    assert bound == pytest.approx(of_label / math.log(2), abs=0.1)
    assert of_label / math.log(2) > 1.0  # of 1.16 bit
    low, high = sandwich(probe.code(x[:2000]))
    assert low.value - 3 * low.standard_error < of_input / math.log(2) < high.value + 3 * high.standard_error


def test_divergence_of_256_untrained_dimensions_with_mean_zero():
    probe = VIBProbe(7, 3)
    torch.nn.init.zeros_(probe.encoder.weight)
    bits = probe.evaluate(torch.ones(1, 7), torch.tensor([0])).kl / math.log(2)
    assert bits.item() == pytest.approx(1663.234, abs=2e-3)
