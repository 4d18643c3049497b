"""Control labels: the same procedure on labels that tell nothing, as the null beside a predictor's value.

The labels are permuted over the samples, which keeps their frequencies and cuts them from x. Hewitt and Liang (2019)
give every word *type* one random label, the same wherever the word occurs, so that a probe which memorises types scores
on them, and call what exceeds that score selectivity. Where no row of x is repeated a sample is its own type, and a
permutation is a control task of theirs; where rows are repeated it is stricter to the value, as their repetitions get
different labels and there is nothing to memorise.

Reference: Hewitt, Liang, "Designing and interpreting probes with control tasks", EMNLP 2019, section 2.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from infoplane.analysis.estimators.method import Reading
from infoplane.analysis.finding import Finding

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Gains = Callable[[Labels], tuple[Floats, bool]]
_STREAM = 0xC0  # not that of folds and orders
_WITHIN = 2  # standard errors


def beside_control(gains: Gains, y: Labels, *, seed: int) -> Reading:
    """Return the mean gain on the labels, with that on permuted labels beside it.

    Parameters
    ----------
    gains : callable
        ``gains(labels) -> (nats of every sample, whether all fits converged)``, shape (n,).
    y : numpy.ndarray
        Shape (n,): the labels.
    seed : int
        Of the permutation.

    Returns
    -------
    Reading
        Its standard error is sd / sqrt(n) over samples; it takes the predictors as given. `chosen` holds
        ``control_nats`` and ``control_standard_error_nats``; a value that does not exceed its control by two standard
        errors of their paired difference, and 0 by two of its own, has the finding ``not_above_control``.
    """
    own, converged = gains(y)
    control, control_converged = gains(np.random.default_rng([_STREAM, seed]).permutation(y))
    difference = own - control
    excess = float(difference.mean())
    findings = []
    # Fits that overdo it read permuted labels far below 0, so that exceeding them alone shows nothing.
    if excess <= _WITHIN * _error(difference) or own.mean() <= _WITHIN * _error(own):
        text = "it is not above both 0 and what permuted labels give by two standard errors"
        advice = "do not read it as information about the labels"
        findings.append(Finding("not_above_control", "y", text, excess, "nat", advice))
    if not (converged and control_converged):
        text = "a predictor stopped before its optimum"
        findings.append(Finding("not_converged", "predictor", text, advice="take a larger l2, or rescale x"))
    return Reading(
        float(own.mean()),
        standard_error=_error(own),
        findings=tuple(findings),
        chosen={"control_nats": float(control.mean()), "control_standard_error_nats": _error(control)},
    )


def _error(values: Floats) -> float:
    return float(values.std(ddof=1)) / math.sqrt(values.size)
