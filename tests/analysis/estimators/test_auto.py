"""The method that chooses: what it takes, why, when it warns, and that it stays silent where it is right."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.auto import Auto, auto
from infoplane.analysis.known import (
    additive_noise,
    bivariate_normal,
    clipped_normal,
    dense_normal,
    forty_tasks,
    noisy_layers,
    sparse_normal,
    student_t,
    transformed,
)


def codes(reading):
    return {finding.code for finding in reading.findings}


def nats(x, y):
    return estimate(x, y, method="auto", base=math.e)


@pytest.fixture(scope="module")
def noise():
    """One law with a hard edge, which no family fits: refuted, cross-fitted, given to neighbours."""
    return auto(*additive_noise(0.1).sample(2000, 1), Auto())


@pytest.mark.parametrize(
    "known",
    [
        transformed(dense_normal(10, 10), x=lambda x: np.exp(2 * x), y=ndtr, name="odd margins"),
        student_t(np.eye(8), dim_x=4, df=2),
        sparse_normal(3, 2, strength=0.01, name="next to independent"),
    ],
    ids=lambda known: known.name,
)
def test_families_are_kept_where_they_hold_and_nothing_is_said(known):
    reading = auto(*known.sample(4000, 1), Auto())
    assert reading.chosen["chosen"] == "t_copula"
    assert reading.nats == pytest.approx(known.nats, abs=3 * reading.standard_error + 0.005)
    assert reading.findings == ()


def test_a_refuted_family_gives_way_to_neighbours(noise):
    truth = additive_noise(0.1).nats
    assert noise.chosen["chosen"].startswith("ksg1")
    assert "is refuted" in noise.chosen["why"]
    assert noise.nats == pytest.approx(truth, abs=0.08)
    assert noise.chosen["t_copula_nats"] < truth - 0.3
    assert noise.findings == ()


def test_every_candidate_keeps_value_and_score(noise):
    values = {"gaussian_nats", "t_copula_nats", "ksg1_nats", "ksg1_of_normal_scores_nats"}
    scores = {
        "gaussian_score_nats",
        "t_copula_score_nats",
        "network_score_nats",
        "cross_fitted_score_nats",
        "growth_nats",
    }
    assert values | scores <= set(noise.chosen)
    assert noise.chosen["t_copula_score_nats"] < noise.chosen["network_score_nats"] < noise.chosen["ksg1_nats"] + 0.05


def test_a_bent_dependence_in_fifty_columns_is_warned_of():
    known = next(task for task in forty_tasks() if task.name == "Spiral @ Multinormal 25 × 25 (2-pair)")
    assert "not_one_law" in codes(auto(*known.sample(5000), Auto()))


def test_more_than_samples_support_is_warned_of():
    known = sparse_normal(10, 10, pairs=10, strength=5.0)
    x, y = known.sample(400)
    assert known.nats > 10
    reading = auto(x, y, Auto())
    assert "beyond_support" in codes(reading)
    assert reading.nats == pytest.approx(known.nats, abs=1)


def test_few_samples_are_said_to_be_unchecked():
    x, y = sparse_normal(3, 3).sample(60)
    assert "unchecked" in codes(auto(x, y, Auto()))


def test_shared_direction_is_infinite():
    x, y = bivariate_normal(0.5).sample(300)
    found = nats(np.hstack([x, y]), y)
    assert found.value == math.inf
    assert "deterministic" in codes(found)


def test_ties_go_to_the_estimator_for_ties():
    x, y = (np.maximum(side, 0) for side in bivariate_normal(0.8).sample(450))
    reading = auto(x, y, Auto())
    assert reading.chosen["chosen"] == "mixed_ksg"
    assert reading.nats == pytest.approx(0.34642, abs=0.12)  # truth by quadrature; the deviation at n = 450 is 0.04


def labelled(n, columns, seed=0):
    """Return normal classes at +-1 in every column and their labels."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return rng.standard_normal((n, columns)) + (2 * y[:, None] - 1), y


def truth_of_labelled(columns):
    t = np.linspace(-12, 12, 200001)
    distance = math.sqrt(columns)
    density = np.exp(-((t - distance) ** 2) / 2) / math.sqrt(2 * math.pi)
    return float(math.log(2) - np.trapezoid(density * np.logaddexp(0, -2 * distance * t), t))


@pytest.mark.parametrize(("columns", "winner"), [(1, "ross"), (20, "logistic")])
def test_label_and_quantities_are_read_either_way_round(columns, winner):
    x, y = labelled(2000, columns)
    found, turned = nats(x, y), nats(y, x)
    assert found.value == pytest.approx(turned.value, rel=1e-6)
    assert found.parameters["chosen"] in (
        {winner} if winner == "ross" else {"logistic", "normal_classes", "perceptron"}
    )
    assert found.kind == ("estimate" if winner == "ross" else "lower_bound")
    assert found.value == pytest.approx(truth_of_labelled(columns), abs=0.03)


def test_a_bent_border_between_labels_is_found_in_many_columns():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4000, 15))
    found = nats(x, (x[:, 0] * x[:, 1] > 0).astype(int))
    assert found.parameters["chosen"] == "perceptron"
    assert found.value > 0.45  # truth log 2 = 0.693
    assert found.parameters["logistic_score_nats"] < 0.01
    assert found.kind == "lower_bound"


def test_labels_and_finite_quantities_are_counted():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 4000)
    x = np.where(rng.random(4000) < 0.7, y, rng.integers(0, 4, 4000))
    joint = 0.7 * np.eye(4) / 4 + 0.3 / 16
    truth = math.log(4) + (joint * np.log(joint / joint.sum(axis=1, keepdims=True))).sum()
    for found in (nats(x, y), nats(x / 3, y), nats(x / 3, y.astype(float))):
        assert found.parameters["chosen"] == "grassberger"
        assert found.value == pytest.approx(truth, abs=0.03)


@pytest.mark.slow
def test_forty_tasks_of_the_benchmark():
    """Means over seeds 0, 1, 2 at n = 5000: counts within tolerance, and a warning on every other task."""
    close, near, silent = [], [], []
    for task in forty_tasks():
        readings = [estimate(*task.sample(5000, seed), method="auto", base=math.e) for seed in range(3)]
        error = abs(np.mean([reading.value for reading in readings]) - task.nats)
        warned = [bool(reading.findings) for reading in readings]
        close += [task.name] if error < max(0.02, 0.1 * task.nats) else []
        near += [task.name] if error < 0.1 else []
        if task.name in near:
            silent += [task.name] if not any(warned) else []
        else:
            assert all(warned), task.name
    assert len(near) >= 37  # measured 39; two lie at 0.096 nat
    assert len(close) >= 37
    assert len(silent) >= 35  # it does not cry wolf


@pytest.mark.slow
@pytest.mark.parametrize("known", noisy_layers(), ids=lambda known: known.name)
def test_noisy_layers_within_a_tenth(known):
    values = [estimate(*known.sample(5000, seed), method="auto", base=math.e).value for seed in range(3)]
    assert np.mean(values) == pytest.approx(known.nats, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("offset", [0.0, -1.0])
def test_rectified_normals_within_three_hundredths(offset):
    known = clipped_normal(0.8, offset=offset)
    values = [estimate(*known.sample(5000, seed), method="auto", base=math.e).value for seed in range(3)]
    assert np.mean(values) == pytest.approx(known.nats, abs=0.03)


def test_columns_that_vary_in_a_part_of_the_samples_only_are_no_obstacle():
    # As the pixels at the rim of an image: a fold may see no ink there, or the same ink in two columns.
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 2))
    rare = np.zeros((300, 3))
    rare[7, 0] = rare[11, 1] = rare[11, 2] = 1.0
    rare[200, 2] = 2.0
    y = np.hstack([x + rng.standard_normal((300, 2)), rare])
    assert estimate(x, y, base=math.e).value == pytest.approx(math.log(2), abs=0.15)
