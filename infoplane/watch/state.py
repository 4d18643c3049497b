"""How a watched run stands at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infoplane.watch.rows import Meaning, Row

WAITING, STARTING, UNREADABLE, DELETED = "waiting", "starting", "unreadable", "deleted"
"""What there is beside the statuses of a run that is open: no file yet, one that is being made, one that is no run file
or damaged, and one that was there and is not any more."""

OVER = frozenset({"finished", "interrupted", "killed", UNREADABLE, DELETED})
"""After these no row comes, unless another file takes the name."""

ALIVE = frozenset({"recording", "recording or killed", STARTING, WAITING})


@dataclass(frozen=True)
class RunState:
    """One run file.

    Attributes
    ----------
    path : pathlib.Path
        As it was named or found.
    status : str
        That of `infoplane.Run`, or one of the words above.
    reason : str
        Why it cannot be read, or what of it cannot; empty where all is well.
    file : int
        Counts the files that have had this name since it is watched, from 1 on; 0 before the first.
    rows : int
        That the plane has, of those that can be read.
    new : tuple of Row
        Those since the last look, the oldest first.
    recent : tuple of Row
        The last few, the new ones among them.
    is_behind : bool
        Whether there are more rows already, which the next look gives.
    meaning : Meaning or None
        Of the numbers; None where there is no plane to read.
    findings, unusable : int
        Findings so far, one per row and place, and how many of them say that a value cannot be used as it stands.
    epochs : int or None
        That the training was asked for, where the file says so.
    written : float
        When the file was last written, seconds since 1970; NaN where unknown.
    counts : mapping of str to int
        Committed rows of the streams that are looked at.
    """

    path: Path
    status: str
    reason: str = ""
    file: int = 0
    rows: int = 0
    new: tuple[Row, ...] = ()
    recent: tuple[Row, ...] = ()
    is_behind: bool = False
    meaning: Meaning | None = None
    findings: int = 0
    unusable: int = 0
    epochs: int | None = None
    written: float = float("nan")
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether everything has been seen that there will be."""
        return self.status in OVER and not self.is_behind

    @property
    def last(self) -> Row | None:
        """The last row; None before the first."""
        return self.recent[-1] if self.recent else None
