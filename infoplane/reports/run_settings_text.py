"""What came out of several runs of one setting, in one sentence: the range over their last rows."""

import math
from collections.abc import Sequence

from infoplane.reports.document import Name, Text, listed, name
from infoplane.reports.run_facts import RunFacts
from infoplane.reports.run_sentences import MOST_SITES, bits


def setting_text(runs: Sequence[RunFacts]) -> Text:
    """Return which runs have one setting, and between which values their last rows lie.

    Parameters
    ----------
    runs : sequence of RunFacts
        Of one setting, one at least.
    """
    count = f"{len(runs)} run{'' if len(runs) == 1 else 's'}"
    method = ("Method ", name(runs[0].method), ", ") if runs[0].method else ()
    pieces: list[str | Name] = [*method, f"{count} (", *listed(one.name for one in runs), ")"]
    errors = [one.error for one in runs if math.isfinite(one.error)]
    if errors:
        low, high = (f"{end(errors):.2f}" for end in (min, max))
        pieces.append(f": error {low if low == high else f'{low} to {high}'} {runs[0].error_unit}")
        if len(errors) < len(runs):
            pieces.append(f" ({len(errors)} of {len(runs)} runs)")
    for site in [site.site for site in runs[0].sites][:MOST_SITES]:
        found = [one for run in runs for one in run.sites if one.site == site]
        rate, label = (_range([getattr(one, of).value for one in found]) for of in ("rate", "label_bound"))
        pieces += ["; " if pieces[-1] != ")" else ": ", name(site), f" i_zx {rate}, i_zy {label} bit"]
    return (*pieces, ".")


def _range(values: Sequence[float]) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "not finite"
    low, high = bits(min(known)), bits(max(known))
    return low if low == high else f"{low} to {high}"
