"""The report on a phone, a laptop, a wide screen and on paper, in light and in dark."""

import pytest


def test_dark_and_light_follow_the_reader_also_when_that_changes(opened, becomes, two_runs):
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


def test_on_paper_the_charts_stay_light_and_the_controls_go(opened, becomes, two_runs):
    tab = opened(two_runs, color_scheme="dark")
    tab.emulate_media(media="print")
    ground = "document.querySelector('#plane-chart .js-plotly-plot').layout.paper_bgcolor"
    becomes(tab, f"{ground} === '#ffffff'")
    assert tab.is_hidden("#controls")
    assert "hidden1" in tab.inner_text("#key")
    assert tab.is_visible("#plane-chart .main-svg")
    assert tab.is_visible("#provenance table")


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
def test_no_number_and_no_word_of_a_table_head_is_broken(opened, settled, two_settings, media, width):
    tab = opened(two_settings, width=width)
    tab.emulate_media(media=media)
    settled(tab)
    assert tab.evaluate("document.querySelectorAll('td.n').length") > 50
    assert tab.evaluate(BROKEN) == []


def test_a_table_wider_than_a_phone_says_that_it_goes_on(opened, becomes, two_settings):
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
