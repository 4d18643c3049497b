"""``infoplane plane``: draw the information plane of one or several runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def plane(
    runs: Annotated[list[Path], typer.Argument(help="Run files; several stand side by side on shared axes.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Picture: .png, .pdf or .svg.")] = None,
    control: Annotated[bool, typer.Option(help="Draw the probes on the frozen untrained network too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the numbers instead, one object per row.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing picture.")] = False,
) -> None:
    """Draw the information plane of runs.

    One dot per layer and epoch: the lower bound on I(Z;Y) over the upper bound on I(Z;X) of the probe's code.

    Example: infoplane plane run.h5 -o plane.png
    """
    from contextlib import ExitStack

    import infoplane as ip
    from infoplane.cli.output import new_picture
    from infoplane.errors import InputError

    with ExitStack() as stack:
        opened = [stack.enter_context(ip.open_run(path)) for path in runs]
        if json:
            import pandas as pd

            tables = [run.plane().to_dataframe().assign(run=str(run.path)) for run in opened]
            sys.stdout.write(pd.concat(tables).to_json(orient="records", lines=True))
        if out is not None:
            target = new_picture(out, force=force)
            if len(opened) == 1:
                ip.plots.save(ip.plots.plane(opened[0], control=control), target)
            else:
                ip.plots.save(ip.plots.planes(opened, control=control), target)
            print(target, file=sys.stderr)
        elif not json:
            raise InputError("there is nothing to do: give a picture with -o plane.png, or --json for the numbers")
