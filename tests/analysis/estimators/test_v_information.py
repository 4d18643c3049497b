import math

import numpy as np
import pytest
from scipy.stats import norm

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators import predictive_family

NATS = {"method": "v_information", "base": math.e}


def information(densities, shares, step):
    """Return I(X;Y) in nats from p(x|y) on a grid, shape (labels, points)."""
    mixed = shares @ densities
    logs = np.log(np.maximum(densities, 1e-300)) - np.log(np.maximum(mixed, 1e-300))
    return float(shares @ (densities * logs).sum(axis=1) * step)


def shifted_normals(seed, n, shares=(0.5, 0.5), shift=2.0):
    """Return x ~ N(shift y, 1) with its labels; logistic regression in x is the Bayes predictor."""
    rng = np.random.default_rng(seed)
    y = rng.choice(len(shares), n, p=shares)
    grid = np.linspace(-8, 8 + shift * len(shares), 8001)
    densities = norm.pdf(grid, shift * np.arange(len(shares))[:, None])
    return shift * y + rng.standard_normal(n), y, information(densities, np.asarray(shares), grid[1] - grid[0])


def exclusive_or(seed, n, noise=0.5):
    """Return two signs plus noise and whether they differ: no line tells, a hidden layer does."""
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, (n, 2))
    grid = np.linspace(-5, 5, 401)
    up, down = norm.pdf(grid, 1, noise), norm.pdf(grid, -1, noise)
    alike = (np.outer(up, up) + np.outer(down, down)).ravel() / 2
    different = (np.outer(up, down) + np.outer(down, up)).ravel() / 2
    truth = information(np.array([alike, different]), np.array([0.5, 0.5]), (grid[1] - grid[0]) ** 2)
    return 2 * signs - 1 + noise * rng.standard_normal((n, 2)), signs[:, 0] ^ signs[:, 1], truth


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.5, 0.3)])
def test_family_with_the_bayes_predictor_reaches_the_information(shares):
    runs = [shifted_normals(seed, 4000, shares) for seed in range(3)]
    results = [estimate(x, y, **NATS) for x, y, _ in runs]
    truth = runs[0][2]
    error = math.hypot(*(result.standard_error for result in results)) / 3
    assert error < 0.0065
    assert abs(np.mean([result.value for result in results]) - truth) < 3 * error
    assert not results[0].findings


def test_network_reaches_the_same_information_of_three_labels():
    x, y, truth = shifted_normals(0, 2000, (0.2, 0.5, 0.3))
    result = estimate(x, y, family="mlp", folds=2, **NATS)
    assert abs(result.value - truth) < 3 * result.standard_error
    assert result.standard_error < 0.03 * truth


def test_line_sees_nothing_of_an_exclusive_or_and_a_network_all():
    x, y, truth = exclusive_or(0, 1500)
    line, network = (estimate(x, y, family=family, folds=2, **NATS) for family in ("linear", "mlp"))
    assert abs(line.value) < 0.01 * truth
    assert [finding.code for finding in line.findings] == ["not_above_control"]
    assert abs(network.value - truth) < 3 * network.standard_error
    assert network.standard_error < 0.03 * truth
    assert not network.findings


def test_value_is_a_lower_bound_in_the_mean_of_small_samples():
    values, truth = [], 0.0
    for seed in range(50):
        x, y, truth = shifted_normals(seed, 60)
        values.append(estimate(x, y, folds=3, **NATS).value)
    assert np.mean(values) < truth + 3 * np.std(values) / math.sqrt(50)
    assert np.mean(values) > 0.8 * truth


def test_standard_error_is_the_spread_over_samples():
    runs = [estimate(*shifted_normals(seed, 400)[:2], folds=2, **NATS) for seed in range(100)]
    spread = np.std([run.value for run in runs])
    assert spread == pytest.approx(np.mean([run.standard_error for run in runs]), rel=0.25)


@pytest.mark.parametrize("labels", [2, 7])
def test_random_labels_read_no_more_than_nothing(labels):
    rng = np.random.default_rng(labels)
    results = [estimate(rng.standard_normal((300, 5)), rng.integers(0, labels, 300), seed=k, **NATS) for k in range(8)]
    assert np.mean([result.value for result in results]) < 0
    assert all("not_above_control" in [f.code for f in result.findings] for result in results)


def test_control_stands_beside_the_value():
    x, y, _ = shifted_normals(0, 500)
    parameters = estimate(x, y, **NATS).parameters
    assert parameters["family"] == "linear"
    assert abs(parameters["control_nats"]) < 4 * parameters["control_standard_error_nats"] + 0.01
    assert estimate(x, y, method="v_information").parameters["control_nats"] == parameters["control_nats"]


def test_names_of_the_labels_do_not_matter():
    x, y, _ = shifted_normals(0, 1000, (0.2, 0.5, 0.3))
    one, other = estimate(x, y, **NATS), estimate(x, np.array([30, 10, 20])[y], **NATS)
    assert other.value == pytest.approx(one.value, abs=0.1 * one.standard_error)


def test_scale_and_offset_of_x_change_the_folds_alone():
    x, y, _ = shifted_normals(0, 1000)
    one, other = estimate(x, y, **NATS), estimate(1e3 * x + 5, y, **NATS)
    assert other.value == pytest.approx(one.value, abs=0.1 * one.standard_error)


def test_unfinished_fit_is_a_finding(monkeypatch):
    monkeypatch.setattr(predictive_family, "_LBFGS_STEPS", 2)
    x, y, _ = shifted_normals(0, 300)
    assert "not_converged" in [finding.code for finding in estimate(x, y, **NATS).findings]
    monkeypatch.setattr(predictive_family, "_EPOCHS", 2)
    assert "not_converged" in [finding.code for finding in estimate(x, y, family="mlp", folds=2, **NATS).findings]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"family": "lineal"}, "did you mean 'linear'"),
        ({"folds": 1}, "folds is 1"),
        ({"l2": 0}, "l2 is 0"),
        ({"l2": math.inf}, "l2 is inf"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_unusable_parameters_are_refused(parameters, text):
    with pytest.raises(InputError, match=text):
        estimate([0.0, 1.0, 2.0, 3.0], [0, 1, 0, 1], method="v_information", **parameters)


def test_labels_that_occur_once_and_few_samples_are_refused():
    with pytest.raises(InputError, match="2 labels occur once"):
        estimate(np.arange(8.0), [0, 0, 0, 1, 1, 1, 2, 3], **NATS)
    with pytest.raises(InputError, match="there are 4 samples"):
        estimate(np.arange(4.0), [0, 0, 1, 1], **NATS)
