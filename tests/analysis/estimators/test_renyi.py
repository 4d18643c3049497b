"""Matrix-based Rényi information: limits, entropies of counts, and orders that need no eigenvalues."""

import math

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.renyi import MOST, Renyi, gaussian_kernel, renyi, renyi_entropy


def normals(rho, n, seed, d=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def test_order_two_is_the_norm_of_the_matrix():
    x, y = normals(0.8, 300, 0, d=2)
    a, b = (gaussian_kernel(side, "median")[0] / 300 for side in (x, y))
    joint = a * b / np.trace(a * b)
    expected = -math.log((a**2).sum()) - math.log((b**2).sum()) + math.log((joint**2).sum())
    assert renyi(x, y, Renyi(alpha=2)).nats == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("alpha", [0.5, 1.01, 2, 5])
def test_entropy_runs_from_alike_to_apart(alpha):
    assert renyi_entropy(np.linalg.eigvalsh(np.ones((50, 50))).clip(0), alpha) == pytest.approx(0, abs=1e-6)
    assert renyi_entropy(np.linalg.eigvalsh(np.eye(50)), alpha) == pytest.approx(math.log(50), rel=1e-12)


@pytest.mark.parametrize("alpha", [0.5, 1.01, 2])
def test_labels_have_the_kernel_that_is_one_where_they_are_equal(alpha):
    x, y = normals(0.8, 200, 0)
    labels = np.searchsorted([-1.0, 0.0, 0.3], y[:, 0])
    a, b = gaussian_kernel(x, "median")[0], np.equal.outer(labels, labels).astype(float)
    s_x, s_y, s_xy = (
        math.log((np.maximum(np.linalg.eigvalsh(m / 200), 0) ** alpha).sum()) / (1 - alpha) for m in (a, b, a * b)
    )
    assert renyi(x, labels, Renyi(alpha=alpha)).nats == pytest.approx(s_x + s_y - s_xy, abs=1e-6)


def test_samples_all_apart_carry_log_n_and_it_is_said():
    x = np.random.default_rng(0).standard_normal((80, 400))
    result = estimate(x, x + 0.0, method="renyi", width="scott", base=math.e)
    assert result.value == pytest.approx(math.log(80), rel=0.02)
    assert [finding.where for finding in result.findings if finding.code == "isolated_samples"] == ["x", "y"]


@pytest.mark.parametrize("alpha", [0.7, 1.01, 2])
def test_samples_apart_carry_the_entropy_of_label_counts(alpha):
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    x = np.random.default_rng(0).standard_normal((100, 2000))
    shares = np.array([0.5, 0.3, 0.2])
    expected = math.log((shares**alpha).sum()) / (1 - alpha)
    assert renyi(x, labels, Renyi(alpha=alpha, width="scott")).nats == pytest.approx(expected, rel=0.02)


def test_order_near_one_is_near_shannon():
    shannon = -sum(share * math.log(share) for share in (0.5, 0.3, 0.2))
    assert renyi_entropy(np.array([50.0, 30.0, 20.0]), 1 + 1e-6) == pytest.approx(shannon, rel=1e-5)


@pytest.mark.parametrize("width", ["median", "scott"])
@pytest.mark.parametrize("rho", [0, 0.9, 1])
def test_value_lies_between_0_and_log_n(width, rho):
    value = renyi(*normals(rho, 200, 1, d=3), Renyi(width=width)).nats
    assert 0 <= value <= math.log(200)


@pytest.mark.parametrize("alpha", [0.5, 1 + 2e-6, 1.01, 3])
def test_order_of_the_samples_does_not_decide_the_value(alpha):
    x, y = normals(0.9, 300, 0, d=2)
    values = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(300)
        values.append(renyi(x[order], y[order], Renyi(alpha=alpha)).nats)
    assert np.ptp(values) < 1e-8


def test_eigenvalues_under_the_rounding_error_count_nothing():
    # Three values, each often: the kernel has three eigenvalues, those of the 3 x 3 matrix of shares.
    counts = np.array([120, 60, 20])
    x = np.repeat([0.0, 1.0, 3.0], counts)[:, None]
    kernel = gaussian_kernel(x, "median")[0]
    few = kernel[np.ix_([0, 120, 180], [0, 120, 180])] * np.sqrt(np.outer(counts, counts)) / 200
    joint = few * kernel[np.ix_([0, 120, 180], [0, 120, 180])]
    entropies = [2 * math.log((np.linalg.eigvalsh(m) ** 0.5).sum()) for m in (few, joint)]
    assert renyi(x, x, Renyi(alpha=0.5)).nats == pytest.approx(2 * entropies[0] - entropies[1], abs=1e-10)


def test_high_orders_are_the_largest_eigenvalue():
    assert renyi_entropy(np.array([50.0, 30.0, 20.0]), 1e5) == pytest.approx(math.log(2), rel=1e-4)


def test_samples_half_apart_are_not_called_isolated():
    x = np.random.default_rng(0).standard_normal((100, 3))
    kernel = gaussian_kernel(x, "scott")[0]
    share = renyi_entropy(np.linalg.eigvalsh(kernel).clip(0), 1.01) / math.log(100)
    assert 0.7 < share < 0.9
    assert not renyi(x, x, Renyi(width="scott")).findings


def test_widths_follow_their_rules():
    x = np.random.default_rng(0).standard_normal((400, 5)) * [1, 10, 0.1, 3, 7]
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    far = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    kernel, sigma = gaussian_kernel(x, "median")
    assert sigma == pytest.approx(np.median(far[np.triu_indices(400, 1)]), rel=1e-9)
    assert kernel == pytest.approx(np.exp(-(far**2) / (2 * sigma**2)), abs=1e-12)
    assert gaussian_kernel(x, "scott")[1] == pytest.approx(400 ** (-1 / 9), rel=1e-12)


def test_width_is_kept_with_the_value():
    result = estimate(*normals(0.8, 100, 0), method="renyi")
    assert result.quantity == "matrix-based Rényi mutual information"
    assert result.parameters["width"] == "median"
    assert result.parameters["sigma_x"] > 0


def test_what_cannot_be_done_is_refused():
    with pytest.raises(InputError, match=f"there are {MOST + 1} samples"):
        renyi(np.zeros((MOST + 1, 1)), np.zeros((MOST + 1, 1)), Renyi())
    for alpha in (1, 0, -2, math.inf, math.nan, 0.49, 0.01, 1 + 1e-14, 1 - 5e-7, "a", True, None, 2j):
        with pytest.raises(InputError, match="alpha is"):
            Renyi(alpha=alpha)
    with pytest.raises(InputError, match="width is 'medien', which is unknown; did you mean 'median'"):
        Renyi(width="medien")
