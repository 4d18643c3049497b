"""What a claim must survive: sandwich and twins move with it, label information stays."""

import numpy as np
import pytest

from infoplane.analysis.errors import InputError
from infoplane.analysis.verdicts import Claim, judge, moves_with, not_measured, paired_seeds, stays, surviving

SHAPE = np.array([-1.0, 0.0, 1.0])  # half width at 95 %: 4.3027 / sqrt(3) = 2.4841


def pair(estimate, spread=0.1):
    return paired_seeds(np.zeros(3), estimate + spread * SHAPE)


LOWER = judge([Claim("i_zx", "fc1", effect=-2.0, unit="bit")], [pair(-2.0)])[0]
AGREES, OPEN, REFUTED = (moves_with("sandwich", pair(at), LOWER) for at in (-1.0, 0.1, 1.0))


def test_direction_is_judged_and_size_is_not():
    assert [check.outcome for check in (AGREES, OPEN, REFUTED)] == ["agrees", "open", "refuted"]
    assert moves_with("sandwich", pair(-0.3), LOWER).outcome == "agrees"
    assert moves_with("sandwich", paired_seeds([1.0], [0.0]), LOWER).outcome == "open"
    assert AGREES.interval == pytest.approx((-1.24841, -0.75159), abs=1e-5)


def test_without_a_claimed_direction_it_is_that_of_the_estimate():
    for at in (-2.0, 2.0):
        differs = judge([Claim("i_zx")], [pair(at)])[0]
        assert moves_with("sandwich", pair(at), differs).outcome == "agrees"
        assert moves_with("sandwich", pair(-at), differs).outcome == "refuted"


def test_checks_are_judged_at_the_level_of_their_claim():
    family = [Claim("i_zx", f"fc{k}", direction="lower") for k in range(3)]
    strict = judge(family, [pair(-1.0), pair(0.0), pair(0.0)])[0]
    assert moves_with("sandwich", pair(-0.3), strict).interval == pytest.approx(pair(-0.3).interval(1 - 0.05 / 3))
    assert moves_with("sandwich", pair(-0.3), strict).outcome == "open"


@pytest.mark.parametrize(
    ("estimate", "outcome"), [(0.0, "agrees"), (0.2, "agrees"), (0.3, "open"), (0.7, "open"), (0.8, "unequal")]
)
def test_equal_is_within_the_margin_and_not_only_undecided(estimate, outcome):
    for found in (pair(estimate), pair(-estimate)):
        assert stays("label bound", found, LOWER, margin=0.5).outcome == outcome
    assert stays("label bound", paired_seeds([1.0], [1.0]), LOWER, margin=0.5).outcome == "open"
    with pytest.raises(InputError, match="margin is 0"):
        stays("label bound", pair(0.0), LOWER, margin=0)


EQUAL = stays("label bound", pair(0.0), LOWER, margin=0.5, unit="bit")
UNEQUAL = stays("label bound", pair(2.0), LOWER, margin=0.5, unit="bit")
MISSING = not_measured("twins", "are not there")


@pytest.mark.parametrize(
    ("checks", "word"),
    [
        ([AGREES, EQUAL], "reproduced"),
        ([AGREES, OPEN, EQUAL], "undecided"),
        ([AGREES, MISSING], "undecided"),
        ([AGREES, UNEQUAL], "undecided"),
        ([AGREES, REFUTED, MISSING], "not reproduced"),
    ],
)
def test_a_claim_is_reproduced_only_where_all_agree(checks, word):
    assert LOWER.word == "reproduced"
    found = surviving(LOWER, checks)
    assert (found.word, found.by_rule) == (word, "reproduced")
    assert ("does not survive" in str(found)) == (word != "reproduced")
    assert all(check.text in str(found) for check in checks)
    assert [check["outcome"] for check in found.record()["checks"]] == [check.outcome for check in checks]


def test_checks_make_no_claim_better():
    for at, word in ((2.0, "contradicted"), (-0.3, "not reproduced")):
        verdict = judge([Claim("i_zx", effect=-2.0)], [pair(at)])[0]
        assert surviving(verdict, [AGREES, EQUAL]).word == word
        assert surviving(verdict, [REFUTED]).word == word
        assert "does not survive" not in str(surviving(verdict, [REFUTED]))
    differs = judge([Claim("i_zx")], [pair(2.0)])[0]
    assert surviving(differs, [OPEN]).word == "undecided"
    assert surviving(differs, []).word == "differs"


def test_sentences():
    assert REFUTED.text == "The sandwich moves the other way, [+0.75, +1.25]."
    assert EQUAL.text == "The label bound is equal in both, within 0.5 bit, [-0.25, +0.25] bit."
    assert MISSING.text == "The twins are not there."
    assert str(surviving(LOWER, [REFUTED])) == (
        "i_zx fc1: not reproduced. B - A = -2.00 bit, [-2.25, -1.75] (95 %, 3 paired seeds), p = 0.00083. Claimed: -2 "
        "bit, of which half is -1. The interval excludes 0, B being lower, but the claim does not survive all that it "
        "must: The sandwich moves the other way, [+0.75, +1.25]."
    )
