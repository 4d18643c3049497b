"""Mutual information from k-th neighbours, second form of Kraskov, Stögbauer & Grassberger (2004), Eq. 9.

    I(X;Y) = psi(k) - 1/k + psi(n) - < psi(n_x) + psi(n_y) >      [nat]

with n_x the number of samples whose x is no farther than that of the farthest in x among the k nearest neighbours of
the pair (maximum norm), n_y likewise, and the mean over the n pairs. The region is the smallest rectangle around the
neighbours, where the first form takes a square.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import psi

from infoplane.analysis.estimators.jitter import untied
from infoplane.analysis.estimators.method import Floats, Method, Reading, need
from infoplane.analysis.estimators.neighbours import Nearest, neighbourhoods, rectangle
from infoplane.analysis.estimators.resolution import findings_of_neighbours


@dataclass(frozen=True)
class KSG2(Nearest):
    """Neighbours of each pair, and the seed of the jitter."""


def ksg2(x: Floats, y: Floats, parameters: KSG2) -> Reading:
    """Return the information from the rectangle around the nearest neighbours of each pair.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (n, dx) and (n, dy); columns are standardised, ties get a jitter.
    parameters : KSG2
        Neighbours and seed.

    Returns
    -------
    Reading
        In nats. Its bias is downwards with many columns or a strong dependence, as that of `ksg1` and by a little less.

    Raises
    ------
    InputError
        When n is not above k.
    """
    need(len(x), parameters.k + 1, f"each sample's neighbour number {parameters.k}")
    data = untied(parameters.seed, x=x, y=y)
    found = neighbourhoods(data.sides[0], data.sides[1], parameters.k, rectangle)
    nats = psi(parameters.k) - 1 / parameters.k + psi(len(x)) - np.mean(psi(found.count_x) + psi(found.count_y))
    said = findings_of_neighbours(nats, found.radius, parameters.k, min(x.shape[1], y.shape[1]))
    return Reading(float(nats), findings=data.findings + said, chosen=data.chosen)


METHOD = Method(
    name="ksg2",
    function=ksg2,
    parameters=KSG2,
    kind="estimate",
    x="continuous",
    y="continuous",
    assumes="the density is constant over the rectangle around the k nearest neighbours of each pair",
    wrong_when="there are many columns (far too low from some five a side) or the dependence is near log(n / k) nats",
    source="Kraskov, Stögbauer & Grassberger 2004, Eq. 9",
)
