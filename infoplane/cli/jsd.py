"""``infoplane jsd``: how far weights and activations are from a log-normal law."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def jsd(
    runs: Annotated[list[Path], typer.Argument(help="Run files.")],
    csv: Annotated[Path | None, typer.Option(help="Also write the table as CSV.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Also write the table as Markdown.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per row instead of a table.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Report divergences from log-normal laws.

    Jensen-Shannon divergence, in bit, of positive weights and activations from their own log-normal fit.

    Example: infoplane jsd baseline.h5 synscaw.h5 --csv jsd.csv
    """
    import infoplane as ip
    from infoplane.cli.output import new_file
    from infoplane.errors import InputError
    from infoplane.json_lines import json_lines

    if csv is not None and csv == markdown:
        raise InputError(f"--csv and --markdown both name {csv}, but each table needs a file of its own")
    for target in (csv, markdown):
        if target is not None:
            if target.resolve() in [run.resolve() for run in runs]:
                raise InputError(f"{target} is one of the run files; a table needs a file of its own")
            new_file(target, force=force)
    report = ip.reports.jsd(runs)
    if json:
        sys.stdout.writelines(json_lines(report.to_dataframe()))
    else:
        print(report)
    if csv is not None:
        report.to_csv(csv)
        print(csv, file=sys.stderr)
    if markdown is not None:
        report.to_markdown(markdown)
        print(markdown, file=sys.stderr)
