"""Mutual information of a continuous variable and labels, from neighbours of the same label (Ross 2014).

    I(X;Y) = psi(n) - < psi(N_i) > + < psi(k_i) > - < psi(m_i) >      [nat]

with N_i the samples that have the label of sample i, k_i its neighbours among them (k, or all others of a class of
fewer), and m_i the samples of any label up to the k_i-th of them: those strictly nearer, and that one. The norm is the
maximum over standardised columns. Nearness among labels has no meaning here, as it has for `mixed_ksg`.

**What the neighbours do not resolve** is said as ``wide_neighbourhoods``, where the k_i-th is on the median over `_FAR`
deviations away and the value falls by more than a twentieth with 4 k neighbours; where the value is within noise, 2 /
sqrt(n) nat, beyond `resolution.WIDE`. The distance alone does not tell: classes whose centres lie four deviations apart
are read to 1 % at 1.2 standard deviations, the sign of one column of 4 is read 23 % too low at 0.6 (n = 400).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import psi

from infoplane.analysis.errors import InputError
from infoplane.analysis.estimators.jitter import untied
from infoplane.analysis.estimators.method import Floats, Labels, Method, Reading
from infoplane.analysis.estimators.neighbours import Nearest, below, count_within, nearest_samples
from infoplane.analysis.estimators.resolution import WIDE
from infoplane.analysis.estimators.single_labels import WAY_ON
from infoplane.analysis.finding import Finding

_FAR = 0.3
_COARSER = 4
_STEADY = 0.95
_TIED = "for a finite set of inputs take exact; else compare with v_information, which needs no jitter"


@dataclass(frozen=True)
class Ross(Nearest):
    """Neighbours of the same label, and the seed of the jitter."""


def ross(x: Floats, y: Labels, parameters: Ross) -> Reading:
    """Return the information from how many others are nearer than the k-th neighbour of the same label.

    Parameters
    ----------
    x : numpy.ndarray
        Shape (n, d); columns are standardised, ties get a jitter.
    y : numpy.ndarray
        Shape (n,), labels. A sample alone with its label has no neighbour of it; it is left out and said.
    parameters : Ross
        Neighbours and seed.

    Returns
    -------
    Reading
        In nats. The bias is small where classes are wider than the distance to the k-th neighbour, else downwards.

    Raises
    ------
    InputError
        When no label occurs twice.
    """
    n = len(y)
    sizes = np.bincount(y)
    usable = sizes[y] > 1
    if not usable.any():
        raise InputError(
            f"all {n} samples have labels of their own, so none has a neighbour of its label; {WAY_ON}; else "
            "give labels that occur at least twice, or floats if y is a quantity"
        )
    found = []
    if not usable.all():
        alone = np.count_nonzero(~usable)
        text = f"{alone} of {n} samples are alone with their label and were left out"
        advice = "merge rare classes, or take more samples" + (f"; {WAY_ON}" if 2 * alone > n else "")
        found.append(Finding("single_samples", "y", text, alone / n, "1", advice))
    x, y = x[usable], y[usable]
    if np.ptp(y) == 0 or not np.ptp(x, axis=0).any():
        return Reading(0.0, findings=tuple(found))
    data = untied(parameters.seed, x=x[:, np.ptp(x, axis=0) > 0])
    points = data.sides[0]
    nats, radius = _nats(points, y, parameters.k)
    found += [replace(finding, advice=_TIED) for finding in data.findings]
    middle = float(np.median(radius))
    if _unresolved(nats, middle, points, y, parameters.k):
        text = (
            f"neighbour {parameters.k} of the same label lies far away on the median, and where labels change on a "
            "finer scale the value is far too low"
        )
        advice = "take more samples, fewer columns, or a neural method"
        found.append(Finding("wide_neighbourhoods", "x", text, middle, "sd", advice))
    return Reading(nats, findings=tuple(found), chosen=data.chosen)


def _nats(points: Floats, y: Labels, most: int) -> tuple[float, Floats]:
    """Return the value with so many neighbours, and the distance of the last one of each sample."""
    sizes = np.bincount(y)
    k, radius = np.empty(len(y)), np.empty(len(y))
    for label in np.flatnonzero(sizes):
        members = y == label
        k[members] = size = min(most, sizes[label] - 1)
        radius[members] = nearest_samples(points[members], size)[0][:, -1]
    nearer = count_within(points, below(radius)) + 1
    return float(psi(len(y)) - psi(sizes[y]).mean() + psi(k).mean() - psi(nearer).mean()), radius


def _unresolved(nats: float, radius: float, points: Floats, y: Labels, k: int) -> bool:
    """Return whether neighbourhoods are wide, and the value within noise or falling when they grow."""
    if nats < 2 / math.sqrt(len(y)):
        return radius > WIDE
    return radius > _FAR and _nats(points, y, _COARSER * k)[0] < _STEADY * nats


METHOD = Method(
    name="ross",
    function=ross,
    parameters=Ross,
    kind="estimate",
    x="continuous",
    y="discrete",
    assumes="within a class the density is constant over the region of the k nearest neighbours",
    wrong_when="classes have few samples or x has many columns: classes that differ on a fine scale then read too low",
    source="Ross 2014, the estimator of the section Methods (digammas of N, N_x, k and m)",
)
