"""What the charts of a report draw: the lines, the labels, the runs and the histograms that the data say."""

import itertools
import math

import numpy as np
import pytest

from infoplane.reports.page.run_data import run_data


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


def test_a_run_without_rows_says_so(opened, tmp_path, make_run):
    path = tmp_path / "empty.h5"
    make_run(path, rows=0)
    tab = opened([path])
    assert "Nothing has been measured yet." in tab.text_content("#plane-chart")
    assert tab.is_disabled("#play")


def test_of_many_runs_one_per_setting_is_drawn_and_the_others_when_ticked(opened, settled, points, two_settings):
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


def test_the_dash_of_a_run_stands_beside_its_name_also_on_paper(opened, settled, becomes, two_settings):
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


TITLES = """(chart) => [...document.querySelectorAll(`#${chart}-chart .annotation text`)]
  .filter((t) => t.textContent.includes("seed="))
  .map((t) => { const b = t.getBoundingClientRect(); return [t.textContent, b.left, b.right, b.top]; })"""


@pytest.mark.parametrize("media", ["screen", "print"])
def test_titles_of_panels_stay_over_their_panels(opened, settled, two_settings, media):
    tab = opened(two_settings)
    for box in tab.locator("#runs input").all()[:4]:
        box.check()
    tab.locator("#runs input").nth(7).uncheck()
    tab.emulate_media(media=media)
    settled(tab)
    for chart in ("plane", "histograms"):
        boxes = tab.evaluate(TITLES, chart)
        assert len(boxes) == 4
        assert len({text for text, *_ in boxes}) == 4  # the ends, which tell them apart, are kept
        for (_, _, right, top), (_, left, _, below) in itertools.pairwise(boxes):
            assert right < left or top != below


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


LABELS = """() => {
  const plot = document.querySelector("#plane-chart .js-plotly-plot");
  const left = plot.getBoundingClientRect().left;
  const label = (start) => [...plot.querySelectorAll(".annotation text")].filter((t) => t.textContent.startsWith(start))
    .map((t) => { const b = t.getBoundingClientRect(); return [b.left, b.right, b.top, b.bottom]; });
  const lines = plot._fullLayout.shapes.filter((s) => s.type === "line" && s.x0 === s.x1).map((s) => {
    const axis = plot._fullLayout[s.xref.replace("x", "xaxis")];
    return left + axis._offset + axis.d2p(s.x0);
  });
  return [label("H(Y)"), label("log2 n"), lines];
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_no_line_goes_through_the_label_of_the_label_entropy(opened, settled, make_run, tmp_path, width):
    paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for path, rate in zip(paths, (8.0, 9.0), strict=True):  # log2 n is 8.81 bit, and so near the right rim
        make_run(path, rows=2, quantities={"i_zx": rate})
    tab = opened(paths, width=width)
    for _ in ("linear", "logarithmic"):
        entropy, counts, lines = tab.evaluate(LABELS)
        assert len(entropy) == len(counts) == len(lines) == 2
        for left, right, top, bottom in entropy:
            assert not [x for x in lines if left <= x <= right]
            for other_left, other_right, other_top, other_bottom in counts:
                assert left > other_right or right < other_left or top >= other_bottom or bottom <= other_top
        tab.check("#logarithmic")
        settled(tab)


HISTOGRAM = """() => {
  const plot = document.querySelector("#histograms-chart .js-plotly-plot");
  const { xaxis, yaxis } = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  const paths = [...plot.querySelectorAll(".js-fill, .js-line")];
  const tops = paths.map((path) => yaxis.p2d(path.getBoundingClientRect().top - box.top - yaxis._offset));
  return {
    type: xaxis.type, floor: yaxis.range[0], titles: [xaxis.title.text, yaxis.title.text],
    tops, pixel: yaxis.p2d(0) - yaxis.p2d(1.5),
    texts: [...plot.querySelectorAll(".annotation text")].map((t) => t.textContent),
    traces: plot.data.map((t) => ({ x: [...t.x], y: [...t.y], shape: t.line ? t.line.shape : null })),
  };
}"""


def test_a_histogram_is_drawn_as_the_run_holds_it(opened, settled, two_runs):
    tab = opened(two_runs[:1])
    layers = run_data(two_runs[:1])["runs"][0]["histograms"]
    assert {one["stream"] for one in layers} == {"weights", "activations"}
    for k, at in itertools.product(range(len(layers)), (0, 11)):
        tab.select_option("#layer", index=k)
        tab.fill("#time-again", str(at))
        settled(tab)
        check_histogram(tab.evaluate(HISTOGRAM), layers[k]["stream"], layers[k]["rows"][at])


def check_histogram(drawn, stream, row):
    assert (drawn["type"], drawn["floor"]) == ("log", 0)
    assert drawn["titles"] == [f"x: positive {stream}", "density of ln x"]
    bars, centres, curve = drawn["traces"]
    assert bars == {"x": row["edges"], "y": [*row["density"], 0], "shape": "hv"}
    assert centres["y"] == row["density"]
    assert all(low < x < high for (low, high), x in zip(itertools.pairwise(row["edges"]), centres["x"], strict=True))
    deviations = (np.log(curve["x"]) - row["mu"]) / row["sigma"]
    law = np.exp(-(deviations**2) / 2) / (row["sigma"] * math.sqrt(2 * math.pi))
    np.testing.assert_allclose(curve["y"], law, rtol=1e-9)
    # What stands on the screen is as high, in units of the axis, as the run says; the curve's line has a width.
    tops = sorted(drawn["tops"])
    expected = sorted([max(row["density"]), max(row["density"]), max(law)])
    np.testing.assert_allclose(tops, expected, atol=2.5 * drawn["pixel"])
    text = f"epoch {row['epoch']:g}, step {row['step']}n = {row['n']:,}zeros {100 * row['zero_fraction']:.1f} %"
    assert text in drawn["texts"]
