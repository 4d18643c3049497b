"""Mutual information of jointly normal variables, from their canonical correlations.

    I(X;Y) = -1/2 sum_i log(1 - rho_i^2) = 1/2 log [det S_x det S_y / det S]

with rho_i the canonical correlations of x and y (Hotelling 1936), S the sample covariance of (x, y) and S_x, S_y its
blocks. A canonical correlation is the cosine of an angle between the spans of the columns; the angle keeps its digits
where the cosine is 1 but for rounding, so that up to some 30 nats are read. The plug-in value is too high by b = 1/2
[sum psi over x and y apart less psi jointly] (see `wishart_bias`), exact for normal samples, which is taken off.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import subspace_angles
from scipy.special import psi

from infoplane.analysis.estimators.independent_columns import independent_columns
from infoplane.analysis.estimators.jitter import standardised
from infoplane.analysis.estimators.method import Floats, Method, Reading, need
from infoplane.analysis.finding import Finding

_SHARED = 1e-13  # angle that differs from 0 by rounding alone


@dataclass(frozen=True)
class Gaussian:
    """No parameter: the law is given by its covariance."""


def gaussian(x: Floats, y: Floats, parameters: Gaussian) -> Reading:
    """Return the information of the normal law with the samples' covariance, less its exact bias.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (n, dx) and (n, dy).
    parameters : Gaussian
        None.

    Returns
    -------
    Reading
        In nats. Columns that are linear combinations of others are left out and said; infinity where x and y share a
        direction without noise.

    Raises
    ------
    InputError
        When n is not above dx + dy + 1.
    """
    n = len(x)
    kept_x, found_x = independent_columns("x", x)
    kept_y, found_y = independent_columns("y", y)
    dx, dy = len(kept_x), len(kept_y)
    need(n, dx + dy + 2, f"a normal law of {dx} + {dy} dimensions")
    sines = np.sin(subspace_angles(standardised(x[:, kept_x]), standardised(y[:, kept_y])))
    found = found_x + found_y
    if (sines < _SHARED).any():
        sines[sines < _SHARED] = 0
        text = "a linear combination of x is one of y, so the information of the normal law is infinite"
        found += (Finding("deterministic", "x, y", text, advice="quantise, or add noise of stated variance"),)
    with np.errstate(divide="ignore"):
        plug_in = float(-np.log(sines).sum())  # sin^2 = 1 - rho^2
    return Reading(plug_in - wishart_bias(n, dx, dy), findings=found)


def wishart_bias(n: int, dx: int, dy: int) -> float:
    """Return by how much the plug-in value of n normal samples is too high on average, in nats.

    E log det of a sample covariance of d dimensions is that of the law plus sum_{i=1}^{d} [psi((n - i)/2) -
    log((n - 1)/2)]; the logarithms cancel between the three determinants.
    """

    def digammas(d: int) -> float:
        return float(psi((n - np.arange(1, d + 1)) / 2).sum())

    return 0.5 * (digammas(dx) + digammas(dy) - digammas(dx + dy))


METHOD = Method(
    name="gaussian",
    function=gaussian,
    parameters=Gaussian,
    kind="estimate",
    x="continuous",
    y="continuous",
    assumes="x and y are jointly normal",
    wrong_when="the dependence is not linear: it sees correlations alone, and is then too low as a rule",
    source="Hotelling 1936 (canonical correlations); bias: the mean log-determinant of a Wishart matrix",
    least_n=4,
)
