"""Sliced mutual information: that of one-dimensional projections, averaged (Goldfeld & Greenewald 2021, Definition 1).

    SI(X;Y) = E_{theta, phi} I(theta·X; phi·Y)      [nat]

with theta and phi uniform on the unit spheres of the two spaces, here the mean over seeded directions. Labels are not
projected. Each slice is one-dimensional, so its estimate (`ksg1`; `ross` for labels) is good at any number of columns.

It is zero only for independent variables and never above I(X;Y), but it is a different quantity: it falls as columns
are added even where I(X;Y) grows, it depends on the scale of the columns (they stay as given), and processing a
variable can raise it.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import whole_number
from infoplane.analysis.estimators.ksg1 import KSG1, ksg1
from infoplane.analysis.estimators.method import Floats, Method, Reading
from infoplane.analysis.estimators.ross import Ross, ross
from infoplane.analysis.generator import own_generator


@dataclass(frozen=True)
class Sliced:
    """Parameters of `sliced`.

    Attributes
    ----------
    slices : int
        Pairs of directions. One is taken where there is nothing to turn: one column a side, or one column and labels.
    k : int
        Neighbours of the estimate in each slice.
    seed : int
        Of the directions and of the jitter of ties.
    """

    slices: int = 100
    k: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("slices", self.slices, least=2)
        whole_number("k", self.k, least=1)
        whole_number("seed", self.seed, least=0)


def sliced(x: Floats, y: NDArray[Any], parameters: Sliced) -> Reading:
    """Return the mean information of random one-dimensional projections.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, dx).
    y : numpy.ndarray
        Shape (n, dy), or (n,) labels.
    parameters : Sliced
        Slices, neighbours, seed.

    Returns
    -------
    Reading
        In nats. The standard error is over slices; it leaves out the samples, which all slices share. It is NaN where
        there is nothing to turn, since all slices are then the same.

    Raises
    ------
    InputError
        When n is not above k, or all labels are different.
    """
    rng = own_generator(parameters.seed)
    turns = x.shape[1] > 1 or (y.ndim == 2 and y.shape[1] > 1)
    slices = parameters.slices if turns else 1
    thetas = directions(rng, slices, x.shape[1])
    phis = directions(rng, slices, y.shape[1]) if y.ndim == 2 else [None] * slices
    readings = []
    for theta, phi in zip(thetas, phis, strict=True):
        along = (x @ theta)[:, None]
        if phi is None:
            readings.append(ross(along, y, Ross(parameters.k, parameters.seed)))
        else:
            readings.append(ksg1(along, (y @ phi)[:, None], KSG1(parameters.k, parameters.seed)))
    values = np.array([reading.nats for reading in readings])
    first = {(finding.code, finding.where): finding for reading in reversed(readings) for finding in reading.findings}
    return Reading(
        float(values.mean()),
        standard_error=float(values.std(ddof=1)) / math.sqrt(slices) if turns else math.nan,
        findings=tuple(first.values()),
        chosen={"columns": "as given", "per_slice": "ross" if y.ndim == 1 else "ksg1"},
    )


def directions(rng: np.random.Generator, count: int, d: int) -> Floats:
    """Return `count` unit vectors of d dimensions, uniform on the sphere, shape (count, d)."""
    normals = rng.standard_normal((count, d))
    unit: Floats = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return unit


METHOD = Method(
    name="sliced",
    function=sliced,
    parameters=Sliced,
    kind="estimate",
    x="continuous",
    y="either",
    assumes="projections have densities that are smooth over the k nearest neighbours",
    wrong_when="it is read as mutual information: it is smaller, and shrinks as columns are added",
    source="Goldfeld & Greenewald 2021, Definition 1, with Kraskov et al. 2004, Eq. 8, or Ross 2014 in each slice",
    quantity="sliced mutual information",
    error_over="slices",
    within_entropies=True,
)
