"""What `ksg1` costs beside ennemi and scikit-learn: n = 5000 normal pairs of 1, 5 and 25 columns a side, in one run.

All alternate on the same samples, round by round, so that a drift of the machine's speed hits all; times are medians,
and the ratio is ours over that of the quickest other. ennemi has public functions for single columns only, and for
more its internal estimator of two vectors is called; scikit-learn has `mutual_info_regression` for single columns, and
for more its neighbours are put together here to the same estimate, which is no function of the library.

    pip install ennemi
    python benchmarks/neighbours.py [--threads 1] [--rounds 9]
"""

import argparse
import os
import statistics
import time
from importlib.metadata import version

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--rounds", type=int, default=9)
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(options.threads)  # read when the libraries load

import ennemi  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from ennemi._entropy_estimators import _estimate_single_mi  # noqa: E402
from scipy.special import psi  # noqa: E402
from sklearn.feature_selection import mutual_info_regression  # noqa: E402
from sklearn.neighbors import KDTree, NearestNeighbors  # noqa: E402

from infoplane.analysis.estimators.ksg1 import KSG1, ksg1  # noqa: E402

K, N, RHO = 3, 5000, 0.5


def main() -> None:
    torch.set_num_threads(options.threads)
    libraries = ", ".join(f"{name} {version(name)}" for name in ("ennemi", "scikit-learn", "scipy", "numpy", "torch"))
    print(f"{libraries}; n = {N}, k = {K}, {options.threads} thread(s), {options.rounds} rounds")
    print("| columns a side | estimate | median [ms] | ours over it | value [nat] |\n|---|---|---|---|---|")
    for d in (1, 5, 25):
        rng = np.random.default_rng(d)
        x = rng.standard_normal((N, d))
        y = RHO * x + np.sqrt(1 - RHO**2) * rng.standard_normal((N, d))
        times, values = measure(contenders(d), x, y)
        ours = times["infoplane ksg1"]
        for name, seconds in times.items():
            ratio = "" if name == "infoplane ksg1" else f"{ours / seconds:.2f}"
            print(f"| {d} | {name} | {1000 * seconds:.1f} | {ratio} | {values[name]:.4f} |")
        best = min(seconds for name, seconds in times.items() if name != "infoplane ksg1")
        print(f"| {d} | **ours over the quickest other** | | **{ours / best:.2f}** | |")


def contenders(d):
    """Return what is timed, by name; every one takes x and y of shape (n, d) and returns nats."""
    found = {"infoplane ksg1": lambda x, y: ksg1(x, y, KSG1(k=K)).nats}
    if d == 1:
        found["ennemi estimate_mi"] = lambda x, y: ennemi.estimate_mi(y[:, 0], x[:, 0], k=K).item()
        found["scikit-learn mutual_info_regression"] = lambda x, y: mutual_info_regression(
            x, y[:, 0], n_neighbors=K, random_state=0
        )[0]
    else:
        found["ennemi, internal"] = lambda x, y: float(_estimate_single_mi(x, y, K))
        found["scikit-learn neighbours, trees"] = lambda x, y: from_neighbours(x, y, "kd_tree")
        found["scikit-learn neighbours, brute"] = lambda x, y: from_neighbours(x, y, "brute")
    return found


def from_neighbours(x, y, algorithm):
    """Return KSG's first form from `NearestNeighbors` and `KDTree`."""
    joint = NearestNeighbors(n_neighbors=K, metric="chebyshev", algorithm=algorithm).fit(np.hstack([x, y]))
    within = np.nextafter(joint.kneighbors()[0][:, -1], 0)
    counts = [KDTree(side, metric="chebyshev").query_radius(side, within, count_only=True) for side in (x, y)]
    return psi(K) + psi(len(x)) - np.mean(sum(psi(count) for count in counts))


def measure(found, x, y):
    """Return the median seconds and the value of each."""
    times, values = {name: [] for name in found}, {}
    for round_ in range(options.rounds + 1):
        for name, function in found.items():
            began = time.perf_counter()
            values[name] = function(x, y)
            if round_:  # the first warms up
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in times.items()}, values


if __name__ == "__main__":
    main()
