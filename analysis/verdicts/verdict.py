"""A verdict: the word, the numbers that it was read off, and both in sentences."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infoplane.analysis.two_digits import two_digits
from infoplane.analysis.verdicts.claim import Claim
from infoplane.analysis.verdicts.paired_seeds import PairedSeeds
from infoplane.analysis.verdicts.power import detectable_effect, seeds_needed

WORDS = ("reproduced", "not reproduced", "contradicted", "differs", "undecided")


@dataclass(frozen=True)
class Check:
    """What else must hold for a claim; made in `infoplane.analysis.verdicts.survival`.

    Attributes
    ----------
    name : str
        What is checked.
    outcome : {"agrees", "refuted", "unequal", "open", "missing"}
        ``refuted``: it moves the other way; ``unequal``: it does not stay; ``open``: the interval cannot tell;
        ``missing``: it was not measured.
    interval : tuple of float or None
        Of the second arm less the first, in `unit`.
    text : str
        A sentence.
    unit : str
        Of the interval.
    """

    name: str
    outcome: str
    interval: tuple[float, float] | None
    text: str
    unit: str = ""


@dataclass(frozen=True, eq=False)
class Verdict:
    """The verdict on one claim of a family; ``str(verdict)`` says it in sentences.

    Attributes
    ----------
    claim : Claim
        What was claimed.
    word : str
        One of `WORDS`; ``differs`` where no direction was claimed.
    by_rule : str
        What `word` was before the checks.
    pair : PairedSeeds
        What was found.
    interval : tuple of float
        Of the second arm less the first. Of one claim at `level`; of several the end against the claimed direction at
        1 - `alpha`, the other one at 1 - `alpha_half`.
    level : float
        Of the family.
    alpha : float
        At which "no effect" was judged: that of Holm's step.
    alpha_half : float
        At which "half of the effect" was: that of its own Holm's step, or `alpha` where that is stricter or no effect
        was claimed.
    family : int
        Claims in it.
    p_zero, p_zero_holm : float
        Two-sided p value of "no effect", by itself and adjusted for the family.
    p_half, p_half_holm : float or None
        The same of "at least half of the claimed effect", 1 where the estimate is; None where no effect was claimed.
    checks : tuple of Check
        What else had to hold.
    """

    claim: Claim
    word: str
    by_rule: str
    pair: PairedSeeds
    interval: tuple[float, float]
    level: float
    alpha: float
    alpha_half: float
    family: int
    p_zero: float
    p_zero_holm: float
    p_half: float | None = None
    p_half_holm: float | None = None
    checks: tuple[Check, ...] = field(default=())

    @property
    def estimate(self) -> float:
        """Mean difference, second arm less first."""
        return self.pair.estimate

    @property
    def decimals(self) -> int:
        """Decimals in which values are written: two digits of the interval's half width.

        Where the spread is unknown, two of points and three of others: nothing says how many another seed would share.
        """
        if not self.pair.has_spread:
            return 2 if "points" in self.claim.unit else 3
        return two_digits(self.pair.half_width(1 - self.level) or abs(self.estimate))

    @property
    def difference(self) -> str:
        """The estimate with its sign, as text."""
        return f"{round(self.estimate, self.decimals) + 0:+.{self.decimals}f}"

    @property
    def between(self) -> str:
        """The interval as text; ``not known`` where it is infinite."""
        return between(self.interval, self.decimals)

    @cached_property
    def seeds_if_true(self) -> int | None:
        """The seeds with which the interval excludes 0 in 4 of 5 experiments, were the claimed effect true.

        At the spread and the level found. None where no effect was claimed, the spread is unknown, or 10,000 seeds are
        too few.
        """
        effect = self.claim.effect
        return None if effect is None else self._seeds(abs(effect), self.alpha)

    @cached_property
    def seeds_if_none(self) -> int | None:
        """The seeds with which it excludes half of the claimed effect in 4 of 5 experiments, were there no effect."""
        effect = self.claim.effect
        return None if effect is None else self._seeds(abs(effect) / 2, self.alpha_half)

    @cached_property
    def detectable(self) -> float | None:
        """The true difference that as many seeds find in 4 of 5 experiments; None where the spread is unknown."""
        pair = self.pair
        if not pair.has_spread:
            return None
        return detectable_effect(pair.seeds, level=1 - self.alpha, **self._spread())

    def record(self) -> dict[str, Any]:
        """Return everything as JSON has it; what is no finite number is None."""
        pair = self.pair
        found = {
            "metric": self.claim.metric,
            "site": self.claim.site,
            "direction": self.claim.direction,
            "effect": self.claim.effect,
            "unit": self.claim.unit,
            "verdict": self.word,
            "verdict_before_checks": self.by_rule,
            "first": pair.first.tolist(),
            "second": pair.second.tolist(),
            "estimate": self.estimate,
            "interval": [_finite(end) for end in self.interval],
            "level": self.level,
            "claims": self.family,
            "plain_interval": [_finite(end) for end in pair.interval(self.level)],
            "seeds": pair.seeds,
            "images": pair.images,
            "deviation": _finite(pair.deviation),
            "seed_error": _finite(pair.seed_error),
            "image_error": pair.image_error if pair.images and pair.seeds > 1 else None,
            "p_zero": self.p_zero,
            "p_zero_holm": self.p_zero_holm,
            "p_half": self.p_half,
            "p_half_holm": self.p_half_holm,
            "seeds_if_true": self.seeds_if_true,
            "seeds_if_none": self.seeds_if_none,
            "detectable": self.detectable,
        }
        checks = [
            {"name": one.name, "outcome": one.outcome, "interval": one.interval, "unit": one.unit, "text": one.text}
            for one in self.checks
        ]
        return found | {"checks": checks, "text": str(self)}

    def __str__(self) -> str:
        return f"{self.claim.name}: {self.word}. " + " ".join(
            [self._found(), self._why(), *(check.text for check in self.checks)]
        )

    def _seeds(self, effect: float, alpha: float) -> int | None:
        return seeds_needed(effect, level=1 - alpha, **self._spread()) if self.pair.has_spread else None

    def _spread(self) -> dict[str, float]:
        pair = self.pair
        return {
            "deviation": max(pair.deviation, pair.floor),
            "image_error": pair.image_error,
            "floor": pair.floor,
        }

    def _found(self) -> str:
        pair, unit = self.pair, f" {self.claim.unit}".rstrip()
        seeds = f"{pair.seeds} paired seed{'' if pair.seeds == 1 else 's'}"
        over = f"{seeds}, {pair.images:,} images" if pair.images else seeds
        text = f"B - A = {self.difference}{unit}"
        if pair.has_spread:
            holm = "" if self.family == 1 else f" at Holm's levels for {self.family} claims"
            text += f", {self.between}{holm} ({100 * self.level:g} %, {over}), p = {self.p_zero_holm:.2g}."
        else:
            text += f" ({over})."
        if self.claim.effect is not None:
            text += f" Claimed: {self.claim.effect:+g}{unit}, of which half is {self.claim.effect / 2:+g}."
        return text

    def _why(self) -> str:
        claim = self.claim
        half = "half of the claimed effect"
        if self.word != self.by_rule:
            return f"The interval excludes 0, B being {self._side()}, but the claim does not survive all that it must:"
        if self.word == "reproduced":
            return "The interval excludes 0 in the claimed direction" + (
                "." if claim.effect is None else f" and reaches {half}."
            )
        if self.word == "contradicted":
            return "The interval excludes 0 on the other side."
        if self.word == "differs":
            return f"The interval excludes 0; no direction was claimed, and B is {self._side()}."
        if self.word == "not reproduced":
            small = claim.sign * self.estimate > 0 and self.p_zero_holm <= 1 - self.level
            return f"The interval excludes {half}" + (
                ", and 0 as well: there is an effect, of less than half the size." if small else "."
            )
        return self._undecided()

    def _undecided(self) -> str:
        claim, pair = self.claim, self.pair
        if pair.seeds == 1:
            return "One seed never decides: nothing says how far another one would lie from it."
        if not pair.has_spread:
            return (
                f"All {pair.seeds} differences are equal, so that nothing says how far another seed would lie; "
                "either the arms are one and the same, or the metric is too coarse."
            )
        if claim.effect is None:
            return (
                f"The interval holds zero. With {pair.seeds} seeds of this spread a true difference of "
                f"{self.detectable:.2g}{f' {claim.unit}'.rstrip()} is found in 4 of 5 experiments; how many seeds "
                "would decide depends on the effect, and none was claimed."
            )
        if self.seeds_if_true is None:
            return (
                "The interval holds both 0 and half of the claimed effect. With no more images than these, no "
                "number of seeds would exclude either in 4 of 5 experiments."
            )
        spread = f"{max(pair.deviation, pair.floor):.2g}{f' {claim.unit}'.rstrip()}"
        return (
            "The interval holds both 0 and half of the claimed effect. At the spread found (standard deviation "
            f"{spread} over seeds), {_seeds(self.seeds_if_true)} would exclude 0 in 4 of 5 experiments if the claim "
            f"were true, and {_seeds(self.seeds_if_none)} would exclude half of it if there were no effect."
        )

    def _side(self) -> str:
        return "lower" if self.estimate < 0 else "higher"


def between(interval: tuple[float, float], decimals: int) -> str:
    """Return an interval as text; ``not known`` where it is infinite."""
    if not all(map(math.isfinite, interval)):
        return "not known"
    return f"[{interval[0]:+.{decimals}f}, {interval[1]:+.{decimals}f}]"


def _seeds(count: int | None) -> str:
    return "no number of seeds, only more images," if count is None else f"{count:,} seeds"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
