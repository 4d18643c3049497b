"""The list of commands; each has a file of its own."""

from typing import Annotated

import typer

import infoplane
from infoplane.cli.compare import compare
from infoplane.cli.demo import demo
from infoplane.cli.diff import diff
from infoplane.cli.export import export
from infoplane.cli.info import info
from infoplane.cli.jsd import jsd
from infoplane.cli.layers import layers
from infoplane.cli.plane import plane
from infoplane.cli.recover import recover
from infoplane.cli.report import report
from infoplane.cli.reproduce import reproduce
from infoplane.cli.surface import surface
from infoplane.cli.sweep import sweep
from infoplane.cli.train import train
from infoplane.cli.verify import verify
from infoplane.cli.watch import watch

app = typer.Typer(
    name="infoplane",
    help="What can be read out of each layer of a network while it trains, and whether synaptic scaling changes it.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"infoplane {infoplane.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


for command in (
    demo,
    train,
    sweep,
    watch,
    report,
    layers,
    plane,
    jsd,
    surface,
    compare,
    reproduce,
    verify,
    info,
    export,
    diff,
    recover,
):
    app.command()(command)
