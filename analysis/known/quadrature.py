"""Integrals by Gauss-Legendre panels, and the entropy of a number that is a code plus normal noise."""

import itertools

import numpy as np

from infoplane.analysis.known.known import Floats

_NODES = 12  # of a panel: exact for polynomials of degree 23
_FAR = 9.0  # standard deviations: the normal law has less than 1e-18 beyond
_BLOCK = 4_000_000  # entries of the largest intermediate table


def panels(edges: Floats, width: float) -> tuple[Floats, Floats]:
    """Return nodes and weights over consecutive intervals, each cut into equal panels no wider than `width`.

    Parameters
    ----------
    edges : numpy.ndarray
        Shape (m,), rising: the ends of the intervals, at which an integrand may have a kink or a jump.
    width : float
        Widest panel.

    Returns
    -------
    nodes, weights : numpy.ndarray
        Shape (number of panels times nodes per panel,) each.
    """
    fine = [
        np.linspace(start, end, max(1, int(np.ceil((end - start) / width))) + 1)[:-1]
        for start, end in itertools.pairwise(edges)
    ]
    cuts = np.append(np.concatenate(fine), edges[-1])
    x, w = np.polynomial.legendre.leggauss(_NODES)
    half = np.diff(cuts)[:, None] / 2
    return (cuts[:-1, None] + half * (x + 1)).ravel(), (half * w).ravel()


def noisy_entropy(codes: Floats, shares: Floats, noise: float) -> float:
    """Return the differential entropy of a code plus normal noise, in nats.

    Parameters
    ----------
    codes : numpy.ndarray
        Shape (K,): the values without noise.
    shares : numpy.ndarray
        Shape (K,): their probabilities.
    noise : float
        Standard deviation of the noise.
    """
    # A rectified layer maps half of its inputs to one code.
    codes, place = np.unique(codes, return_inverse=True)
    masses = np.bincount(place, weights=shares)
    values, weights = panels(_covered(codes, noise), noise)
    entropy = 0.0
    rows = max(1, _BLOCK // codes.size)
    for start in range(0, values.size, rows):
        part = slice(start, start + rows)
        distance = (values[part, None] - codes) / noise
        density = np.exp(-(distance**2) / 2) @ masses / (noise * np.sqrt(2 * np.pi))
        positive = density > 0
        entropy -= float((weights[part][positive] * density[positive]) @ np.log(density[positive]))
    return entropy


def noisy_entropy_2d(codes: Floats, shares: Floats, noise: float) -> float:
    """Return the entropy of a code in the plane plus normal noise, in nats: as `noisy_entropy`, codes (K, 2)."""
    grids = [panels(_covered(codes[:, k], noise), noise) for k in (0, 1)]
    # The kernel is a product, so that the density on the grid is one matrix product.
    kernels = [np.exp(-(((values[:, None] - codes[:, k]) / noise) ** 2) / 2) for k, (values, _) in enumerate(grids)]
    density = (kernels[0] * shares) @ kernels[1].T / (2 * np.pi * noise**2)
    terms = np.where(density > 0, -density * np.log(np.where(density > 0, density, 1.0)), 0.0)
    return float(grids[0][1] @ terms @ grids[1][1])


def _covered(codes: Floats, noise: float) -> Floats:
    """Return the ends of the one interval in which the noisy code lies."""
    return np.array([codes.min() - _FAR * noise, codes.max() + _FAR * noise])
