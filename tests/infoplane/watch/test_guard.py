"""Who is answered: the right token at the right address, to read; and the page is never more than it has to be."""

import asyncio
import json
import socket
import warnings

import pytest

pytest.importorskip("starlette", reason="needs the extra 'watch'")
pytest.importorskip("httpx", reason="needs httpx")
pytest.importorskip("plotly", reason="needs the extra 'watch'")

with warnings.catch_warnings(action="ignore"):
    from starlette.testclient import TestClient

from infoplane.errors import InputError
from infoplane.watch import kept_runs, live_data
from infoplane.watch.application import application
from infoplane.watch.guard import Guard
from infoplane.watch.live_data import LiveData
from infoplane.watch.serve import HOST, listening
from infoplane.watch.watcher import Watcher

TOKEN = "right-token_0123456789"
BASE = "http://127.0.0.1:8123"


@pytest.fixture
def training(tmp_path, here):
    one = here(tmp_path / "run.h5")
    one.row()
    return one


@pytest.fixture
def client(tmp_path, training):
    with Watcher([tmp_path / "run.h5", tmp_path / "later.h5"]) as watcher:
        app = application(LiveData(watcher), token=TOKEN, port=8123)
        yield TestClient(app, base_url=BASE, follow_redirects=False)


def test_the_right_token_gets_page_and_data(client):
    page = client.get("/", params={"token": TOKEN})
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert f"data?token={TOKEN}" in page.text
    data = client.get("/data", params={"token": TOKEN})
    assert data.status_code == 200
    assert [run["name"] for run in data.json()["runs"]] == ["run"]
    assert client.get("/data", params={"token": TOKEN}, headers={"host": "localhost:8123"}).status_code == 200


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """A client of a page that waits for its file."""
    with Watcher([tmp_path_factory.mktemp("empty") / "none.h5"]) as watcher:
        app = application(LiveData(watcher), token=TOKEN, port=8123)
        yield TestClient(app, base_url=BASE, follow_redirects=False)


@pytest.mark.parametrize("path", ["/", "/data", "/nothing", "/../../etc/passwd"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "token=",
        "token=wrong",
        f"token={TOKEN}x",
        f"token={TOKEN[:-1]}",
        f"token={TOKEN}&token={TOKEN}",
        f"TOKEN={TOKEN}",
        "token=%ff%fe",
        "token=\u202e",
    ],
)
def test_a_wrong_or_missing_token_is_refused_everywhere(waiting, path, query):
    answer = waiting.get(f"{path}?{query}")
    assert answer.status_code == 403
    assert TOKEN not in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8123",
        "127.0.0.1",
        "127.0.0.1:9999",
        "127.0.0.1:8123.evil.example",
        "127.0.0.1.evil.example:8123",
        "user@127.0.0.1:8123",
        "0.0.0.0:8123",
        "[::1]:8123",
        "",
    ],
)
def test_another_host_is_refused_also_with_the_token(waiting, host):
    """A page of a stranger, whose name leads to 127.0.0.1, comes with that name."""
    assert waiting.get("/data", params={"token": TOKEN}, headers={"host": host}).status_code == 400


@pytest.mark.parametrize("hosts", [[], [b"127.0.0.1:8123", b"127.0.0.1:8123"], [b"127.0.0.1:8123", b"evil.example"]])
def test_two_hosts_or_none_are_refused(hosts):
    said = []

    async def send(message):
        said.append(message)

    async def app(scope, receive, send):
        raise AssertionError("let through")

    query = f"token={TOKEN}".encode()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/data",
        "query_string": query,
        "headers": [(b"host", h) for h in hosts],
    }
    asyncio.run(Guard(app, token=TOKEN, port=8123)(scope, None, send))
    assert said[0]["status"] == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_but_get_is_answered(waiting, method):
    answer = waiting.request(method, "/data", params={"token": TOKEN})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/data/", "/static/x.js", "/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd"])
def test_there_is_nothing_else(waiting, path):
    assert waiting.get(f"{path}?token={TOKEN}").status_code == 404


@pytest.mark.parametrize(
    ("path", "code"),
    [(f"/?token={TOKEN}", 200), (f"/data?token={TOKEN}", 200), ("/", 403), (f"/x?token={TOKEN}", 404)],
)
def test_every_answer_forbids_what_it_does_not_need(waiting, path, code):
    answer = waiting.get(path)
    assert answer.status_code == code
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert "access-control-allow-origin" not in answer.headers


def test_as_long_as_nothing_changes_nothing_is_read_or_sent(client, training, monkeypatch):
    first = client.get("/data", params={"token": TOKEN})
    calls = []
    made = live_data.page_data
    monkeypatch.setattr(live_data, "page_data", lambda *a, **k: calls.append(1) or made(*a, **k))
    monkeypatch.setattr(live_data, "_REST", 0)
    known = {"if-none-match": first.headers["etag"]}
    again = client.get("/data", params={"token": TOKEN}, headers=known)
    assert (again.status_code, again.content, calls) == (304, b"", [])
    training.row()
    monkeypatch.setattr(live_data.time, "monotonic", lambda: 1e12)
    later = client.get("/data", params={"token": TOKEN}, headers=known)
    assert (later.status_code, calls) == (200, [1])
    assert later.headers["etag"] != first.headers["etag"]


def test_what_cannot_be_read_is_said_and_takes_nothing_else_away(tmp_path, client, here):
    (tmp_path / "later.h5").write_text("<script>alert(1)</script>")
    for _ in range(2):
        data = client.get("/data", params={"token": TOKEN})
        assert data.status_code == 200
    page = client.get("/", params={"token": TOKEN})
    assert "later.h5" in page.text
    assert [run["name"] for run in page_data_of(page)["runs"]] == ["run"]


def page_data_of(page):
    """Return the data that a small page holds as they are."""
    _, _, rest = page.text.partition('id="data"')
    return json.loads(rest.partition(">")[2].partition("</script>")[0])


def test_a_page_without_a_run_waits_for_one(tmp_path):
    with Watcher([tmp_path / "none.h5", str(tmp_path / "*.h5")]) as watcher:
        client = TestClient(application(LiveData(watcher), token=TOKEN, port=8123), base_url=BASE)
        page = client.get("/", params={"token": TOKEN})
        assert page.status_code == 200
        assert "is not there yet" in page.text


def test_a_file_that_breaks_the_reader_is_left_out(tmp_path, here, monkeypatch):
    for name in ("good.h5", "bad.h5"):
        training = here(tmp_path / name)
        training.row()
        training.end()

    def breaking(of, is_bad):
        def broken(given, **options):
            if is_bad(given):
                raise ZeroDivisionError
            return of(given, **options)

        return broken

    def shown():
        with Watcher([str(tmp_path / "*.h5")]) as watcher:
            return LiveData(watcher).data()

    # Whether it breaks what reads the run, or what shows several.
    of_one, of_all = kept_runs.read_run, live_data.data_of
    for module, name, broken in (
        (kept_runs, "read_run", breaking(of_one, lambda path: path.name == "bad.h5")),
        (live_data, "data_of", breaking(of_all, lambda runs: any(run.facts.name == "bad" for run in runs))),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, broken)
            data = shown()
        assert [run["name"] for run in data["runs"]] == ["good"]
        assert "left out of the page" in json.dumps(data["sections"])
    assert [run["name"] for run in shown()["runs"]] == ["bad", "good"]


def test_the_server_listens_on_this_machine_alone():
    with listening(None) as listener:
        host, port = listener.getsockname()
        assert host == HOST == "127.0.0.1"
        assert port > 0
        with pytest.raises(InputError, match=rf"port {port} of 127.0.0.1 is in use; without --port"):
            listening(port)
        # Another address of the same machine has nothing at this port.
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", port)) != 0
