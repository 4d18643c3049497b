"""Serving the live page to browsers on this machine: on 127.0.0.1 alone, with a random token in its address."""

import errno
import os
import secrets
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from html import escape
from importlib import import_module
from pathlib import Path
from threading import Thread

from infoplane.analysis.importing import importing
from infoplane.errors import InputError
from infoplane.watch.lines import Lines
from infoplane.watch.state import RunState
from infoplane.watch.watcher import Watcher

HOST = "127.0.0.1"
_LIBRARIES = ("starlette", "uvicorn", "jinja2", "plotly")


def serve(watcher: Watcher, *, port: int | None = None, open_browser: bool = False) -> None:
    """Serve the page until interrupted; its address goes to stdout, what becomes of the runs to stderr.

    Nothing is read unless a page asks for it: without a browser the server sleeps.

    Parameters
    ----------
    watcher : Watcher
        What is shown.
    port : int, optional
        To listen on; a free one if left out.
    open_browser : bool
        Whether to open the page in the default browser.

    Raises
    ------
    MissingLibraryError
        When a library does not import.
    InputError
        When the port cannot be had.
    """
    with importing("the page in a browser", extra="watch"):
        for name in _LIBRARIES:
            import_module(name)
    import uvicorn

    from infoplane.watch.application import application
    from infoplane.watch.live_data import LiveData

    lines = Lines()

    def say(states: Sequence[RunState]) -> None:
        for state in states:
            for line in lines.of(state)[1]:
                print(f"infoplane: {line}", file=sys.stderr, flush=True)

    with listening(port) as listener:
        port = int(listener.getsockname()[1])
        token = secrets.token_urlsafe(32)
        address = f"http://{HOST}:{port}/?token={token}"
        live = LiveData(watcher, said=say)
        config = uvicorn.Config(
            application(live, token=token, port=port),
            log_level="warning",
            access_log=False,  # its lines would show the token
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            http="h11",
            timeout_graceful_shutdown=1,
        )
        print(address, flush=True)
        print("infoplane: the page is for browsers on this machine; Ctrl-C ends it", file=sys.stderr, flush=True)
        with _opened(address) if open_browser else nullcontext():
            try:
                live.look()  # so that a mistyped name is said at once; of hundreds of files it takes a while
                # It gives an interrupt back when it has closed its connections.
                uvicorn.Server(config).run(sockets=[listener])
            finally:
                live.close()


def listening(port: int | None) -> socket.socket:
    """Return a socket that listens on 127.0.0.1, at a free port if none is given.

    Raises
    ------
    InputError
        When the port cannot be had.
    """
    try:
        return socket.create_server((HOST, port or 0))
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror or error})"
        raise InputError(f"port {port} of {HOST} {reason}; without --port a free one is taken") from error


@contextmanager
def _opened(address: str) -> Iterator[None]:
    """Open the address in the browser by way of a file that only this user can read, as long as the block lasts.

    Everybody on a machine can read the arguments with which a browser is started, and the address holds the token.
    """
    descriptor, name = tempfile.mkstemp(prefix="infoplane-", suffix=".html")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(address)}">\n')
        # A browser that stays in the foreground returns when it is closed, and the page has to be served before.
        Thread(target=webbrowser.open, args=(Path(name).as_uri(),), daemon=True).start()
        yield
    finally:
        Path(name).unlink(missing_ok=True)
