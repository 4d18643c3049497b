"""Binning, fit, divergence and bootstrap behind `lognormal_jsd`; everything in ln x and in nats.

The bootstrap draws from the fitted law without drawing every value. The smallest and largest of n normal
values have a closed-form joint law; given them, the other n - 2 values fall into the bins between by one
multinomial draw. So the counts are exact draws, at a cost that does not depend on n. Only the refit is
approximate: inside a bin the values stand where the fitted law has them on average.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, rel_entr

from infoplane.analysis.sketch_codes import EDGES
from infoplane.analysis.sketch_summary import BIN_EDGES

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

LOG_FINE_EDGES: Floats = np.log(EDGES[1:])
LOG_SUMMARY_EDGES: Floats = np.log(BIN_EDGES)
_FEWEST, _MOST = 32, 256
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True)
class Binning:
    """How n values between two extremes are cut into bins of ln x.

    Parameters
    ----------
    bins : int, optional
        Number of bins; by default 2 sqrt(n), at least 32 and at most 256.
    grid : array, shape (m,), optional
        The only places where edges may stand (a sketch's); by default anywhere, at equal widths.
    """

    bins: int | None = None
    grid: Floats | None = None

    def edges(self, lowest: float, highest: float, n: int) -> Floats:
        """Return the edges for n values with these extremes of ln x, which are the outer edges."""
        if self.grid is None:
            return np.linspace(lowest, highest, self._wanted(n) + 1)
        inner = self.grid[np.searchsorted(self.grid, lowest, "right") : np.searchsorted(self.grid, highest)]
        edges = np.concatenate([[lowest], inner, [highest]])
        return edges[self.kept(edges, n)]

    def kept(self, log_edges: Floats, n: int) -> npt.NDArray[np.intp]:
        """Return the indices of the edges that remain when bins are joined to the number that n asks for."""
        lowest, highest = log_edges[0], log_edges[-1]
        cell = np.floor((log_edges[1:-1] - lowest) * (self._wanted(n) / (highest - lowest)))
        first_in_cell = np.flatnonzero(np.diff(cell, prepend=0.0)) + 1
        return np.concatenate([[0], first_in_cell, [log_edges.size - 1]])

    def _wanted(self, n: int) -> int:
        return self.bins or min(max(round(2 * math.sqrt(n)), _FEWEST), _MOST)


def parameters(logs: Floats, weights: Floats | None, fit: str) -> tuple[float, float]:
    """Return mu and sigma of the log-normal law fitted to values of ln x (weighted)."""
    if fit == "mle":
        mu = float(np.average(logs, weights=weights))
        return mu, math.sqrt(float(np.average((logs - mu) ** 2, weights=weights)))
    largest = float(logs.max())
    x = np.exp(logs - largest)
    mean = float(np.average(x, weights=weights))
    relative_variance = float(np.average((x - mean) ** 2, weights=weights)) / mean**2
    sigma = math.sqrt(math.log1p(relative_variance))
    return largest + math.log(mean) - sigma**2 / 2, sigma


def masses(log_edges: Floats, counts: Counts, mu: float, sigma: float, tail: str) -> tuple[Floats, Floats]:
    """Return the shares p (data) and q (law), with two overflow bins unless `tail` is "truncate"."""
    p = counts / counts.sum()
    below = ndtr((log_edges - mu) / sigma)
    q = np.diff(below)
    if tail == "truncate":
        return p, q / q.sum()
    beyond = ndtr(-(log_edges[-1] - mu) / sigma)
    return np.concatenate([[0.0], p, [0.0]]), np.concatenate([below[:1], q, [beyond]])


def divergence(log_edges: Floats, counts: Counts, mu: float, sigma: float, tail: str) -> float:
    """Return the Jensen-Shannon divergence of the counts from the law, in nats."""
    p, q = masses(log_edges, counts, mu, sigma, tail)
    m = (p + q) / 2
    nats = 0.5 * float(rel_entr(p, m).sum() + rel_entr(q, m).sum())
    return max(nats, 0.0)  # rounding can leave -1e-17


def null_divergences(
    n: int, mu: float, sigma: float, binning: Binning, tail: str, fit: str, repeats: int, seed: int
) -> Floats:
    """Return the divergences, in nats, of `repeats` samples of n values of the law, each refitted."""
    generator = np.random.default_rng(seed)
    found = np.empty(repeats)
    for repeat in range(repeats):
        z_low, z_high = _extremes_of_normal(n, generator)
        log_edges = binning.edges(mu + sigma * z_low, mu + sigma * z_high, n)
        z = (log_edges - mu) / sigma
        share = np.diff(ndtr(z))
        counts = generator.multinomial(n - 2, share / share.sum())
        # Where the law has the values of each bin: quadrature with the normal density.
        points = z[:-1] + np.diff(z) * (_NODES[:, None] + 1) / 2
        weights = _WEIGHTS[:, None] * np.exp(-(points**2) / 2)
        weights *= counts / weights.sum(axis=0)
        logs = mu + sigma * np.append(points, [z_low, z_high])
        mu_again, sigma_again = parameters(logs, np.append(weights, [1.0, 1.0]), fit)
        counts[0] += 1
        counts[-1] += 1
        found[repeat] = divergence(log_edges, counts, mu_again, sigma_again, tail)
    return found


def _extremes_of_normal(n: int, generator: np.random.Generator) -> tuple[float, float]:
    """Draw the smallest and the largest of n standard normal values (n at least 2)."""
    u, v = 1.0 - generator.random(2)  # in (0, 1]
    below_low = -math.expm1(math.log(u) / n)
    above_high = (1.0 - below_low) * -math.expm1(math.log(v) / (n - 1))
    return float(ndtri(below_low)), -float(ndtri(above_high))
