"""``infoplane watch --web --open``: the browser gets a file of this user's that leads to the page, and no token."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("uvicorn", reason="needs the extra 'watch'")
pytest.importorskip("plotly", reason="needs the extra 'watch'")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the browser of these tests is a script of the shell")

_PATIENCE = 120
BROWSER = """#!/bin/sh
printf '%s\\n' "$#" "$@" > {said}.new
mv {said}.new {said}
"""


def interruptible():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def watching(tmp_path, watch_process):
    """Start the watch with a browser that writes down what it is given; return the watch, its address, and that."""
    said, script = tmp_path / "said", tmp_path / "browser"
    script.write_text(BROWSER.format(said=said))
    script.chmod(0o700)

    def start(*options):
        environment = os.environ | {"BROWSER": str(script)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "preexec_fn": interruptible}
        watch = watch_process(tmp_path / "none.h5", "--web", *options, env=environment, **pipes)
        return watch, watch.stdout.readline().strip(), said

    return start


def end(watch):
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=_PATIENCE)
    assert watch.returncode == 130


@pytest.mark.skipif(sys.platform == "darwin", reason="the variable BROWSER names a browser by what macOS calls it")
def test_open_gives_the_browser_a_file_that_leads_to_the_page_and_hides_the_token(watching):
    watch, address, said = watching("--open")
    deadline = time.monotonic() + _PATIENCE
    while not said.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    count, given = said.read_text().splitlines()
    assert count == "1"
    token = address.partition("token=")[2]
    assert len(token) > 40
    assert token not in given
    parts = urlsplit(given)
    assert parts.scheme == "file"
    file = Path(unquote(parts.path))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"url={address}" in file.read_text()
    end(watch)
    assert not file.exists()


def test_without_open_no_browser_is_started(watching):
    watch, _, said = watching()
    assert "Ctrl-C ends it" in watch.stderr.readline() + watch.stderr.readline()
    end(watch)
    assert not said.exists()
