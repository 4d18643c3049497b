"""Mutual information of samples by any method of the field, behind one call.

    I(X;Y) = E log [p(x, y) / (p(x) p(y))]

in bits with ``base=2``. A number comes with its unit, its direction (estimate, lower or upper bound), its estimator
with every choice that went into it, n, a standard error where the estimator has one, and the findings: what cannot be
true of it, or what to know before believing it. Nothing is clipped.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.estimators import NAMES, method_named
from infoplane.analysis.estimators.method import Kind, Method, Reading, Side
from infoplane.analysis.finding import Finding
from infoplane.analysis.rows import row_keys
from infoplane.analysis.samples import Samples, SamplesLike, read_samples
from infoplane.analysis.units import nats_per_unit, unit_name
from infoplane.analysis.validity import findings_of_value

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Estimate:
    """One value with all that belongs to it.

    Attributes
    ----------
    value : float
        In `unit`; never clipped.
    unit : str
        ``"bit"``, ``"nat"``, ...
    kind : {"estimate", "lower_bound", "upper_bound"}
        What the value is of `quantity`.
    method : str
        The estimator.
    parameters : mapping
        Its parameters, and what it chose from the data.
    n : int
        Samples.
    standard_error : float
        Over samples, in `unit`; NaN where the estimator has none (`infoplane.analysis.uncertainty` gives one).
    findings : tuple of Finding
        What cannot be true of it, or what to know before believing it.
    quantity : str
        What is estimated: ``"mutual information"``, or what the method measures in its place.
    """

    value: float
    unit: str
    kind: Kind
    method: str
    parameters: Mapping[str, Any]
    n: int
    standard_error: float
    findings: tuple[Finding, ...]
    quantity: str

    def __str__(self) -> str:
        error = "" if math.isnan(self.standard_error) else f" ± {self.standard_error:.2g}"
        lines = [
            f"{self.quantity} {self.value:.4f}{error} {self.unit} "
            f"({self.method}, {self.kind.replace('_', ' ')}, n = {self.n})",
            *(f"  {finding}" for finding in self.findings),
        ]
        return "\n".join(lines)


def estimate(x: SamplesLike, y: SamplesLike, *, method: str = "auto", base: float = 2, **parameters: Any) -> Estimate:
    """Estimate the mutual information of two variables from paired samples.

    Parameters
    ----------
    x, y : torch.Tensor or array_like
        Shape (n, d) or (n,), one row per sample, paired. Floats are quantities; integers and booleans are labels,
        which are only equal or different (a row of several is one label).
    method : str
        `methods` lists them with what each assumes and when it is wrong.
    base : float
        Base of the logarithm: 2 for bits, ``math.e`` for nats.
    **parameters
        Of the method; its dataclass says which.

    Returns
    -------
    Estimate
        The value does not depend on the order of the samples.

    Raises
    ------
    InputError
        When a sample is not finite, the shapes do not fit, there are too few samples, the method is for another
        sort of variable, or a parameter is unknown or out of range.
    """
    unit = nats_per_unit(base)
    chosen = method_named(method)
    values = parameters_of(chosen, parameters)
    pair = read_samples("x", x), read_samples("y", y)
    if pair[0].n != pair[1].n:
        raise InputError(f"x has {pair[0].n} samples and y {pair[1].n}, but they come in pairs")
    n = pair[0].n
    if n < chosen.least_n:
        raise InputError(f"there are {n} samples, but method {method!r} needs at least {chosen.least_n}")
    reading, found = _apply(chosen, *pair, values)
    kind = reading.kind or chosen.kind
    found += reading.findings
    found += findings_of_value(
        reading.nats, kind, entropies=(_entropy_bound(pair[0], chosen.x), _entropy_bound(pair[1], chosen.y)), n=n
    )
    return Estimate(
        value=reading.nats / unit,
        unit=unit_name(base),
        kind=kind,
        method=method,
        parameters={**asdict(values), **reading.chosen},
        n=n,
        standard_error=reading.standard_error / unit,
        findings=tuple(finding.in_units(unit_name(base), unit) for finding in found),
        quantity=chosen.quantity,
    )


def methods() -> "pd.DataFrame":
    """Return the table of methods: name, kind, variables, parameters, what it assumes, when it is wrong, source."""
    import pandas as pd

    rows = []
    for known in map(method_named, NAMES):
        defaults = asdict(known.parameters())
        rows.append(
            {
                "method": known.name,
                "kind": known.kind,
                "quantity": known.quantity,
                "x": known.x,
                "y": known.y,
                "parameters": ", ".join(f"{name}={value!r}" for name, value in defaults.items()),
                "assumes": known.assumes,
                "wrong when": known.wrong_when,
                "source": known.source,
            }
        )
    return pd.DataFrame(rows)


def parameters_of(method: Method, given: Mapping[str, Any]) -> Any:
    """Return the parameters of `method` from keywords; InputError with near names for an unknown one."""
    known = [field.name for field in fields(method.parameters)]
    for name in given:
        if name not in known:
            accepted = ", ".join(known) or "none"
            raise InputError(
                f"method {method.name!r} has no parameter {name!r}{near_names(name, known)}; its parameters: {accepted}"
            )
    make: Callable[..., Any] = method.parameters
    return make(**given)


def _apply(method: Method, x: Samples, y: Samples, parameters: Any) -> tuple[Reading, tuple[Finding, ...]]:
    """Return the reading of the method's function, and what the samples themselves give reason to say."""
    sides, found = [], []
    for side, wanted in ((x, method.x), (y, method.y)):
        if wanted == "discrete" or (wanted == "either" and side.discrete):
            sides.append(side.symbols())
            continue
        if side.discrete:
            raise InputError(
                f"{side.name} holds integers, which are read as labels, but method {method.name!r} needs a continuous "
                f"variable; give floats if they are quantities ({side.name}.astype(float)), else a method for labels"
            )
        varies = np.ptp(side.values, axis=0) > 0
        if not varies.all():
            found.append(
                Finding(
                    code="constant_columns",
                    where=side.name,
                    text=f"{np.count_nonzero(~varies)} of {varies.size} columns are constant and were left out",
                    advice="a constant carries no information; look for dead neurons",
                )
            )
        sides.append(side.values if varies.all() else side.values[:, varies])
    if any(_constant(side) for side in sides):
        said = tuple(found) or (Finding("constant", "x, y", "a variable takes one value only", advice="nothing to do"),)
        return Reading(0.0), said
    if any(field.name == "seed" for field in fields(method.parameters)):
        order = np.lexsort([row_keys(side) for side in sides])
        sides = [side[order] for side in sides]
    first, second = sides
    return method.function(first, second, parameters), tuple(found)


def _constant(side: Any) -> bool:
    return bool(side.max() == side.min()) if side.ndim == 1 else side.shape[1] == 0


def _entropy_bound(side: Samples, wanted: Side) -> float:
    """Return the plug-in entropy of what the method reads as labels, in nats; infinity for a continuous variable."""
    if not side.discrete and wanted != "discrete":
        return math.inf
    shares = np.bincount(side.symbols()) / side.n
    return float(-(shares * np.log(shares)).sum())
