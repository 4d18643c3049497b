"""``infoplane sweep``: many trainings, one run file each."""

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from infoplane.cli import complete


def sweep(
    config: Annotated[
        Path | None, typer.Argument(help="TOML file of settings; docs/training.md shows one.", dir_okay=False)
    ] = None,
    seeds: Annotated[
        str, typer.Option(help="How many, from that of the settings on; or which, with commas: 0,1,5.")
    ] = "1",
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE,...", help="A setting that varies, such as scaling.rate=0,0.03; repeatable."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the run files.", file_okay=False)] = Path("runs"),
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting of all points.")
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            help="What will be compared: error, loss, i_zx, ...",
            autocompletion=complete.metrics,
        ),
    ] = "error",
    jobs: Annotated[int | None, typer.Option(min=1, help="Points at a time; 1, or all that a ray cluster has.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of each point; OMP_NUM_THREADS, or cores over jobs, on one machine.")
    ] = None,
    engine: Annotated[str, typer.Option(help="loky (this machine), dask or ray.")] = "loky",
    address: Annotated[str | None, typer.Option(help="Of a cluster's scheduler, such as tcp://host:8786.")] = None,
    vectorize: Annotated[
        bool,
        typer.Option(
            "--vectorize", help="Train the seeds of one setting side by side: for small networks, rarely probed."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the points, and train nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no table.")] = False,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object per setting and site instead of the table, or per point listed."
        ),
    ] = False,
) -> None:
    """Train every combination of settings and seeds.

    One run file per point. Points that are finished are kept, stopped ones go on, failed ones are reported in the end.
    The plan stands in sweep.json before the first point begins.

    Example: infoplane sweep config.toml --seeds 5 --grid scaling.rate=0,0.03
    """
    from infoplane.sweep.engine import Engine
    from infoplane.sweep.points import plan
    from infoplane.sweep.run import finished_points, run_plan

    where = Engine(engine, jobs, address, threads)
    varied = {name: split_values(values) for name, values in _pairs("--grid", grid or []).items()}
    source: Any = _default_settings() if config is None else config
    planned = plan(source, seeds=_seeds(seeds), grid=varied, overrides=_pairs("--set", set_ or []), metric=metric)
    done = {point.name for point in finished_points(planned, out.absolute())}
    if dry_run:
        for point in planned.points:
            path, is_finished = f"{out / point.name}.h5", point.name in done
            if json:
                typer.echo(json_format.dumps({"run": path, "seed": point.settings.seed, "finished": is_finished}))
            else:
                typer.echo(f"{path}{'  finished' if is_finished else ''}")
        return
    if not quiet:
        kept = f", {len(done)} of them finished before" if done else ""
        seeds_said = "; seeds side by side" if vectorize else ""
        several = "" if len(planned.points) == 1 else "s"
        typer.echo(f"infoplane: {len(planned.points)} point{several}{kept}; {where}{seeds_said}; to {out}", err=True)
    result = run_plan(planned, out, engine=where, vectorize=vectorize, quiet=quiet)
    if json:
        from infoplane.json_lines import json_lines

        typer.echo("".join(json_lines(result.to_dataframe())), nl=False)
    elif not quiet:
        typer.echo(str(result))
    if result.failed:
        names = ", ".join(o.point.name for o in result.failed[:5])
        more = f" and {len(result.failed) - 5} more" if len(result.failed) > 5 else ""
        typer.echo(f"infoplane: failed: {names}{more}; why is in the .log beside each run file", err=True)
        raise typer.Exit(1)


def split_values(text: str) -> list[str]:
    """Return the values of a list with commas; commas inside brackets and quotes part nothing: ``[64,64],[32]``."""
    values, depth, quote, begin = [], 0, "", 0
    for k, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif sign == "," and not depth:
            values.append(text[begin:k].strip())
            begin = k + 1
    return [value for value in [*values, text[begin:].strip()] if value]


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    from infoplane.errors import InputError

    result: dict[str, str] = {}
    for text in texts:
        name, separator, value = (part.strip() for part in text.partition("="))
        if not separator:
            form, example = ("NAME=VALUE,...", "0,0.03") if option == "--grid" else ("NAME=VALUE", "0.03")
            raise InputError(f"{option} takes {form}, such as scaling.rate={example}, but it was given {text!r}")
        if name in result:
            raise InputError(f"{option} has {name} twice, as {result[name]!r} and {value!r}")
        result[name] = value
    return result


def _seeds(text: str) -> Any:
    from infoplane.errors import InputError

    try:
        return [int(part) for part in text.split(",") if part.strip()] if "," in text else int(text)
    except ValueError:
        raise InputError(f"--seeds is {text!r}, but it takes how many, or which with commas, such as 0,1,5") from None


def _default_settings() -> Any:
    from infoplane.training import Settings

    return Settings()
