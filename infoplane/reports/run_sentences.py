"""What one run was and what came out of it, in sentences."""

import math
from datetime import datetime

from infoplane.printable import printable
from infoplane.reports.decimals import decimals, time_text
from infoplane.reports.document import Block, Bullets, Name, Paragraph, Text, listed, name
from infoplane.reports.run_facts import Measured, RunFacts, SiteFacts

MOST_SITES = 6
_STATUS = {
    "finished": "The run finished",
    "interrupted": "The run was interrupted",
    "killed": "The run was killed: nobody writes its file any more, and every committed row is here",
    "recording": "The run is being recorded: what stands here is what it has measured so far",
    "recording or killed": "The run has not been ended: it is being recorded, or its writer was killed",
    "replaced": "The run was not ended, and another file has its name by now: open that one to see how it went on",
}


def run_blocks(facts: RunFacts) -> tuple[Block, ...]:
    """Return what one run was, how it ended, and what each site's probe read out at its last row."""
    blocks: list[Block] = [Paragraph(text) for text in ((*_what(facts), *_how(facts)), _came_out(facts)) if text]
    sites = [_site(facts, site) for site in facts.sites[:MOST_SITES]]
    if len(facts.sites) > MOST_SITES:
        sites.append((f"The other {len(facts.sites) - MOST_SITES} sites stand in the table of last rows.",))
    return (*blocks, Bullets(tuple(sites))) if sites else tuple(blocks)


def bits(value: float, error: float = math.nan, *, sign: bool = False) -> str:
    """Return a number of bit with as many decimals as its standard error allows, and the error where one is known."""
    if not math.isfinite(value):
        return "not finite"
    digits = decimals(value, error)
    shown = f"{value:{'+' if sign else ''},.{digits}f}"
    return f"{shown} ± {error:,.{digits}f}" if math.isfinite(error) else shown


def measured(one: Measured | None, *, sign: bool = False) -> str:
    """Return a measured number as `bits` does; a dash where there is none."""
    return "-" if one is None else bits(one.value, one.error, sign=sign)


def in_bits(one: Measured) -> str:
    """Return a measured number with its unit, or that it is not finite."""
    return f"{measured(one)} bit" if math.isfinite(one.value) else "not finite"


def error_text(facts: RunFacts) -> str:
    """Return the network's error with its unit; a dash where it is not known."""
    if not math.isfinite(facts.error):
        return "not finite" if facts.has_error else "-"
    return f"{facts.error:.2f} {facts.error_unit}"


def at_row(facts: RunFacts) -> str:
    """Return which row the last one is, as ``epoch 10 (step 500)``."""
    if facts.step is None:
        return "no row"
    return (
        f"step {facts.step:,}" if math.isnan(facts.epoch) else f"epoch {time_text(facts.epoch)} (step {facts.step:,})"
    )


def _what(facts: RunFacts) -> Text:
    pieces: list[str | Name] = ["A network"]
    if facts.model:
        pieces += [" (", name(facts.model), _counted(facts), ")"]
    if facts.data:
        pieces += [" learned ", name(facts.data)]
    if facts.method:
        pieces += [" by the method " if facts.data else " was trained by the method ", name(facts.method)]
    if facts.epochs_planned is not None:
        pieces.append(f", for {facts.epochs_planned:,} epoch{'' if facts.epochs_planned == 1 else 's'}")
    if facts.seed is not None:
        whose = "probes' seed" if facts.is_probes_seed else "seed"
        pieces.append(f", {whose} {facts.seed}")
    if facts.device:
        pieces += [", on ", name(facts.device)]
    if len(pieces) == 1:
        return ("The file does not say what was trained. ",)
    missing = [word for word, known in (("data", facts.data), ("method", facts.method)) if not known]
    said = f" The file does not name its {' and its '.join(missing)}." if missing else ""
    return (*pieces, f".{said} ")


def _counted(facts: RunFacts) -> str:
    return "" if facts.parameters is None else f", {facts.parameters:,} parameters"


def _how(facts: RunFacts) -> Text:
    said = _STATUS.get(facts.status, f"The run is {printable(facts.status, 40)}")
    if facts.status in ("finished", "interrupted"):
        said += f" {_when(facts)}" if facts.end_time else ""
    rows = f"{facts.rows:,} row{'' if facts.rows == 1 else 's'}"
    if not facts.rows and facts.committed:
        written = f"{facts.committed:,} rows of the plane were" if facts.committed > 1 else "1 row of the plane was"
        return (f"{said}. {written} written, but none can be read.",)
    if not facts.rows and facts.unreadable:
        return (f"{said}. No row of the plane can be read.",)
    if not facts.rows:
        return (f"{said}. Its file has no row of the plane.",)
    return (f"{said}, with {rows} of the plane, the last at {at_row(facts)}.",)


def _when(facts: RunFacts) -> str:
    try:
        end, start = datetime.fromisoformat(facts.end_time), datetime.fromisoformat(facts.start_time)
        seconds = (end - start).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f"at {end:%Y-%m-%d %H:%M} ({end:%Z}) after {duration(seconds)}"


def duration(seconds: float) -> str:
    """Return a time in the two largest of its units."""
    whole = round(seconds)
    for size, unit, below, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {unit} {rest} {part}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def _came_out(facts: RunFacts) -> Text:
    pieces: list[str | Name] = []
    if facts.has_error:
        where = (" on the split ", name(facts.error_split)) if facts.error_split else ("",)
        count = "" if facts.n is None else f", n = {facts.n:,} inputs"
        pieces += [f"The network's error at its last row is {error_text(facts)}", *where, f"{count}. "]
    if facts.probes:
        place = (" on the split ", name(facts.split)) if facts.split else ("",)
        by = (" by ", name(facts.estimator)) if facts.estimator else ("",)
        count = "" if facts.n is None else f", n = {facts.n:,} inputs"
        pieces += ["The plane was measured", *by, *place, f"{count}; probes: ", name(facts.probes, 300), ". "]
    if facts.sites and not facts.has_control:
        pieces.append(
            "No control was recorded: how much of a bound is the probe's own training, and not the network's doing, "
            "cannot be told."
        )
    if facts.others:
        pieces += [
            " Not shown on the page: other betas, scale twins and refitted probes (",
            *listed(facts.others),
            ").",
        ]
    return tuple(pieces)


def _site(facts: RunFacts, site: SiteFacts) -> Text:
    pieces: list[str | Name] = [name(site.site), f": rate {in_bits(site.rate)} (upper bound on I(Z;X))"]
    pieces.append(_against(site.rate_change, site.control_rate))
    if all(map(math.isfinite, site.enclosed)):
        lower, upper = site.enclosed
        pieces.append(f"; the known code encloses I(Z;X) between {bits(lower)} and {bits(upper)} bit")
        pieces.append(_width(facts, upper, site.rate.value))
    pieces.append(_label_bound(facts, site.label_bound))
    pieces.append(_against(site.label_change, site.control_label_bound))
    if facts.n and site.rate.value >= math.log2(facts.n):
        pieces.append(
            f". The rate is beyond log2 n = {math.log2(facts.n):.2f} bit, "
            f"so it says nothing about these {facts.n:,} inputs"
        )
    return (*pieces, ".")


def _width(facts: RunFacts, upper: float, rate: float) -> str:
    """Return what the upper end of the known code's bounds adds to the other upper bounds, where that is nothing."""
    if upper > rate:
        return ", from above no narrower than the rate"
    if facts.n and upper > math.log2(facts.n):
        return f", from above no narrower than log2 n = {math.log2(facts.n):.2f} bit"
    return ""


def _label_bound(facts: RunFacts, bound: Measured) -> str:
    of = f" of H(Y) = {bits(facts.h_y)} bit" if math.isfinite(facts.h_y) else ""
    if facts.label_kind != "lower bound" or not math.isfinite(bound.value):
        return f"; I(Z;Y) {in_bits(bound)} ({facts.label_kind}){of}"
    if bound.value < 0:
        return f"; the lower bound on I(Z;Y), {in_bits(bound)}{of}, is below 0 and says nothing"
    return f"; I(Z;Y) at least {in_bits(bound)} (lower bound){of}"


def _against(change: Measured | None, control: Measured | None) -> str:
    if change is None or control is None:
        return ""
    if not math.isfinite(change.value):
        return f", its control {measured(control)}"
    side = "above" if change.value >= 0 else "below"
    return f", {bits(abs(change.value), change.error)} {side} its control's {measured(control)}"
