"""The report in a browser: by mouse and by keyboard, every point and every switch."""

import re

import pytest


def test_a_mouse_over_a_point_shows_value_unit_error_estimator_and_n(opened, hover, two_runs):
    text = hover(opened(two_runs), point=3)
    assert "hidden1" in text
    assert re.search(r"i_zx: [\d.]+ ± 0\.21 bit, upper bound on I\(Z;X\)", text)
    assert re.search(r"i_zy: [\d.]+ ± 0\.034 bit, lower bound on I\(Z;Y\)", text)
    assert re.search(r"VIB probe, N = 16, beta = 0\.001.*test split, n = 450", text)
    assert "epoch 4, step 40" in text


def test_the_slider_shows_the_path_up_to_its_step(opened, settled, points, two_runs):
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


def test_the_slider_of_the_histograms_is_the_same_time(opened, settled, points, two_runs):
    tab = opened(two_runs)
    before = tab.evaluate("document.querySelector('#histograms-chart .js-plotly-plot').data[0].y")
    tab.fill("#time-again", "2")
    settled(tab)
    assert tab.text_content("#now") == "epoch 3 of 12"
    assert points(tab)[0] == 3
    assert tab.evaluate("document.querySelector('#histograms-chart .js-plotly-plot').data[0].y") != before


def test_play_goes_from_the_first_step_to_the_last_and_stops(opened, settled, becomes, points, two_runs):
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


def test_layers_control_and_runs_are_switched_by_mouse_and_keyboard(opened, settled, two_runs):
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


def test_no_button_of_a_chart_sends_it_anywhere(opened, two_runs):
    tab = opened(two_runs)
    others = []
    tab.context.on("page", lambda other: others.append(other.url))
    names = "[...document.querySelectorAll('#plane-chart .modebar-btn')].map((b) => b.dataset.title)"
    download, *others_named = tab.evaluate(names)
    assert download.startswith("Download plot")
    assert others_named == ["Zoom", "Pan", "Zoom in", "Zoom out", "Reset axes"]
    tab.locator("#plane-chart").hover()
    with tab.expect_download() as started:
        tab.locator("#plane-chart .modebar-btn").first.click()
    assert started.value.suggested_filename == "infoplane.svg"
    for button in tab.locator("#plane-chart .modebar-btn").all()[1:]:
        button.click()
    assert others == []


def test_tab_reaches_every_control_and_chart_in_the_order_of_the_page(opened, two_runs):
    tab = opened(two_runs)
    tab.focus("#play")
    reached = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        name = tab.evaluate("document.activeElement.id || document.activeElement.closest('[id]')?.id")
        if name is None:  # past the last one
            break
        reached += [name] * (name not in reached)
        top, bottom = tab.evaluate(
            "(({ top, bottom }) => [top, bottom])(document.activeElement.getBoundingClientRect())"
        )
        assert top < 900  # what has the focus is in sight
        assert bottom > 0
    order = ["time", "layers", "runs", "control", "beside", "logarithmic", "plane-chart", "quantity", "bounds-chart"]
    order += ["layer", "time-again", "histograms-chart", "rows", "divergence"]
    assert [name for name in reached if name in order] == order
