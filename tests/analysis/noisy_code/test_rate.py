import math

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import distributions

from infoplane.analysis.errors import InputError
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.priors import Mixture, MomentNormal, StandardNormal
from infoplane.analysis.noisy_code.rate import rate

NATS = {"base": math.e}


@pytest.mark.parametrize("seed", range(5))
def test_closed_form_rates_less_the_information_are_the_divergence_of_the_marginal(codes, seed):
    code, other = codes.random(seed, n=12), codes.random(100 + seed, n=30)
    z, step, each = codes.densities(code)
    truth, marginal = codes.information(code), each.mean(axis=0)
    spread = math.sqrt(other.mean.var() + np.exp(2 * other.log_std).mean())
    laws = {StandardNormal(): norm(0, 1), MomentNormal(other): norm(other.mean.mean(), spread)}
    for prior, law in laws.items():
        gap = rate(code, prior, **NATS).value - truth
        assert gap == pytest.approx(codes.divergence(marginal, law.logpdf(z), step), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_rate_against_other_codes_less_the_information_is_the_divergence_of_the_marginal(codes, seed):
    code, other = codes.random(seed, n=12), codes.random(100 + seed, n=30)
    z, step, each = codes.densities(code)
    log_r = np.log(norm.pdf(z[:, None], other.mean[:, 0], np.exp(other.log_std[:, 0])).mean(axis=1) + 1e-300)
    expected = codes.divergence(each, log_r, step)
    truth = codes.information(code) + codes.divergence(each.mean(axis=0), log_r, step)
    assert expected.mean() == pytest.approx(truth, rel=1e-6)
    result = rate(code, Mixture(other, draws=4000, seed=seed), **NATS)
    assert result.value == pytest.approx(truth, rel=0.01)


def test_marginal_equal_to_the_prior_leaves_no_gap(codes):
    code, truth = codes.channel(0, 200_000, [0.3, 0.6])
    result = rate(code, **NATS)
    assert result.standard_error < 0.002 * truth
    assert abs(result.value - truth) < 3.5 * result.standard_error


def test_rates_of_many_dimensions_equal_torch(codes):
    code, other = codes.random(0, n=9, dimensions=5), codes.random(1, n=40, dimensions=5)
    each = distributions.MultivariateNormal(
        torch.from_numpy(code.mean), torch.diag_embed(torch.from_numpy(np.exp(2 * code.log_std)))
    )
    covariance = np.cov(other.mean.T, bias=True) + np.diag(np.exp(2 * other.log_std).mean(axis=0))
    law = distributions.MultivariateNormal(torch.from_numpy(other.mean.mean(axis=0)), torch.from_numpy(covariance))
    expected = distributions.kl_divergence(each, law).numpy()
    assert MomentNormal(other).divergences(code) == pytest.approx(expected, rel=1e-10)
    standard = distributions.MultivariateNormal(torch.zeros(5).double(), torch.eye(5).double())
    assert StandardNormal().divergences(code) == pytest.approx(distributions.kl_divergence(each, standard), rel=1e-10)


def test_no_normal_is_nearer_than_that_of_the_moments(codes):
    code = codes.random(3, n=30, dimensions=4)
    own = rate(code, MomentNormal(code)).value
    for seed in range(5):
        assert rate(code, MomentNormal(codes.random(seed + 10, n=30, dimensions=4))).value > own
    assert rate(code).value > own


def test_mixture_of_training_codes_encloses_the_law_from_above(codes):
    for seed in range(20):
        code, truth = codes.channel(seed, 150, [0.3, 0.7])
        result = rate(code, Mixture(codes.channel(1000 + seed, 400, [0.3, 0.7])[0]), **NATS)
        assert result.value + 3 * result.standard_error > truth


def test_standard_error_is_over_inputs(codes):
    code = codes.random(0, n=50, dimensions=3)
    terms = StandardNormal().divergences(code)
    assert rate(code, **NATS).standard_error == pytest.approx(terms.std(ddof=1) / math.sqrt(50), rel=1e-12)
    assert math.isnan(rate(codes.random(0, n=1)).standard_error)


def test_rate_above_log_n_says_so(codes):
    result = rate(codes.random(0, n=16, dimensions=40, spread=3))
    assert result.findings[0].code == "above_log_n"
    assert result.findings[0].amount == pytest.approx(result.value - 4)
    assert not rate(codes.channel(0, 500, [0.9])[0]).findings


def test_prior_stands_beside_the_value(codes):
    code, other = codes.random(0, n=5), codes.random(1, n=7)
    assert rate(code).parameters["prior"] == "standard normal"
    assert rate(code, MomentNormal(other)).parameters["prior_inputs"] == 7
    parameters = rate(code, Mixture(other, draws=2, seed=5)).parameters
    assert [parameters[key] for key in ("prior", "prior_inputs", "draws", "seed")] == ["mixture of codes", 7, 2, 5]


def test_mixture_of_the_measured_inputs_is_refused(codes):
    code = codes.random(0, n=5)
    with pytest.raises(InputError, match="lower bound"):
        rate(code, Mixture(GaussianCode(code.mean, code.log_std)))


@pytest.mark.parametrize("prior", [MomentNormal, Mixture])
def test_dimensions_that_differ_are_refused(codes, prior):
    with pytest.raises(InputError, match="2 dimensions"):
        rate(codes.random(0, n=5), prior(codes.random(0, n=5, dimensions=2)))
