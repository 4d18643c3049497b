"""Checking an estimator against a distribution whose information is known.

A check passes by the direction of its estimator: an ``estimate`` lies within the tolerance of the truth; a bound lies
on its side of the truth, up to three standard errors, and within the tolerance on that side. A check that fails while
every one of its estimates warned, by a finding that casts doubt on the value, is told apart from one that fails in
silence.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from infoplane.analysis.estimate import Estimate
from infoplane.analysis.estimators.method import Kind
from infoplane.analysis.known import Known
from infoplane.analysis.samples import Floats, Labels

SIGMAS = 3.0
"""Standard errors by which a bound may lie on the wrong side of the truth."""
ABOUT_SAMPLES = frozenset({"collinear", "constant", "constant_columns", "floats_as_labels", "ties"})
"""Codes of findings that describe the samples and were dealt with; any other casts doubt on the value."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Check:
    """One estimator on one distribution.

    Attributes
    ----------
    law : Known
        The distribution.
    method : str
        What the table calls the estimator.
    run : callable
        ``run(x, y) -> Estimate`` in nats.
    n : int
        Samples.
    tolerance : float
        In nats.
    seeds : int
        The value is the mean over as many independent sets of samples.
    """

    law: Known
    method: str
    run: Callable[[Floats | Labels, Floats | Labels], Estimate]
    n: int
    tolerance: float
    seeds: int = 1


@dataclass(frozen=True)
class Outcome:
    """What a check gave; informations in nats.

    Attributes
    ----------
    law, method, kind, n, seeds
        As checked.
    truth, value, error, tolerance : float
        `value` is the mean over the seeds, `error` its difference from the truth.
    standard_error : float
        Of `value`: the larger of the spread over the seeds and the estimator's own; NaN where neither is known.
    seconds : float
        Of one estimate, mean over the seeds.
    verdict : {"pass", "warned", "fail"}
        ``warned``: outside the tolerance, and every estimate warned so.
    findings : tuple of str
        Codes of all findings of the estimates.
    """

    law: str
    method: str
    kind: Kind
    n: int
    seeds: int
    truth: float
    value: float
    error: float
    tolerance: float
    standard_error: float
    seconds: float
    verdict: str
    findings: tuple[str, ...]


def verify(checks: Iterable[Check]) -> Iterator[Outcome]:
    """Run checks one by one and yield what each gave.

    Parameters
    ----------
    checks : iterable of Check
        As `infoplane.analysis.acceptance` lists them, or your own.

    Yields
    ------
    Outcome
    """
    for check in checks:
        yield _outcome(check)


def _outcome(check: Check) -> Outcome:
    estimates, seconds = [], 0.0
    for seed in range(check.seeds):
        x, y = check.law.sample(check.n, seed=seed)
        began = time.perf_counter()
        estimates.append(check.run(x, y))
        seconds += time.perf_counter() - began
    values = np.array([e.value for e in estimates])
    value, error = float(values.mean()), float(values.mean()) - check.law.nats
    own = float(np.mean([e.standard_error for e in estimates])) / math.sqrt(check.seeds)
    spread = float(values.std(ddof=1)) / math.sqrt(check.seeds) if check.seeds > 1 else own
    spread = max(spread, 0.0 if math.isnan(own) else own)  # three seeds alone may agree by chance
    kind = estimates[0].kind
    codes = [{finding.code for finding in e.findings} for e in estimates]
    verdict = "pass" if _passes(kind, error, check.tolerance, spread) else "fail"
    if verdict == "fail" and all(said - ABOUT_SAMPLES for said in codes):
        verdict = "warned"
    return Outcome(
        law=check.law.name,
        method=check.method,
        kind=kind,
        n=check.n,
        seeds=check.seeds,
        truth=check.law.nats,
        value=value,
        error=error,
        tolerance=check.tolerance,
        standard_error=spread,
        seconds=seconds / check.seeds,
        verdict=verdict,
        findings=tuple(sorted(set().union(*codes))),
    )


def _passes(kind: Kind, error: float, tolerance: float, standard_error: float) -> bool:
    if not math.isfinite(error):
        return False
    slack = _ROUNDING + (0.0 if math.isnan(standard_error) else SIGMAS * standard_error)
    if kind == "lower_bound":
        return -tolerance <= error <= slack
    if kind == "upper_bound":
        return -slack <= error <= tolerance
    return abs(error) <= tolerance
