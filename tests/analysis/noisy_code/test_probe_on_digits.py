"""The code of a VIB probe on the shipped digits: every bound on its side of the others."""

import math

import numpy as np
import pytest
import torch

from infoplane.analysis.bounds import BoundSums
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.pairwise import pairwise_lower, pairwise_upper
from infoplane.analysis.noisy_code.priors import Mixture, MomentNormal
from infoplane.analysis.noisy_code.rate import rate
from infoplane.analysis.noisy_code.residual import residual_rate, residual_sandwich
from infoplane.analysis.noisy_code.sandwich import sandwich
from infoplane.datasets import load
from infoplane.probes.vib import VIBProbe, VIBSettings


@pytest.fixture(scope="module")
def measured():
    """Return the codes of training and test digits, labels of both, and the probe's own bounds."""
    data = load("digits")
    probe = VIBProbe(64, 10, VIBSettings(latent=16, beta=1e-2))
    optimizer, noise = torch.optim.Adam(probe.parameters(), 1e-2), torch.Generator().manual_seed(0)
    for _ in range(6):
        for x, y in data.train_loader(50, seed=0):
            optimizer.zero_grad()
            probe.loss(x.flatten(1), y, generator=noise).backward()
            optimizer.step()
    sums = BoundSums.zeros(1, 10)
    held_out = probe.evaluate(data.test_inputs, data.test_labels, generator=noise)
    sums.update(held_out.kl[None], held_out.ce[None], held_out.correct[None], data.test_labels)
    codes = []
    for inputs in (data.train_inputs, data.test_inputs):
        mean, std = probe.encode(inputs)
        codes.append(GaussianCode(mean, std.log()))
    return *codes, data.train_labels, data.test_labels, sums.compute()


def test_rate_is_the_one_that_the_run_records(measured):
    _, code, _, _, bounds = measured
    result = rate(code)
    assert result.value == pytest.approx(bounds.i_zx[0], rel=1e-5)
    assert result.standard_error == pytest.approx(bounds.se_i_zx[0], rel=1e-4)


def test_bounds_keep_their_order(measured):
    training, code, _, _, bounds = measured
    low, high = sandwich(code)
    standard, moments, mixture = (rate(code, prior) for prior in (None, MomentNormal(training), Mixture(training)))
    assert bounds.i_zy[0] > 2
    assert bounds.i_zy[0] < low.value < min(high.value, mixture.value, moments.value)
    assert moments.value < standard.value
    assert pairwise_lower(code).value < low.value < pairwise_upper(code).value <= math.log2(code.n)


def test_residual_information_leaves_the_bits_about_the_label(measured):
    training, code, training_labels, labels, bounds = measured
    low, high = residual_sandwich(code, labels)
    priors = [MomentNormal(training.take(training_labels == c)) for c in range(10)]
    assert low.value < high.value
    assert low.value < residual_rate(code, labels, priors).value
    # I(Z;X) - I(Z;X|Y) = I(Z;Y), which for X uniform on these inputs lies between the probe's bound and H(Y).
    # Every seed draws anew, so that the spread over seeds is the draws' error.
    of_label = [
        sandwich(code, seed=seed).lower.value - residual_sandwich(code, labels, seed=seed).lower.value
        for seed in range(10)
    ]
    error = float(np.std(of_label, ddof=1)) / math.sqrt(len(of_label))
    assert error < 0.02
    assert bounds.i_zy[0] < np.mean(of_label) < bounds.h_y + 3 * error
