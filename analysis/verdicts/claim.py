"""What is claimed of two arms, before anything is measured: a metric, a direction, and how large the effect is."""

import math
from dataclasses import dataclass
from numbers import Real

from infoplane.analysis.errors import InputError, one_of

DIRECTIONS = ("lower", "higher")


@dataclass(frozen=True)
class Claim:
    """A claim about the second of two arms, measured against the first.

    The values are those of the last row of every run, never the best on the test set: which epoch counts is fixed
    before the runs, as metric, seeds and effect are.

    Attributes
    ----------
    metric : str
        What is measured.
    site : str
        Where; empty where the metric has no place.
    direction : {"lower", "higher"} or None
        Where the second arm is claimed to be; that of `effect` where it is left out. None without one: then the two
        are only told apart.
    effect : float or None
        Claimed difference, second less first, in `unit`: -0.07 of 1.14 % against 1.21 %.
    unit : str
        Of the difference.
    """

    metric: str
    site: str = ""
    direction: str | None = None
    effect: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        for name in ("metric", "site", "unit"):
            if not isinstance(getattr(self, name), str):
                raise InputError(f"{name} is {getattr(self, name)!r}, but it must be a word")
        if not self.metric:
            raise InputError("metric is empty, but a claim is about one, such as 'error'")
        if self.direction is not None:
            one_of("direction", self.direction, DIRECTIONS)
        if self.effect is None:
            return
        if isinstance(self.effect, bool) or not isinstance(self.effect, Real) or not math.isfinite(self.effect):
            raise InputError(
                f"effect is {self.effect!r}, but it must be a finite number, or None where none is claimed"
            )
        if not self.effect:
            raise InputError("effect is 0, but no number of seeds shows that two arms are equal: claim a difference")
        says = DIRECTIONS[bool(self.effect > 0)]
        if self.direction not in (None, says):
            raise InputError(
                f"effect is {self.effect:g} and direction {self.direction!r}, but an effect is the second arm less the "
                f"first, so that this one says {says!r}"
            )
        object.__setattr__(self, "direction", says)
        object.__setattr__(self, "effect", float(self.effect))

    @property
    def name(self) -> str:
        """Metric and site."""
        return f"{self.metric} {self.site}".strip()

    @property
    def sign(self) -> int:
        """-1 where the second arm is claimed to be lower, 1 where higher, 0 where nothing is said."""
        return {None: 0, "lower": -1, "higher": 1}[self.direction]
