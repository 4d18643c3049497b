"""Text from a run file in a browser: it is shown as text, whatever it says, and makes no element of any chart."""

import h5py
import numpy as np

from infoplane.reports.page.page import page
from infoplane.reports.page.run_data import run_data

RTL = "\u05d0\u05d1\u05d2 <b>x</b>"


def test_a_run_of_hostile_names_shows_them_as_text(opened, hover, tmp_path, make_run):
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


def test_attributes_that_someone_changed_show_as_text(opened, hover, tmp_path, make_run):
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


MARKUP = ("<b>bold<br>two<sub>3", "<a href=x>here &lt; &amp; <i>y", "$x_1$ %{x} <span style=color:red>")


def drawn_texts(tab, chart, kind):
    return tab.evaluate(f"[...document.querySelectorAll('#{chart}-chart {kind}')].map((t) => t.textContent)")


def test_a_panel_is_titled_by_the_name_of_its_run_letter_by_letter(opened, tmp_path, make_run):
    paths = [tmp_path / f"{name}.h5" for name in MARKUP]
    for path in paths:
        make_run(path, rows=2, sites=MARKUP[:1], parameters=MARKUP[1:])
    tab = opened(paths, width=1900)
    for chart in ("plane", "histograms"):
        titles = drawn_texts(tab, chart, ".annotation text")
        assert [name for name in MARKUP if name in titles] == list(MARKUP)
        assert tab.evaluate(f"document.querySelectorAll('#{chart}-chart a').length") == 0


def test_a_unit_in_the_title_of_an_axis_is_text(opened, tmp_path, make_run):
    path = tmp_path / "run.h5"
    make_run(path, rows=2)
    data = run_data([path])
    data["runs"][0]["error_unit"] = "<b>%</b> &lt;"
    changed = tmp_path / "page.html"
    changed.write_text(page(data), encoding="utf-8", newline="")
    tab = opened(file=changed)
    assert "error [<b>%</b> &lt;]" in drawn_texts(
        tab, "bounds", ".ytitle, #bounds-chart .y2title, #bounds-chart .y3title"
    )


def test_layers_and_runs_are_named_letter_by_letter_wherever_they_stand(opened, hover, settled, tmp_path, make_run):
    paths = [tmp_path / f"{name}.h5" for name in MARKUP[:2]]
    for path in paths:
        make_run(path, rows=2, sites=MARKUP[:1], parameters=MARKUP[1:])
    tab = opened(paths)
    assert f"{MARKUP[0]} · {MARKUP[0]} (trained network)" in hover(tab).splitlines()[0]
    tab.focus("#plane-chart")
    tab.keyboard.press("ArrowRight")
    assert tab.text_content("#plane-said").startswith(f"{MARKUP[0]} · {MARKUP[0]} (trained network); epoch 2")
    assert [box.inner_text().strip() for box in tab.locator("#layers label").all()] == [MARKUP[0]]
    assert [box.inner_text().strip() for box in tab.locator("#runs label").all()] == list(MARKUP[:2])
    assert tab.locator("#layer option").all_inner_texts()[:2] == [f"weights: {name}" for name in MARKUP[1:]]
    tab.select_option("#layer", index=1)
    settled(tab)
    assert tab.text_content("#histograms-note").startswith(f"Weights of {MARKUP[2]}.")
    tab.emulate_media(media="print")
    settled(tab)
    assert {MARKUP[0], MARKUP[1]} <= {text.strip() for text in tab.locator("#key span").all_inner_texts()}
    assert tab.evaluate("document.querySelectorAll('main b, main i, main sub, main a').length") == 0
