"""A real training in another process, followed by the command in a pipe and by a browser."""

import json
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

import infoplane as ip
from infoplane.errors import InfoplaneError

_PATIENCE = 120  # seconds, on a machine with much else to do


def interruptible():
    # Background jobs of a shell, of which this may be one, ignore the signal, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


PIPED = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "preexec_fn": interruptible}


def test_lines_follow_a_training_to_its_end(tmp_path, elsewhere, watch_process):
    path = tmp_path / "run.h5"
    watch = watch_process(path, "--json", "--poll", 0.1, **PIPED)
    assert json.loads(watch.stdout.readline())["status"] == "waiting"
    training = elsewhere(path)
    objects = []
    while not objects or objects[-1]["row"] is None:
        objects.append(json.loads(watch.stdout.readline()))
    for epoch in (2, 3):
        training.epoch()
        objects.append(json.loads(watch.stdout.readline()))
        assert (objects[-1]["row"], objects[-1]["epoch"]) == (epoch - 1, epoch)
    training.end()
    rest, said = watch.communicate(timeout=_PATIENCE)
    assert [json.loads(line)["status"] for line in rest.splitlines()][-1] == "finished"
    assert watch.returncode == 0
    assert said == ""
    with ip.open_run(path) as run:
        values = run.plane().read("values", columns="i_zx")
        assert run.status == "finished"
    rows = [one for one in objects if one["row"] is not None]
    assert [[probe["i_zx"] for probe in one["probes"]] for one in rows] == values.tolist()


def test_the_death_of_the_writer_is_said_and_ends_the_watch(tmp_path, elsewhere, watch_process):
    path = tmp_path / "run.h5"
    training = elsewhere(path)
    watch = watch_process(path, "--poll", 0.1, **PIPED)
    assert ": row 1, " in watch.stdout.readline()
    training.kill()
    rest, said = watch.communicate(timeout=_PATIENCE)
    assert rest == ""
    assert "was killed: nobody writes it any more" in said
    assert watch.returncode == 0


def test_ctrl_c_ends_it_as_any_other_command(tmp_path, watch_process):
    watch = watch_process(str(tmp_path / "*.h5"), tmp_path / "none.h5", "--poll", 0.1, **PIPED)
    assert "is not there yet" in watch.stderr.readline()
    watch.send_signal(signal.SIGINT)
    out, said = watch.communicate(timeout=_PATIENCE)
    assert (watch.returncode, out) == (130, "")
    assert said.startswith("infoplane: interrupted")


def test_once_prints_the_state_and_ends(tmp_path, here, watch_process):
    training = here(tmp_path / "run.h5")
    training.row()
    watch = watch_process(tmp_path / "run.h5", "--once", **PIPED)
    out, said = watch.communicate(timeout=_PATIENCE)
    assert (watch.returncode, said) == (0, "")
    assert "recording" in out
    assert "\x1b" not in out
    watch = watch_process(tmp_path / "run.h5", tmp_path / "none.h5", "--once", "--json", **PIPED)
    out, _ = watch.communicate(timeout=_PATIENCE)
    assert watch.returncode == 1
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["recording", "waiting"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--poll", "0", "run.h5"], "--poll is 0"),
        (["--port", "8000", "run.h5"], "--port is about the page"),
        (["--web", "--once", "run.h5"], "--once does not go with"),
        (["."], "is a folder"),
    ],
)
def test_calls_that_make_no_sense_are_refused(arguments, reason):
    from infoplane.cli.watch import watch

    options = {"runs": [], "web": False, "port": None, "open_": False, "once": False, "poll": 1.0, "json": False}
    words = iter(arguments)
    for word in words:
        if word == "--poll":
            options["poll"] = float(next(words))
        elif word == "--port":
            options["port"] = int(next(words))
        elif word.startswith("--"):
            options[word.removeprefix("--")] = True
        else:
            options["runs"].append(word)
    with pytest.raises(InfoplaneError, match=reason):
        watch(**options)


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def served(watch_process, *arguments):
    watch = watch_process(*arguments, "--web", **PIPED)
    address = watch.stdout.readline().strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}", address)
    return watch, address


def shown(page, text):
    page.wait_for_function("(text) => document.body.innerText.includes(text)", arg=text, timeout=1000 * _PATIENCE)


def drawn_epochs(page):
    return page.evaluate("Number(document.getElementById('time').max) + 1")


def test_a_browser_follows_a_training_to_its_death(tmp_path, elsewhere, watch_process, chromium):
    pytest.importorskip("uvicorn", reason="needs the extra 'watch'")
    training = elsewhere(tmp_path / "first.h5")
    watch, address = served(watch_process, str(tmp_path / "*.h5"))
    page = chromium.new_page()
    problems, requests = [], []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address)
    page.wait_for_selector("body[data-ready=yes]", timeout=1000 * _PATIENCE)
    shown(page, "1 recording")
    for epoch in (2, 3):
        training.epoch()
        page.wait_for_function(
            "(count) => Number(document.getElementById('time').max) + 1 >= count",
            arg=epoch,
            timeout=1000 * _PATIENCE,
        )
    second = elsewhere(tmp_path / "second.h5")
    shown(page, "2 recording")
    second.end()
    shown(page, "1 recording, 1 finished")
    training.kill()
    shown(page, "was killed: nobody writes it any more")
    (tmp_path / "broken.h5").write_text("<script>document.title = 'stolen'</script>")
    shown(page, "is no HDF5 file")
    assert page.title() != "stolen"
    assert problems == []
    origin = address.partition("?")[0]
    assert all(url.startswith((origin, "data:", "blob:")) for url in requests)
    page.close()
    with ip.open_run(tmp_path / "second.h5") as run:
        assert run.status == "finished"
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=_PATIENCE)
    assert watch.returncode == 130


def test_the_server_is_not_to_be_had_from_elsewhere(tmp_path, watch_process):
    pytest.importorskip("uvicorn", reason="needs the extra 'watch'")
    watch, address = served(watch_process, tmp_path / "none.h5")
    port = int(re.search(r":(\d+)/", address)[1])
    token = address.partition("token=")[2]
    for host, path, code in (
        (f"127.0.0.1:{port}", f"/data?token={token}", b"200"),
        (f"evil.example:{port}", f"/data?token={token}", b"400"),
        (f"127.0.0.1:{port}", "/data?token=wrong", b"403"),
        (f"127.0.0.1:{port}", f"/../../../etc/passwd?token={token}", b"404"),
    ):
        assert answer_of("127.0.0.1", port, host, path).split()[1] == code
    others = {"127.0.0.2", *(entry[4][0] for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET))}
    for other in others - {"127.0.0.1"}:
        with socket.socket() as tried:
            assert tried.connect_ex((other, port)) != 0
    watch.send_signal(signal.SIGINT)
    said = "".join(text for text in watch.communicate(timeout=_PATIENCE) if text)
    assert "interrupted; whoever writes the runs goes on" in said
    assert token not in said  # in no line on a request either


def answer_of(address, port, host, path):
    deadline = time.monotonic() + _PATIENCE
    while True:
        with socket.socket() as connection:
            connection.settimeout(_PATIENCE)
            connection.connect((address, port))
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = connection.recv(65536)
        if answer or time.monotonic() > deadline:
            return answer
