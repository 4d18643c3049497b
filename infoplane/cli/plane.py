"""``infoplane plane``: draw the information plane of one or several runs."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from infoplane.reports.findings import FindingSummary
    from infoplane.runfile.reader import Run


def plane(
    runs: Annotated[list[Path], typer.Argument(help="Run files; several stand side by side on shared axes.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Picture: .png, .pdf or .svg; movie: .gif or .mp4.")
    ] = None,
    arrange: Annotated[
        str, typer.Option(help="Several runs: beside each other, overlay, or mean (of one arm's seeds).")
    ] = "beside",
    style: Annotated[str, typer.Option(help="dots, or trajectories.")] = "dots",
    window: Annotated[
        int, typer.Option(min=1, help="Draw the mean of so many rows, at most all; the paper's Fig. 5 has 10.")
    ] = 1,
    fps: Annotated[float, typer.Option(help="Frames per second of a movie.")] = 10.0,
    control: Annotated[bool, typer.Option(help="Draw the probes on the frozen untrained network too.")] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the numbers instead, one object per row.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing picture.")] = False,
) -> None:
    """Draw the information plane of runs.

    One dot per layer and epoch: the lower bound on I(Z;Y) over the upper bound on I(Z;X) of the probe's code.

    Example: infoplane plane run.h5 -o plane.png

    As a movie: infoplane plane run.h5 -o plane.gif
    """
    from contextlib import ExitStack

    import infoplane as ip
    from infoplane.cli.finding_lines import print_findings
    from infoplane.errors import InputError
    from infoplane.json_lines import json_lines
    from infoplane.runfile.short_names import short_names

    if arrange not in _ARRANGEMENTS:
        raise InputError(f"--arrange is {arrange!r}, but it must be one of {', '.join(_ARRANGEMENTS)}")
    target = None if out is None else _target(out, arrange, style, force=force)
    with ExitStack() as stack:
        opened = [stack.enter_context(ip.open_run(path)) for path in runs]
        for run in opened:
            _check_rows(run)
        said = {run.path: _findings(run) for run in opened}
        if json:
            import pandas as pd

            tables = []
            for run in opened:
                table, codes = run.plane().to_dataframe(), said[run.path][1]
                points = zip(table["step"], table["probe"], strict=True)
                of_point: list[Any] = [codes.get(point, []) for point in points]
                tables.append(table.assign(run=str(run.path), findings=of_point))
            sys.stdout.writelines(json_lines(pd.concat(tables)))
        if target is not None:
            _draw(opened, target, arrange, style, window, fps, control)
            print(target, file=sys.stderr)
        elif not json:
            raise InputError("there is nothing to do: give a picture with -o plane.png, or --json for the numbers")
        names = short_names([run.path for run in opened])
        found = [said[run.path][0] for run in opened]
        print_findings(dict(zip(names, found, strict=True)), file=sys.stderr)


_ARRANGEMENTS = ("beside", "overlay", "mean")


def _target(out: Path, arrange: str, style: str, *, force: bool) -> Path:
    """Return the file to write, after a look at whether it can be written, before anything is drawn."""
    from infoplane.cli.output import PICTURES, new_file, new_picture
    from infoplane.errors import InputError
    from infoplane.plots.movie import MOVIES, check_movie

    ending = out.suffix.lower()
    if ending not in (*PICTURES, *MOVIES):
        raise InputError(
            f"{out} does not end in {', '.join(PICTURES)} for a picture, or {' or '.join(MOVIES)} for a movie"
        )
    if ending in PICTURES:
        return new_picture(out, force=force)
    check_movie(out)
    if arrange != "beside" or style != "dots":
        raise InputError(
            f"{out} is a movie, which shows runs beside each other as dots; --arrange and --style do not fit"
        )
    return new_file(out, force=force)


def _draw(runs: "list[Run]", target: Path, arrange: str, style: str, window: int, fps: float, control: bool) -> None:
    import infoplane as ip
    from infoplane.plots.movie import MOVIES
    from infoplane.runfile.short_names import short_names

    plots = ip.plots
    if target.suffix.lower() in MOVIES:
        plots.movie(runs, target, window=window, control=control, fps=fps)
    elif len(runs) == 1:
        plots.save(plots.plane(runs[0], style=style, window=window, control=control), target)
    elif arrange == "mean":
        plots.save(plots.mean_plane(runs, style=style, window=window, control=control), target)
    elif arrange == "overlay":
        arms = dict(zip(short_names([run.path for run in runs]), runs, strict=True))
        plots.save(plots.overlay(arms, window=window, control=control), target)
    else:
        plots.save(plots.planes(runs, style=style, window=window, control=control), target)


def _check_rows(run: "Run") -> None:
    """Tell a run that has lost all rows of its plane from one that has not measured yet."""
    from infoplane.errors import RunFileError

    committed = run.plane().committed
    if committed and not len(run.plane()):
        rows = f"{committed} rows of its plane were" if committed > 1 else "one row of its plane was"
        raise RunFileError(f"{run.path}: {rows} committed, but none can be read: the file is cut off or damaged")


def _findings(run: "Run") -> "tuple[tuple[FindingSummary, ...], dict[tuple[int, str], list[str]]]":
    """Return the findings by kind and by point; where a damaged file has none to read, say so and go on."""
    from infoplane.errors import RunFileError
    from infoplane.printable import printable
    from infoplane.reports.findings import codes_of_points, findings

    try:
        return findings(run), codes_of_points(run)
    except RunFileError as error:
        print(f"its findings cannot be read: {printable(error)}", file=sys.stderr)
        return (), {}
