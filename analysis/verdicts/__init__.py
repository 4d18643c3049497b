"""Is a claim about two sets of runs reproduced? Paired seeds, an interval that is honest with few of them, one rule.

`paired_seeds` takes the values of two arms, `judge` a family of `Claim` and says reproduced, not reproduced,
contradicted, or undecided and how many seeds would decide. Everything here is arrays; `infoplane.reports.compare` reads
them from run files. docs/verdicts.md explains the rule and shows how often it is right.
"""

from infoplane.analysis.verdicts.claim import Claim
from infoplane.analysis.verdicts.crossed_bootstrap import CrossedBootstrap, crossed_bootstrap
from infoplane.analysis.verdicts.holm import Holm, holm
from infoplane.analysis.verdicts.one_test_set import OneTestSet, errors_alone, mcnemar
from infoplane.analysis.verdicts.paired_seeds import PairedSeeds, paired_seeds
from infoplane.analysis.verdicts.power import detectable_effect, power, seeds_needed
from infoplane.analysis.verdicts.rule import judge
from infoplane.analysis.verdicts.survival import moves_with, not_measured, stays, surviving
from infoplane.analysis.verdicts.verdict import WORDS, Check, Verdict

__all__ = [
    "WORDS",
    "Check",
    "Claim",
    "CrossedBootstrap",
    "Holm",
    "OneTestSet",
    "PairedSeeds",
    "Verdict",
    "crossed_bootstrap",
    "detectable_effect",
    "errors_alone",
    "holm",
    "judge",
    "mcnemar",
    "moves_with",
    "not_measured",
    "paired_seeds",
    "power",
    "seeds_needed",
    "stays",
    "surviving",
]
