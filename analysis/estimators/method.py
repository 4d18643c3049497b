"""What an estimator is made of: its parameters, its function, and what is to be known about it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.errors import InputError
from infoplane.analysis.finding import Finding

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Kind = Literal["estimate", "lower_bound", "upper_bound"]
Side = Literal["continuous", "discrete", "either"]
MUTUAL_INFORMATION = "mutual information"


@dataclass(frozen=True)
class Reading:
    """What an estimator's function returns; everything in nats.

    Attributes
    ----------
    nats : float
        The value.
    standard_error : float
        In nats, over what `Method.error_over` says; NaN where the estimator has none of its own.
    kind : {"estimate", "lower_bound", "upper_bound"}, optional
        Where it depends on the data or the parameters; else that of the `Method` holds.
    findings : tuple of Finding
        What to know before believing it; amounts in nats (unit ``"nat"``) are converted by the caller.
    chosen : mapping
        What was decided from the data (a noise variance, the edges of bins, ...), kept beside the parameters.
    """

    nats: float
    standard_error: float = math.nan
    kind: Kind | None = None
    findings: tuple[Finding, ...] = ()
    chosen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """An estimator, described.

    Attributes
    ----------
    name : str
        By which `infoplane.analysis.estimate.estimate` calls it.
    function : callable
        ``function(x, y, parameters) -> Reading``, pure. A continuous variable comes as float64 of shape (n, d),
        without constant columns unless it `keeps_constant`, a discrete one as int64 of shape (n,), labels 0 .. K - 1.
    parameters : type
        A frozen dataclass; every field has a default. A field `seed` marks a method that draws random numbers: its
        samples come in an order that depends on their values alone.
    kind : {"estimate", "lower_bound", "upper_bound"}
        What the value is of the quantity; honest in expectation over samples.
    x, y : {"continuous", "discrete", "either"}
        What the two variables may be. Floats given to a discrete variable are labels by row.
    assumes, wrong_when, source : str
        One sentence each: what it takes for granted, when its value misleads, and where it comes from.
    quantity : str
        What it estimates, where that is not Shannon's mutual information.
    least_n : int
        Fewest samples that it accepts.
    keeps_constant : bool
        Whether constant columns count, as in the range of a layer's bins. One variable that is constant altogether
        carries nothing in any case, and the function is not called.
    error_over : str
        What the standard error is over: ``"samples"``, or what varies in their place while the samples stay as they
        are (``"draws"``, ``"slices"``), so that an error over samples would be larger.
    within_entropies : bool
        Whether a quantity other than mutual information is also at least 0 and at most H(X), H(Y) and log n.
    """

    name: str
    function: Callable[[Any, Any, Any], Reading]
    parameters: type[Any]
    kind: Kind
    x: Side
    y: Side
    assumes: str
    wrong_when: str
    source: str
    quantity: str = MUTUAL_INFORMATION
    least_n: int = 2
    keeps_constant: bool = False
    error_over: str = "samples"
    within_entropies: bool = False


def need(n: int, least: int, why: str) -> None:
    """Raise InputError unless there are at least `least` of n samples; `why` says what needs them."""
    if n < least:
        raise InputError(f"there are {n} samples, but {why} needs at least {least}")
