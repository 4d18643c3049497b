"""Mutual information of a Student t copula: normal dependence with heavy joint tails, under any margins.

    I(X;Y) = 1/2 log [det R_x det R_y / det R] + h(dx, nu) + h(dy, nu) - h(dx + dy, nu)
    h(d, nu) = d/2 log nu + log Gamma(nu/2) - log Gamma((nu + d)/2) + (nu + d)/2 [psi((nu + d)/2) - psi(nu/2)]

where h is the entropy of a t of d dimensions with unit dispersion, less d/2 log pi (Guerrero-Cusumano 1996). Ranks
become t quantiles of the trial nu, R is fitted to them by EM (each sample weighted by (nu + d) / (nu + its squared
Mahalanobis distance); Liu and Rubin 1995), and nu maximises the log-likelihood of the copula (Demarta and McNeil
2005, the density of the t copula). With R the identity I is above 0: the samples share their scale.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, psi
from scipy.stats import t as student

from infoplane.analysis.estimators.gaussian import wishart_bias
from infoplane.analysis.estimators.gaussian_copula import GaussianCopula, gaussian_copula
from infoplane.analysis.estimators.independent_columns import independent_columns
from infoplane.analysis.estimators.method import Floats, Method, Reading
from infoplane.analysis.estimators.normal_scores import normal_scores, ranks

LEAST_GAIN = 5.0
"""Nats of log-likelihood over the Gaussian copula from which its tails are heavy: 2 x 5 is beyond the 0.999 quantile
of chi-squared with one degree of freedom."""
_NU = (0.3, 300.0)  # from there on a t copula is Gaussian to any practical n
_STEPS = 50
_SETTLED = 1e-5  # change of R's entries at which EM stops


@dataclass(frozen=True)
class TCopula:
    """No parameter: the degrees of freedom are fitted."""


@dataclass(frozen=True, eq=False)
class TFit:
    """A fitted t copula.

    Attributes
    ----------
    nu : float
        Degrees of freedom; infinity for the Gaussian copula.
    correlation : numpy.ndarray
        Shape (d, d).
    gain : float
        Log-likelihood over that of the Gaussian copula, in nats, sum over samples.
    """

    nu: float
    correlation: Floats
    gain: float


def t_copula(x: Floats, y: Floats, parameters: TCopula) -> Reading:
    """Return the information of the t copula that fits best.

    Increasing maps of single columns leave the value as it is.

    Parameters
    ----------
    x, y : numpy.ndarray
        Shapes (n, dx) and (n, dy). A column that is a combination of others is left out and said.
    parameters : TCopula
        None.

    Returns
    -------
    Reading
        In nats. `chosen` holds ``nu`` (infinity where the gain is not above 5 nats, and the value that of the Gaussian
        copula) and ``log_likelihood_gain``. The bias of the Gaussian term is taken off to first order in 1/n.

    Raises
    ------
    InputError
        When n is not above dx + dy + 1.
    """
    gaussian = gaussian_copula(x, y, GaussianCopula())
    if not math.isfinite(gaussian.nats):
        return replace(gaussian, chosen={"nu": math.inf, "log_likelihood_gain": 0.0})
    kept = [side[:, independent_columns("", normal_scores(side))[0]] for side in (x, y)]
    dx = kept[0].shape[1]
    fit = fit_t_copula(np.hstack(kept))
    nats = information(fit, dx) - bias(fit, len(x), dx)
    chosen = {"nu": fit.nu, "log_likelihood_gain": fit.gain}
    return Reading(nats, findings=gaussian.findings, chosen=chosen)


def fit_t_copula(points: Floats) -> TFit:
    """Return the t copula of samples of shape (n, d), the Gaussian one where the gain is not above `LEAST_GAIN`."""
    shares = ranks(points)
    n, d = points.shape
    scores = normal_scores(points)
    gaussian = np.corrcoef(scores, rowvar=False).reshape(d, d)
    reference = _log_copula(scores, gaussian, math.inf)
    # a column without ties takes n different ranks: quantiles of those are all there is to compute
    grid, where = np.unique(shares, return_inverse=True)
    where = where.reshape(n, d)
    latest = gaussian

    def fitted(log_nu: float) -> tuple[Floats, float]:
        nonlocal latest
        nu = math.exp(log_nu)
        quantiles = student.ppf(grid, nu)[where]
        latest = _correlation(quantiles, nu, latest)
        return latest, _log_copula(quantiles, latest, nu)

    low, high = map(math.log, _NU)
    best = minimize_scalar(lambda s: -fitted(s)[1], bounds=(low, high), method="bounded", options={"xatol": 0.005}).x
    correlation, likelihood = fitted(float(best))
    gain = likelihood - reference
    if gain <= LEAST_GAIN:
        return TFit(math.inf, gaussian, gain)
    return TFit(math.exp(best), correlation, gain)


def information(fit: TFit, dx: int) -> float:
    """Return the information between the first dx columns of a fitted t copula and the others, in nats."""
    r = fit.correlation
    logs = [np.linalg.slogdet(block)[1] for block in (r[:dx, :dx], r[dx:, dx:], r)]
    gaussian = 0.5 * float(logs[0] + logs[1] - logs[2])
    return gaussian + tail_information(fit.nu, dx, len(r) - dx)


def tail_information(nu: float, dx: int, dy: int) -> float:
    """Return the information of a t with identity dispersion, in nats; 0 for infinite nu."""
    if math.isinf(nu):
        return 0.0

    def entropy(d: int) -> float:
        half, whole = nu / 2, (nu + d) / 2
        value = d / 2 * math.log(nu) + gammaln(half) - gammaln(whole) + whole * (psi(whole) - psi(half))
        return float(value)

    return entropy(dx) + entropy(dy) - entropy(dx + dy)


def bias(fit: TFit, n: int, dx: int) -> float:
    """Return by how much the Gaussian term is too high on average, in nats, to first order in 1/n.

    The variance of R's entries is (nu + d + 2) / (nu + d) times that of normal samples (Tyler 1982), and so is the
    bias, quadratic in them, of `wishart_bias`.
    """
    d = len(fit.correlation)
    wider = 1.0 if math.isinf(fit.nu) else (fit.nu + d + 2) / (fit.nu + d)
    return wider * wishart_bias(n, dx, d - dx)


def _correlation(quantiles: Floats, nu: float, start: Floats) -> Floats:
    """Return the maximum-likelihood dispersion of a t with nu degrees of freedom, scaled to unit diagonal."""
    n, d = quantiles.shape
    r = start
    for _ in range(_STEPS):
        weights = (nu + d) / (nu + _distances(quantiles, r)[0])
        new = (quantiles * weights[:, None]).T @ quantiles / n
        scale = np.sqrt(np.diag(new))
        new /= np.outer(scale, scale)
        if np.abs(new - r).max() < _SETTLED:
            return np.asarray(new)
        r = new
    return r


def _distances(quantiles: Floats, r: Floats) -> tuple[Floats, float]:
    """Return squared Mahalanobis distances of the rows, and log det r."""
    factor = np.linalg.cholesky(r)
    white = np.linalg.solve(factor, quantiles.T)
    return (white**2).sum(axis=0), 2 * float(np.log(np.diag(factor)).sum())


def _log_copula(quantiles: Floats, r: Floats, nu: float) -> float:
    """Return the log-likelihood of the copula: that of the joint law less that of its margins."""
    n, d = quantiles.shape
    distances, log_det = _distances(quantiles, r)
    if math.isinf(nu):
        return float(-0.5 * (n * log_det + distances.sum() - (quantiles**2).sum()))
    constant = gammaln((nu + d) / 2) + (d - 1) * gammaln(nu / 2) - d * gammaln((nu + 1) / 2) - 0.5 * log_det
    joint = -(nu + d) / 2 * np.log1p(distances / nu).sum()
    margins = -(nu + 1) / 2 * np.log1p(quantiles**2 / nu).sum()
    return float(n * constant + joint - margins)


METHOD = Method(
    name="t_copula",
    function=t_copula,
    parameters=TCopula,
    kind="estimate",
    x="continuous",
    y="continuous",
    assumes="increasing maps of the single columns make (x, y) one Student t or one normal law",
    wrong_when="the dependence is not monotone, mixes columns by a bent map, or the columns do not share one tail",
    source="Demarta and McNeil 2005 (density of the t copula); Guerrero-Cusumano 1996 (its information)",
    least_n=4,
)
