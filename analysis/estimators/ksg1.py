"""Mutual information from k-th neighbours, first form of Kraskov, Stögbauer & Grassberger (2004), Eq. 8.

    I(X;Y) = psi(k) + psi(n) - < psi(n_x + 1) + psi(n_y + 1) >      [nat]

with n_x and n_y the numbers of samples whose x (or y) is *strictly* nearer than the k-th neighbour of the pair, in the
maximum norm, and the mean over the n pairs.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import psi

from infoplane.analysis.estimators.jitter import untied
from infoplane.analysis.estimators.method import Floats, Method, Reading, need
from infoplane.analysis.estimators.neighbours import Nearest, neighbourhoods, square
from infoplane.analysis.estimators.resolution import findings_of_neighbours


@dataclass(frozen=True)
class KSG1(Nearest):
    """Neighbours of each pair, and the seed of the jitter."""


def ksg1(x: Floats, y: Floats, parameters: KSG1) -> Reading:
    """Return the information from the strictly nearer samples of each side.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (n, dx) and (n, dy); columns are standardised, ties get a jitter.
    parameters : KSG1
        Neighbours and seed.

    Returns
    -------
    Reading
        In nats. It cannot exceed psi(n) - psi(k), about log(n / k). For two normals the bias is under 0.02 nat from
        n = 500 on; with many columns or a strong dependence it is downwards, and soon most of the value.

    Raises
    ------
    InputError
        When n is not above k.
    """
    need(len(x), parameters.k + 1, f"each sample's neighbour number {parameters.k}")
    data = untied(parameters.seed, x=x, y=y)
    found = neighbourhoods(data.sides[0], data.sides[1], parameters.k, square)
    nats = psi(parameters.k) + psi(len(x)) - np.mean(psi(found.count_x + 1) + psi(found.count_y + 1))
    said = findings_of_neighbours(nats, found.radius, parameters.k, min(x.shape[1], y.shape[1]))
    return Reading(float(nats), findings=data.findings + said, chosen=data.chosen)


METHOD = Method(
    name="ksg1",
    function=ksg1,
    parameters=KSG1,
    kind="estimate",
    x="continuous",
    y="continuous",
    assumes="the density is constant over the region of the k nearest neighbours of each pair",
    wrong_when="there are many columns (far too low from some five a side) or the dependence is near log(n / k) nats",
    source="Kraskov, Stögbauer & Grassberger 2004, Eq. 8",
)
