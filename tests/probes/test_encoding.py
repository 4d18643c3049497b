import math

import numpy as np
import pytest
import torch
from scipy.special import expit

from infoplane.probes.encoding import LearnedPrior, encoded


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_deviation_is_right_from_far_below_to_far_above():
    """ln softplus against numpy in double precision, where float32 would underflow and overflow."""
    x = torch.tensor([-1000.0, -200.0, -90.0, -20.0, -15.01, -14.99, -10.0, -5.0, -0.1, 0.0, 3.0, 20.0, 70.0])
    outputs = torch.stack([torch.zeros_like(x), x + 5], dim=1)
    exact = x.double().numpy()
    expected = np.where(exact < -30, exact, np.log(np.maximum(np.logaddexp(0, exact), 1e-40)))
    code = encoded(outputs, "softplus")
    np.testing.assert_allclose(code.log_std[:, 0], expected, rtol=2e-6, atol=2e-6)
    np.testing.assert_allclose(code.std[:, 0], np.exp(expected), rtol=1e-5, atol=1e-37)
    kl = code.divergence()
    np.testing.assert_allclose(kl, 0.5 * (np.exp(2 * expected) - 1) - expected, rtol=1e-5, atol=1e-5)
    outputs.requires_grad_()
    encoded(outputs, "softplus").divergence().sum().backward()
    slope = np.where(exact < -30, 1, expit(exact) / np.maximum(np.logaddexp(0, exact), 1e-40))
    np.testing.assert_allclose(outputs.grad[:, 1], (np.exp(2 * expected) - 1) * slope, rtol=1e-4, atol=1e-5)


def test_deviation_of_the_other_rule():
    outputs = numbers(4, 6)
    torch.testing.assert_close(encoded(outputs, "log_variance").std, (outputs[:, 3:] / 2).exp())
    torch.testing.assert_close(encoded(outputs, "log_variance").log_std, outputs[:, 3:] / 2)


def test_a_learned_prior_gives_the_divergence_of_two_normals():
    prior = LearnedPrior(4)
    code = encoded(numbers(6, 8), "softplus")
    torch.testing.assert_close(prior(code).divergence(), code.divergence())
    torch.nn.init.normal_(prior.mean, generator=torch.Generator().manual_seed(1))
    torch.nn.init.normal_(prior.log_std, generator=torch.Generator().manual_seed(2))
    ours = torch.distributions.Normal(code.mean, code.std)
    theirs = torch.distributions.Normal(prior.mean, prior.log_std.exp())
    expected = torch.distributions.kl_divergence(ours, theirs)
    torch.testing.assert_close(prior(code).divergence(), expected.sum(dim=1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(prior(code).divergence_of_dimensions(), expected.sum(dim=0), rtol=1e-4, atol=1e-4)


def test_divergence_of_256_untrained_dimensions_with_mean_zero():
    bits = encoded(torch.zeros(1, 512, dtype=torch.float64), "softplus").divergence() / math.log(2)
    assert bits.item() == pytest.approx(1663.234, abs=5e-4)
