"""What is watched as a table for a terminal: a line per run, below it one per site with its last rows as sparklines."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from infoplane.printable import NAME, printable
from infoplane.runfile.short_names import short_names
from infoplane.watch.figures import age, bound, direction, error_of, figure, of_site, says_nothing
from infoplane.watch.sparkline import ASCII, BLOCKS, sparkline
from infoplane.watch.state import ALIVE, RunState

_STYLES = {"recording": "green", "finished": "bold", "killed": "bold red", "unreadable": "bold red"}
_LEAST_SPARK, _MOST_SPARK = 4, 40
_MOST_NAME = 32


@dataclass(frozen=True)
class _Site:
    """Cells of one site."""

    name: str
    rate: str
    rate_control: str
    label: str
    label_control: str
    rates: tuple[float, ...]
    label_bounds: tuple[float, ...]


def table(
    states: Sequence[RunState],
    *,
    width: int,
    height: int,
    now: float,
    patterns: Sequence[str] = (),
    ascii_only: bool = False,
) -> Text:
    """Return how the runs stand, fitted to a terminal.

    Parameters
    ----------
    states : sequence of RunState
        In the order of the table.
    width, height : int
        Of the terminal. Where the runs do not fit, sites are left out first, then runs, and the table says so; those
        that are alive stay longest.
    now : float
        Seconds since 1970, to tell how long ago a row came.
    patterns : sequence of str
        Of which more files may appear.
    ascii_only : bool
        Whether the terminal lacks block characters.

    Returns
    -------
    rich.text.Text
        At most `height` - 1 lines of at most `width` characters. Whatever comes from a file is made safe to print.
    """
    names = short_names([state.path for state in states])
    sites = [_sites(state, ascii_only=ascii_only) for state in states]
    said = _notes(states, patterns, ascii_only=ascii_only)
    notes = [Text(line, style="dim") for note in said for line in wrap(note, max(20, width), subsequent_indent="  ")]
    room = max(3, height - 1 - len(notes) - 1)
    with_sites, shown = _chosen(states, [len(one) for one in sites], room)
    widths = _widths([one for k in with_sites for one in sites[k]], width)
    lines = []
    if with_sites:
        lines.append(_fitted(_head(widths), width, "underline"))
    for k in shown:
        state = states[k]
        lines.append(_run_line(state, printable(names[k], NAME), width, now))
        if k in with_sites:
            lines += [_site_line(one, widths, width, ascii_only=ascii_only) for one in sites[k]]
    left_out = []
    if len(with_sites) < sum(1 for k in shown if sites[k]):
        left_out.append("sites of some runs")
    if len(shown) < len(states):
        left_out.append(f"{len(states) - len(shown)} of {len(states)} runs")
    if left_out:
        lines.append(_fitted(f"left out for want of room: {', '.join(left_out)}", width, "yellow"))
    return Text("\n").join([*lines, *notes])


def _chosen(states: Sequence[RunState], sites: Sequence[int], room: int) -> tuple[set[int], list[int]]:
    """Return the runs whose sites are shown, and those that are shown at all, as they fit into `room` lines."""
    # Those written last come first.
    order = sorted(range(len(states)), key=lambda k: -states[k].written if states[k].written > 0 else math.inf)
    alive = [k for k in order if states[k].status in ALIVE]
    others = [k for k in order if states[k].status not in ALIVE]
    everything = 1 + len(order) + sum(sites)
    left = max(1, room - 1 if everything <= room else room - 2)  # less the head, and the line on what is left out
    shown: set[int] = set()
    with_sites: set[int] = set()
    for some in (alive, others):
        for k in some[:left]:
            shown.add(k)
        left -= len(some[:left])
        for k in some:
            if k in shown and 0 < sites[k] <= left:
                with_sites.add(k)
                left -= sites[k]
    return with_sites, sorted(shown)


def _run_line(state: RunState, name: str, width: int, now: float) -> Text:
    last = state.last
    parts = [printable(state.reason, 300)]
    if last is not None and math.isfinite(last.epoch):
        parts.append(f"epoch {last.epoch:g}{'' if state.epochs is None else f' of {state.epochs}'}")
    if last is not None or state.counts:
        parts.append(f"{state.rows} row{'' if state.rows == 1 else 's'}")
    since = now - (last.time if last is not None and math.isfinite(last.time) else state.written)
    if math.isfinite(since):
        parts.append(f"{age(since)} ago")
    if last is not None:
        parts.append(error_of(state, last))
    if state.findings:
        unusable = f", {state.unusable} unusable" if state.unusable else ""
        parts.append(f"{state.findings} findings{unusable}")
    if last is not None:
        parts.append(f"step {last.step}")
    line = Text()
    line.append(f"{name}  ", style="bold")
    line.append(state.status, style=_STYLES.get(state.status, "yellow"))
    line.append("".join(f"  {part}" for part in parts if part))
    line.truncate(width, overflow="ellipsis")
    return line


def _sites(state: RunState, *, ascii_only: bool) -> list[_Site]:
    last, meaning = state.last, state.meaning
    if last is None or meaning is None:
        return []
    found = []
    for site, (probe, control) in of_site(last).items():
        place = last.probes.index(probe)
        star = "*" if says_nothing(probe.i_zx, last.n) else ""
        upper, lower = (direction(kind, ascii_only=ascii_only) for kind in (meaning.kind_i_zx, meaning.kind_i_zy))
        found.append(
            _Site(
                name=printable(site, NAME),
                rate=f"{upper} {bound(probe.i_zx, probe.se_i_zx, ascii_only=ascii_only)}{star}",
                rate_control=figure(control.i_zx, probe.se_i_zx) if control else "-",
                label=f"{lower} {bound(probe.i_zy, probe.se_i_zy, ascii_only=ascii_only)}",
                label_control=figure(control.i_zy, probe.se_i_zy) if control else "-",
                rates=tuple(row.probes[place].i_zx for row in state.recent),
                label_bounds=tuple(row.probes[place].i_zy for row in state.recent),
            )
        )
    return found


_HEAD = ("site", "I(Z;X), bit", "control", "course", "I(Z;Y), bit", "control", "course")


def _widths(sites: Sequence[_Site], width: int) -> list[int]:
    """Return the widths of the seven columns; names give way first, then the sparklines."""
    cells = [(one.name, one.rate, one.rate_control, one.label, one.label_control) for one in sites]
    name, rate, rate_control, label, label_control = (
        max([len(head), *(cell_len(line[k]) for line in cells)])
        for k, head in enumerate((_HEAD[0], _HEAD[1], _HEAD[2], _HEAD[4], _HEAD[5]))
    )
    numbers = rate + rate_control + label + label_control
    room = width - 2 - numbers - 6 * 2
    name = max(len(_HEAD[0]), min(name, _MOST_NAME, room - 2 * _LEAST_SPARK))
    longest = max([_LEAST_SPARK, *(len(one.rates) for one in sites)])
    spark = max(0, min(_MOST_SPARK, max(longest, len(_HEAD[3])), (room - name) // 2))
    return [name, rate, rate_control, spark, label, label_control, spark]


def _head(widths: Sequence[int]) -> str:
    fitted = [
        set_cell_size(text, size) if k in (0, 3, 6) else text.rjust(size)
        for k, (text, size) in enumerate(zip(_HEAD, widths, strict=True))
    ]
    return "  " + "  ".join(fitted)


def _site_line(site: _Site, widths: Sequence[int], width: int, *, ascii_only: bool) -> Text:
    marks = ASCII if ascii_only else BLOCKS
    rates, label_bounds = (sparkline(values, widths[3], marks=marks) for values in (site.rates, site.label_bounds))
    line = Text("  ")
    line.append(set_cell_size(_shortened(site.name, widths[0]), widths[0]))
    line.append(f"  {site.rate.rjust(widths[1])}")
    line.append(f"  {site.rate_control.rjust(widths[2])}", style="dim")
    line.append(f"  {rates.ljust(widths[3])}", style="cyan")
    line.append(f"  {site.label.rjust(widths[4])}")
    line.append(f"  {site.label_control.rjust(widths[5])}", style="dim")
    line.append(f"  {label_bounds}", style="magenta")
    line.truncate(width, overflow="ellipsis")
    return line


def _shortened(name: str, width: int) -> str:
    """Cut a name in its middle: sites of one network differ in their ends."""
    if cell_len(name) <= width:
        return name
    tail = name[-(width // 2) :]
    return f"{set_cell_size(name, max(0, width - 1 - cell_len(tail))).rstrip()}…{tail}"


def _notes(states: Sequence[RunState], patterns: Sequence[str], *, ascii_only: bool) -> list[str]:
    """Return what the numbers are, what is left out, and what is waited for."""
    known = [(state.meaning, state.last) for state in states if state.meaning and state.last]
    notes = []
    if known:
        estimators = _listed(meaning.estimator for meaning, _ in known)
        splits = _listed(meaning.split for meaning, _ in known)
        numbers = _listed(f"{last.n}" for _, last in known)
        notes.append(f"{estimators} on {splits}, n = {numbers}; bounds on each probe's own code, control: frozen net")
        errors = "standard error over inputs, without seed and probe training"
        notes.append(f"{'+/-' if ascii_only else '±'}: {errors}; course: the last rows, from lowest to highest")
        if any(says_nothing(probe.i_zx, last.n) for _, last in known for probe, _ in of_site(last).values()):
            notes.append("* at or above log2 n: says nothing about these n inputs")
        others = sum(meaning.probes_left_out for meaning, _ in known)
        if others:
            notes.append(f"not shown: {others} probe{'s' if others > 1 else ''} at other betas, on scales, or refitted")
    if patterns:
        notes.append(f"watching {printable(', '.join(patterns), 200)} for more files; Ctrl-C ends")
    return notes


def _listed(texts: Iterable[str]) -> str:
    found = list(dict.fromkeys(printable(text, NAME) for text in texts))
    return ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")


def _fitted(text: str, width: int, style: str) -> Text:
    line = Text(text, style=style)
    line.truncate(width, overflow="ellipsis")
    return line
