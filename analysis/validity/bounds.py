"""Bounds that contradict each other, or that bound nothing.

    I(Z;X) <= E KL(p(z|x) || r),   I(Z;X) >= I(Z;Y) >= H(Y) - CE,   I(Z;X) <= log n on n inputs

The first two (Eqs. 9 and 11) hold for every code under the empirical law of the inputs: but for the noise of the draws
behind CE, the rate is never below the label bound. That is the hard check.
"""

import math

from infoplane.analysis.errors import whole_number
from infoplane.analysis.finding import Finding
from infoplane.analysis.units import nats_per_unit, unit_name

SIGNIFICANT = 4.0
"""Standard errors by which a bound must be violated before it is said.

A recording makes thousands of comparisons (ten sites, two hundred rows). One true equality is taken for a violation
with probability 3.2e-5 beyond four errors, 1.3e-3 beyond three: per two thousand comparisons 0.06 against 2.7 false
alarms. The errors of the two sides are added, not their squares: that is the error of the difference at the worst
correlation, and bounds on one set of inputs are correlated to an extent that only their covariance would tell.
"""
ROUNDING = 1e-9


def rate_above_log_n(rate: float, n: int, *, where: str = "code", base: float = 2) -> Finding | None:
    """Say that a rate bounds nothing on the inputs it was measured on.

    Parameters
    ----------
    rate : float
        Mean divergence of the code from its prior (Eq. 11), in units of `base`.
    n : int
        Inputs.
    where : str
        Site or probe.
    base : float
        Base of the logarithm.

    Returns
    -------
    Finding or None
        ``rate_above_log_n`` at or above log n, with the excess. No error margin: the rate is a number about these n
        inputs, and at log n it bounds nothing about them whatever it would be on others.
    """
    excess = rate - math.log(whole_number("n", n, least=1)) / nats_per_unit(base)
    if not -ROUNDING <= excess < math.inf:
        return None
    return Finding(
        "rate_above_log_n",
        where,
        f"a rate at or above log n of the {n} inputs says nothing about what the code keeps of them",
        excess,
        unit_name(base),
        "read nothing into where it lies; a larger beta, a longer trained probe, or the sandwich bound gives less",
    )


def label_bound_below_zero(label_bound: float, *, where: str = "code", base: float = 2) -> Finding | None:
    """Say that a lower bound on I(Z;Y) bounds nothing: of a probe that guesses, or of one that is too sure of itself.

    Parameters
    ----------
    label_bound : float
        H(Y) less the mean of -log q(y|z), in units of `base`. Of real labels of unknown law h(Y) is that of a normal
        law, the largest of their covariance: what is below 0 then is so all the more.
    where, base
        As in `rate_above_log_n`.

    Returns
    -------
    Finding or None
        ``label_bound_below_zero`` with what is missing to 0. No error margin, as in `rate_above_log_n`: information is
        never negative, so that a bound below 0 says nothing whatever it would be on other inputs.
    """
    if not -math.inf < label_bound < -ROUNDING:
        return None
    return Finding(
        "label_bound_below_zero",
        where,
        "the probe's probabilities cost more than the labels' distribution alone, so that i_zy says nothing",
        -label_bound,
        unit_name(base),
        "look at its error: as high as by guessing, and it had too few steps or too large a beta; lower, and it is too "
        "sure of itself, as after too many steps on too few inputs",
    )


def one_class(h_y: float, n: int, *, where: str = "labels") -> Finding | None:
    """Say that all labels are of one class, so that there is nothing to be known of them.

    Parameters
    ----------
    h_y : float
        Plug-in entropy of the classes of these labels, in any unit; not the differential entropy of real labels, which
        may be 0 by itself.
    n : int
        Labels.
    where : str
        What they are.

    Returns
    -------
    Finding or None
        ``one_class`` where the entropy is 0: every bound on I(Z;Y) is then minus a cross-entropy, 0 at best.
    """
    if not abs(h_y) <= ROUNDING:
        return None
    text = f"all {whole_number('n', n, least=1)} labels are of one class: H(Y) = 0, so that i_zy is 0 at best"
    return Finding("one_class", where, text, advice="measure on inputs of every class, and see how they were split")


def rate_below_label_bound(
    rate: float, label_bound: float, *, se_rate: float, se_label_bound: float, where: str = "code", base: float = 2
) -> Finding | None:
    """Hard check of one code: mean KL >= I(Z;X) >= I(Z;Y) >= H(Y) - CE.

    Parameters
    ----------
    rate, label_bound : float
        Mean KL, and H(Y) less the mean over draws of -log q(y|z), of one code on one set of inputs, in units of
        `base`. H(Y) is the plug-in entropy of the same labels.
    se_rate, se_label_bound : float
        Standard errors over the inputs. Only the draws can break the inequality, and their noise is smaller.
    where, base
        As in `rate_above_log_n`.

    Returns
    -------
    Finding or None
        ``rate_below_label_bound`` with the gap, beyond `SIGNIFICANT` added errors. The accuracy of an ensemble of
        draws must not be used here: it knows more than one code.
    """
    gap = violation(label_bound, rate, se_label_bound, se_rate)
    if gap is None:
        return None
    text = "the lower bound on I(Z;Y) exceeds the rate, which no code allows"
    advice = "do not use this row; look for inputs that differ between the two, or a broken probe"
    return Finding("rate_below_label_bound", where, text, gap, unit_name(base), advice)


def lower_above_upper(
    lower: float, upper: float, *, se_lower: float, se_upper: float, where: str = "value", base: float = 2
) -> Finding | None:
    """Say that a lower bound exceeds an upper bound of the same information.

    Parameters
    ----------
    lower, upper : float
        Bounds of one quantity on one set of inputs, in units of `base`.
    se_lower, se_upper : float
        Standard errors; 0 for what is exact. NaN, an unknown error, never gives a finding.
    where, base
        As in `rate_above_log_n`.

    Returns
    -------
    Finding or None
        ``lower_above_upper`` with the gap, beyond `SIGNIFICANT` added errors.
    """
    gap = violation(lower, upper, se_lower, se_upper)
    if gap is None:
        return None
    text = "the lower bound exceeds the upper bound of the same information"
    advice = "do not use either; at least one of the two is no bound here"
    return Finding("lower_above_upper", where, text, gap, unit_name(base), advice)


def violation(below: float, above: float, se_below: float, se_above: float) -> float | None:
    """Return by how much `below` exceeds `above`, None within the errors or where a number is not finite."""
    gap = below - above
    return float(gap) if math.isfinite(gap) and gap > SIGNIFICANT * (se_below + se_above) + ROUNDING else None
