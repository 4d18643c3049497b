"""The live page in a browser: what its server says now, no more and no less, under the policy of its header."""

import html
import json
import os
import re
import shutil
import threading
from contextlib import contextmanager

import pytest

from infoplane.reports.page.run_data import run_data

pytest.importorskip("starlette", reason="needs the extra 'watch'")
pytest.importorskip("plotly", reason="needs the extra 'watch'")
uvicorn = pytest.importorskip("uvicorn", reason="needs the extra 'watch'")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from infoplane.watch.application import application  # noqa: E402
from infoplane.watch.serve import HOST, listening  # noqa: E402

CHROMIUM = os.environ.get("INFOPLANE_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
pytestmark = pytest.mark.skipif(not os.path.exists(CHROMIUM), reason=f"there is no browser at {CHROMIUM}")
TOKEN = "token_0123456789"


class Held:
    """Data that the test changes, in place of those of watched files."""

    def __init__(self, data):
        self.now = data

    def data(self):
        return self.now

    def json(self):
        text = json.dumps(self.now)
        return str(hash(text)), text.encode()

    def without(self, *ids):
        self.now = self.now | {"sections": [one for one in self.now["sections"] if one["id"] not in ids]}


@pytest.fixture
def held(tmp_path, here):
    training = here(tmp_path / "run.h5")
    for _ in range(2):
        training.row()
    training.end()
    return Held(run_data([tmp_path / "run.h5"]))


@contextmanager
def served(held):
    with listening(None) as listener:
        port = listener.getsockname()[1]
        app = application(held, token=TOKEN, port=port)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none", http="h11"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://{HOST}:{port}/?token={TOKEN}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser, held):
    """Return a tab with the page and the answer that brought it; any message in the console is a failure."""
    said = []
    with served(held) as address:
        tab = browser.new_page()
        tab.set_default_timeout(60_000)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        answer = tab.goto(address)
        tab.wait_for_selector("body[data-ready=yes]")
        yield tab, answer
        tab.close()
    assert said == []


def becomes(tab, is_so):
    for _ in range(300):
        if is_so():
            return
        tab.wait_for_timeout(100)
    pytest.fail("it has not become so")


def test_the_header_has_the_policy_of_the_page_and_lets_no_other_script_in(opened):
    tab, answer = opened
    policy = answer.headers["content-security-policy"]
    own = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', answer.text())[1])
    assert policy == f"{own}; frame-ancestors 'none'"
    rules = dict(rule.partition(" ")[::2] for rule in policy.split("; "))
    assert re.fullmatch(r"'sha256-[\w+/=]+' 'sha256-[\w+/=]+'", rules["script-src"])
    assert "unsafe" not in rules["script-src"] + rules["style-src-elem"]
    assert tab.locator("#plane-chart .main-svg").count() > 0


def test_a_script_and_a_style_that_someone_slips_in_are_stopped_by_the_header_alone(browser, held, monkeypatch):
    monkeypatch.setattr("infoplane.watch.application.page", lambda *_, **__: SLIPPED)
    said = []
    with served(held) as address:
        tab = browser.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.goto(address)
        becomes(tab, lambda: len(said) == 3)
        assert tab.title() == "as it was"
        assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        tab.close()
    assert len([text for text in said if "Content Security Policy" in text]) == 3  # the style, the script, the handler


SLIPPED = """<!doctype html><title>as it was</title><style>body { color: red }</style>
<script>document.title = "stolen"</script><body><img src="data:," onerror="document.title = 'stolen'">"""


def test_a_section_that_is_no_more_goes_from_the_page_with_the_way_to_it(opened, held):
    tab, _ = opened
    full = held.now
    assert tab.is_visible("#divergence")
    assert tab.is_visible("nav a[href='#divergence']")
    text = tab.inner_text("#divergence .blocks")
    held.without("divergence", "provenance")
    becomes(tab, lambda: tab.is_hidden("#divergence"))
    assert tab.is_hidden("#provenance")
    assert tab.is_hidden("nav a[href='#divergence']")
    assert tab.text_content("#divergence .blocks") == ""
    assert tab.is_visible("#rows")
    held.now = full
    becomes(tab, lambda: tab.is_visible("#divergence"))
    assert tab.inner_text("#divergence .blocks") == text
    assert tab.is_visible("nav a[href='#divergence']")


def test_a_page_without_a_run_gets_its_sections_when_there_is_one(browser, held):
    full = held.now
    held.now = full | {"runs": [], "sections": [one for one in full["sections"] if one["id"] == "summary"]}
    with served(held) as address:
        tab = browser.new_page()
        tab.goto(address)
        tab.wait_for_selector("body[data-ready=yes]")
        assert tab.locator("nav a:visible").count() == 4
        held.now = full
        becomes(tab, lambda: tab.is_visible("#rows table"))
        assert tab.inner_text("#rows h2") == "Last rows"
        assert tab.locator("nav a:visible").count() == 4 + len(full["sections"]) - 1
        tab.close()


def test_a_run_that_is_no_more_goes_from_charts_and_controls(opened, held, tmp_path, here):
    tab, _ = opened
    training = here(tmp_path / "other.h5")
    training.row()
    training.end()
    both = run_data([tmp_path / "run.h5", tmp_path / "other.h5"])
    one = held.now
    held.now = both
    becomes(tab, lambda: tab.locator("#runs label").count() == 2)
    held.now = one
    becomes(tab, lambda: tab.locator("#runs label").count() == 1)
    becomes(tab, lambda: "other" not in tab.inner_text("main"))
    assert tab.title() == "infoplane: run"
