"""From one value per input to an `Estimate` of the code's information, with its ceiling log n beside it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.estimate import Estimate
from infoplane.analysis.estimators.method import Kind
from infoplane.analysis.finding import Finding
from infoplane.analysis.noisy_code.code import GaussianCode
from infoplane.analysis.units import nats_per_unit, unit_name

Floats = NDArray[np.float64]
MARGINAL = "mutual information I(Z;X) of the code"
RESIDUAL = "residual information I(Z;X|Y) of the code"
_NEAR = 0.1  # of the ceiling
_ROUNDING = 1e-9


class Enclosure(NamedTuple):
    """A lower and an upper bound on one quantity; ``low, high = ...`` unpacks it."""

    lower: Estimate
    upper: Estimate

    def __str__(self) -> str:
        return f"{self.lower}\n{self.upper}"


def code_estimate(
    terms: Floats,
    code: GaussianCode,
    *,
    kind: Kind,
    method: str,
    base: float,
    ceiling: float,
    quantity: str = MARGINAL,
    parameters: Mapping[str, Any] | None = None,
    influence: Floats | None = None,
) -> Estimate:
    """Return the mean of one value per input as an `Estimate`.

    Parameters
    ----------
    terms : numpy.ndarray
        Shape (n,), nats: means over draws, one per input.
    code : GaussianCode
        Of those inputs.
    kind, method, quantity, parameters
        As in `Estimate`; the code's dimensions and the ceiling are added to the parameters.
    base : float
        Base of the logarithm.
    ceiling : float
        Nats: what n inputs can carry at most, log n, or log n less H(Y) given the label.
    influence : numpy.ndarray, optional
        Shape (n,), nats: what each input adds to the mean to first order, where that is not its term.

    Returns
    -------
    Estimate
        Its standard error is sd / sqrt(n) over inputs, NaN for a single one. A lower bound within 10 % of the ceiling,
        and an upper bound above it, say so.
    """
    unit, n = nats_per_unit(base), code.n
    nats = float(terms.mean())
    spread = terms if influence is None else influence
    error = float(spread.std(ddof=1)) / n**0.5 if n > 1 else float("nan")
    findings = tuple(f.in_units(unit_name(base), unit) for f in _at_ceiling(nats, kind, n, ceiling))
    return Estimate(
        value=nats / unit,
        unit=unit_name(base),
        kind=kind,
        method=method,
        parameters={**(parameters or {}), "dimensions": code.dimensions, "ceiling": ceiling / unit},
        n=n,
        standard_error=error / unit,
        findings=findings,
        quantity=quantity,
    )


def _at_ceiling(nats: float, kind: Kind, n: int, ceiling: float) -> tuple[Finding, ...]:
    if kind == "lower_bound" and nats > (1 - _NEAR) * ceiling > 0:
        text = f"{n} inputs cannot show more than its ceiling, and it sits within 10 % below that"
        advice = "the truth may be far above: take more inputs"
        return (Finding("at_ceiling", "lower bound", text, ceiling - nats, "nat", advice),)
    if kind == "upper_bound" and nats > ceiling + _ROUNDING:
        text = f"it is above its ceiling, which is what {n} inputs can carry"
        advice = "it says nothing about these inputs, and little about their law"
        return (Finding("above_log_n", "upper bound", text, nats - ceiling, "nat", advice),)
    return ()
