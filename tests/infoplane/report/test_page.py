"""What stands in the page: nothing from a file but text, no script but ours, and data that come back as they were."""

import base64
import gzip
import hashlib
import html
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infoplane.errors import InfoplaneError, InputError
from infoplane.reports.page import page as page_module
from infoplane.reports.page.page import LARGEST, embedded, page, policy
from infoplane.reports.page.run_data import run_data

pytest.importorskip("jinja2", reason="the extra html is not installed")
pytest.importorskip("plotly", reason="the extra html is not installed")

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "</script><!-- ]]> {{ 7*7 }} ${7*7}",
    "\u202egnirts\u2066 \u2028 \x1b[2J",
    "w" * 10_000,
)


class Elements(HTMLParser):
    """The tags of a page with their attributes, and the text of its scripts."""

    def __init__(self):
        super().__init__()
        self.tags, self.scripts, self._in_script = [], [], False

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._in_script = True
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._in_script = self._in_script and tag != "script"

    def handle_data(self, data):
        if self._in_script:
            self.scripts[-1] += data


def parsed(text):
    parser = Elements()
    parser.feed(text)
    return parser


def policy_of(parser):
    return next(a["content"] for tag, a in parser.tags if tag == "meta" and "http-equiv" in a)


def data_of(parser):
    scripts = [a for tag, a in parser.tags if tag == "script"]
    k = next(k for k, a in enumerate(scripts) if a.get("id") == "data")
    text = parser.scripts[k]
    if scripts[k]["data-form"] == "gzip":
        text = gzip.decompress(base64.b64decode(text)).decode()
    return json.loads(text)


def sum_of(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def strings(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, make_run):
    path = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=alert(2)>.h5"
    known = {
        "model": HOSTILE[0],
        "data": {"name": HOSTILE[1]},
        "configuration": {"method": HOSTILE[2], "note": HOSTILE[4], HOSTILE[0]: HOSTILE[3]},
    }
    make_run(path, sites=HOSTILE, parameters=HOSTILE[:3], rows=3, provenance=known, doubtful=HOSTILE[:1])
    return path


def test_the_policy_allows_the_two_scripts_of_the_page_and_nothing_that_connects(two_runs):
    parser = parsed(page(run_data(two_runs)))
    rules = dict(rule.partition(" ")[::2] for rule in policy_of(parser).split("; "))
    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    run = [text for (_, a), text in zip(_scripts(parser), parser.scripts, strict=True) if "type" not in a]
    packed = next(
        text for (_, a), text in zip(_scripts(parser), parser.scripts, strict=True) if a.get("id") == "plotly"
    )
    plotly = gzip.decompress(base64.b64decode(packed)).decode()
    assert rules["script-src"].split() == [sum_of(run[0]), sum_of(plotly)]
    assert len(run) == 1


def _scripts(parser):
    return [(tag, a) for tag, a in parser.tags if tag == "script"]


def test_a_page_that_watches_may_ask_its_own_server_and_no_other(two_runs):
    parser = parsed(page(run_data(two_runs), live="data?token=a&b"))
    assert "connect-src 'self'" in policy_of(parser)
    assert next(a["data-live"] for tag, a in parser.tags if tag == "body") == "data?token=a&b"


@pytest.mark.parametrize("url", ["http://elsewhere/data", "//elsewhere/data", "/data", "javascript:alert(1)"])
def test_a_page_watches_nothing_but_a_relative_url(two_runs, url):
    with pytest.raises(InputError, match="relative URL"):
        page(run_data(two_runs), live=url)


def test_the_page_names_no_address_that_a_browser_would_load(two_runs):
    parser = parsed(page(run_data(two_runs)))
    for tag, attributes in parser.tags:
        assert tag not in ("link", "iframe", "object", "embed", "img", "base", "form")
        assert not attributes.get("src")
        assert attributes.get("href", "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]


def test_text_of_a_file_makes_no_element_and_no_attribute(hostile, two_runs):
    tame, wild = parsed(page(run_data(two_runs[:1]))), parsed(page(run_data([hostile])))
    assert {tag for tag, _ in wild.tags} == {tag for tag, _ in tame.tags}
    names = {name for _, attributes in tame.tags for name in attributes}
    assert {name for _, attributes in wild.tags for name in attributes} == names
    assert len(_scripts(wild)) == len(_scripts(tame))


def test_the_data_come_out_of_the_page_as_they_went_in(hostile):
    data = run_data([hostile])
    assert data_of(parsed(page(data))) == json.loads(json.dumps(data))


def test_nothing_shown_of_a_file_is_unseen_or_turns_the_line_around(hostile):
    data = run_data([hostile])
    assert all(text.isprintable() for text in strings(data))
    assert any("\\u202e" in text for text in strings(data))
    assert max(map(len, strings(data["sections"]))) <= 2000
    assert max(len(probe["site"]) for probe in data["runs"][0]["plane"]["probes"]) <= 120


def test_what_stands_in_the_text_is_what_the_file_says(hostile):
    text = html.unescape(re.sub(r"<script.*?</script>", "", page(run_data([hostile])), flags=re.S))
    assert HOSTILE[0] in text
    assert "{{ 7*7 }} ${7*7}" in text


def test_embedded_json_closes_no_script_and_breaks_no_line():
    kind, text = embedded({"a": "</script><!--\u2028\u2029&"})
    assert kind == "json"
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"a": "</script><!--\u2028\u2029&"}


def test_large_data_are_packed():
    data = {"a": ["<x>" * 3] * 60_000}
    kind, text = embedded(data)
    assert kind == "gzip"
    assert len(text) < 20_000
    assert json.loads(gzip.decompress(base64.b64decode(text))) == data


def test_no_number_of_a_page_is_not_finite():
    with pytest.raises(ValueError, match="JSON compliant"):
        embedded({"a": math.nan})


def test_the_policy_of_other_texts_is_another():
    known = policy(["a"], ["b"], connects=False)
    assert len({known, policy(["b"], ["b"], connects=False), policy(["a"], ["a"], connects=False)}) == 3


def test_the_style_of_the_page_alone_is_let_in_by_its_sum(two_runs):
    parser = parsed(text := page(run_data(two_runs)))
    rules = dict(rule.partition(" ")[::2] for rule in policy_of(parser).split("; "))
    styles = re.findall(r"<style[^>]*>(.*?)</style>", text, flags=re.S)
    assert len(styles[0]) > 1000
    assert set(rules["style-src-elem"].split()) == {sum_of(style) for style in styles} | {sum_of("")}
    assert "unsafe" not in re.sub("style-src-attr 'unsafe-inline'", "", policy_of(parser))


def test_every_file_of_script_is_in_the_page_in_its_order(two_runs):
    folder = Path(page_module.__file__).parent / "script"
    assert {f"{name}.js" for name in page_module.SCRIPTS} == {path.name for path in folder.glob("*.js")}
    script = next(text for text in parsed(page(run_data(two_runs))).scripts if text.startswith('"use strict"'))
    places = [script.index((folder / f"{name}.js").read_text(encoding="utf-8")) for name in page_module.SCRIPTS]
    assert places == sorted(places)


def test_the_page_leads_to_no_section_that_it_has_not(two_runs):
    data = run_data(two_runs)
    data |= {"sections": [section for section in data["sections"] if section["id"] != "divergence"]}
    parser = parsed(page(data))
    ids = {a["id"] for _, a in parser.tags if "id" in a}
    targets = {a["href"].removeprefix("#") for tag, a in parser.tags if tag == "a"}
    assert targets <= ids
    assert "divergence" not in targets
    assert len(targets) == 9


def test_the_page_has_less_than_the_most_that_it_may_have(two_runs):
    assert len(page(run_data(two_runs)).encode()) < LARGEST / 2


def test_a_missing_library_is_said_with_the_extra_that_has_it(monkeypatch, two_runs):
    data = run_data(two_runs)
    page_module._plotly.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "plotly.offline", None)
    try:
        with pytest.raises(InfoplaneError, match=r"pip install 'infoplane\[html\]'"):
            page(data)
    finally:
        page_module._plotly.cache_clear()


def test_a_live_page_has_a_place_for_what_there_is_not_yet(two_runs):
    full = run_data(two_runs)
    empty = full | {"runs": [], "sections": full["sections"][:1]}
    ids = {section["id"] for section in full["sections"]}
    there = {a["data-text"] for tag, a in parsed(page(empty, live="data?token=a")).tags if "data-text" in a}
    assert there == ids
    assert {a["data-text"] for tag, a in parsed(page(empty)).tags if "data-text" in a} == {"summary"}
