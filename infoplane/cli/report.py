"""``infoplane report``: one file that explains a run."""

import errno
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """What a report is written as."""

    html = "html"
    md = "md"
    csv = "csv"
    json = "json"


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run files; also growing, killed or damaged ones.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; needed for a page.")] = None,
    format: Annotated[  # noqa: A002 - it is the option's name
        Format | None, typer.Option(help="Default: what the ending of the file says, or html.")
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows of each run that are kept for the charts.")] = 300,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write one file that explains runs.

    A page that opens anywhere and asks for nothing: what was run and what came out, the information plane to play
    through, bounds over time, histograms, divergences, comparison, findings, provenance. Or its text and tables (md),
    its numbers (csv), or all of it (json); these go to the screen without -o.

    Example: infoplane report run.h5 -o report.html
    """
    from infoplane.cli.output import new_file
    from infoplane.errors import InputError
    from infoplane.printable import printable
    from infoplane.reports.run_report import fitting_page, run_report

    wanted = _wanted(format, out, json=json)
    if out is not None:
        _check_target(out, runs)
        new_file(out, force=force)
    elif wanted == Format.html:
        raise InputError("a page needs a file: give it with -o report.html, or --format md, csv or json")
    if wanted == Format.html:
        made, text = fitting_page(runs, rows=rows)
    else:
        made = run_report(runs, rows=rows)
        text = {Format.md: made.to_markdown, Format.csv: made.to_csv, Format.json: made.to_json}[wanted]()
    if out is None:
        sys.stdout.write(text)
    else:
        _write(out, text, force=force)
        print(printable(out), file=sys.stderr)
    for path in made.damaged:
        print(f"{path} is damaged; the report says what of it cannot be read", file=sys.stderr)


def _check_target(out: Path, runs: list[Path]) -> None:
    from infoplane.errors import InputError

    if out.exists() and any(run.exists() and out.samefile(run) for run in runs):
        raise InputError(f"{out} is one of the run files; a report needs a file of its own")
    if out.exists() and not (out.is_file() or out.is_dir()):
        raise InputError(
            f"{out} is a device or a pipe, but a report is a file; without -o md, csv and json go to stdout"
        )


def _write(out: Path, text: str, *, force: bool) -> None:
    """Write the report beside its name, which it takes when it is whole; a file that has it stays until then."""
    from infoplane.errors import RunFileError
    from infoplane.runfile.new_file import NewFile

    new = None
    try:
        new = NewFile(out)
        new.write(text.encode())
        if force:
            new.replace()
        else:
            new.publish()
    except OSError as error:
        reason = error.strerror or error
        if error.errno == errno.ENOENT:  # the folder is there, but it is one of the system's
            reason = f"nothing can be made in {out.parent}"
        raise RunFileError(f"{out}: cannot be written ({reason})") from error
    finally:
        if new is not None:
            new.discard()


def _wanted(given: Format | None, out: Path | None, *, json: bool) -> Format:
    from infoplane.errors import InputError

    if json and given not in (None, Format.json):
        raise InputError(f"--json and --format {given} are two formats; give one")
    asked = Format.json if json else given
    ending = "" if out is None else out.suffix.lower()
    meant = {form: form for form in map(str, Format)} | {"htm": "html", "markdown": "md"}
    said = meant.get(ending.removeprefix("."))
    if asked is not None and said not in (None, asked):
        option = "--json" if json else f"--format {given}"
        raise InputError(f"{out} ends in {ending}, but {option} writes another format; give one of the two")
    if asked is not None:
        return asked
    if out is None:
        return Format.html
    if said is None:
        raise InputError(f"{out} does not end in .html, .md, .csv or .json; --format says which one is meant")
    return Format(said)
