"""Nodes and weights of a law of inputs, so that an expectation becomes a weighted sum.

A finite law is its own quadrature. A continuous law is cut at its quantiles 2^-k from either end, k = 1 to 50, and at
places the caller names, and each panel takes ten Gauss-Legendre nodes; what lies beyond the outermost quantiles (mass
2^-50 = 1e-15 each) is left out. That is exact to rounding for a density that is smooth between the ends of its
support; one whose panels do not sum to 1 (inner steps, steep poles) is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infoplane.analysis.errors import InputError
from infoplane.analysis.information import probability_table

Floats = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(10)
_TAIL = 0.5 ** np.arange(1, 51)
# Ten nodes integrate a smooth density to rounding; an error above this is a step inside a panel, or a pole.
_MASS_TOLERANCE = 1e-8


@runtime_checkable
class ContinuousLaw(Protocol):
    """What is used of a frozen continuous distribution of scipy.stats, such as ``scipy.stats.norm(0, 2)``."""

    def pdf(self, x: Any) -> Any:
        """Return the density."""

    def ppf(self, q: Any) -> Any:
        """Return the quantiles."""

    def isf(self, q: Any) -> Any:
        """Return the upper quantiles."""


InputLaw = ContinuousLaw | tuple[ArrayLike, ArrayLike] | Sequence[ArrayLike]


@dataclass(frozen=True)
class FiniteLaw:
    """A law of finitely many values.

    Attributes
    ----------
    values, probabilities : numpy.ndarray
        Shape (K,) each.
    """

    values: Floats
    probabilities: Floats

    @property
    def center(self) -> float:
        """The mean."""
        return float(self.values @ self.probabilities)

    def nodes(self, cuts: Floats) -> tuple[Floats, Floats]:
        """Return values and weights, each (len(cuts), K); `cuts` are not needed."""
        shape = (len(cuts), self.values.size)
        return np.broadcast_to(self.values, shape), np.broadcast_to(self.probabilities, shape)


@dataclass(frozen=True)
class DensityLaw:
    """A continuous law, cut into panels.

    Attributes
    ----------
    law : ContinuousLaw
        With its density.
    edges : numpy.ndarray
        Shape (E,): its quantiles, ascending.
    """

    law: ContinuousLaw
    edges: Floats

    @property
    def center(self) -> float:
        """The median."""
        return float(self.edges[self.edges.size // 2])

    def nodes(self, cuts: Floats) -> tuple[Floats, Floats]:
        """Return nodes and weights, each (m, K), for m rows of extra cuts, (m, c); NaN cuts nothing."""
        low, high = self.edges[0], self.edges[-1]
        extra = np.clip(np.nan_to_num(cuts, nan=low), low, high)
        edges = np.sort(np.hstack([np.broadcast_to(self.edges, (len(cuts), self.edges.size)), extra]), axis=1)
        half = np.diff(edges, axis=1)[:, :, None] / 2
        x = (edges[:, :-1, None] + half + half * _NODES).reshape(len(cuts), -1)
        weights = (half * _WEIGHTS).reshape(len(cuts), -1)
        # A panel without width may lie where the density is infinite.
        mass = np.zeros_like(weights)
        wide = weights > 0
        mass[wide] = weights[wide] * np.asarray(self.law.pdf(x[wide]), dtype=np.float64)
        return x, mass / mass.sum(axis=1, keepdims=True)

    def mass(self) -> float:
        """Return the integral of the density over the panels, which should be 1."""
        half = np.diff(self.edges)[:, None] / 2
        x = self.edges[:-1, None] + half + half * _NODES
        return float((half * _WEIGHTS * np.asarray(self.law.pdf(x))).sum())


def read_law(law: InputLaw) -> FiniteLaw | DensityLaw:
    """Return the law as one that gives nodes and weights.

    Parameters
    ----------
    law : pair of array_like, or frozen scipy.stats distribution
        ``(values, probabilities)``, shape (K,) each; or a continuous distribution with pdf, ppf and isf.

    Raises
    ------
    InputError
        When it is neither, when the probabilities do not sum to 1, or when the density cannot be integrated.
    """
    if isinstance(law, tuple | list) and len(law) == 2:
        try:
            values = np.asarray(law[0], dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"the values of input_law cannot be read as numbers ({error})") from error
        probabilities = probability_table("the probabilities of input_law", law[1])
        if values.ndim != 1 or values.shape != probabilities.shape or not np.isfinite(values).all():
            raise InputError(
                f"input_law has values of shape {values.shape} and probabilities of shape {probabilities.shape}, "
                "but it needs finite values and as many probabilities, both one-dimensional"
            )
        return FiniteLaw(values, probabilities)
    if isinstance(law, ContinuousLaw) and not hasattr(law, "pmf"):
        with np.errstate(all="ignore"):
            edges = np.unique(np.concatenate([law.ppf(_TAIL), law.isf(_TAIL)]).astype(np.float64))
            density = DensityLaw(law, edges)
            mass = density.mass() if np.isfinite(edges).all() else np.nan
        if not abs(mass - 1) < _MASS_TOLERANCE:
            raise InputError(
                f"the density of input_law integrates to {mass:.9g} by quadrature instead of 1, so it has steps or "
                "poles that the quadrature does not resolve: give the law as (values, probabilities)"
            )
        return density
    raise InputError(
        f"input_law is a {type(law).__name__}, but it must be (values, probabilities) or a frozen continuous "
        "distribution of scipy.stats; for a discrete one give its values and probabilities"
    )
