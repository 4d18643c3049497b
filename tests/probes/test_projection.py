import pickle

import numpy as np
import pytest
import torch

from infoplane.errors import InputError
from infoplane.probes.projection import GaussianProjection


def features(n=40, width=300, seed=0):
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


def test_the_code_is_a_gaussian_matrix_product_scaled_by_one_over_root_k():
    matrix = GaussianProjection(300, 64)(torch.eye(300)).double().numpy() * np.sqrt(64)
    assert matrix.shape == (300, 64)
    n = matrix.size
    assert abs(matrix.mean()) < 4 / np.sqrt(n)
    assert abs(matrix.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((matrix**4).mean() - 3) < 4 * np.sqrt(96 / n)
    code = GaussianProjection(300, 64)(features())
    np.testing.assert_allclose(code, features().double().numpy() @ matrix / np.sqrt(64), rtol=1e-4, atol=1e-4)


def test_squared_distances_are_kept_on_average_with_the_spread_that_k_gives():
    ratios = []
    for width in range(300, 700):  # 400 independent matrices
        one = GaussianProjection(width, 32)(features(n=1, width=width))
        ratios.append(float(one.square().sum() / features(n=1, width=width).square().sum()))
    assert abs(np.mean(ratios) - 1) < 4 * np.sqrt(2 / 32 / 400)
    assert np.std(ratios) == pytest.approx(np.sqrt(2 / 32), rel=0.15)


def test_the_same_width_and_k_give_the_same_matrix_and_others_an_independent_one():
    x = features(width=100)
    assert torch.equal(GaussianProjection(100, 16)(x), GaussianProjection(100, 16)(x))
    first = GaussianProjection(100, 16)(torch.eye(100))
    second = GaussianProjection(100, 17)(torch.eye(100))[:, :16]
    assert abs(np.corrcoef(first.flatten(), second.flatten())[0, 1]) < 4 / np.sqrt(1600)


def test_no_random_state_moves_and_pickles_are_small():
    before = torch.get_rng_state()
    projection = GaussianProjection(300, 64)
    code = projection(features())
    assert torch.equal(before, torch.get_rng_state())
    data = pickle.dumps(projection)
    assert len(data) < 1000
    assert torch.equal(pickle.loads(data)(features()), code)


def test_it_is_differentiable_and_exact_under_autocast_and_after_inference_mode():
    projection, x = GaussianProjection(300, 8), features().requires_grad_()
    with torch.inference_mode():
        projection(features())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        code = projection(x)
    assert code.dtype == torch.float32
    assert torch.equal(code, GaussianProjection(300, 8)(x))
    code.sum().backward()
    torch.testing.assert_close(x.grad[0], projection(torch.eye(300)).sum(1))


def test_a_matrix_of_more_than_one_gib_is_refused_with_what_would_fit():
    GaussianProjection(2**20, 256)
    with pytest.raises(InputError, match=r"1,048,576 features to 257 dimensions would take 1\.0 GiB.*: 256 dimensions"):
        GaussianProjection(2**20, 257)


def test_another_number_of_features_is_refused():
    with pytest.raises(InputError, match="takes 300 features, but it was given 12"):
        GaussianProjection(300, 8)(torch.zeros(2, 3, 4))
