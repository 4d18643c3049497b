"""The 12-bit binary input task of Shwartz-Ziv and Tishby (2017), rebuilt from its published rule.

Published ("Opening the black box of deep neural networks via information", section on the experimental setup): 12
binary inputs stand for 12 points that are uniformly distributed on the sphere; the 4096 patterns are equally likely
and fall into 64 classes of rules that no rotation of the sphere changes; f(x) is a spherically symmetric function of
the pattern, evaluated through its power spectrum of spherical harmonics; the label is 1 where f(x) is above a
threshold theta, and the stochastic rule is

    p(y = 1 | x) = 1 / (1 + exp(-gamma (f(x) - theta)))

with theta such that p(y = 1) is about 0.5 and gamma such that I(X;Y) is about 0.99 bit. The points, f, theta and
gamma are not published. Chosen here:

- the points are the vertices of an icosahedron, the most evenly spread 12 points. Its patterns have exactly 64
  different power spectra, which is the published number;
- f(x) = S_0 + 4 S_1 + 4 S_2 with S_l = sum_ij x_i x_j P_l(cos angle_ij), the power of degree l but for a constant
  factor (P_l are the Legendre polynomials, angle_ij lies between points i and j). Of the whole weights 1 to 6 for S_0
  and -4 to 6 for S_1 and S_2, these alone let a threshold give the labels that were counted in the authors' file: 0,
  60, 532, 732 and 495 ones among the patterns with 4, 5, 6, 7 and 8 bits set, 2118 in all (the shares are tabulated
  in the documentation of the project deep-bottleneck);
- theta lies half-way between the two values of f beside it, and gamma is solved for I(X;Y) = 0.99 bit. Then p(y = 1)
  is 0.5166 and H(Y) 0.9992 bit.

So the labels have the counts and the symmetry of the file; that they equal it pattern by pattern is not claimed.
`infoplane.datasets` reads a file of one's own.
"""

import math
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import entr, eval_legendre, expit

from infoplane.analysis.known.known import Floats, Known, Labels
from infoplane.analysis.units import nats_per_unit

BITS = 12
_DEGREE_WEIGHTS = (1.0, 4.0, 4.0)
_ONES = 2118  # labels 1 in the authors' file
_TARGET = 0.99 * math.log(2)  # nat


@dataclass(frozen=True, eq=False)
class RotationTask:
    """The task: all its patterns, and the rule.

    Attributes
    ----------
    inputs : numpy.ndarray
        Shape (4096, 12), int64: every pattern of 0 and 1; bit k of the row's number is column k.
    statistic : numpy.ndarray
        Shape (4096,): f(x).
    theta, gamma : float
        Threshold and gain of the rule.
    """

    inputs: NDArray[np.int64]
    statistic: Floats
    theta: float
    gamma: float

    @property
    def probability(self) -> Floats:
        """p(y = 1 | x) of every pattern, shape (4096,)."""
        result: Floats = expit(self.gamma * (self.statistic - self.theta))
        return result

    @property
    def labels(self) -> Labels:
        """The label of every pattern without noise, 1 where f(x) is above theta: shape (4096,)."""
        return (self.statistic > self.theta).astype(np.int64)

    def label_entropy(self, base: float = 2) -> float:
        """Return H(Y) of the stochastic rule, by counting."""
        return _coin_entropy(float(self.probability.mean())) / nats_per_unit(base)

    def mutual_information(self, base: float = 2) -> float:
        """Return I(X;Y) = H(Y) - H(Y|X) of the stochastic rule with equally likely patterns, by counting."""
        return _nats(self.statistic, self.theta, self.gamma) / nats_per_unit(base)

    def known(self) -> Known:
        """Return it as a `Known`: x is the pattern as (n, 12) floats, y the label drawn by the stochastic rule."""
        return Known(
            name="12-bit rotation task",
            nats=self.mutual_information(math.e),
            draw=partial(_draw, self.inputs, self.probability),
            dim_x=BITS,
            dim_y=1,
            how="counting",
            source="Shwartz-Ziv and Tishby 2017, section 3.1; points and f chosen, see infoplane.analysis.known.szt12",
            description="12 bits at the vertices of an icosahedron, and a label that no rotation changes",
        )


@cache
def rotation_task() -> RotationTask:
    """Return the task; it takes no parameter and is always the same."""
    inputs = (np.arange(2**BITS)[:, None] >> np.arange(BITS)) & 1
    statistic = power_spectrum(inputs, degrees=len(_DEGREE_WEIGHTS) - 1) @ np.array(_DEGREE_WEIGHTS)
    ranked = np.sort(statistic)[::-1]
    theta = float(ranked[_ONES - 1] + ranked[_ONES]) / 2
    gamma = brentq(lambda gain: _nats(statistic, theta, gain) - _TARGET, 0.1, 100.0, xtol=1e-13)
    return RotationTask(inputs.astype(np.int64), statistic, theta, float(gamma))


def power_spectrum(patterns: NDArray[np.int64], *, degrees: int) -> Floats:
    """Return sum_ij x_i x_j P_l(cos angle_ij) of patterns on the icosahedron for l = 0 .. `degrees`.

    Parameters
    ----------
    patterns : numpy.ndarray
        Shape (n, 12), 0 or 1 at each vertex.
    degrees : int
        Highest degree l.

    Returns
    -------
    numpy.ndarray
        Shape (n, degrees + 1). By the addition theorem it is 4 pi / (2 l + 1) times the power of degree l of unit
        masses at the vertices where the pattern is 1 (Kazhdan, Funkhouser and Rusinkiewicz 2003).
    """
    # Cosines are ±1 and ±1/sqrt(5): set exactly, so that patterns of one class give one value.
    gram = vertices() @ vertices().T
    cosines = np.sign(gram) * np.where(np.abs(gram) > 0.9, 1.0, 1 / math.sqrt(5))
    values = patterns.astype(np.float64)
    spectra = [((values @ eval_legendre(degree, cosines)) * values).sum(axis=1) for degree in range(degrees + 1)]
    return np.round(np.column_stack(spectra), 9)


def vertices() -> Floats:
    """Return the vertices of an icosahedron on the unit sphere: shape (12, 3)."""
    golden = (1 + math.sqrt(5)) / 2
    rows = [np.roll([0.0, one, long], turn) for one in (1.0, -1.0) for long in (golden, -golden) for turn in range(3)]
    return np.array(rows) / math.sqrt(1 + golden**2)


def _nats(statistic: Floats, theta: float, gamma: float) -> float:
    p = expit(gamma * (statistic - theta))
    return _coin_entropy(float(p.mean())) - float((entr(p) + entr(1 - p)).mean())


def _coin_entropy(p: float) -> float:
    return float(entr(p) + entr(1 - p))


def _draw(inputs: NDArray[np.int64], probability: Floats, rng: np.random.Generator, n: int) -> tuple[Floats, Labels]:
    rows = rng.integers(len(inputs), size=n)
    return inputs[rows].astype(np.float64), (rng.random(n) < probability[rows]).astype(np.int64)
