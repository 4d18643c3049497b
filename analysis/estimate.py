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
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError, near_names
from infoplane.analysis.estimators import NAMES, method_named
from infoplane.analysis.estimators.count_table import plugin_entropy
from infoplane.analysis.estimators.method import MUTUAL_INFORMATION, Kind, Method, Reading, Side
from infoplane.analysis.finding import Finding
from infoplane.analysis.rows import row_keys
from infoplane.analysis.samples import Labels, Samples, SamplesLike, check_pairing, read_samples
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
        Over `error_over`, in `unit`; NaN where the estimator has none (`infoplane.analysis.uncertainty` gives one).
    findings : tuple of Finding
        What cannot be true of it, or what to know before believing it.
    quantity : str
        What is estimated: ``"mutual information"``, or what the method measures in its place.
    error_over : str
        What the standard error is over: ``"samples"``, or ``"draws"``, ``"slices"``, ... of the method, which take the
        samples as they are. None is over seeds or over the training of a predictor.
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
    error_over: str = "samples"

    def __str__(self) -> str:
        error = "" if math.isnan(self.standard_error) else f" ± {self.standard_error:.2g}"
        over = f", error over {self.error_over}" if error and self.error_over != "samples" else ""
        why = [f"  why: {self.parameters['why']}"] if "why" in self.parameters else []
        lines = [
            f"{self.quantity} {self.value:.4f}{error} {self.unit} "
            f"({self.method}, {self.kind.replace('_', ' ')}, n = {self.n}{over})",
            *why,
            *(f"  {finding}" for finding in self.findings),
        ]
        return "\n".join(lines)


def indented(found: Estimate) -> str:
    """Return what is printed of an estimate, to stand under what was made of it: method, findings and all."""
    return "\n  " + str(found).replace("\n", "\n  ")


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
    check_pairing(x, y)
    pair = read_samples("x", x), read_samples("y", y)
    if pair[0].n != pair[1].n:
        raise InputError(f"x has {pair[0].n} samples and y {pair[1].n}, but they come in pairs")
    n = pair[0].n
    if n < chosen.least_n:
        raise InputError(f"there are {n} samples, but method {method!r} needs at least {chosen.least_n}")
    sides = _variable(pair[0], chosen.x, chosen), _variable(pair[1], chosen.y, chosen)
    reading = _apply(chosen, sides, values)
    kind = reading.kind or chosen.kind
    entropies = sides[0].entropy(), sides[1].entropy()
    limits = findings_of_value(reading.nats, kind, entropies=entropies, n=n)
    if chosen.quantity != MUTUAL_INFORMATION and not chosen.within_entropies:
        limits = tuple(finding for finding in limits if finding.code == "not_finite")
    found = sides[0].findings + sides[1].findings + reading.findings + limits
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
        error_over=chosen.error_over,
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


@dataclass(frozen=True, eq=False)
class _Variable:
    """A variable as the method's function takes it, shape (n, d) or (n,), and what its samples give reason to say."""

    given: NDArray[Any]
    constant: bool
    findings: tuple[Finding, ...]

    def entropy(self) -> float:
        """Return the plug-in entropy of what the method reads as labels, in nats; infinity for quantities."""
        return plugin_entropy(np.bincount(self.given)) if self.given.ndim == 1 else math.inf


def _variable(samples: Samples, wanted: Side, method: Method) -> _Variable:
    """Return labels or quantities, whichever the method reads there, without columns that mean nothing to it."""
    if wanted == "discrete" or (wanted == "either" and samples.discrete):
        labels = samples.symbols()
        found = () if samples.discrete else _floats_as_labels(samples.name, labels)
        constant = not labels.any()
        return _Variable(labels, constant, found + _constant_findings(samples.name, constant))
    if samples.discrete:
        raise InputError(
            f"{samples.name} holds integers, which are read as labels, but method {method.name!r} needs a continuous "
            f"variable; give floats if they are quantities ({samples.name}.astype(float)), else a method for labels"
        )
    values = samples.values
    varies = np.ptp(values, axis=0) > 0
    if varies.all():
        return _Variable(values, False, ())
    done = "kept, since they are part of a layer's range" if method.keeps_constant else "left out"
    text = f"{np.count_nonzero(~varies)} of {varies.size} columns are constant and were {done}"
    advice = "a constant carries no information; in a layer it is a dead neuron"
    columns = Finding("constant_columns", samples.name, text, advice=advice)
    constant = not varies.any()
    kept = values if method.keeps_constant else np.ascontiguousarray(values[:, varies])
    return _Variable(kept, constant, (columns, *_constant_findings(samples.name, constant)))


def _apply(method: Method, sides: tuple[_Variable, _Variable], parameters: Any) -> Reading:
    """Return the reading of the method's function; 0 where a variable is constant."""
    if any(side.constant for side in sides):
        return Reading(0.0)
    x, y = (side.given for side in sides)
    if any(field.name == "seed" for field in fields(method.parameters)):
        order = np.lexsort([row_keys(x), row_keys(y)])
        x, y = x[order], y[order]
    return method.function(x, y, parameters)


def _constant_findings(name: str, constant: bool) -> tuple[Finding, ...]:
    if not constant:
        return ()
    return (Finding("constant", name, "it takes one value only, so the information is 0", advice="nothing to do"),)


def _floats_as_labels(name: str, labels: Labels) -> tuple[Finding, ...]:
    """Return a finding where floats that are hardly ever equal are read as labels."""
    n, different = len(labels), int(labels.max()) + 1
    if 2 * different <= n:
        return ()
    text = f"floats were read as {different} labels among {n} samples, which are equal or different, never near"
    advice = "for quantities take a method that reads them or bins; labels that are meant come as integers"
    return (Finding("floats_as_labels", name, text, advice=advice),)
