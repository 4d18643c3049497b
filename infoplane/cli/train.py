"""``infoplane train``: one training, one run file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infoplane.cli import complete


def train(
    config: Annotated[
        Path | None, typer.Argument(help="TOML file of settings; docs/training.md shows one.", dir_okay=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run file to write: .h5, .hdf5 or .nxs.", dir_okay=False)
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Begin from paper-mlp, paper-resnet32, paper-resnet50 or appendix.", autocompletion=complete.presets
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Data set; digits unless said otherwise. docs/data.md.",
            autocompletion=complete.data_sets,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Network; mlp unless said otherwise. docs/models.md.",
            autocompletion=complete.networks,
        ),
    ] = None,
    hidden: Annotated[str | None, typer.Option(help="Widths of the hidden layers, such as 1024,1024.")] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="baseline, dropout, synscaw, ..., or several joined by +. docs/methods.md.",
            autocompletion=complete.methods,
        ),
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Scaling rate gamma; the method's own by default.")] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the training set; 20 unless said otherwise.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Inputs per step; 100 unless said otherwise.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Of the network's optimizer; 5e-4 unless said otherwise.")
    ] = None,
    latent: Annotated[
        int | None, typer.Option(min=1, help="N, dimensions of each probe's code; 256 unless said otherwise.")
    ] = None,
    beta: Annotated[
        float | None, typer.Option(min=0.0, help="Weight of the rate in the probes' loss; 1e-3 unless said otherwise.")
    ] = None,
    control: Annotated[
        bool | None,
        typer.Option("--control/--no-control", help="Also train the probes on the frozen untrained network (default)."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of all that is random; 0 unless said otherwise.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; cpu unless said otherwise.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, or bfloat16 or float16 under autocast.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any setting, such as optimizer.name=sgd.")
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the data set where it is not there.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the checkpoint of a training that was stopped.")
    ] = False,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Print all settings as TOML, and train nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no table.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object per site instead of the table.")] = False,
) -> None:
    """Train a network and record it to a run file.

    Settings come from a preset, a TOML file over it, and options over both; probes, their control on the frozen
    untrained network, and recorders are on. A checkpoint is kept beside the run file: the same command with --resume
    goes on after a crash.

    Example: infoplane train --method synscaw --epochs 20 --out run.h5
    """
    from infoplane.errors import InputError
    from infoplane.training import TrainingError, read_settings, to_toml
    from infoplane.training import train as run_training

    named = {
        "preset": preset,
        "data.name": data,
        "model.name": model,
        "model.hidden": hidden,
        "method": method,
        "scaling.rate": rate,
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "optimizer.learning_rate": learning_rate,
        "probes.latent": latent,
        "probes.beta": beta,
        "probes.control": control,
        "seed": seed,
        "training.device": device,
        "training.precision": precision,
        "data.download": True if download else None,
    }
    given = {name: value for name, value in named.items() if value is not None}
    settings = read_settings(config, _assignments(set_ or [], given))
    if print_config:
        typer.echo(to_toml(settings), nl=False)
        return
    if out is None:
        raise InputError("--out is missing: the run file to write")
    path = _place_for(out, force=force, resume=resume)
    before = _identity(out)
    try:
        run_training(settings, path, overwrite=force, resume=resume, quiet=quiet)
    except TrainingError as error:
        typer.echo(f"infoplane: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        if _is_first():
            typer.echo(f"infoplane: {_left(out, before, resume=resume)}", err=True)
        raise
    if _is_first() and (json or not quiet):
        from infoplane.cli.summary import print_summary

        print_summary({settings.method: out}, json=json)
        if not json:
            typer.echo(str(out))


def _assignments(texts: list[str], given: dict[str, Any]) -> dict[str, Any]:
    """Return the named options and those of --set, which must not say the same thing twice."""
    from infoplane.errors import InputError

    result = dict(given)
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator:
            raise InputError(f"--set takes NAME=VALUE, such as scaling.rate=0.03, but it was given {text!r}")
        if name.strip() in result:
            raise InputError(f"{name.strip()} is given twice, as {result[name.strip()]!r} and {value.strip()!r}")
        result[name.strip()] = value.strip()
    return result


def _place_for(out: Path, *, force: bool, resume: bool) -> Path:
    from infoplane.cli.output import new_file
    from infoplane.errors import InputError
    from infoplane.runfile.run_name import check_run_name

    check_run_name(out, resume=resume)
    if out.is_file() and not (force or resume) and _is_first():
        raise InputError(f"{out} exists already; --resume goes on with its training, --force replaces it")
    try:
        # Run files are often kept in a folder of their own, such as runs/.
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder {out.parent} cannot be made ({error.strerror or error})") from error
    # Under torchrun the first process may have made the file before another looks.
    return new_file(out, force=force or resume or not _is_first())


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file of this name from another that takes its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _left(out: Path, before: tuple[int, int] | None, *, resume: bool) -> str:
    """Return what an interrupted training leaves: a run file is begun with its first row, and not before."""
    now = _identity(out)
    if now is None:
        return f"it was interrupted before the first row, so that nothing was kept: there is no {out}"
    if now == before and not resume:
        return f"it was interrupted before the first row: {out} is the file that was there before"
    return f"{out} has what was measured; the same command with --resume goes on"


def _is_first() -> bool:
    import os

    return os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK") == "0"
