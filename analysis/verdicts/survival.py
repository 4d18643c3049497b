"""What a claim must survive: other numbers that have to move with it, or to stay where they are.

The rate of a probe's code is an upper bound that depends on the probe's training and on the scale of what it reads, so
that a claim about I(Z;X) is believed only where the sandwich on the known code and the probes on rescaled activations
move the same way, at equal I(Z;Y). Each check is judged at the level of its claim: since all of them must agree,
several do not raise the probability of a wrong "reproduced" (an intersection-union test, Berger, Technometrics 24,
1982).
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from infoplane.analysis.errors import positive_number
from infoplane.analysis.two_digits import two_digits
from infoplane.analysis.verdicts.paired_seeds import PairedSeeds
from infoplane.analysis.verdicts.verdict import Check, Verdict, between


def moves_with(name: str, pair: PairedSeeds, verdict: Verdict, *, unit: str = "") -> Check:
    """Return whether another number moves in the claimed direction, or without one in that of the estimate.

    ``agrees``: its interval excludes 0 there; ``refuted``: it excludes 0 the other way; else ``open``. How far it moves
    is not judged, for the claimed effect is that of the claim's own metric.
    """
    sign = verdict.claim.sign or math.copysign(1, verdict.estimate)
    interval = _interval(pair, verdict)
    low, high = interval if sign > 0 else (-interval[1], -interval[0])
    outcome = "agrees" if low > 0 else "refuted" if high < 0 else "open"
    says = {"agrees": "moves the same way", "refuted": "moves the other way", "open": "may move either way"}[outcome]
    return Check(name, outcome, _known(interval), f"The {name} {says}{_shown(pair, interval, unit)}.", unit)


def stays(name: str, pair: PairedSeeds, verdict: Verdict, *, margin: float, unit: str = "") -> Check:
    """Return whether another number is the same in both arms, within a margin.

    ``agrees``: its interval lies within +- `margin`; ``unequal``: it lies beyond; else ``open``.

    Raises
    ------
    InputError
        When `margin` is not above 0.
    """
    margin = positive_number("margin", margin)
    interval = _interval(pair, verdict)
    if -margin < interval[0] and interval[1] < margin:
        outcome, says = "agrees", "is equal in both"
    elif interval[0] > margin or interval[1] < -margin:
        outcome, says = "unequal", "is not equal in both"
    else:
        outcome, says = "open", "may be equal in both or not"
    within = f"within {margin:g}{f' {unit}'.rstrip()}"
    text = f"The {name} {says}, {within}{_shown(pair, interval, unit)}."
    return Check(name, outcome, _known(interval), text, unit)


def not_measured(name: str, why: str) -> Check:
    """Return a check that could not be made; `why` ends the sentence."""
    return Check(name, "missing", None, f"The {name} {why}.")


def surviving(verdict: Verdict, checks: Sequence[Check]) -> Verdict:
    """Return the verdict after its checks.

    ``reproduced`` stays where all agree; it becomes ``not reproduced`` where another number moves the other way, else
    ``undecided``, for what is unequal leaves nothing to compare at equal values, and does not say that the claim is
    wrong. ``differs`` becomes ``undecided`` where one check does not agree. The other words stay.
    """
    outcomes = {check.outcome for check in checks}
    word = verdict.word
    if word in ("reproduced", "differs") and outcomes - {"agrees"}:
        word = "not reproduced" if word == "reproduced" and "refuted" in outcomes else "undecided"
    return replace(verdict, word=word, checks=tuple(checks))


def _interval(pair: PairedSeeds, verdict: Verdict) -> tuple[float, float]:
    half = pair.half_width(verdict.alpha)
    return pair.estimate - half, pair.estimate + half


def _shown(pair: PairedSeeds, interval: tuple[float, float], unit: str) -> str:
    if not pair.has_spread:
        return " (its seeds show no spread)"
    decimals = two_digits((interval[1] - interval[0]) / 2 or abs(interval[0]))
    return f", {between(interval, decimals)}{f' {unit}'.rstrip()}"


def _known(interval: tuple[float, float]) -> tuple[float, float] | None:
    return interval if all(map(math.isfinite, interval)) else None
