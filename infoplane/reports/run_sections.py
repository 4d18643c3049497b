"""The text of a report on runs: what came out, divergences, comparison, findings, provenance, how to read it."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from infoplane.reports.comparison import Comparison
from infoplane.reports.comparison_blocks import comparison_blocks
from infoplane.reports.document import (
    LONGEST,
    Block,
    Bullets,
    Heading,
    Name,
    Paragraph,
    Section,
    Table,
    Text,
    listed,
    name,
)
from infoplane.reports.findings import FindingSummary, in_words
from infoplane.reports.jsd import JSDReport, JSDRow
from infoplane.reports.run_facts import RunFacts, SiteFacts
from infoplane.reports.run_groups import by_setting
from infoplane.reports.run_sentences import at_row, bits, error_text, measured, run_blocks
from infoplane.reports.run_settings_text import setting_text
from infoplane.runfile.difference import leaves

MOST_RUNS = 4
_MOST_SETTINGS = 400

READING = (
    "A probe bounds the information in its own noisy code Z, not in the layer: what a probe of N dimensions, this beta "
    "and this much training reads out of it.",
    "The rate, i_zx, is an upper bound on I(Z;X), and a loose one. On n inputs I(Z;X) cannot exceed log2 n; a rate "
    "beyond that line says nothing about those n inputs. Where both are measured, i_zx_lower and i_zx_upper enclose "
    "I(Z;X) by the known code; it is narrower than the rate only where i_zx_upper is below i_zx.",
    "i_zy of classes is H(Y) less the cross-entropy of the probe, a lower bound on I(Z;Y) in mean; of real labels it "
    "is an estimate, and no entropy is its limit. It may be negative, and is not clipped.",
    "The control is the same probe on the frozen untrained network. Most of a curve is the probe's own training: only "
    "the difference from the control is the network's doing.",
    "Behind ± stands one standard error over the held-out inputs; that of a difference from the control is paired. It "
    "leaves out seeds and the probes' training.",
    "A divergence is one from the log-normal law fitted to the same positive values; the distance is its root; the "
    "floor is what as many draws from that law give. Compare them within your own runs only.",
)


def run_sections(facts: Sequence[RunFacts], comparison: Comparison | Text) -> tuple[Section, ...]:
    """Return the sections of a report.

    Parameters
    ----------
    facts : sequence of RunFacts
        One per run.
    comparison : Comparison or tuple
        Of `infoplane.reports.comparison_blocks.comparison_of`.
    """
    return (
        Section("summary", "What was run, and what came out", tuple(_summary(facts))),
        Section("rows", "Last rows", tuple(_last_rows(facts))),
        Section("divergence", "Divergence from a log-normal law", tuple(_divergences(facts))),
        Section("comparison", "Comparison", tuple(comparison_blocks(comparison))),
        Section("findings", "Findings", tuple(_findings(facts))),
        Section("provenance", "Provenance", tuple(_provenance(facts))),
        Section("reading", "How to read the numbers", (Bullets(tuple((text,) for text in READING)),)),
    )


def _summary(facts: Sequence[RunFacts]) -> list[Block]:
    blocks: list[Block] = []
    if len(facts) > 1:
        states = {
            status: sum(one.status == status for one in facts) for status in dict.fromkeys(f.status for f in facts)
        }
        said = ", ".join(f"{count} {status}" for status, count in states.items())
        count = len({one.setting for one in facts})
        of = f" of {count} setting{'' if count == 1 else 's'} apart from their seeds" if len(facts) > MOST_RUNS else ""
        blocks.append(Paragraph((f"{len(facts)} runs{of}: {said}.",)))
    groups = by_setting(facts)
    if len(facts) <= MOST_RUNS:
        groups = [[one] for one in facts]
    else:
        blocks.append(Bullets(tuple(setting_text(group) for group in groups)))
    for group in groups[:MOST_RUNS]:
        one = group[0]
        beside = f", the first of {len(group)} runs of its setting" if len(group) > 1 else ""
        blocks.append(Heading((name(one.name), beside)))
        blocks += run_blocks(one)
        blocks += _unreadable(one)
    described = [group[0].name for group in groups[:MOST_RUNS]]
    others = [one for one in facts if one.name not in described]
    if others:
        blocks.append(Paragraph((_others(others),)))
        for one in others:
            blocks += _unreadable(one)
    return blocks


def _others(others: Sequence[RunFacts]) -> str:
    hidden = sum(not one.drawn for one in others)
    said = f"The other {len(others)} runs stand" if len(others) > 1 else "The other run stands"
    if not hidden:
        return f"{said} in the table of last rows and on the charts."
    which = ("They are" if len(others) > 1 else "It is") if hidden == len(others) else f"{hidden} of them are"
    return f"{said} in the table of last rows. {which} not drawn on the charts until ticked there."


def _unreadable(facts: RunFacts) -> list[Block]:
    if not facts.unreadable:
        return []
    said = Paragraph(("The file of ", name(facts.name), " is damaged; what can be read is shown, and this cannot:"))
    return [said, Bullets(tuple((name(text, LONGEST),) for text in facts.unreadable))]


def _last_rows(facts: Sequence[RunFacts]) -> list[Block]:
    runs = tuple(
        (
            name(one.name),
            one.status,
            name(one.method or "-"),
            "-" if one.seed is None else f"{one.seed} (probes')" if one.is_probes_seed else str(one.seed),
            at_row(one),
            error_text(one),
            "-" if one.n is None else f"{one.n:,}",
        )
        for one in facts
    )
    sites = tuple(_site_row(one, site) for one in facts for site in one.sites)
    head: tuple[str, ...] = ("run", "site", "i_zx [bit]", "its control", "difference", "i_zx_lower to i_zx_upper [bit]")
    head += ("i_zy [bit]", "its control", "difference")
    kinds = dict.fromkeys("a lower bound on" if one.label_kind == "lower bound" else "an estimate of" for one in facts)
    caption = (
        "Bounds at the last row of every run. i_zx: rate of the probe's code, upper bound on I(Z;X). i_zy: "
        f"{' or, of real labels, '.join(kinds)} I(Z;Y). Control: the same probe on the frozen untrained network."
    )
    of_probes = any(one.is_probes_seed and one.seed is not None for one in facts)
    blocks: list[Block] = [
        Table(
            ("run", "status", "method", "seed", "last row", "error", "n"),
            runs,
            3,
            "Runs, and the error of each network itself at its last row, on n inputs."
            + (" Probes': the seed of the probes; the file does not say that of the training." if of_probes else ""),
        )
    ]
    return [*blocks, Table(head, sites, 2, caption)] if sites else blocks


def _site_row(one: RunFacts, site: SiteFacts) -> tuple[str | Name, ...]:
    lower, upper = site.enclosed
    return (
        name(one.name),
        name(site.site),
        measured(site.rate),
        measured(site.control_rate),
        measured(site.rate_change, sign=True),
        f"{bits(lower)} to {bits(upper)}" if math.isfinite(lower + upper) else "-",
        measured(site.label_bound),
        measured(site.control_label_bound),
        measured(site.label_change, sign=True),
    )


def _divergences(facts: Sequence[RunFacts]) -> list[Block]:
    rows: list[tuple[str | Name, ...]] = []
    notes: list[tuple[str | Name, ...]] = []
    closing = ""
    for one in facts:
        if one.divergences is None:
            notes.append((name(one.name), ": its sketches cannot be read"))
            continue
        if one.divergences:
            closing = JSDReport(one.divergences).closing
        for row in one.divergences:
            if row.step is not None:
                rows.append(_divergence(one.name, row))
            notes += [
                (name(one.name), f", {row.stream}, ", name(row.name), ": ", name(text, 300)) for text in row.findings
            ]
    if not rows:
        return [Paragraph(("No histogram of weights or activations is there to be read, so there is no divergence.",))]
    head = (
        "run",
        "stream",
        "layer",
        "step",
        "divergence [bit]",
        "floor [bit]",
        "distance",
        "n positive",
        "positive",
        "zeros",
    )
    caption = (
        f"Jensen-Shannon divergence of the positive values at the last row from their own log-normal fit: {closing}."
    )
    return [Table(head, tuple(rows), 3, caption), *([Bullets(tuple(notes))] if notes else [])]


def _divergence(run: str, row: JSDRow) -> tuple[str | Name, ...]:
    numbers = ["-" if math.isnan(x) else f"{x:.4f}" for x in (row.divergence, row.floor, row.distance)]
    shares = ["-" if math.isnan(x) else f"{100 * x:.1f} %" for x in (row.positive_fraction, row.zero_fraction)]
    return (name(run), row.stream, name(row.name), f"{row.step:,}", *numbers, f"{row.n:,}", *shares)


def _findings(facts: Sequence[RunFacts]) -> list[Block]:
    blocks: list[Block] = []
    groups: dict[str, list[tuple[RunFacts, FindingSummary]]] = {}
    for one in facts:
        for group in one.findings or ():
            groups.setdefault(group.code, []).append((one, group))
    for code, found in groups.items():
        blocks.append(Heading((name(in_words(code)),)))
        # A text may hold numbers of its run, such as n: it stands above the runs that it is true of.
        meanings: dict[str, list[Text]] = {}
        for one, group in found:
            where = (name(one.name), ", ", name(group.stream), ": ", name(group.extent, 300))
            meanings.setdefault(_meaning(group), []).append(where)
        for meaning, places in meanings.items():
            blocks += [Paragraph((name(meaning, LONGEST),)), Bullets(tuple(places))]
    unknown = [one.name for one in facts if one.findings is None]
    if unknown:
        blocks.append(Paragraph(("The findings cannot be read of ", *listed(unknown), ".")))
    waiting = [one.name for one in facts if one.findings == () and not one.rows]
    if waiting:
        blocks.append(Paragraph(("Nothing can be found before the first row of ", *listed(waiting), ".")))
    clear = [one.name for one in facts if one.findings == () and one.rows]
    if clear:
        blocks.append(Paragraph(("Nothing was found that cannot be true in ", *listed(clear), ".")))
    return blocks


def _meaning(found: FindingSummary) -> str:
    text = f"{found.text[:1].upper()}{found.text[1:]}"
    return f"{text}; what to do: {found.advice}." if found.advice else f"{text}."


def _provenance(facts: Sequence[RunFacts]) -> list[Block]:
    blocks: list[Block] = []
    shared = _shared(facts) if len(facts) > 1 else {}
    if shared:
        blocks.append(_settings(shared, f"The same in all {len(facts)} runs."))
    for one in facts:
        own = {"file": one.path, "begun": one.start_time, "ended": one.end_time} | flat(one.provenance)
        blocks.append(Heading((name(one.name),)))
        blocks.append(_settings({key: value for key, value in own.items() if key not in shared}, "What the file says."))
    return blocks


def _shared(facts: Sequence[RunFacts]) -> dict[str, str]:
    flats = [flat(one.provenance) for one in facts]
    return {key: value for key, value in flats[0].items() if all(flat.get(key) == value for flat in flats[1:])}


def flat(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return provenance by dotted names, as text; what is not known of a run's origin is left out."""
    found = {".".join(path): _value(value) for path, value in leaves(dict(provenance)).items()}
    return {key: value for key, value in found.items() if value not in ("", "null", "{}", "[]")}


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _settings(values: Mapping[str, str], caption: str) -> Table:
    shown = dict(list(values.items())[:_MOST_SETTINGS])
    left = f" {len(values) - len(shown)} more are left out." if len(shown) < len(values) else ""
    rows = tuple((name(key), name(value, LONGEST)) for key, value in shown.items() if value)
    return Table(("key", "value"), rows, 2, caption + left)
