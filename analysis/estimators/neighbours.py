"""Neighbours in the maximum norm: distances to the k nearest, and how many samples lie within a radius.

The norm of a sample is its largest column, that of a pair (x, y) the larger of the two sides (Kraskov, Stögbauer &
Grassberger 2004, Eq. 7). A distance is the rounded difference of two numbers wherever it is computed here, so that
"within the distance of the k-th neighbour" is decided exactly: a neighbour on the border is never on its wrong side.

Up to `TREE_COLUMNS` columns a k-d tree is searched, one column is sorted and bisected, and above that all distances
are computed a block of samples at a time: memory is O(n · block) and never n · n, time is O(n · n · d).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.rows import row_symbols

Integers = NDArray[np.int64]
Sides = tuple[Floats, Floats]
Reach = Callable[[Floats, Callable[[], Sides]], Sides]
"""From the distance of the k-th neighbour, and a call that gives the largest of the k along x and along y, to the two
radii within which each side is counted."""
TREE_COLUMNS = 12
"""Most columns for which a tree is quicker: at n = 5000 it took as long as all distances for 10 to 12 of them."""
_LEAF = 15
_BLOCK = 2**17  # distances at once: 1 MiB stays in a core's cache


@dataclass(frozen=True)
class Nearest:
    """Parameters of an estimator from k-th neighbours.

    Attributes
    ----------
    k : int
        Neighbours; more of them lower the variance and raise the bias.
    seed : int
        Of the jitter, which only columns with ties get.
    """

    k: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("k", self.k, least=1)
        whole_number("seed", self.seed, least=0)


@dataclass(frozen=True, eq=False)
class Neighbourhoods:
    """The surroundings of every pair (x_i, y_i).

    Attributes
    ----------
    distances : numpy.ndarray
        Shape (n, k): those of the k nearest pairs, ascending.
    nearest : numpy.ndarray
        Shape (n, k): which pairs are the nearest, itself excluded.
    radius_x, radius_y : numpy.ndarray
        Shape (n,): radii within which samples of x alone and of y alone were counted, border included.
    count_x, count_y : numpy.ndarray
        Shape (n,): samples within, itself excluded.
    """

    distances: Floats
    nearest: Integers
    radius_x: Floats
    radius_y: Floats
    count_x: Integers
    count_y: Integers

    @property
    def radius(self) -> Floats:
        """Shape (n,): distance of the k-th nearest pair."""
        kth: Floats = self.distances[:, -1]
        return kth


def below(radius: Floats) -> Floats:
    """Return the largest radius under this one: a count within it is that of the strictly nearer samples."""
    return np.nextafter(radius, -math.inf)


def square(radius: Floats, along: Callable[[], Sides]) -> Sides:
    """Return the radii of KSG's first form: on either side, strictly nearer than the k-th neighbour."""
    return below(radius), below(radius)


def rectangle(radius: Floats, along: Callable[[], Sides]) -> Sides:
    """Return the radii of KSG's second form: on each side, as near as the farthest of the k neighbours."""
    return along()


def neighbourhoods(x: Floats, y: Floats, k: int, reach: Reach) -> Neighbourhoods:
    """Return the k nearest pairs of each pair, and the samples that are as near on one side alone.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (n, dx) and (n, dy), n > k.
    k : int
        Neighbours.
    reach : callable
        `square`, `rectangle`, or another rule for the radii; it is given any part of the samples.
    """
    if x.shape[1] + y.shape[1] > TREE_COLUMNS:
        return _by_blocks(x, y, k, reach)
    distances, nearest = nearest_samples(np.hstack([x, y]), k)

    def along() -> Sides:
        return _farthest(x, nearest), _farthest(y, nearest)

    radii = reach(distances[:, -1], along)
    counts = [count_within(side, radius) for side, radius in zip((x, y), radii, strict=True)]
    return Neighbourhoods(distances, nearest, *radii, *counts)


def nearest_samples(points: Floats, k: int) -> tuple[Floats, Integers]:
    """Return distances, ascending, and indices of the k nearest other samples, each of shape (n, k).

    Parameters
    ----------
    points : numpy.ndarray
        Shape (n, d), n > k.
    k : int
        Neighbours.
    """
    n, d = points.shape
    if d > TREE_COLUMNS:
        parts = []
        for rows in _blocks(n):
            distances = cdist(points[rows], points, "chebyshev")
            parts.append(_smallest(distances, rows, k))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    kept = _few_of_each(points, k + 1)
    distances, position = _tree(points[kept]).query(points, k + 1)
    nearest: Integers = kept[position]
    itself = nearest == np.arange(n)[:, None]
    itself[~itself.any(axis=1), -1] = True  # at least k duplicates of it came first
    others = ~itself
    return distances[others].reshape(n, k), nearest[others].reshape(n, k)


def count_within(points: Floats, radius: Floats) -> Integers:
    """Return how many other samples lie within the radius of each sample, border included.

    Parameters
    ----------
    points : numpy.ndarray
        Shape (n, d).
    radius : numpy.ndarray
        Shape (n,); none lies within a negative one.
    """
    n, d = points.shape
    if d == 1:
        return _count_sorted(points[:, 0], radius)
    itself = radius >= 0
    if d <= TREE_COLUMNS:
        counts: Integers = _tree(points).query_radius(points, np.maximum(radius, 0), count_only=True)
        return np.where(itself, counts - 1, 0)
    parts = []
    for rows in _blocks(n):
        parts.append(_count(cdist(points[rows], points, "chebyshev"), radius[rows]))
    return np.concatenate(parts)


def _by_blocks(x: Floats, y: Floats, k: int, reach: Reach) -> Neighbourhoods:
    """Return the neighbourhoods with every distance computed once."""
    parts = []
    for rows in _blocks(len(x)):
        along_x, along_y = (cdist(side[rows], side, "chebyshev") for side in (x, y))
        distances, nearest = _smallest(np.maximum(along_x, along_y), rows, k)

        def along(table_x: Floats = along_x, table_y: Floats = along_y, nearest: Integers = nearest) -> Sides:
            return _largest(table_x, nearest), _largest(table_y, nearest)

        radii = reach(distances[:, -1], along)
        counts = _count(along_x, radii[0]), _count(along_y, radii[1])
        parts.append((distances, nearest, *radii, *counts))
    return Neighbourhoods(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _farthest(side: Floats, nearest: Integers) -> Floats:
    """Return the largest distance along one side of each sample to its neighbours."""
    largest: Floats = np.abs(side[nearest] - side[:, None]).max(axis=(1, 2))
    return largest


def _largest(distances: Floats, nearest: Integers) -> Floats:
    """Return the same from the table of distances along that side."""
    largest: Floats = np.take_along_axis(distances, nearest, axis=1).max(axis=1)
    return largest


def _blocks(n: int) -> Iterator[slice]:
    size = max(1, _BLOCK // n)
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _smallest(distances: Floats, rows: slice, k: int) -> tuple[Floats, Integers]:
    """Return the k smallest of each row but the one of the sample itself, and where they are."""
    distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = math.inf
    found = torch.topk(torch.from_numpy(distances), k, largest=False)  # many times quicker than a partition
    return found.values.numpy(), found.indices.numpy()


def _count(distances: Floats, radius: Floats) -> Integers:
    within: Integers = np.count_nonzero(distances <= radius[:, None], axis=1)
    return np.where(radius >= 0, within - 1, 0)


def _few_of_each(points: Floats, most: int) -> Integers:
    """Return which samples to keep so that of equal ones at most so many stay: a tree cannot part them, and slows."""
    symbols = row_symbols(points)
    order = np.argsort(symbols, kind="stable")
    sizes = np.bincount(symbols)
    place = np.arange(len(points)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < most])


def _tree(points: Floats) -> Any:
    from sklearn.neighbors import KDTree

    return KDTree(points, metric="chebyshev", leaf_size=_LEAF)


def _count_sorted(values: Floats, radius: Floats) -> Integers:
    order = np.argsort(values)
    ascending, reaches = values[order], radius[order]
    counts = np.empty(len(values), np.int64)
    counts[order] = _above(ascending, reaches) + _above(-ascending[::-1], reaches[::-1])[::-1]
    return counts


def _above(ascending: Floats, radius: Floats) -> Integers:
    """Return how many later values lie within the radius of each: a bisection that decides by the distance itself."""
    n = len(ascending)
    inside, outside = np.arange(n), np.full(n, n)
    while (outside - inside > 1).any():
        middle = (inside + outside) // 2
        near = ascending[middle] - ascending <= radius
        inside, outside = np.where(near, middle, inside), np.where(near, outside, middle)
    return inside - np.arange(n)
