"""Estimators side by side, by what the artists hold."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

import infoplane as ip
from infoplane.analysis.estimate import Estimate
from infoplane.analysis.finding import Finding
from infoplane.errors import InputError
from infoplane.plots import estimators


def read(value, *, kind="estimate", method="ksg1", error=math.nan, unit="bit", findings=(), n=500, quantity=None):
    return Estimate(value, unit, kind, method, {}, n, error, findings, quantity or "mutual information")


@pytest.fixture(scope="module")
def sweep():
    inputs = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    layers = {"wide": np.tanh(inputs), "narrow": np.tanh(inputs[:, :1])}
    return ip.stability(layers, np.arange(200), method="binning", sweep={"number": [5, 10, 30]})


def dots(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def names(ax):
    return [text.get_text() for text in ax.get_yticklabels()]


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_a_row_per_estimate_from_top_to_bottom_in_its_unit():
    ax = estimators([read(0.5, method="a"), read(0.7, method="b")])
    assert names(ax) == ["a", "b"]
    (first,), (second,) = dots(ax, "a"), dots(ax, "b")
    assert (first.get_xdata()[0], second.get_xdata()[0]) == (0.5, 0.7)
    assert first.get_ydata()[0] > second.get_ydata()[0]
    assert ax.get_xlabel() == "mutual information [bit]"
    assert estimators([read(0.5, unit="nat")]).get_xlabel() == "mutual information [nat]"


def test_markers_point_to_where_the_truth_is():
    kinds = ("estimate", "lower_bound", "upper_bound")
    ax = estimators({kind: read(1.0, kind=kind) for kind in kinds})
    assert [dots(ax, kind)[0].get_marker() for kind in kinds] == ["o", ">", "<"]
    assert len({dots(ax, kind)[0].get_color() for kind in kinds}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["estimate", "lower bound", "upper bound"]


def test_bars_are_one_standard_error_and_what_they_are_over_is_said():
    ax = estimators([read(0.5, error=0.1), read(0.6, method="b")])
    (bar,) = ax.containers[0].lines[2]
    np.testing.assert_allclose(bar.get_segments()[0][:, 0], [0.4, 0.6])
    assert len(ax.containers) == 1
    assert "n = 500. Bars: one standard error over samples. No standard errors for 1 of 2 rows." in said(ax)


def test_a_sweep_is_a_band_from_the_least_to_the_largest_with_every_setting_on_it(sweep):
    ax = estimators(sweep)
    assert names(ax) == ["binning, wide", "binning, narrow"]
    values = [found.value for _, layer, _, found in sweep.estimates if layer == "wide"]
    (band,) = dots(ax, "binning, wide band")
    assert list(band.get_xdata()) == [min(values), max(values)]
    assert sorted(line.get_xdata()[0] for line in dots(ax, "binning, wide")) == sorted(values)
    assert "Swept: number (binning)." in said(ax)
    assert "range over settings" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_one_estimate_has_no_band():
    ax = estimators(read(0.5))
    assert not dots(ax, "ksg1 band")
    assert "range over settings" not in [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_truth_is_a_line_where_it_is_known():
    ax = estimators([read(0.5)], truth=0.6)
    (line,) = dots(ax, "truth")
    assert set(line.get_xdata()) == {0.6}
    assert "truth, 0.6" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert not dots(estimators([read(0.5)]), "truth")


def test_findings_are_ringed_and_named():
    ax = estimators([read(0.5, findings=(Finding("ties", "x", "so it is"),)), read(0.6, method="b")])
    assert len(dots(ax, "ksg1 finding")) == 1
    assert not dots(ax, "b finding")
    assert "Findings: ties (ksg1)." in said(ax)


def test_rows_of_a_sweep_are_ringed_as_single_ones_are():
    x = np.repeat(np.arange(50.0), 4)
    swept = ip.stability(x, x, method="ksg1", sweep={"k": [1, 3]})
    ax = estimators({"swept": swept})
    assert "ties (swept)" in said(ax)
    assert len(dots(ax, "swept finding")[0].get_xdata()) == 2
    assert "finding" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_rows_without_standard_errors_are_counted_as_such():
    assert "No standard errors for 2 of 2 rows." in said(estimators([read(0.5), read(0.6, method="b")]))


def test_a_verdict_of_a_sweep_is_named(sweep):
    made = SimpleNamespace(found=[one.code for one in sweep.findings])
    text = said(estimators(sweep, caption=False))
    for code in made.found:
        assert f"{code.replace('_', ' ')} (binning)" in text
    reverse = ip.stability(
        {"a": np.arange(200.0) * 1000, "b": np.arange(200.0) % 7},
        np.arange(200),
        method="kde_upper",
        noise_variance=1.0,
        sweep={"scale": ["absolute", "layer"]},
    )
    codes = {one.code for one in reverse.findings}
    assert codes
    assert all(f"{code.replace('_', ' ')} (kde_upper)" in said(estimators(reverse)) for code in codes)


def test_what_is_not_mutual_information_says_so():
    ax = estimators([read(0.5), read(0.4, method="v_information", quantity="usable information")])
    assert names(ax)[1] == "v_information (usable information)"
    assert ax.get_xlabel() == "information [bit]"


def test_values_that_are_not_finite_are_left_out_and_said():
    ax = estimators([read(0.5), read(math.nan, method="b")], caption=False)
    assert not dots(ax, "b")
    assert "b: 1 value is not finite and left out." in said(ax)


def test_more_rows_make_a_higher_figure_and_own_axes_stay_as_they_are():
    few, many = (estimators([read(0.5)] * count).figure.get_figheight() for count in (2, 12))
    assert many > few + 1
    mine = Figure(layout="constrained").subplots()
    assert estimators(read(0.5), ax=mine, title="mine", legend=False) is mine
    assert (mine.get_title(), mine.get_legend()) == ("mine", None)


def test_what_cannot_stand_on_one_axis_is_refused(sweep):
    with pytest.raises(InputError, match="bit and nat"):
        estimators([read(0.5), read(0.5, unit="nat")])
    with pytest.raises(InputError, match="no estimate to draw"):
        estimators([])
    with pytest.raises(InputError, match="no estimate is finite"):
        estimators([read(math.nan)])
    with pytest.raises(InputError, match="float is no result"):
        estimators([0.5])
    with pytest.raises(InputError, match="time is 3, but the sweep has 1 times"):
        estimators(sweep, time=3)
