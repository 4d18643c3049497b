"""How far positive values lie from a log-normal law: fit, Jensen-Shannon divergence, and its floor.

With mu and sigma the mean and standard deviation (1/n) of ln x, p the shares of the values in bins of ln x
and q the shares that the fitted normal law of ln x gives the same bins,

    JSD = 1/2 KL(p, m) + 1/2 KL(q, m),   m = (p + q)/2,   0 <= JSD <= 1 bit.

The bins end at the smallest and largest value; what the law has beyond them stands in two overflow bins, in
which the data have nothing. Without those the value roughly halves (uniform law: 0.048 nat instead of
0.1019). The *distance* is the root of the divergence in the same base; it is the root, not the divergence,
that is a metric.

A finite sample of a true log-normal does not read 0: with B bins and n values about (B - 1)/(8 n) nat. The
number of bins therefore grows with n, and a parametric bootstrap gives the floor beside each value.

Reference: the comparison of weights and activations with log-normal laws in Hofmann and Maeder (2022), Tables
II and III and Fig. 6. The paper does not define its divergence, and its tables mix magnitudes of divergence
and of distance: compare numbers of your own runs with each other, not with those tables.
"""

import math
import numbers
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from infoplane.analysis import lognormal_fit as fitting
from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.flat_values import flat_values
from infoplane.analysis.sketch import LogHistogram
from infoplane.analysis.sketch_summary import SketchSummary
from infoplane.analysis.units import nats_per_unit, unit_name

_CHOICES = {
    "values": ("positive", "abs"),
    "fit": ("mle", "moments"),
    "tail": ("overflow", "truncate"),
}
_RESOLVED = 10  # bins of a sketch per standard deviation of ln x, under which its bins are too coarse
_ROUNDING = 2.0**-40  # relative range of ln x under which bins would be cut out of rounding errors


@dataclass(frozen=True)
class LognormalJSD:
    """Divergence of positive values from the log-normal law fitted to them.

    Attributes
    ----------
    divergence : float
        Jensen-Shannon divergence, in `unit`; NaN for fewer than two different values.
    distance : float
        Its root, in the same base.
    floor : float
        Mean divergence of n draws from the fitted law through the same procedure, refit included, in `unit`.
    mu, sigma : float
        Parameters of the fitted law: mean and standard deviation of ln x (natural logarithm).
    n : int
        Number of values used.
    zero_fraction : float
        Zeros among all finite values (of every sign); NaN if there are none.
    n_nonfinite : int
        NaN and infinities that were left out.
    bins : int
        Number of bins between the smallest and the largest value.
    base : float
        Base of the logarithm of divergence and floor.
    unit : str
        As `infoplane.analysis.units.unit_name` says: ``"bit"``, ``"nat"``, ...
    findings : tuple of str
        What to know before believing the value, each as ``"code: sentence"``; the codes are ``few``,
        ``constant``, ``nonfinite``, ``floor``, ``resolution`` and ``range``.
    """

    divergence: float
    distance: float
    floor: float
    mu: float
    sigma: float
    n: int
    zero_fraction: float
    n_nonfinite: int
    bins: int
    base: float
    unit: str
    findings: tuple[str, ...]


@dataclass(frozen=True)
class _Data:
    """What the divergence needs of its input, from samples or from a sketch."""

    n: int
    n_zero: int
    n_finite: int
    n_nonfinite: int
    mu: float
    sigma: float
    binning: fitting.Binning
    log_edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    findings: tuple[str, ...]


def lognormal_jsd(
    values_or_sketch: torch.Tensor | npt.ArrayLike | LogHistogram | SketchSummary,
    *,
    base: float = 2,
    values: str = "positive",
    bins: int | None = None,
    fit: str = "mle",
    tail: str = "overflow",
    bootstrap: int = 100,
    seed: int = 0,
) -> LognormalJSD:
    """Return the Jensen-Shannon divergence of values from the log-normal law fitted to them.

    Weights of a network have both signs, and a log-normal law has only one: ``"positive"`` (the paper's
    choice) looks at the positive weights alone. Exact zeros are dropped and counted; look at `zero_fraction`
    beside the divergence of rectified activations.

    Parameters
    ----------
    values_or_sketch : torch.Tensor, array_like, LogHistogram or SketchSummary
        Real numbers of any shape, or a sketch of them. From a sketch the bins are the sketch's own, the outer
        ones cut at the exact extremes and neighbours joined where n asks for fewer, and mu and sigma are the
        sketch's.
    base : float
        Base of the logarithm, above 1: 2 for bits, ``math.e`` for nats.
    values : {"positive", "abs"}
        Use the positive values, or the magnitudes of all non-zero values.
    bins : int, optional
        Number of bins of equal width in ln x; by default 2 sqrt(n), at least 32 and at most 256. Samples
        only.
    fit : {"mle", "moments"}
        Maximum likelihood, or the law with the sample's own mean and variance. ``"moments"`` for samples
        only.
    tail : {"overflow", "truncate"}
        Keep the law's mass beyond the extremes, or drop it and renormalise, which gives values that are too
        low but near those of histograms that end at the largest value.
    bootstrap : int
        Number of simulated samples for the floor; 0 leaves it NaN.
    seed : int
        Seed of the bootstrap's own generator; the same seed gives the same floor.

    Returns
    -------
    LognormalJSD

    Raises
    ------
    InputError
        If an option has no such value, or does not apply to a sketch, or the values are not real numbers.
    """
    for name, choice in (("values", values), ("fit", fit), ("tail", tail)):
        if choice not in _CHOICES[name]:
            accepted = " or ".join(repr(known) for known in _CHOICES[name])
            near = near_names(str(choice), _CHOICES[name])
            raise InputError(f"{name}={choice!r} is unknown; it is {accepted}{near}")
    unit = nats_per_unit(base)
    for name, number, least in (("bins", bins, 2), ("bootstrap", bootstrap, 0), ("seed", seed, 0)):
        if number is not None and (
            isinstance(number, bool) or not isinstance(number, numbers.Integral) or number < least
        ):
            raise InputError(f"{name}={number!r} cannot be used; give an integer of at least {least}")
    if isinstance(values_or_sketch, LogHistogram | SketchSummary):
        if bins is not None:
            raise InputError(f"bins={bins} cannot be asked of a sketch, whose bins are fixed; leave it out")
        if fit != "mle":
            raise InputError(f"fit={fit!r} needs the samples: a sketch holds the moments of ln x alone; use 'mle'")
        data = _from_sketch(values_or_sketch, values)
    else:
        data = _from_samples(values_or_sketch, values, bins, fit)

    findings = list(data.findings)
    if data.n_nonfinite:
        findings.append(f"nonfinite: {data.n_nonfinite} NaN or infinite values were left out")
    divergence = distance = floor = math.nan
    if data.n < 2:
        findings.append(f"few: {data.n} {values} values cannot be compared with a law; two are the least")
    elif not data.counts.size:
        findings.append(f"constant: all {data.n} values are the same, a law of zero width")
    else:
        nats = fitting.divergence(data.log_edges, data.counts, data.mu, data.sigma, tail)
        divergence = nats / unit
        distance = math.sqrt(divergence)
        if bootstrap:
            null = fitting.null_divergences(data.n, data.mu, data.sigma, data.binning, tail, fit, bootstrap, seed)
            null /= unit
            floor = float(null.mean())
            usual = float(np.quantile(null, 0.95))
            if divergence <= usual:
                findings.append(
                    f"floor: {divergence:.4g} is no more than {data.n} draws from a log-normal read "
                    f"(mean {floor:.4g}, 95 % below {usual:.4g})"
                )
    return LognormalJSD(
        divergence=divergence,
        distance=distance,
        floor=floor,
        mu=data.mu,
        sigma=data.sigma,
        n=data.n,
        zero_fraction=data.n_zero / data.n_finite if data.n_finite else math.nan,
        n_nonfinite=data.n_nonfinite,
        bins=data.counts.size,
        base=float(base),
        unit=unit_name(base),
        findings=tuple(findings),
    )


def _from_samples(given: torch.Tensor | npt.ArrayLike, values: str, bins: int | None, fit: str) -> _Data:
    numbers = flat_values(given).astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    used = np.abs(finite[finite != 0]) if values == "abs" else finite[finite > 0]
    logs = np.log(used)
    binning = fitting.Binning(bins=bins)
    mu, sigma = fitting.parameters(logs, None, fit) if logs.size else (math.nan, math.nan)
    log_edges, counts = np.empty(0), np.empty(0, dtype=np.int64)
    if logs.size and np.ptp(logs) > _ROUNDING * max(1.0, float(np.abs(logs).max())):
        log_edges = binning.edges(float(logs.min()), float(logs.max()), logs.size)
        counts = np.histogram(logs, bins=log_edges)[0].astype(np.int64)
    elif logs.size:
        mu, sigma = float(logs[0]), 0.0
    n_zero = finite.size - int(np.count_nonzero(finite))
    return _Data(logs.size, n_zero, finite.size, numbers.size - finite.size, mu, sigma, binning, log_edges, counts, ())


def _from_sketch(sketch: LogHistogram | SketchSummary, values: str) -> _Data:
    summary = sketch.summary() if isinstance(sketch, LogHistogram) else sketch
    sign = 0 if values == "abs" else 1
    magnitudes = summary.magnitudes(sign)
    n_nonfinite = int(summary["nans"] + summary["infinities"])
    grid, per_octave, findings = fitting.LOG_FINE_EDGES, 32, []
    if isinstance(sketch, SketchSummary):
        grid, per_octave = fitting.LOG_SUMMARY_EDGES, 8
        signs = ("positive", "negative") if values == "abs" else ("positive",)
        outside = sum(int(summary[f"underflow_{s}"] + summary[f"overflow_{s}"]) for s in signs)
        if outside:
            findings.append(f"range: {outside} of {magnitudes.count} values lie outside the bins, 2^-40 to 2^24")
    binning = fitting.Binning(grid=grid)
    log_edges, counts = np.empty(0), np.empty(0, dtype=np.int64)
    mu, sigma = magnitudes.mean_log, magnitudes.std_log
    if magnitudes.count and magnitudes.minimum < magnitudes.maximum:
        edges, fine = sketch.histogram(sign)
        kept = binning.kept(np.log(edges), magnitudes.count)
        log_edges = np.log(edges[kept])
        counts = np.add.reduceat(fine, kept[:-1])
        width = math.log(2) / per_octave
        if sigma < _RESOLVED * width:
            findings.append(
                f"resolution: sigma of ln x is {sigma:.3g}, {sigma / width:.1f} bins of this sketch; "
                f"under some {_RESOLVED} bins a narrow law looks log-normal"
            )
    elif magnitudes.count:
        mu, sigma = math.log(magnitudes.minimum), 0.0
    return _Data(
        n=magnitudes.count,
        n_zero=int(summary["zeros"]),
        n_finite=int(summary["n"]) - n_nonfinite,
        n_nonfinite=n_nonfinite,
        mu=mu,
        sigma=sigma,
        binning=binning,
        log_edges=log_edges,
        counts=counts,
        findings=tuple(findings),
    )
