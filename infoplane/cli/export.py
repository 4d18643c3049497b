"""``infoplane export``: one stream of a run file for a spreadsheet, a data base, or numpy."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="Run file; also a growing, killed or damaged one.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write: .csv, .parquet, .json or .npz.")],
    stream: Annotated[str, typer.Option(help="Which stream; infoplane info lists them.")] = "plane",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a stream of a run file in another format.

    A tidy table, one line per value with unit and kind (.csv, .parquet, and .json with one object per line), or the
    arrays as they are (.npz, which has the counts of sketches too).

    Example: infoplane export run.h5 -o plane.csv
    """
    import infoplane as ip
    from infoplane.printable import printable

    print(printable(ip.export(run, out, stream=stream, overwrite=force)), file=sys.stderr)
