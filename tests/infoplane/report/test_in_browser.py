"""The report in a browser: by mouse and by keyboard, without a request, without an error, whatever the file says."""

import itertools
import os
import re

import h5py
import numpy as np
import pytest

from infoplane.reports.page.page import page
from infoplane.reports.page.run_data import run_data

pytest.importorskip("jinja2", reason="the extra html is not installed")
pytest.importorskip("plotly", reason="the extra html is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = os.environ.get("INFOPLANE_CHROMIUM", "/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not os.path.exists(CHROMIUM), reason=f"there is no browser at {CHROMIUM}")
RTL = "\u05d0\u05d1\u05d2 <b>x</b>"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return what writes the page of runs, once for the same runs."""
    known = {}

    def write(paths):
        key = tuple(map(str, paths))
        if key not in known:
            known[key] = tmp_path_factory.mktemp("page") / "report.html"
            known[key].write_text(page(run_data(paths)), encoding="utf-8", newline="")
        return known[key]

    return write


@pytest.fixture
def opened(browser, written):
    """Return what opens a page of runs, and fails at the end for any request, error or message in the console."""
    asked, said, contexts = [], [], []

    def open_page(paths, *, width=1280, **options):
        path = written(paths)
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(60_000)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))

        def only_the_page(route):
            if route.request.url == path.resolve().as_uri():
                route.continue_()
            else:
                asked.append(route.request.url)
                route.abort()

        tab.route("**/*", only_the_page)
        tab.goto(path.resolve().as_uri())
        tab.wait_for_selector("body[data-ready]")
        assert tab.evaluate("document.body.dataset.ready") == "yes", tab.text_content("#no-charts")
        return tab

    yield open_page
    for context in contexts:
        context.close()
    assert asked == []
    assert said == []


def settled(tab):
    """Wait until what was asked for is drawn."""
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def becomes(tab, expression):
    """Wait until an expression is true; the page's policy lets no test evaluate text within it."""
    for _ in range(600):
        if tab.evaluate(expression):
            return
        tab.wait_for_timeout(100)
    pytest.fail(f"{expression} has not become true")


def points(tab, chart="plane"):
    """Return how many points each line of a chart has, by the order of its traces."""
    return tab.evaluate(f"document.querySelector('#{chart}-chart .js-plotly-plot').data.map((t) => t.x.length)")


def hover(tab, chart="plane", curve=0, point=0):
    """Move the mouse over a point, by where plotly has put it."""
    tab.locator(f"#{chart}-chart").scroll_into_view_if_needed()
    x, y = tab.evaluate(
        """([chart, curve, point]) => {
          const plot = document.querySelector(`#${chart}-chart .js-plotly-plot`);
          const trace = plot._fullData[curve];
          const axis = (name) => plot._fullLayout[name.replace(/^([xy])/, "$1axis")];
          const [x, y] = [axis(trace.xaxis), axis(trace.yaxis)];
          const box = plot.getBoundingClientRect();
          return [box.x + x._offset + x.d2p(trace.x[point]), box.y + y._offset + y.d2p(trace.y[point])];
        }""",
        [chart, curve, point],
    )
    tab.mouse.move(1, 1)
    tab.mouse.move(x, y)
    tab.wait_for_selector(f"#{chart}-chart .tip:not([hidden])")
    return tab.inner_text(f"#{chart}-chart .tip")


def test_a_mouse_over_a_point_shows_value_unit_error_estimator_and_n(opened, two_runs):
    text = hover(opened(two_runs), point=3)
    assert "hidden1" in text
    assert re.search(r"i_zx: [\d.]+ ± 0\.21 bit, upper bound on I\(Z;X\)", text)
    assert re.search(r"i_zy: [\d.]+ ± 0\.034 bit, lower bound on I\(Z;Y\)", text)
    assert re.search(r"VIB probe, N = 16, beta = 0\.001.*test split, n = 450", text)
    assert "epoch 4, step 40" in text


def test_the_slider_shows_the_path_up_to_its_step(opened, two_runs):
    tab = opened(two_runs)
    assert points(tab)[0] == 12
    tab.focus("#time")
    tab.keyboard.press("Home")
    settled(tab)
    assert points(tab)[0] == 1
    assert tab.text_content("#now") == "epoch 1 of 12"
    for _ in range(4):
        tab.keyboard.press("ArrowRight")
    settled(tab)
    assert points(tab)[0] == 5
    assert tab.get_attribute("#time", "aria-valuetext") == "epoch 5 of 12"
    assert tab.input_value("#time-again") == "4"


def test_the_slider_of_the_histograms_is_the_same_time(opened, two_runs):
    tab = opened(two_runs)
    before = tab.evaluate("document.querySelector('#histograms-chart .js-plotly-plot').data[0].y")
    tab.fill("#time-again", "2")
    settled(tab)
    assert tab.text_content("#now") == "epoch 3 of 12"
    assert points(tab)[0] == 3
    assert tab.evaluate("document.querySelector('#histograms-chart .js-plotly-plot').data[0].y") != before


def test_play_goes_from_the_first_step_to_the_last_and_stops(opened, two_runs):
    tab = opened(two_runs)
    tab.click("#play")
    assert tab.text_content("#play") == "Pause"
    becomes(tab, "document.getElementById('now').textContent === 'epoch 12 of 12'")
    becomes(tab, "document.getElementById('play').textContent === 'Play'")
    settled(tab)
    assert points(tab)[0] == 12


def test_play_goes_one_step_where_motion_is_not_wanted(opened, two_runs):
    tab = opened(two_runs, reduced_motion="reduce")
    assert tab.text_content("#play") == "Next step"
    tab.click("#play")
    assert tab.text_content("#now") == "epoch 1 of 12"
    tab.keyboard.press("Enter")
    assert tab.text_content("#now") == "epoch 2 of 12"


def test_layers_control_and_runs_are_switched_by_mouse_and_keyboard(opened, two_runs):
    tab = opened(two_runs)
    paths = (
        "document.querySelector('#plane-chart .js-plotly-plot').data.filter((t) => t.mode === 'lines+markers').length"
    )
    assert tab.evaluate(paths) == 8  # two runs, two layers, each with its control
    tab.click("#control")
    settled(tab)
    assert tab.evaluate(paths) == 4
    tab.focus("#layers input")
    tab.keyboard.press("Space")
    settled(tab)
    assert tab.evaluate(paths) == 2
    tab.click("#runs label:nth-of-type(2)")
    settled(tab)
    assert tab.evaluate(paths) == 1
    assert tab.evaluate("document.activeElement.closest('#runs') !== null")


def test_arrow_keys_walk_over_the_points_and_say_them(opened, two_runs):
    tab = opened(two_runs)
    tab.focus("#plane-chart")
    tab.keyboard.press("ArrowRight")
    last = tab.text_content("#plane-said")
    assert "baseline · hidden1 (trained network); epoch 12, step 120; " in last
    assert "± 0.21 bit, upper bound on I(Z;X)" in last
    tab.keyboard.press("ArrowLeft")
    assert "epoch 11, step 110" in tab.text_content("#plane-said")
    tab.keyboard.press("ArrowDown")
    assert "baseline · hidden2 (trained network); epoch 11" in tab.text_content("#plane-said")
    tab.keyboard.press("Home")
    assert "epoch 1, step 10" in tab.text_content("#plane-said")
    assert tab.is_visible("#plane-chart .tip")
    assert "epoch 1, step 10" in tab.inner_text("#plane-chart .tip")
    tab.keyboard.press("Escape")
    assert tab.is_hidden("#plane-chart .tip")
    assert tab.text_content("#plane-said") == ""


@pytest.mark.parametrize("chart", ["bounds", "histograms"])
def test_the_other_charts_are_walked_too(opened, two_runs, chart):
    tab = opened(two_runs)
    tab.focus(f"#{chart}-chart")
    tab.keyboard.press("ArrowRight")
    assert "baseline" in tab.text_content(f"#{chart}-said")


def test_the_live_region_is_polite_and_the_charts_have_names(opened, two_runs):
    tab = opened(two_runs)
    for chart in ("plane", "bounds", "histograms"):
        assert tab.get_attribute(f"#{chart}-said", "aria-live") == "polite"
        assert tab.get_attribute(f"#{chart}-chart", "aria-label")
        assert tab.get_attribute(f"#{chart}-chart", "tabindex") == "0"
    assert tab.get_attribute("#time", "type") == "range"


def test_lines_stand_at_the_label_entropy_and_log_n_and_findings_are_ringed(opened, two_runs):
    tab = opened(two_runs)
    words = tab.evaluate("document.querySelector('#plane-chart .js-plotly-plot').layout.annotations.map((a) => a.text)")
    assert "H(Y) = 3.320 bit" in words
    assert "log2 n = 8.81 bit" in words
    rings = tab.evaluate(
        "document.querySelector('#plane-chart .js-plotly-plot').data.filter((t) => t.marker.symbol === 'circle-open')"
        ".map((t) => t.x.length)"
    )
    assert rings == [12]


def test_dark_and_light_follow_the_reader_also_when_that_changes(opened, two_runs):
    tab = opened(two_runs, color_scheme="dark")
    ground = "document.querySelector('#plane-chart .js-plotly-plot').layout.paper_bgcolor"
    page_ground = "getComputedStyle(document.body).backgroundColor"
    assert (tab.evaluate(ground), tab.evaluate(page_ground)) == ("#16181b", "rgb(22, 24, 27)")
    tab.emulate_media(color_scheme="light")
    becomes(tab, f"{ground} === '#ffffff'")
    assert tab.evaluate(page_ground) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_wider_than_the_window(opened, two_runs, width):
    tab = opened(two_runs, width=width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("document.querySelector('#plane-chart .main-svg').getBoundingClientRect().right") <= width


def test_on_paper_the_charts_stay_light_and_the_controls_go(opened, two_runs):
    tab = opened(two_runs, color_scheme="dark")
    tab.emulate_media(media="print")
    ground = "document.querySelector('#plane-chart .js-plotly-plot').layout.paper_bgcolor"
    becomes(tab, f"{ground} === '#ffffff'")
    assert tab.is_hidden("#controls")
    assert "hidden1" in tab.inner_text("#key")
    assert tab.is_visible("#plane-chart .main-svg")
    assert tab.is_visible("#provenance table")


def test_a_run_of_hostile_names_shows_them_as_text(opened, tmp_path, make_run):
    names = ("<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>'", RTL, "w" * 10_000)
    known = {"model": names[0], "data": {"name": names[1]}, "configuration": {"method": names[2], "x": names[3]}}
    path = tmp_path / "<img src=x onerror=alert(3)>.h5"
    make_run(path, sites=names, parameters=names[:2], rows=3, provenance=known)
    tab = opened([path])
    assert "<img src=x onerror=alert(3)>" in tab.text_content("h1")
    assert names[0] in tab.inner_text("#summary")
    assert "<script>alert(1)</script>" in hover(tab)
    assert tab.evaluate("document.querySelectorAll('script').length") == 3  # data, ours, and plotly as it was let in
    assert tab.evaluate("document.querySelectorAll('img, b, main a').length") == 0
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280
    isolated = tab.evaluate(
        "(text) => [...document.querySelectorAll('#layers bdi')].some((e) => e.textContent === text)", RTL
    )
    assert isolated


def test_attributes_that_someone_changed_show_as_text(opened, tmp_path, make_run):
    path = tmp_path / "changed.h5"
    make_run(path, rows=3)
    with h5py.File(path, "r+") as file:
        for key in ("estimator", "split", "probe_mode"):
            value = f"<a href='http://elsewhere'>{key}</a><script>alert(4)</script>\u202e"
            file["entry/plane"].attrs[key] = np.array(value.encode(), h5py.string_dtype("utf-8", 200))
    tab = opened([path])
    text = hover(tab)
    assert "<a href='http://elsewhere'>estimator</a><script>alert(4)</script>\\u202e" in text
    assert tab.evaluate("document.querySelectorAll('main a').length") == 0


def test_a_run_without_rows_says_so(opened, tmp_path, make_run):
    path = tmp_path / "empty.h5"
    make_run(path, rows=0)
    tab = opened([path])
    assert "Nothing has been measured yet." in tab.text_content("#plane-chart")
    assert tab.is_disabled("#play")


def test_of_many_runs_one_per_setting_is_drawn_and_the_others_when_ticked(opened, two_settings):
    tab = opened(two_settings)
    names = "[...document.querySelectorAll('#runs label')].filter((l) => l.querySelector('input').checked)"
    assert tab.evaluate(f"{names}.map((l) => l.title.slice(-14))") == ["is_wide,seed=0", "synscaw,seed=0"]
    for chart in ("plane", "bounds"):
        assert "6 of the 8 runs are not drawn; tick them under Runs." in tab.text_content(f"#{chart}-note")
    for box in tab.locator("#runs input").all():
        box.check()
    settled(tab)
    assert len([n for n in points(tab) if n == 3]) >= 16
    assert "not drawn" not in tab.text_content("#plane-note")


DASHES = """(place) => [...document.querySelectorAll(`${place} path[data-dash]`)].map((p) => p.dataset.dash)"""


def test_the_dash_of_a_run_stands_beside_its_name_also_on_paper(opened, two_settings):
    tab = opened(two_settings)
    drawn = (
        "[...new Set(document.querySelector('#bounds-chart .js-plotly-plot').data.filter((t) => t.hoverinfo === 'none')"
        ".map((t) => t.line.dash))]"
    )
    assert tab.evaluate(DASHES, "#runs") == tab.evaluate(drawn) == ["solid", "dot"]
    for box in tab.locator("#runs input").all()[:6]:
        box.check()
    tab.locator("#runs input").nth(7).uncheck()
    settled(tab)
    assert tab.evaluate(DASHES, "#runs") == tab.evaluate(drawn)
    assert len(set(tab.evaluate(drawn))) == 6
    tab.emulate_media(media="print")
    becomes(tab, "document.querySelector('#key path[data-dash]') !== null")
    assert tab.evaluate(DASHES, "#key") == tab.evaluate(drawn)
    assert "synscaw,seed=3" in tab.inner_text("#key")
    assert tab.is_visible("#key svg.dash")


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("chart", ["plane", "histograms"])
def test_titles_of_panels_stay_over_their_panels(opened, two_settings, chart, media):
    tab = opened(two_settings)
    for box in tab.locator("#runs input").all()[:4]:
        box.check()
    tab.locator("#runs input").nth(7).uncheck()
    tab.emulate_media(media=media)
    settled(tab)
    boxes = tab.evaluate(
        """(chart) => [...document.querySelectorAll(`#${chart}-chart .annotation text`)]
        .filter((t) => t.textContent.includes("seed="))
        .map((t) => { const b = t.getBoundingClientRect(); return [t.textContent, b.left, b.right, b.top]; })""",
        chart,
    )
    assert len(boxes) == 4
    assert len({text for text, *_ in boxes}) == 4  # the ends, which tell them apart, are kept
    for (_, _, right, top), (_, left, _, below) in itertools.pairwise(boxes):
        assert right < left or top != below


BROKEN = """() => {
  const lines = (node, from, to) => {
    const range = document.createRange();
    range.setStart(node, from); range.setEnd(node, to);
    return new Set([...range.getClientRects()].map((r) => Math.round(r.top))).size;
  };
  const found = [];
  for (const cell of document.querySelectorAll("th, td.n")) {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      for (const word of node.data.matchAll(/\\S+/g)) {
        if (lines(node, word.index, word.index + word[0].length) > 1) found.push(word[0]);
      }
    }
  }
  return found;
}"""


@pytest.mark.parametrize(("media", "width"), [("screen", 390), ("screen", 1280), ("print", 720)])
def test_no_number_and_no_word_of_a_table_head_is_broken(opened, two_settings, media, width):
    tab = opened(two_settings, width=width)
    tab.emulate_media(media=media)
    settled(tab)
    assert tab.evaluate("document.querySelectorAll('td.n').length") > 50
    assert tab.evaluate(BROKEN) == []


def test_a_table_wider_than_a_phone_says_that_it_goes_on(opened, two_settings):
    tab = opened(two_settings, width=390)
    said = "(id) => getComputedStyle(document.querySelector(`#${id} figcaption`), '::after').content"
    becomes(tab, "document.querySelector('#divergence figure.wide') !== null")
    assert "scroll it sideways" in tab.evaluate(said, "divergence")
    right = "document.querySelector('#divergence figcaption').getBoundingClientRect().right"
    assert tab.evaluate(right) <= 390
    tab.set_viewport_size({"width": 1900, "height": 900})
    becomes(tab, "document.querySelector('#divergence figure.wide') === null")
    assert tab.evaluate(said, "divergence") == "none"


def test_paper_has_the_provenance_whenever_printing_began(browser, written, two_runs):
    context = browser.new_context()
    tab = context.new_page()
    tab.emulate_media(media="print")
    tab.goto(written(two_runs).resolve().as_uri())
    tab.wait_for_selector("body[data-ready]")
    assert tab.is_visible("#provenance table")
    context.close()


def test_the_fitted_curve_comes_down_within_its_panel(opened, two_runs):
    tab = opened(two_runs)
    curves = tab.evaluate(
        """() => {
          const plot = document.querySelector("#histograms-chart .js-plotly-plot");
          const end = 10 ** plot._fullLayout.xaxis.range[1];
          return plot.data.filter((t) => t.line && t.line.width === 2).map((t) => [
            Math.max(...t.y), t.y[t.x.findLastIndex((x) => x <= end)]]);
        }"""
    )
    assert len(curves) == 2
    assert all(last < 0.01 * highest for highest, last in curves)
