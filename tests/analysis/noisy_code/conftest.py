"""Codes with a known information: of one dimension by quadrature, of a Gaussian channel in closed form."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import norm

from infoplane.analysis.noisy_code.code import GaussianCode


def random_code(seed, n, dimensions=1, spread=2.0):
    rng = np.random.default_rng(seed)
    return GaussianCode(spread * rng.standard_normal((n, dimensions)), rng.normal(-0.5, 0.5, (n, dimensions)))


def densities(code, points=20_001):
    """Return a grid z, its step, and p(z|x_i) of a one-dimensional code, shape (n, points)."""
    mean, std = code.mean[:, 0], np.exp(code.log_std[:, 0])
    z = np.linspace((mean - 12 * std).min(), (mean + 12 * std).max(), points)
    return z, z[1] - z[0], norm.pdf(z, mean[:, None], std[:, None])


def divergence(p, log_r, step):
    """Return the integral of p log(p / r) in nats by the sum over a grid, along the last axis."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * (np.log(p) - log_r), 0).sum(axis=-1) * step


def information(code):
    """Return I(Z;X) in nats of a one-dimensional code with X uniform on its inputs, by quadrature."""
    _, step, each = densities(code)
    with np.errstate(divide="ignore"):
        return divergence(each, np.log(each.mean(axis=0)), step).mean()


def gaussian_channel(seed, n, stds):
    """Return n inputs of a code with p(z) = N(0, I) exactly, and its information per law in nats."""
    stds = np.asarray(stds, dtype=float)
    means = np.sqrt(1 - stds**2) * np.random.default_rng(seed).standard_normal((n, stds.size))
    return GaussianCode(means, np.broadcast_to(np.log(stds), means.shape)), -np.log(stds).sum()


@pytest.fixture(scope="session")
def codes():
    """Return the functions above: the tests of this folder share them without importing each other."""
    return SimpleNamespace(
        random=random_code,
        densities=densities,
        divergence=divergence,
        information=information,
        channel=gaussian_channel,
    )
