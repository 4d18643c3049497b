"""The 12-bit task: its symmetry, the published numbers, and its information by counting."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import ConvexHull

from infoplane.analysis.information import mutual_information
from infoplane.analysis.known import rotation_task
from infoplane.analysis.known.szt12 import power_spectrum, vertices

COUNTED = [0, 0, 0, 0, 0, 60, 532, 732, 495, 220, 66, 12, 1]
"""Labels 1 in the authors' file, by the number of bits set, from the shares in the documentation of deep-bottleneck."""


@pytest.fixture(scope="module")
def task():
    return rotation_task()


def test_inputs_are_every_pattern_once(task):
    assert task.inputs.shape == (4096, 12)
    assert set(np.unique(task.inputs)) == {0, 1}
    assert np.array_equal(task.inputs @ 2 ** np.arange(12), np.arange(4096))


def test_points_are_an_icosahedron():
    points = vertices()
    assert np.linalg.norm(points, axis=1) == pytest.approx(np.ones(12))
    assert len(ConvexHull(points).simplices) == 20
    near = np.sort(points @ points.T, axis=1)
    assert near == pytest.approx(np.tile([-1] + [-1 / 5**0.5] * 5 + [1 / 5**0.5] * 5 + [1], (12, 1)))


def test_statistic_is_that_of_the_moments(task):
    # S_0 = n^2, S_1 = |sum v|^2, S_2 = 3/2 |sum v v^T|^2 - 1/2 n^2, over the n points with bit 1.
    x, v = task.inputs.astype(float), vertices()
    n = x.sum(axis=1)
    dipole = (x @ v) ** 2
    quadrupole = (x @ (v[:, :, None] * v[:, None, :]).reshape(12, 9)) ** 2
    moments = np.column_stack([n**2, dipole.sum(axis=1), 1.5 * quadrupole.sum(axis=1) - 0.5 * n**2])
    assert power_spectrum(task.inputs, degrees=2) == pytest.approx(moments, abs=1e-8)
    assert task.statistic == pytest.approx(moments @ [1, 4, 4], abs=1e-7)


def test_patterns_fall_into_the_published_64_classes(task):
    assert len(np.unique(task.statistic)) == 64
    assert len(np.unique(power_spectrum(task.inputs, degrees=8), axis=0)) == 64


def test_rotations_and_reflections_change_nothing(task):
    v = vertices()
    found = 0
    for image in itertools.permutations(range(12), 3):
        # An orthogonal map is fixed by three vertices in general position.
        if not np.allclose(v[list(image)] @ v[list(image)].T, v[[0, 1, 3]] @ v[[0, 1, 3]].T):
            continue
        turn = np.linalg.solve(v[[0, 1, 3]], v[list(image)])
        moved = np.argmax((v @ turn) @ v.T, axis=1)
        found += 1
        assert np.array_equal(task.statistic[task.inputs[:, moved] @ 2 ** np.arange(12)], task.statistic)
    assert found == 120


def test_labels_have_the_counts_of_the_authors_file(task):
    bits = task.inputs.sum(axis=1)
    assert [int(task.labels[bits == k].sum()) for k in range(13)] == COUNTED


def test_no_other_small_weights_give_these_counts(task):
    bits = task.inputs.sum(axis=1)
    wanted = np.repeat(range(13), COUNTED)
    spectrum, counts = np.unique(power_spectrum(task.inputs, degrees=2), axis=0, return_counts=True)
    bits = np.rint(np.sqrt(spectrum[:, 0])).astype(int)
    found = []
    for weights in itertools.product(range(1, 7), range(-4, 7), range(-4, 7)):
        value = np.round(spectrum @ weights, 6)
        order = np.argsort(-value)
        top = order[: np.searchsorted(np.cumsum(counts[order]), len(wanted)) + 1]
        rest = value[order[len(top) :]]
        ones = np.bincount(bits[top], weights=counts[top], minlength=13)
        if ones.tolist() == COUNTED and rest.max() < value[top].min():
            found.append(weights)
    assert found == [(1, 4, 4)]


def test_information_is_the_published_one_by_counting(task):
    joint = np.column_stack([1 - task.probability, task.probability]) / 4096
    assert mutual_information(joint) == pytest.approx(0.99, abs=1e-9)
    assert task.mutual_information() == pytest.approx(0.99, abs=1e-9)
    assert task.known().nats == pytest.approx(0.99 * math.log(2), abs=1e-9)
    share = task.probability.mean()
    assert share == pytest.approx(0.5166, abs=5e-5)
    assert task.label_entropy() == pytest.approx(stats.entropy([share, 1 - share], base=2), rel=1e-12)


def test_rule_is_the_logistic_one(task):
    p = task.probability
    loss = np.logaddexp(0, -task.gamma * (task.statistic - task.theta))
    assert len(np.unique(p[p > 0])) > 10
    assert -np.log(p[p > 0]) == pytest.approx(loss[p > 0], rel=1e-9, abs=1e-12)


def test_samples_follow_the_rule(task):
    x, y = task.known().sample(200_000, seed=0)
    assert x.mean() == pytest.approx(0.5, abs=0.005)
    p = task.probability[(x @ 2.0 ** np.arange(12)).astype(int)]
    ratio = np.log(np.where(y == 1, p / task.probability.mean(), (1 - p) / (1 - task.probability.mean())))
    error = ratio.std() / math.sqrt(len(ratio))
    assert 4 * error < 0.02 * task.known().nats
    assert abs(ratio.mean() - task.known().nats) < 4 * error
