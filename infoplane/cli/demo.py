"""``infoplane demo``: from a bare machine to a figure."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for run files, pictures and report.", file_okay=False)
    ] = Path("infoplane-demo"),
    seed: Annotated[int, typer.Option(min=0, help="Of weights, batches and probes.")] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training set.")] = 60,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps.")] = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no tables; only the paths.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per run and site instead.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the files of an earlier demo.")] = False,
) -> None:
    """From a bare machine to a figure, in two minutes.

    Trains the same network on 1,797 handwritten digits without and with SynScaW, and draws what can be read out of
    its layers: two run files, three pictures, and the report on log-normal divergences.

    Example: infoplane demo --out infoplane-demo
    """
    from infoplane.cli.summary import print_difference, print_summary
    from infoplane.demo import run_demo

    result = run_demo(out, seed=seed, epochs=epochs, device=device, quiet=quiet, overwrite=force)
    if json:
        print_summary(result.runs, json=True)
        return
    if not quiet:
        print(result.report)
        print()
        print_summary(result.runs)
        print_difference(*result.runs.values())
        print("\nwritten:", file=sys.stderr)
    for path in result.files:
        print(path)
