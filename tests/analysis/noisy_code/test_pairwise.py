import math

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import distributions

from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.noisy_code.pairwise import (
    bhattacharyya_distances,
    divergences,
    pairwise_lower,
    pairwise_upper,
)
from infoplane.analysis.noisy_code.sandwich import sandwich

NATS = {"base": math.e}


def whole(blocks):
    return np.concatenate([block for _, block in blocks])


def test_divergences_equal_torch(codes, monkeypatch):
    monkeypatch.setattr("infoplane.analysis.noisy_code.scaled_squares._ENTRIES", 50)
    code = codes.random(0, n=20, dimensions=4)
    each = [
        distributions.Normal(torch.from_numpy(side[0]), torch.from_numpy(side[1]))
        for side in ((code.mean[:, None], np.exp(code.log_std)[:, None]), (code.mean[None], np.exp(code.log_std)[None]))
    ]
    assert whole(divergences(code)) == pytest.approx(
        distributions.kl_divergence(*each).sum(dim=2).numpy(), rel=1e-9, abs=1e-9
    )


def test_bhattacharyya_distances_equal_quadrature(codes):
    code = codes.random(1, n=6)
    z = np.linspace(-30, 30, 20_001)
    roots = np.sqrt(norm.pdf(z, code.mean, np.exp(code.log_std)))
    assert whole(bhattacharyya_distances(code)) == pytest.approx(-np.log(roots @ roots.T * (z[1] - z[0])), abs=1e-8)


def test_bhattacharyya_distances_add_over_dimensions(codes, monkeypatch):
    monkeypatch.setattr("infoplane.analysis.noisy_code.pairwise._IN_CACHE", 2**20)
    code = codes.random(1, n=6, dimensions=3)
    parts = [GaussianCode(code.mean[:, [d]], code.log_std[:, [d]]) for d in range(3)]
    expected = sum(whole(bhattacharyya_distances(part)) for part in parts)
    assert whole(bhattacharyya_distances(code)) == pytest.approx(expected, abs=1e-12)


def test_bounds_enclose_the_information_of_the_inputs(codes):
    for seed in range(40):
        code = codes.random(seed, n=10, spread=1 + seed / 10)
        truth = codes.information(code)
        low, high = pairwise_lower(code, **NATS), pairwise_upper(code, **NATS)
        assert low.value < truth < high.value <= math.log(10)
        assert (low.kind, high.kind) == ("lower_bound", "upper_bound")


def test_lower_side_of_the_sandwich_lies_between_them(codes):
    for seed in range(10):
        code = codes.random(seed, n=200, dimensions=5, spread=1)
        low = sandwich(code, draws=8).lower
        draw_error = 3 * math.sqrt(5 / 2 / 8 / 200) / math.log(2)
        assert pairwise_lower(code).value - draw_error < low.value < pairwise_upper(code).value + draw_error


def test_distant_clusters_of_equal_codes_are_exact():
    code = GaussianCode(np.repeat([0.0, 1e3, 2e3, 3e3], 5)[:, None], np.zeros((20, 1)))
    assert pairwise_lower(code).value == pytest.approx(2, abs=1e-9)
    assert pairwise_upper(code).value == pytest.approx(2, abs=1e-9)


def test_identical_codes_carry_nothing():
    code = GaussianCode(np.full((30, 2), 7.0), np.full((30, 2), -20.0))
    assert pairwise_lower(code).value == pytest.approx(0, abs=1e-9)
    assert pairwise_upper(code).value == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("bound", [pairwise_lower, pairwise_upper])
def test_standard_error_is_the_spread_over_sets_of_inputs(codes, bound):
    runs = [bound(codes.random(k, n=150, spread=3)) for k in range(400)]
    spread = np.std([run.value for run in runs])
    assert spread == pytest.approx(np.mean([run.standard_error for run in runs]), rel=0.12)
