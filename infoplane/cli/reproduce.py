"""``infoplane reproduce``: the paper's figures and tables, with a verdict on what it says of them."""

import json as json_format
import sys
from pathlib import Path
from typing import Annotated

import typer

from infoplane.cli import complete


def reproduce(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Which figure or table; left out, all of them are listed.", autocompletion=complete.experiments
        ),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="smoke (seconds), small, or full (as in the paper).",
            autocompletion=complete.scales,
        ),
    ] = "small",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder; reproduce/NAME-SCALE if left out.", file_okay=False)
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The first seed; 0 if left out.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="How many; the experiment's own number if left out.")] = None,
    column: Annotated[
        list[str],
        typer.Option(help="What of it: resnet32/cifar10-jpeg or all of a table, bottleneck; may be repeated."),
    ] = [],  # noqa: B006
    arm: Annotated[
        list[str], typer.Option(help="Train these alone, such as baseline; all if left out; may be repeated.")
    ] = [],  # noqa: B006
    weights: Annotated[
        list[str], typer.Option(help="fig3: a state dict, or a network of torchvision that is cached; may be repeated.")
    ] = [],  # noqa: B006
    jobs: Annotated[int | None, typer.Option(min=1, help="Trainings side by side; 1 if left out.")] = None,
    device: Annotated[str | None, typer.Option(help="Of the trainings: cpu, cuda, ...")] = None,
    root: Annotated[str | None, typer.Option(help="Folder of the data; that of INFOPLANE_DATA if left out.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data that are absent.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars, no page; only the paths.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result, or the list, as one JSON object.")] = False,
) -> None:
    """Reproduce a figure or table of the paper, or refute it.

    Writes run files, picture or table, and a verdict on each claim: reproduced, not reproduced, contradicted, or
    undecided and how many seeds would decide. The same call goes on where it was stopped. The exit code is 0 whatever
    the verdict, 1 where a training failed.

    Example: infoplane reproduce fig4
    """
    from infoplane.errors import InputError
    from infoplane.experiments.reproduce import EXPERIMENTS
    from infoplane.experiments.reproduce import reproduce as run

    given = {
        "seed": seed,
        "seeds": seeds,
        "columns": tuple(column) or None,
        "arms": tuple(arm) or None,
        "weights": tuple(weights) or None,
        "jobs": jobs,
        "device": device,
        "root": root,
        "download": download or None,
    }
    options = {key: value for key, value in given.items() if value is not None}
    if name is None:
        if options or out is not None or scale != "small" or quiet:
            raise InputError("a NAME is missing, such as fig4: the options are those of one figure or table")
        listed = {key: _described(one) for key, one in EXPERIMENTS.items()}
        print(json_format.dumps(listed) if json else _listing())
        return
    result = run(name, scale=scale, out=out, quiet=quiet, **options)
    if json:
        print(json_format.dumps(result.record()))
    else:
        if not quiet:
            print(result)
            print("\nwritten:", file=sys.stderr)
        for path in result.files:
            print(path)
    if result.failed:
        raise typer.Exit(1)


def _listing() -> str:
    from infoplane.experiments.reproduce import EXPERIMENTS
    from infoplane.reports.comparison import wrapped

    lines: list[str] = []
    shown: dict[str, str] = {}
    for one in EXPERIMENTS.values():
        lines.append(f"{one.name}: {one.about}")
        if one.folder in shown:
            lines.append(f"    the trainings of {shown[one.folder]}: in its folder nothing is trained again")
            continue
        if one.folder:
            shown[one.folder] = one.name
        for scale, its in one.scales.items():
            lines.append(wrapped(f"    {scale:<6}{its.text}; needs {its.needs}; {its.time}", indent=10))
        if one.columns:
            lines.append(wrapped(f"    --column: {', '.join(one.columns)}", indent=10))
    return "\n".join(lines)


def _described(one: object) -> dict[str, object]:
    from infoplane.experiments.reproduce import Experiment

    assert isinstance(one, Experiment)
    return {
        "about": one.about,
        "scales": {name: vars(scale) for name, scale in one.scales.items()},
        "claims": [{"text": claim.text, "where": claim.where, "printed": claim.printed_text} for claim in one.claims],
        "columns": list(one.columns),
    }
