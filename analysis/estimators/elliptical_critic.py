"""Log-ratios of the families with elliptical contours, fitted to one part of the samples: normal and t copula.

    T(x, y) = -(nu + d)/2 log(1 + q/nu) + (nu + dx)/2 log(1 + q_x/nu) + (nu + dy)/2 log(1 + q_y/nu)

in nats up to a constant, with q = z' R^-1 z of z = (x, y), q_x and q_y those of the parts, d = dx + dy, and the limit
-(q - q_x - q_y)/2 for infinite nu. Margins are taken off by the fitted part's own ranks, or standardised.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import t as student

from infoplane.analysis.estimators.independent_columns import independent_columns
from infoplane.analysis.estimators.method import Floats
from infoplane.analysis.estimators.normal_scores import Ranking, normal_scores
from infoplane.analysis.estimators.t_copula import fit_t_copula

Margin = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class EllipticalCritic:
    """A fitted family.

    Attributes
    ----------
    nu : float
        Degrees of freedom, infinity for a normal law.
    precision, precision_x, precision_y : numpy.ndarray
        R^-1 of the mapped columns of (x, y), of x and of y; shapes (d, d), (dx, dx) and (dy, dy).
    margin_x, margin_y : callable
        From samples (m, dx) and (m, dy) to the mapped columns.
    """

    nu: float
    precision: Floats
    precision_x: Floats
    precision_y: Floats
    margin_x: Margin
    margin_y: Margin

    def log_ratios(self, x: Floats, y: Floats) -> Floats:
        """Return T(x_i, y_j), shape (m, m), in nats up to one constant."""
        return self.of_mapped(self.margin_x(x), self.margin_y(y))

    def of_mapped(self, u: Floats, v: Floats) -> Floats:
        """Return the same from columns that are mapped already."""
        dx, dy = u.shape[1], v.shape[1]
        squares = _squares(u, self.precision[:dx, :dx])[:, None] + _squares(v, self.precision[dx:, dx:])[None]
        squares += 2 * (u @ self.precision[:dx, dx:]) @ v.T
        alone_x, alone_y = _squares(u, self.precision_x)[:, None], _squares(v, self.precision_y)[None]
        if math.isinf(self.nu):
            return np.asarray((alone_x + alone_y - squares) / 2)
        density, density_x, density_y = (
            -(self.nu + d) / 2 * np.log1p(np.maximum(part, 0) / self.nu)
            for part, d in ((squares, dx + dy), (alone_x, dx), (alone_y, dy))
        )
        return np.asarray(density - density_x - density_y)


def fit_elliptical(x: Floats, y: Floats, family: Literal["gaussian", "t_copula"]) -> EllipticalCritic:
    """Return the family fitted to samples of shapes (n, dx) and (n, dy), on the columns that are independent there.

    Columns that vary over all samples may be constant in a part of them, or combinations of others.
    """
    r: Floats
    kept = varied_columns(x), varied_columns(y)
    x, y = x[:, kept[0]], y[:, kept[1]]
    if family == "gaussian":
        margins = [_standardising(side) for side in (x, y)]
        joint = np.hstack([margin(side) for margin, side in zip(margins, (x, y), strict=True)])
        nu, r = math.inf, np.array(np.corrcoef(joint, rowvar=False), dtype=np.float64)
    else:
        fit = fit_t_copula(np.hstack([normal_scores(side) for side in (x, y)]))
        nu, r = fit.nu, fit.correlation
        margins = [_ranking(side, nu) for side in (x, y)]
    dx = x.shape[1]
    precision, precision_x, precision_y = (_inverse(block) for block in (r, r[:dx, :dx], r[dx:, dx:]))
    return EllipticalCritic(nu, precision, precision_x, precision_y, *map(_of_columns, kept, margins))


def varied_columns(side: Floats) -> NDArray[np.int64]:
    """Return the columns of which neither they nor their normal scores are constant or combinations of others."""
    varying = np.flatnonzero(np.ptp(side, axis=0) > 0)
    kept = varying[independent_columns("", side[:, varying])[0]]
    return kept[independent_columns("", normal_scores(side[:, kept]))[0]]


def _of_columns(kept: NDArray[np.int64], margin: Margin) -> Margin:
    return lambda side: margin(side[:, kept])


def _inverse(block: Floats) -> Floats:
    return np.linalg.inv(block).astype(np.float64)


def _squares(rows: Floats, inverse: Floats) -> Floats:
    squares: Floats = ((rows @ inverse) * rows).sum(axis=1)
    return squares


def _standardising(fitted: Floats) -> Margin:
    centre, scale = fitted.mean(axis=0), fitted.std(axis=0)
    return lambda side: (side - centre) / scale


def _ranking(fitted: Floats, nu: float) -> Margin:
    ranking = Ranking.of(fitted)

    def mapped(side: Floats) -> Floats:
        shares = ranking.shares(side)
        quantiles: Floats = ndtri(shares) if math.isinf(nu) else student.ppf(shares, nu)
        return quantiles

    return mapped
