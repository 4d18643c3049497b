"""``infoplane watch``: follow runs while they are written, in the terminal or in a browser."""

from typing import Annotated

import typer


def watch(
    runs: Annotated[
        list[str],
        typer.Argument(help="Run files, there or not yet; quoted patterns, whose new files join by themselves."),
    ],
    web: Annotated[bool, typer.Option("--web", help="Serve a page for browsers on this machine instead.")] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Of the page on 127.0.0.1; a free one if left out.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the default browser.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Print how the runs stand now, and exit.")] = False,
    poll: Annotated[float, typer.Option(help="Seconds between two looks at the files.")] = 1.0,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per row, those already there first.")
    ] = False,
) -> None:
    """Follow runs while they are written.

    A table in a terminal, one line per new row elsewhere, or with --web a page in a browser. It only reads, and ends
    with the runs; with a pattern among them, and with --web, Ctrl-C ends it.

    Example: infoplane watch run.h5
    """
    from infoplane.analysis.errors import positive_number
    from infoplane.errors import InputError
    from infoplane.watch.watcher import Watcher

    positive_number("--poll", poll)
    if not web and (port is not None or open_):
        raise InputError(f"{'--open' if port is None else '--port'} is about the page in a browser, which --web serves")
    if web and (once or json):
        raise InputError(f"--web serves a page, which {'--once' if once else '--json'} does not go with")
    with Watcher(runs, past=None if json and not once else 1) as watcher:
        if web:
            from infoplane.watch.serve import serve

            serve(watcher, port=port, open_browser=open_)
            return
        from infoplane.watch.terminal import is_live_terminal, print_once, watch_lines, watch_table

        if once:
            is_well = print_once(watcher, json=json)
        elif json or not is_live_terminal():
            is_well = watch_lines(watcher, poll=poll, json=json)
        else:
            is_well = watch_table(watcher, poll=poll)
    if not is_well:
        raise typer.Exit(1)
