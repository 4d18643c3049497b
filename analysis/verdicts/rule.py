"""The rule by which a claim about two arms is judged.

Let the claimed direction be positive, e the size of the claimed effect, and [L, U] the interval of the difference.

    contradicted     U < 0
    not reproduced   0 <= U < e / 2      the interval excludes half of the effect (it may lie above 0)
    reproduced       L > 0, U >= e / 2   it excludes 0 in the claimed direction and reaches half of the effect
    undecided        L <= 0, U >= e / 2

No two hold at once. Without a claimed effect, e is 0, and nothing is ever "not reproduced".

Of several claims, L is compared with 0 at the level of Holm's step among all the hypotheses "no effect", and U with
e / 2 at the stricter of that level and of Holm's step among all the hypotheses "at least half of the effect". So the
probability that any claim of the family is called reproduced or contradicted where there is no effect is at most
1 - level, and the probability that any is called not reproduced where there is half of the effect is at most that
again, however the claims depend on one another. With one claim both ends are those of the plain interval.

One seed, or seeds that do not differ, never decide.
"""

from collections.abc import Sequence

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts.claim import Claim
from infoplane.analysis.verdicts.holm import holm
from infoplane.analysis.verdicts.paired_seeds import PairedSeeds, checked_level
from infoplane.analysis.verdicts.verdict import Verdict


def judge(claims: Sequence[Claim], pairs: Sequence[PairedSeeds], *, level: float = 0.95) -> tuple[Verdict, ...]:
    """Judge a family of claims.

    Parameters
    ----------
    claims : sequence of Claim
        All that are judged together: those that would have been reported, had they come out.
    pairs : sequence of PairedSeeds
        What was found of each, in the unit of its claim.
    level : float
        Of the family.

    Returns
    -------
    tuple of Verdict
        In the order of the claims.

    Raises
    ------
    InputError
        When there are not as many pairs as claims, or `level` is not between 0 and 1.
    """
    if len(claims) != len(pairs):
        raise InputError(
            f"there are {len(claims)} claims, but {len(pairs)} pairs: each claim needs what was found of it"
        )
    checked_level(level)
    with_effect = [k for k, claim in enumerate(claims) if claim.effect is not None]
    zero = holm([pair.p_value() for pair in pairs], level=level)
    half = holm([_p_half(claims[k], pairs[k]) for k in with_effect], level=level)
    verdicts = []
    for k, (claim, pair) in enumerate(zip(claims, pairs, strict=True)):
        at = with_effect.index(k) if claim.effect is not None else None
        of_zero = float(zero.alphas[k])
        of_half = of_zero if at is None else min(of_zero, float(half.alphas[at]))
        p_half = None if at is None else _p_half(claim, pair)
        word = _word(claim, pair, bool(zero.rejected[k]), p_half is not None and p_half <= of_half)
        verdicts.append(
            Verdict(
                claim=claim,
                word=word,
                by_rule=word,
                pair=pair,
                interval=_interval(claim, pair, word, of_zero, of_half),
                level=level,
                alpha=of_zero,
                alpha_half=of_half,
                family=len(claims),
                p_zero=pair.p_value(),
                p_zero_holm=float(zero.adjusted[k]),
                p_half=p_half,
                p_half_holm=None if at is None else float(half.adjusted[at]),
            )
        )
    return tuple(verdicts)


def _p_half(claim: Claim, pair: PairedSeeds) -> float:
    """Return the p value of "at least half of the claimed effect": two-sided, as the interval is."""
    assert claim.effect is not None
    return pair.p_value(claim.effect / 2) if claim.sign * (pair.estimate - claim.effect / 2) < 0 else 1.0


def _word(claim: Claim, pair: PairedSeeds, not_zero: bool, below_half: bool) -> str:
    if not claim.sign:
        return "differs" if not_zero else "undecided"
    if not_zero and claim.sign * pair.estimate < 0:
        return "contradicted"
    if below_half:
        return "not reproduced"
    return "reproduced" if not_zero else "undecided"


def _interval(claim: Claim, pair: PairedSeeds, word: str, of_zero: float, of_half: float) -> tuple[float, float]:
    """Return the interval whose ends show the verdict: each at the alpha of the question that it answers."""
    near, far = pair.half_width(of_zero), pair.half_width(of_zero if word == "contradicted" else of_half)
    below, above = (near, far) if claim.sign > 0 else (far, near)
    if not claim.sign:
        below = above = near
    return pair.estimate - below, pair.estimate + above
