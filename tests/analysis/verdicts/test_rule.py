"""The rule: every branch, both directions, several claims at once, and what each verdict says."""

import math

import numpy as np
import pytest
from scipy import stats

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts import WORDS, Claim, detectable_effect, judge, paired_seeds, seeds_needed

SHAPE = np.array([-1.2, -0.4, 0.1, 0.5, 1.0])
SHAPE = (SHAPE - SHAPE.mean()) / SHAPE.std(ddof=1)


def pair(estimate, half, level=0.95):
    """Five seeds whose interval is estimate +- half."""
    deviation = half * math.sqrt(5) / stats.t.isf((1 - level) / 2, 4)
    return paired_seeds(np.full(5, 2.0), 2.0 + estimate + deviation * SHAPE)


def word(claim, found):
    return judge([claim], [found])[0].word


LOWER = Claim("error", effect=-1.0)


@pytest.mark.parametrize("mirror", [1, -1])
@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.6, "reproduced"),  # reaches half, though the estimate does not
        (0.6, 0.9, "reproduced"),  # above half
        (2.0, 3.0, "reproduced"),  # more than was claimed
        (0.1, 0.49, "not reproduced"),  # an effect, but a small one
        (-0.3, 0.49, "not reproduced"),
        (-0.9, 0.01, "not reproduced"),
        (-0.9, -0.01, "contradicted"),  # which excludes half of the effect as well
        (-0.01, 0.51, "undecided"),
        (-9.0, 9.0, "undecided"),
        (-0.01, 3.0, "undecided"),
    ],
)
def test_every_place_of_the_interval_has_one_verdict(low, high, expected, mirror):
    found = pair(mirror * (low + high) / 2, (high - low) / 2)
    assert word(Claim("error", effect=1.0 * mirror), found) == expected


@pytest.mark.parametrize("mirror", [1, -1])
@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.01, 0.02, "reproduced"), (-0.2, -0.1, "contradicted"), (-0.1, 0.2, "undecided")],
)
def test_without_an_effect_only_the_side_of_0_counts(low, high, expected, mirror):
    claim = Claim("error", direction="higher" if mirror > 0 else "lower")
    assert word(claim, pair(mirror * (low + high) / 2, (high - low) / 2)) == expected


def test_without_a_direction_arms_are_only_told_apart():
    assert word(Claim("error"), pair(-0.5, 0.4)) == "differs"
    assert word(Claim("error"), pair(0.5, 0.4)) == "differs"
    assert word(Claim("error"), pair(0.5, 0.6)) == "undecided"


@pytest.mark.parametrize("claim", [LOWER, Claim("error"), Claim("error", direction="higher")])
def test_one_seed_and_equal_seeds_never_decide(claim):
    assert word(claim, paired_seeds([2.0], [0.0])) == "undecided"
    assert word(claim, paired_seeds([2.0, 3.0], [0.0, 1.0])) == "undecided"
    assert word(claim, paired_seeds([2.0, 3.0], [2.0, 3.0])) == "undecided"


def test_verdict_at_another_level():
    found = pair(-0.5, 0.4)
    assert judge([LOWER], [found], level=0.9)[0].word == "reproduced"
    assert judge([LOWER], [found], level=0.99)[0].word == "undecided"


def test_numbers_of_one_claim_are_those_of_its_pair():
    found = pair(-0.2, 0.5)
    verdict = judge([LOWER], [found])[0]
    assert verdict.interval == pytest.approx((-0.7, 0.3))
    assert verdict.p_zero == verdict.p_zero_holm == pytest.approx(stats.ttest_rel(found.second, found.first).pvalue)
    assert verdict.p_half == verdict.p_half_holm == found.p_value(-0.5)
    assert verdict.seeds_if_true == seeds_needed(1.0, deviation=found.deviation) == 4
    assert verdict.seeds_if_none == seeds_needed(0.5, deviation=found.deviation) == 8
    assert verdict.detectable == pytest.approx(detectable_effect(5, deviation=found.deviation))
    assert judge([LOWER], [pair(-0.6, 0.5)])[0].p_half == 1.0
    assert judge([Claim("error")], [found])[0].p_half is None


# Several claims


def test_claims_of_a_family_are_judged_more_strictly():
    claims, found = [Claim(f"m{k}", direction="lower") for k in range(3)], [pair(-0.5, 0.45)] * 2 + [pair(0.0, 1.0)]
    assert [v.word for v in judge(claims[:1], found[:1])] == ["reproduced"]
    verdicts = judge(claims, found)
    assert [v.word for v in verdicts] == ["undecided"] * 3
    assert verdicts[0].p_zero_holm == pytest.approx(3 * verdicts[0].p_zero)
    assert verdicts[0].family == 3
    assert verdicts[0].interval == pytest.approx(found[0].interval(1 - 0.05 / 3))


def test_ends_of_the_interval_show_the_verdict_whatever_the_family():
    rng, words = np.random.default_rng(0), set()
    for _ in range(200):
        claims = [
            Claim(f"m{k}", effect=e) if e else Claim(f"m{k}", direction=rng.choice(["lower", "higher"]))
            for k, e in enumerate(rng.choice([-1.0, 1.0, 0.0], 4))
        ]
        for v in judge(claims, [pair(rng.normal(0, 0.7), rng.uniform(0.05, 1.2)) for _ in claims]):
            low, high = v.interval if v.claim.sign > 0 else (-v.interval[1], -v.interval[0])
            half = abs(v.claim.effect or 0) / 2
            by_ends = (
                "contradicted"
                if high < 0
                else "not reproduced"
                if high < half
                else "reproduced"
                if low > 0
                else "undecided"
            )
            assert v.word == by_ends
            words.add(v.word)
    assert words == set(WORDS) - {"differs"}


def test_a_family_is_seldom_wrong_anywhere():
    rng, wrong = np.random.default_rng(1), {"no effect": 0, "half": 0}
    claims = [Claim(f"m{k}", effect=1.0) for k in range(4)]
    for _ in range(400):
        shared = rng.normal(0, 1, 5)
        nothing = [paired_seeds(np.zeros(5), 0.5 * (shared + rng.normal(0, 1, 5))) for _ in claims]
        wrong["no effect"] += any(v.word in ("reproduced", "contradicted") for v in judge(claims, nothing))
        half = [paired_seeds(np.zeros(5), 0.5 + 0.05 * (shared + rng.normal(0, 1, 5))) for _ in claims]
        wrong["half"] += any(v.word == "not reproduced" for v in judge(claims, half))
    assert 0.005 < wrong["no effect"] / 400 < 0.05 + 0.033
    assert 0.005 < wrong["half"] / 400 < 0.05 + 0.033


def test_as_many_pairs_as_claims():
    with pytest.raises(InputError, match="1 claims, but 2 pairs"):
        judge([LOWER], [pair(0, 1)] * 2)
    with pytest.raises(InputError, match="level is 2"):
        judge([LOWER], [pair(0, 1)], level=2)


# What it says


@pytest.mark.parametrize(
    ("claim", "found", "says"),
    [
        (
            Claim("error", effect=-1.0, unit="points"),
            pair(-0.8, 0.35),
            "error: reproduced. B - A = -0.80 points, [-1.15, -0.45] (95 %, 5 paired seeds), p = 0.0032. Claimed: -1 "
            "points, of which half is -0.5. The interval excludes 0 in the claimed direction and reaches half of the "
            "claimed effect.",
        ),
        (
            Claim("error", effect=-1.0, unit="points"),
            pair(-0.2, 0.1),
            "error: not reproduced. B - A = -0.20 points, [-0.30, -0.10] (95 %, 5 paired seeds), p = 0.0051. Claimed: "
            "-1 points, of which half is -0.5. The interval excludes half of the claimed effect, and 0 as well: there "
            "is an effect, of less than half the size.",
        ),
        (
            Claim("error", effect=-1.0, unit="points"),
            pair(0.1, 0.25),
            "error: not reproduced. B - A = +0.10 points, [-0.15, +0.35] (95 %, 5 paired seeds), p = 0.33. Claimed: -1 "
            "points, of which half is -0.5. The interval excludes half of the claimed effect.",
        ),
        (
            Claim("i_zx", "fc1", effect=-20.0, unit="bit"),
            pair(31, 12),
            "i_zx fc1: contradicted. B - A = +31 bit, [+19, +43] (95 %, 5 paired seeds), p = 0.002. Claimed: -20 bit, "
            "of which half is -10. The interval excludes 0 on the other side.",
        ),
        (
            Claim("error", effect=-0.07, unit="points"),
            pair(-0.03, 0.0993),
            "error: undecided. B - A = -0.030 points, [-0.129, +0.069] (95 %, 5 paired seeds), p = 0.45. Claimed: "
            "-0.07 points, of which half is -0.035. The interval holds both 0 and half of the claimed effect. At the "
            "spread found (standard deviation 0.08 points over seeds), 13 seeds would exclude 0 in 4 of 5 experiments "
            "if the claim were true, and 43 seeds would exclude half of it if there were no effect.",
        ),
        (
            Claim("loss", unit="bit"),
            pair(-0.5, 0.25),
            "loss: differs. B - A = -0.50 bit, [-0.75, -0.25] (95 %, 5 paired seeds), p = 0.0051. The interval "
            "excludes 0; no direction was claimed, and B is lower.",
        ),
        (
            Claim("loss", direction="lower", unit="bit"),
            pair(0.1, 0.25),
            "loss: undecided. B - A = +0.10 bit, [-0.15, +0.35] (95 %, 5 paired seeds), p = 0.33. The interval holds "
            "zero. With 5 seeds of this spread a true difference of 0.34 bit is found in 4 of 5 experiments; how many "
            "seeds would decide depends on the effect, and none was claimed.",
        ),
        (
            Claim("error", effect=-0.03, unit="points"),
            paired_seeds([1.17], [1.14]),
            "error: undecided. B - A = -0.03 points (1 paired seed). Claimed: -0.03 points, of which half is -0.015. "
            "One seed never decides: nothing says how far another one would lie from it.",
        ),
        (
            Claim("error"),
            paired_seeds([[1, 0, 1], [0, 0, 1]], [[1, 0, 1], [0, 0, 1]]),
            "error: undecided. B - A = +0.000 (2 paired seeds, 3 images). All 2 differences are equal, so that nothing "
            "says how far another seed would lie; either the arms are one and the same, or the metric is too coarse.",
        ),
    ],
)
def test_sentences(claim, found, says):
    assert str(judge([claim], [found])[0]) == says


def test_sentence_of_a_claim_that_only_more_images_would_decide():
    rng = np.random.default_rng(0)
    table = rng.normal(0, 1, (1, 50)) + rng.normal(0, 0.1, (5, 50))
    verdict = judge([Claim("error", effect=0.3)], [paired_seeds(np.zeros((5, 50)), table)])[0]
    assert verdict.seeds_if_true is None
    assert verdict.seeds_if_none is None
    assert "With no more images than these, no number of seeds would exclude either in 4 of 5" in str(verdict)
    assert "(95 %, 5 paired seeds, 50 images)" in str(verdict)


def test_sentence_of_one_claim_among_several():
    text = str(judge([LOWER, Claim("loss")], [pair(-0.8, 0.35), pair(0, 1)])[0])
    assert "] at Holm's levels for 2 claims (95 %, 5 paired seeds), p = 0.0063." in text


def test_record_has_what_json_can_say():
    import json

    for found in (pair(-0.2, 0.5), paired_seeds([1.0], [2.0])):
        record = judge([LOWER], [found])[0].record()
        assert json.loads(json.dumps(record, allow_nan=False)) == record | {"interval": list(record["interval"])}
        assert record["verdict"] == "undecided"
        assert record["estimate"] == found.estimate
    assert record["interval"] == [None, None]


# Claims


def test_direction_is_that_of_the_effect():
    assert Claim("error", effect=-0.07).direction == "lower"
    assert Claim("error", effect=np.float64(2)).direction == "higher"
    assert Claim("error", direction="lower", effect=-1).sign == -1
    assert Claim("i_zx", "fc1").name == "i_zx fc1"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"direction": "lowr"}, "did you mean 'lower'"),
        ({"effect": 0}, "no number of seeds shows that two arms are equal"),
        ({"effect": math.nan}, "effect is nan"),
        ({"effect": "-1"}, "effect is '-1'"),
        ({"effect": True}, "effect is True"),
        ({"direction": "lower", "effect": 0.07}, "effect is 0.07 and direction 'lower'"),
        ({"site": 3}, "site is 3"),
        ({"metric": ""}, "metric is empty"),
    ],
)
def test_claims_that_say_nothing_clear_are_refused(options, says):
    with pytest.raises(InputError, match=says):
        Claim(**{"metric": "error"} | options)
