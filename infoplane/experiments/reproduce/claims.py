"""`PaperClaim`: what the paper says, where, and which numbers it prints; and `Statement`: the verdict on it."""

from dataclasses import asdict, dataclass
from typing import Any

from infoplane.analysis.errors import one_of
from infoplane.analysis.verdicts import WORDS, Claim


@dataclass(frozen=True, kw_only=True)
class PaperClaim:
    """A statement of the paper that can be checked.

    Attributes
    ----------
    text : str
        What it says, in our words.
    where : str
        In the paper.
    first, second : str
        The two arms of training that it is about; empty for a claim that needs no training.
    metric, site : str
        What is compared, and where; as in `infoplane.reports.compare`.
    printed : tuple of float, optional
        What the paper prints for the first and for the second arm.
    unit : str
        Of the printed numbers; empty where the paper does not say, as for its divergences.
    direction : {"lower", "higher"}, optional
        Where the second arm is claimed to be, where the printed numbers are not in the unit of `metric`.
    folds : bool
        Whether seeds are folds of a cross-validation, each with a test part of its own.
    """

    text: str
    where: str
    first: str = ""
    second: str = ""
    metric: str = ""
    site: str = ""
    printed: tuple[float, float] | None = None
    unit: str = ""
    direction: str | None = None
    folds: bool = False

    def __post_init__(self) -> None:
        if self.direction is not None:
            one_of("direction", self.direction, ("lower", "higher"))

    @property
    def effect(self) -> float | None:
        """The claimed difference, second less first, where the printed numbers are in the metric's own unit."""
        if self.printed is None or not self.unit:
            return None
        # Printed decimals: 1.14 less 1.21 is -0.07.
        return round(self.printed[1] - self.printed[0], 9) or None

    def claim(self, site: str = "") -> Claim:
        """Return what the engine of verdicts judges; at `site` where the claim names none."""
        effect = self.effect
        return Claim(self.metric, self.site or site, self.direction if effect is None else None, effect)

    @property
    def printed_text(self) -> str:
        """The printed numbers as they are shown."""
        if self.printed is None:
            return ""
        return f"{self.printed[0]:g} -> {self.printed[1]:g}{f' {self.unit}'.rstrip()}"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The verdict on one claim of the paper.

    Attributes
    ----------
    claim, where : str
        What the paper says, and where.
    printed, found : str
        Its number beside ours; empty where there is none.
    verdict : str
        One of `infoplane.analysis.verdicts.WORDS`.
    why : str
        What it was read off, in sentences.
    """

    claim: str
    where: str
    printed: str
    found: str
    verdict: str
    why: str

    def __post_init__(self) -> None:
        one_of("verdict", self.verdict, WORDS)

    def record(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    def __str__(self) -> str:
        numbers = "; ".join(
            f"{name}: {value}" for name, value in (("paper", self.printed), ("here", self.found)) if value
        )
        what = f"{self.verdict.upper()} - {self.claim} ({self.where})."
        return " ".join(part for part in (what, f"{numbers}." if numbers else "", self.why) if part)
