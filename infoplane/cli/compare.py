"""``infoplane compare``: whether a claim about two sets of runs is reproduced."""

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from infoplane.cli import complete


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="A... B...",
            help="Run files, or quoted patterns. Two arguments are the two arms; of more, those that lie in the first "
            "one's folder are A and those of another one B, or --b names B.",
        ),
    ],
    b: Annotated[
        list[str], typer.Option("--b", metavar="B", help="Run file or pattern of arm B; may be repeated.")
    ] = [],  # noqa: B006
    metric: Annotated[
        list[str],
        typer.Option(
            help="error, loss, i_zx, i_zy, jsd_weights, jsd_activations, ...; may be repeated: a family.",
            autocompletion=complete.metrics,
        ),
    ] = ["error"],  # noqa: B006
    site: Annotated[
        str, typer.Option(help="Site of a probe's metric, or layer of a divergence; all if left out.")
    ] = "",
    claim: Annotated[
        float | None,
        typer.Option(help="Claimed difference, B less A: of the error in points, else in bit; such as -0.07."),
    ] = None,
    direction: Annotated[
        str | None, typer.Option(help="lower or higher: where B is claimed to be; that of --claim if left out.")
    ] = None,
    level: Annotated[float, typer.Option(help="Of the family of claims.")] = 0.95,
    margin: Annotated[
        float | None, typer.Option(help="Bit within which I(Z;Y) counts as equal, for claims about i_zx.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per claim.")] = False,
) -> None:
    """Judge a claim about two sets of runs.

    Pairs the runs by seed, compares their last rows, and says reproduced, not reproduced, contradicted, or undecided
    and how many seeds would decide. The exit code is 0 whatever the verdict.

    Example: infoplane compare 'baseline/*.h5' 'synscaw/*.h5' --claim -0.07
    """
    from infoplane.analysis.verdicts import Claim
    from infoplane.errors import InputError
    from infoplane.reports.compare import MARGIN
    from infoplane.reports.compare import compare as compare_runs

    first, second = (runs, b) if b else _two_arms(runs)
    if len(metric) > 1 and (claim is not None or site):
        given = "--site" if claim is None else "--claim"
        raise InputError(f"{given} belongs to one metric, but there are {len(metric)}: {', '.join(metric)}")
    claims = [Claim(name, site, direction, claim) for name in metric]
    found = compare_runs(first, second, claims, level=level, margin=MARGIN if margin is None else margin)
    if json:
        for record in found.records():
            print(json_format.dumps(record))
    else:
        print(found)


def _two_arms(runs: list[str]) -> tuple[list[str], list[str]]:
    """Return the arms of files that a shell may have expanded: two arguments, or the files of two folders."""
    from infoplane.errors import InputError

    if len(runs) == 2:
        return runs[:1], runs[1:]
    folders = list(dict.fromkeys(Path(run).parent for run in runs))
    if len(folders) != 2:
        where = f"{len(folders)} folder{'' if len(folders) == 1 else 's'}"
        raise InputError(
            f"{len(runs)} run file{'' if len(runs) == 1 else 's'} in {where} are not two arms; give the files "
            "of two folders (A/*.h5 B/*.h5), two quoted patterns ('a-*.h5' 'b-*.h5'), or --b before each file of B"
        )
    return [run for run in runs if Path(run).parent == folders[0]], [
        run for run in runs if Path(run).parent == folders[1]
    ]
