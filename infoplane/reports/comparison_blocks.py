"""The comparison in a report on runs: judged by the rule of `infoplane.reports.compare` where they are two arms.

Two arms are runs of exactly two settings, apart from their seeds. The family of claims is fixed: the error of the
network, and both bounds of every site, each for a difference in either direction.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from infoplane.analysis.verdicts import Claim
from infoplane.errors import InfoplaneError
from infoplane.reports.compare import compare
from infoplane.reports.comparison import Comparison, cells
from infoplane.reports.document import LONGEST, Block, Bullets, Name, Paragraph, Table, Text, listed, name
from infoplane.reports.run_facts import RunFacts
from infoplane.reports.run_groups import by_setting
from infoplane.runfile.study import Study

_ENDED = ("finished", "interrupted")


def comparison_of(facts: Sequence[RunFacts]) -> Comparison | Text:
    """Return the comparison of two arms, or in a sentence why there is none.

    Parameters
    ----------
    facts : sequence of RunFacts
        One per run, with their settings; the files are read again.
    """
    if len(facts) < 2:
        return ("One run compares with nothing.",)
    if unended := [one.name for one in facts if one.status not in _ENDED]:
        return ("Nothing is judged before every run has ended; not ended: ", *listed(unended), ".")
    arms = two_arms(facts)
    if arms is None:
        return (
            "These runs are not two arms (two settings, each with seeds that the other has too), so nothing is "
            "judged; the table of last rows sets them side by side. infoplane compare A... B... names two arms.",
        )
    try:
        first, second = (Study([Path(one.path) for one in arm]) for arm in arms)
        return compare(first, second, _claims(facts))
    except (InfoplaneError, ValueError, LookupError, TypeError) as error:
        return ("The runs cannot be compared: ", name(error, LONGEST), ".")


def comparison_blocks(found: Comparison | Text) -> list[Block]:
    """Return what a report says of `comparison_of`: the arms, a table of verdicts, and each in sentences."""
    if isinstance(found, tuple):
        return [Paragraph(found)]
    return _judged(found)


def _claims(facts: Sequence[RunFacts]) -> list[Claim]:
    claims = [] if any(math.isnan(one.error) for one in facts) else [Claim("error")]
    with_sites = all(one.sites for one in facts) and len({tuple(s.site for s in one.sites) for one in facts}) == 1
    return [*claims, *([Claim("i_zx"), Claim("i_zy")] if with_sites else [])]


def two_arms(facts: Sequence[RunFacts]) -> tuple[list[RunFacts], list[RunFacts]] | None:
    """Return the runs as two arms, that of the first run first; None unless they have exactly two settings."""
    groups = by_setting(facts)
    return (groups[0], groups[1]) if len(groups) == 2 else None


def _judged(found: Comparison) -> list[Block]:
    pairs = found.arms.pairs
    sides = [
        (f"{side}: ", *listed([getattr(pair, of).stem for pair in pairs]))
        for side, of in (("A", "first"), ("B", "second"))
    ]
    at = f" (epoch {found.epoch:g})" if math.isfinite(found.epoch) else ""
    seeds = ", ".join(str(pair.seed) for pair in pairs)
    differ = [
        (name(key), ": ", name(a, 300), " in A, ", name(b, 300), " in B")
        for key, (a, b) in found.arms.differences.items()
    ]
    head = ("claim", "verdict", "A", "B", "B - A", "interval", "p")
    rows: tuple[tuple[str | Name, ...], ...] = tuple(
        (name(first), *others) for first, *others in map(cells, found.verdicts)
    )
    several = "Holm over the claims of this table" if len(rows) > 1 else "one claim"
    caption = f"Paired by seed ({seeds}), at the last row{at}; {several}, level {100 * found.verdicts[0].level:g} %."
    said = [*map(str, found.verdicts), *([str(found.networks)] if found.networks else []), *found.notes]
    return [
        Bullets(tuple(sides)),
        *(() if not differ else (Paragraph(("B differs from A in:",)), Bullets(tuple(differ)))),
        Table(head, rows, 2, caption),
        Bullets(tuple((name(text, LONGEST),) for text in said)),
    ]
