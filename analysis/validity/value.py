"""What cannot be true of one value of a mutual information.

    0 <= I(X;Y) <= min(H(X), H(Y)),   on n samples at most log n,
    I(T;Y) >= H(Y) - h(e) - e log(C - 1)   (Fano's inequality; Cover & Thomas 2006, section 2.10)

for a classifier that reads T and errs on a share e of the inputs of C classes, h the entropy of (e, 1 - e).
"""

import math

from scipy.special import betaincinv, ndtr

from infoplane.analysis.errors import InputError, whole_number
from infoplane.analysis.estimators.method import Kind
from infoplane.analysis.finding import Finding
from infoplane.analysis.units import nats_per_unit, unit_name
from infoplane.analysis.validity.bounds import ROUNDING, SIGNIFICANT


def findings_of_value(nats: float, kind: Kind, *, entropies: tuple[float, float], n: int) -> tuple[Finding, ...]:
    """Return what cannot be true of one value.

    Parameters
    ----------
    nats : float
        The value.
    kind : {"estimate", "lower_bound", "upper_bound"}
        Its direction.
    entropies : tuple of float
        Entropies of x and of y in nats; infinity for a continuous variable.
    n : int
        Samples.

    Returns
    -------
    tuple of Finding
        Codes ``not_finite``, ``negative``, ``above_entropy``, ``above_log_n``; amounts in nats.
    """
    if not math.isfinite(nats):
        return (Finding("not_finite", "value", "the value is NaN or infinite", advice="do not use it"),)
    least = min(entropies)
    found = [negative(nats, kind=kind, base=math.e), above_entropy(nats, least, kind=kind, base=math.e)]
    if math.isinf(least):  # the entropy of labels is never above log n
        found.append(above_log_n(nats, n, kind=kind, base=math.e))
    return tuple(finding for finding in found if finding)


def negative(value: float, *, kind: Kind = "estimate", where: str = "value", base: float = 2) -> Finding | None:
    """Say that an estimate or upper bound, in units of `base`, is below 0; a lower bound may be, it is only loose."""
    if kind == "lower_bound" or not -math.inf < value < -ROUNDING:
        return None
    text = "an information is never negative; this is noise or bias around a small one"
    advice = "read it as no more than its error away from 0"
    return Finding("negative", where, text, value, unit_name(base), advice)


def above_entropy(
    value: float, entropy: float, *, kind: Kind = "estimate", where: str = "value", base: float = 2
) -> Finding | None:
    """Say that an estimate or a lower bound exceeds the entropy of the labels.

    Parameters
    ----------
    value, entropy : float
        I(T;Y) and the plug-in H(Y) of the same labels, in units of `base`. Infinity for a continuous variable.
    kind : {"estimate", "lower_bound", "upper_bound"}
        An upper bound above it is only loose.
    where : str
        Variable or site.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``above_entropy`` with the excess, however small: no value above it can be true. H(Y) - CE of a classifier
        cannot exceed H(Y), so that this tests nothing there.
    """
    excess = value - entropy
    if kind == "upper_bound" or not ROUNDING < excess < math.inf:
        return None
    text = "an information cannot exceed the entropy of the labels"
    advice = "within its error, read it as that entropy; else the method does not fit"
    return Finding("above_entropy", where, text, excess, unit_name(base), advice)


def above_log_n(
    value: float, n: int, *, kind: Kind = "estimate", where: str = "value", base: float = 2
) -> Finding | None:
    """Say that a value in units of `base` is at or above log n, the most that n samples show by themselves.

    An estimate there is made of its assumptions (a normal law may well have more); an upper bound there bounds nothing
    about the samples.
    """
    excess = value - math.log(whole_number("n", n, least=1)) / nats_per_unit(base)
    if not -ROUNDING <= excess < math.inf:
        return None
    if kind == "upper_bound":
        text = f"an upper bound at or above log n of the {n} samples says nothing about them"
    else:
        text = f"at or above log n of the {n} samples, the most that they show without assumptions"
    advice = "it rests on what the method assumes; take more samples, or coarser codes"
    return Finding("above_log_n", where, text, excess, unit_name(base), advice)


def below_fano(
    value: float,
    *,
    kind: Kind,
    error: float,
    n: int,
    classes: int,
    entropy: float,
    standard_error: float = 0.0,
    where: str = "value",
    base: float = 2,
) -> Finding | None:
    """Say that an estimate or upper bound of I(T;Y) is below what a classifier's accuracy proves.

    Parameters
    ----------
    value, entropy : float
        I(T;Y) and H(Y), in units of `base`.
    kind : {"estimate", "lower_bound", "upper_bound"}
        A lower bound below it is loose, not impossible, and gives nothing.
    error : float
        Share of `n` held-out inputs that a classifier which reads T alone puts into a wrong class. For a code Z that
        is a classifier of one draw: an average over draws knows more than Z.
    n : int
        Those inputs.
    classes : int
        C, at least 2.
    standard_error : float
        Of the value.
    where, base
        As in `above_entropy`.

    Returns
    -------
    Finding or None
        ``below_fano`` with the gap. The bound is taken at the largest error that n inputs leave possible (Clopper &
        Pearson 1934, one-sided, at the level of `SIGNIFICANT` normal errors), the value `SIGNIFICANT` errors up.

    Raises
    ------
    InputError
        When the error is no share, or there are fewer than two classes or no inputs.
    """
    n, classes = whole_number("n", n, least=1), whole_number("classes", classes, least=2)
    if not 0 <= error <= 1:
        raise InputError(f"error is {error!r}, but it is a share of the inputs, 0 to 1")
    if kind == "lower_bound":
        return None
    wrong = round(error * n)
    level = float(ndtr(SIGNIFICANT))
    most = float(betaincinv(wrong + 1, n - wrong, level)) if wrong < n else 1.0
    most = min(most, 1 - 1 / classes)  # beyond it the bound rises again, and at it the bound is H(Y) - log C
    lost = -most * math.log(most) - (1 - most) * math.log1p(-most) + most * math.log(classes - 1)
    gap = entropy - lost / nats_per_unit(base) - value
    if not SIGNIFICANT * standard_error + ROUNDING < gap < math.inf:
        return None
    text = f"a classifier with {100 * error:.3g} % errors proves more than this (Fano's inequality)"
    advice = "do not use it; the method misses information that is there"
    return Finding("below_fano", where, text, gap, unit_name(base), advice)
