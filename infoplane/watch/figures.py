"""How a watch writes numbers: with unit and direction of the bound, in as many digits as its standard error allows."""

import math

from infoplane.printable import printable
from infoplane.reports.decimals import decimals
from infoplane.watch.rows import ProbeValues, Row
from infoplane.watch.state import DELETED, STARTING, UNREADABLE, WAITING, RunState

_REASON = 500
_LARGEST = 1e6
_DIRECTIONS = {"upper_bound": ("≤", "<="), "lower_bound": ("≥", ">=")}
_SENTENCES = {
    "recording": "is being recorded",
    "finished": "has finished",
    "interrupted": "was interrupted; the file was ended in order",
    "killed": "was killed: nobody writes it any more, and it was not ended; every committed row is kept",
    "recording or killed": "is being recorded or was killed, which cannot be told here",
    "replaced": "was replaced by another file",
    WAITING: "is not there yet; waiting for it",
    STARTING: "cannot be read yet",
    UNREADABLE: "is no run file that can be read",
    DELETED: "is not there any more",
}


def figure(value: float, error: float = math.nan) -> str:
    """Return an information in bit, with the decimals of `infoplane.reports.decimals.decimals`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value) or abs(value) >= _LARGEST:
        return f"{value:.3g}"
    return f"{value:.{decimals(value, error)}f}"


def bound(value: float, error: float, *, ascii_only: bool = False) -> str:
    """Return an information in bit with its standard error, where there is one."""
    if not math.isfinite(error) or not math.isfinite(value):
        return figure(value)
    return f"{figure(value, error)}{' +/- ' if ascii_only else ' ± '}{figure(error, error)}"


def says_nothing(rate: float, n: int) -> bool:
    """Whether a rate is at or above log2 n, where it says nothing about these n inputs."""
    return n > 0 and rate >= math.log2(n)


def direction(kind: str, *, ascii_only: bool = False) -> str:
    """Return the sign between an information and its bound; ``~`` for what is an estimate, or something unknown."""
    sign, plain = _DIRECTIONS.get(kind, ("≈", "~"))
    return plain if ascii_only else sign


def error_of(state: RunState, row: Row) -> str:
    """Return the network's own error with unit; empty where none was recorded."""
    if state.meaning is None or not math.isfinite(row.error):
        return ""
    unit = state.meaning.error_unit
    return f"error {100 * row.error:.2f} {unit}"


def of_site(row: Row) -> dict[str, tuple[ProbeValues, ProbeValues | None]]:
    """Return the probe that is shown of each site, and its control where there is one."""
    plain = [probe for probe in row.probes if probe.is_plain]
    controls = {probe.site: probe for probe in plain if probe.host == "untrained"}
    return {probe.site: (probe, controls.get(probe.site)) for probe in plain if probe.host == "trained"}


def status_sentence(state: RunState, *, is_another: bool = False) -> str:
    """Return how a run stands, as the end of a sentence that begins with its name, safe to print."""
    said = _SENTENCES.get(state.status, state.status)
    if is_another:
        said = f"another file has this name now; it {said}"
    if state.rows:
        said = f"{said}; {state.rows} row{'s' if state.rows > 1 else ''}"
    return f"{said} ({printable(state.reason, _REASON)})" if state.reason else said


def age(seconds: float) -> str:
    """Return a time span in words short enough for a table."""
    if not math.isfinite(seconds):
        return ""
    whole = max(0, int(seconds))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if whole >= 2 * size:
            return f"{whole // size} {unit}"
    return f"{whole} s"
