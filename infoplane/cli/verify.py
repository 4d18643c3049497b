"""``infoplane verify``: every estimator on distributions whose mutual information is known."""

import json as json_format
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infoplane.analysis.verification import Outcome

_HEAD = ("law", "method", "kind", "n", "seeds", "truth", "value", "error", "tolerance", "seconds", "verdict")
_NUMBERS = (11, 6, 5, 8, 8, 8, 9, 7, 7)  # widths of the columns behind law and method


def verify(
    full: Annotated[
        bool, typer.Option("--full", help="Also the neural methods, noisy layers and the forty tasks of the benchmark.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per check, as each is done.")] = False,
) -> None:
    """Run the estimators where the truth is known.

    Prints truth, value, error and seconds beside a tolerance, in bit; exit code 1 when an estimate falls outside its
    tolerance without having warned. Takes about a minute; --full a quarter of an hour.

    Example: infoplane verify
    """
    from tqdm.auto import tqdm

    from infoplane.analysis.acceptance import full_checks, quick_checks
    from infoplane.analysis.verification import verify as run

    checks = full_checks() if full else quick_checks()
    widths = (max(len(c.law.name) for c in checks), max(len(c.method) for c in checks), *_NUMBERS)
    outcomes: list[Outcome] = []
    if not json:
        print("values in bit, means over the seeds; warned: outside the tolerance, and every estimate said so\n")
        print(_line(_HEAD, widths), flush=True)
    try:
        with tqdm(run(checks), total=len(checks), desc="verify", unit="check", disable=None, leave=False) as bar:
            for outcome in bar:
                outcomes.append(outcome)
                bar.write(json_format.dumps(_in_bits(outcome)) if json else _line(_cells(outcome), widths))
                sys.stdout.flush()
    finally:
        counts = {verdict: sum(o.verdict == verdict for o in outcomes) for verdict in ("pass", "warned", "fail")}
        print(
            f"infoplane: {len(outcomes)} of {len(checks)} checks: {counts['pass']} within tolerance, "
            f"{counts['warned']} outside with a warning, {counts['fail']} outside without one",
            file=sys.stderr,
        )
    if counts["fail"]:
        raise typer.Exit(1)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    sides = [str.ljust] * 3 + [str.rjust] * (len(cells) - 3)
    return "  ".join(side(cell, width) for side, cell, width in zip(sides, cells, widths, strict=True)).rstrip()


def _in_bits(outcome: "Outcome") -> dict[str, object]:
    facts = asdict(outcome)
    for name in ("truth", "value", "error", "tolerance", "standard_error"):
        bits = facts[name] / math.log(2)
        facts[name] = None if math.isnan(bits) else bits
    return {**facts, "findings": list(outcome.findings), "unit": "bit"}


def _cells(outcome: "Outcome") -> tuple[str, ...]:
    bits = [value / math.log(2) for value in (outcome.truth, outcome.value, outcome.error, outcome.tolerance)]
    return (
        outcome.law,
        outcome.method,
        outcome.kind.replace("_", " "),
        str(outcome.n),
        str(outcome.seeds),
        f"{bits[0]:.4f}",
        f"{bits[1]:.4f}",
        f"{bits[2]:+.4f}",
        f"{bits[3]:.2g}",
        f"{outcome.seconds:.2f}",
        outcome.verdict,
    )
