"""Neighbours and counts against a table of all distances, on samples where borders are hit and rounding decides."""

import math

import numpy as np
import pytest

from infoplane.analysis.estimators import neighbours
from infoplane.analysis.estimators.neighbours import (
    below,
    count_within,
    nearest_samples,
    neighbourhoods,
    rectangle,
    square,
)


def distances(points):
    return np.abs(points[:, None] - points[None]).max(axis=2)


def counted(table, radius, *, strictly):
    within = table < radius[:, None] if strictly else table <= radius[:, None]
    np.fill_diagonal(within, False)
    return within.sum(axis=1)


def lattice(n, d, seed):
    # Tenths have no exact binary form: 0.3 - 0.2 and 0.2 - 0.1 differ in the last bit.
    return 0.1 * np.random.default_rng(seed).integers(-9, 9, (n, d))


every_route = pytest.mark.parametrize("tree_columns", [0, 50], ids=["blocks", "tree"])


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch):
    monkeypatch.setattr(neighbours, "_BLOCK", 1000)  # several blocks, the last one cut


@every_route
@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("make", [lattice, lambda n, d, seed: np.random.default_rng(seed).standard_normal((n, d))])
def test_neighbours_and_counts_equal_those_of_all_distances(monkeypatch, tree_columns, d, make):
    monkeypatch.setattr(neighbours, "TREE_COLUMNS", tree_columns)
    x, y = make(150, d, 0), make(150, d, 1)
    along_x, along_y = distances(x), distances(y)
    joint = np.maximum(along_x, along_y)
    np.fill_diagonal(joint, math.inf)
    radius = np.sort(joint, axis=1)[:, 3]

    found = neighbourhoods(x, y, 4, square)
    assert np.array_equal(found.radius, radius)
    assert np.array_equal(found.distances, np.sort(joint, axis=1)[:, :4])
    assert np.array_equal(found.count_x, counted(along_x, radius, strictly=True))
    assert np.array_equal(found.count_y, counted(along_y, radius, strictly=True))

    found = neighbourhoods(x, y, 4, rectangle)
    rows = np.arange(150)[:, None]
    assert np.array_equal(np.sort(joint[rows, found.nearest]), np.sort(joint, axis=1)[:, :4])
    assert np.array_equal(found.radius_x, along_x[rows, found.nearest].max(axis=1))
    assert np.array_equal(found.count_y, counted(along_y, found.radius_y, strictly=False))


@every_route
def test_a_sample_is_never_its_own_neighbour(monkeypatch, tree_columns):
    monkeypatch.setattr(neighbours, "TREE_COLUMNS", tree_columns)
    points = np.repeat(np.random.default_rng(0).standard_normal((20, 3)), 6, axis=0)  # five duplicates of each
    found, nearest = nearest_samples(points, 3)
    assert (nearest != np.arange(120)[:, None]).all()
    assert not found.any()
    assert np.array_equal(points[nearest], np.repeat(points[:, None], 3, axis=1))
    assert (count_within(points, np.zeros(120)) == 5).all()


@every_route
@pytest.mark.parametrize("d", [1, 3])
def test_nothing_is_strictly_nearer_than_no_distance(monkeypatch, tree_columns, d):
    monkeypatch.setattr(neighbours, "TREE_COLUMNS", tree_columns)
    assert not count_within(np.zeros((40, d)), below(np.zeros(40))).any()


def test_all_are_counted_within_a_large_radius():
    values = np.random.default_rng(0).standard_normal((77, 1))
    assert (count_within(values, np.full(77, 100.0)) == 76).all()
