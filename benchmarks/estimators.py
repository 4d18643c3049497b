"""Speed of binning and of the KDE bounds, as ratios to other ways of computing the same, in one run.

Peer and ours alternate, so that a drift of the machine's speed hits both; the ratio is the median over the rounds of
the ratios within a round. Times are CPU seconds of the process on one thread, so that what else runs on the machine
does not count. Labels are checked to part the rows alike before anything is timed.

Sets: 4096 inputs of 12 bits through a tanh network 10-7-5-4-3-2, and 10,000 inputs of 784 numbers through
1024-20-20-20-10, both untrained; 30 bins over the range of each layer. Codes as int64, which `np.digitize` gives, and
as int8, which `Bins.codes` gives for up to 128 bins.

    python benchmarks/estimators.py [--rounds 9]
"""

import argparse
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import scipy
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from infoplane.analysis.bins import Bins
from infoplane.analysis.estimate import estimate
from infoplane.analysis.estimators.gaussian_mixture import entropy_bounds
from infoplane.analysis.rows import row_groups, row_symbols

Layers = list[np.ndarray]


def tanh_network(inputs: np.ndarray, widths: tuple[int, ...]) -> Layers:
    """Return the activations of each layer of an untrained tanh network."""
    rng = np.random.default_rng(0)
    layers, t = [], inputs
    for width in widths:
        t = np.tanh(t @ rng.normal(0, 1.5 / t.shape[1] ** 0.5, (t.shape[1], width)))
        layers.append(t)
    return layers


def row_views(codes: np.ndarray) -> np.ndarray:
    """Return a label per row by sorting rows as blocks of bytes."""
    rows = np.ascontiguousarray(codes)
    view = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    return np.unique(view, return_inverse=True)[1]


def whole_rows(codes: np.ndarray) -> np.ndarray:
    """Return a label per row by sorting rows as they are."""
    return np.unique(codes, axis=0, return_inverse=True)[1].ravel()


def alternate(ways: dict[str, Callable[[], object]], rounds: int, repeats: int = 1) -> dict[str, list[float]]:
    """Return the CPU seconds of each way in each round, the mean over `repeats`; a first round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            began = time.process_time()
            for _ in range(repeats):
                way()
            if turn:
                seconds[name].append((time.process_time() - began) / repeats)
    return seconds


def ratio(of: list[float], to: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def binning(name: str, layers: Layers, dtype: type, rounds: int, repeats: int) -> None:
    codes = [Bins.fit(t).codes(t).astype(dtype) for t in layers]
    for c in codes:
        ours = row_groups(c)
        for labels in (whole_rows(c), row_views(c), row_symbols(c)):
            pairs = len(np.unique(ours * (labels.max() + 1) + labels))
            assert pairs == ours.max() + 1 == labels.max() + 1, "the rows are parted differently"
    seconds = alternate(
        {
            "np.unique(axis=0)": lambda: [whole_rows(c) for c in codes],
            "row views": lambda: [row_views(c) for c in codes],
            "row_groups": lambda: [row_groups(c) for c in codes],
            "row_symbols": lambda: [row_symbols(c) for c in codes],
            "activations to groups": lambda: [Bins.fit(t).groups(t) for t in layers],
        },
        rounds,
        repeats,
    )
    for way in ("row_groups", "row_symbols", "activations to groups"):
        took = 1000 * statistics.median(seconds[way])
        faster = [ratio(seconds[peer], seconds[way]) for peer in ("np.unique(axis=0)", "row views")]
        print(f"| {name} | {dtype.__name__} | {way} | {took:.2f} | {faster[0]:.0f}x | {faster[1]:.1f}x |")


def kde(layers: Layers, ids: np.ndarray, labels: np.ndarray, rounds: int) -> None:
    def all_pairs() -> None:
        """Both bounds from one matrix of all distances, as is usual."""
        for t in layers:
            distances = cdist(t, t, "sqeuclidean")
            for factor in (2, 8):
                logsumexp(-distances / (factor * 0.1), axis=1).mean()

    def bounds(y: np.ndarray) -> None:
        for t in layers:
            for method in ("kde_lower", "kde_upper"):
                estimate(t, y, method=method, noise_variance=0.1)

    ways: dict[str, Callable[[], object]] = {
        "all pairs at once": all_pairs,
        "kde_lower, kde_upper of the input": lambda: bounds(ids),
        "kde_lower, kde_upper of the label": lambda: bounds(labels),
        "entropy_bounds (both, one pass)": lambda: [entropy_bounds(t, ids, 0.1) for t in layers],
    }
    seconds = alternate(ways, rounds)
    for name, way in ways.items():
        tracemalloc.start()
        way()
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        faster = ratio(seconds["all pairs at once"], seconds[name])
        print(f"| {name} | {statistics.median(seconds[name]):.2f} | {faster:.1f}x | {peak:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print(
        f"numpy {np.__version__}, scipy {scipy.__version__}, {os.environ['OMP_NUM_THREADS']} thread(s), {rounds} rounds"
    )
    bits = (np.arange(4096)[:, None] >> np.arange(12) & 1) * 2.0 - 1
    small = tanh_network(bits, (10, 7, 5, 4, 3, 2))
    large = tanh_network(np.random.default_rng(1).standard_normal((10_000, 784)), (1024, 20, 20, 20, 10))
    print("| set | codes | ours | all layers [ms] | np.unique(axis=0) over ours | row views over ours |")
    print("|---|---|---|---|---|---|")
    for dtype in (np.int64, np.int8):
        binning("4096 x (10-7-5-4-3-2)", small, dtype, rounds, 30)
        binning("10,000 x (1024-20-20-20-10)", large, dtype, rounds, 3)
    print(
        "\n| bounds, 4096 x (10-7-5-4-3-2) | six layers [s] | faster than all pairs | peak [MiB] |\n|---|---|---|---|"
    )
    kde(small, np.arange(4096), (bits[:, :5].sum(axis=1) > 0).astype(int), rounds)
    print(f"n x n is {4096**2 * 8 / 2**20:.0f} MiB, n x n x d of the first layer {4096**2 * 10 * 8 / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
