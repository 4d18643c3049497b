"""``infoplane diff``: how configuration and provenance of two runs differ."""

from pathlib import Path
from typing import Annotated

import typer


def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="Run file.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per difference, uncut.")] = False,
) -> None:
    """Say how two runs differ.

    Configuration, provenance (versions, commit, command line, host, times), sites, probes, streams and their readable
    rows; not what was measured. Of a damaged file it says how. The exit code is 0 also where they differ.

    Example: infoplane diff baseline.h5 synscaw.h5
    """
    import infoplane as ip
    from infoplane.runfile.json_text import to_json

    found = ip.difference(a, b)
    if json:
        for record in found.records():
            print(to_json(record))
    else:
        print(found)
