"""``infoplane train``: one training, one run file."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="Run file to write.", dir_okay=False)],
    data: Annotated[
        str, typer.Option(help="digits, szt12, or mnist (from the folder that INFOPLANE_DATA names).")
    ] = "digits",
    model: Annotated[str, typer.Option(help="mlp.")] = "mlp",
    hidden: Annotated[str | None, typer.Option(help="Widths of the hidden layers, such as 1024,1024.")] = None,
    scaling: Annotated[
        str,
        typer.Option(help="none, synscaw, synscaw-official, synscaw-stable, synscal, synscal-logit-mean."),
    ] = "none",
    rate: Annotated[float | None, typer.Option(help="Scaling rate gamma; the preset's own by default.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training set.")] = 20,
    batch_size: Annotated[int, typer.Option(min=1, help="Inputs per step.")] = 100,
    learning_rate: Annotated[float, typer.Option(help="Of the network's Adam; x0.94 every five epochs.")] = 5e-4,
    latent: Annotated[int, typer.Option(min=1, help="N, dimensions of each probe's code.")] = 256,
    beta: Annotated[float, typer.Option(min=0.0, help="Weight of the rate in the probes' loss.")] = 1e-3,
    control: Annotated[bool, typer.Option(help="Also train the probes on the frozen untrained network.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of weights, batches and probes.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps.")] = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no table.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing run file.")] = False,
) -> None:
    """Train a network and record it to a run file.

    Probes on all hidden layers, their control on the frozen untrained network, and recorders are on.

    Example: infoplane train --data digits --scaling synscaw --epochs 20 --out run.h5
    """
    from infoplane.cli.output import new_file
    from infoplane.cli.tables import print_summary
    from infoplane.training import TrainingSettings
    from infoplane.training import train as run_training

    settings = TrainingSettings(
        data=data,
        model=model,
        hidden=_widths(hidden),
        scaling=scaling,
        rate=rate,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        latent=latent,
        beta=beta,
        control=control,
        seed=seed,
        device=device,
    )
    run_training(
        settings, new_file(out, force=force), overwrite=force, quiet=quiet, label=f"{data}, scaling: {scaling}"
    )
    if not quiet:
        print_summary({scaling if scaling != "none" else "no scaling": out})
        typer.echo(str(out))


def _widths(text: str | None) -> tuple[int, ...] | None:
    from infoplane.errors import InputError

    if text is None:
        return None
    try:
        widths = tuple(int(part) for part in text.split(","))
    except ValueError:
        widths = ()
    if not widths or min(widths) < 1:
        raise InputError(f"--hidden is {text!r}, but it takes positive whole numbers with commas, such as 1024,1024")
    return widths
