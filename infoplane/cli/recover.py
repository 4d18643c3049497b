"""``infoplane recover``: a normal run file of what a killed recording or a damaged disk has left."""

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from infoplane.runfile.reader import Run


def recover(
    run: Annotated[Path, typer.Argument(help="Run file that was killed, cut off or damaged; it stays as it is.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run file to write; by default run.recovered.h5 beside run.h5.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """Copy what can be read of a run into a new file.

    Every committed row that can still be read, with labels and provenance, as a normal file that every program opens.
    The exit code is 1 where there were rows and not one of them can be read.

    Example: infoplane recover run.h5
    """
    import infoplane as ip
    from infoplane.printable import NAME, printable
    from infoplane.runfile.json_text import to_json
    from infoplane.runfile.recover import recover as rebuilt

    target = run.with_name(f"{run.stem}.recovered.h5") if out is None else out
    with warnings.catch_warnings():
        # That rows are lost is what the table below says.
        warnings.filterwarnings("ignore", message=".* rows of .* can be read")
        with _opened(run) as old:
            before = old.check()
        written = rebuilt(run, target, overwrite=force)
        with ip.open_run(written) as new:
            # Among the events are now those that say what was recovered.
            after = {name: len(new.stream(name)) for name in new.streams}
    saved = {name: min(after.get(name, 0), readable) for name, (_, readable) in before.items()}
    if json:
        streams = {name: {"committed": rows, "recovered": saved[name]} for name, (rows, _) in before.items()}
        print(to_json({"run": str(run), "written": str(written), "streams": streams}))
    else:
        width = max((len(printable(name, NAME)) for name in before), default=0)
        print("rows recovered:")
        for name, (committed, _) in before.items():
            print(f"  {printable(name, NAME):<{width}}{saved[name]:>9,} of {committed:,}")
    print(printable(written), file=sys.stderr)
    lost = sum(committed for committed, _ in before.values())
    if lost and not any(saved.values()):
        print(f"infoplane: nothing could be recovered: none of {lost:,} rows can be read", file=sys.stderr)
        raise typer.Exit(1)


def _opened(path: Path) -> "Run":
    """Open the run; where that is not possible, say so without the advice to call this very command."""
    import infoplane as ip
    from infoplane.errors import RunFileError
    from infoplane.runfile.access import RECOVER

    try:
        return ip.open_run(path)
    except RunFileError as error:
        if not str(error).endswith(RECOVER):
            raise
        raise RunFileError(f"{str(error).removesuffix(RECOVER)}nothing of it can be recovered") from error
