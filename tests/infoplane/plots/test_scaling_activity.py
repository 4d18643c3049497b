"""The activity of layers before and after each pass, by what the artists hold."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from infoplane.errors import InputError, RunFileError
from infoplane.plots import scaling_activity


def lines(ax):
    return {line.get_gid(): line for line in ax.lines}


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_hollow_markers_stand_before_and_filled_ones_after_each_pass(tmp_path, scaled_run):
    ax = scaling_activity(scaled_run(tmp_path / "run.h5"))
    before, after = lines(ax)["fc2.linear before"], lines(ax)["fc2.linear after"]
    steps = 10 * np.arange(4) + 5
    np.testing.assert_allclose(before.get_xydata(), np.column_stack([steps, 1.1 + 0.01 * np.arange(4)]))
    np.testing.assert_allclose(after.get_ydata() - before.get_ydata(), 0.005)
    assert before.get_markerfacecolor() == "white" != after.get_markerfacecolor()
    assert before.get_markersize() > after.get_markersize()
    assert ax.get_xlabel() == "step of the pass"
    assert ax.get_ylabel() == "mean activity [unit of activations]"


def test_a_target_is_a_dashed_line_of_its_layer_or_one_grey_line_of_several(tmp_path, scaled_run):
    run = scaled_run(tmp_path / "run.h5")
    ax = scaling_activity(run, ["fc1.linear"])
    assert set(lines(ax)["fc1.linear target"].get_ydata()) == {0.25}
    assert lines(ax)["fc1.linear target"].get_color() == lines(ax)["fc1.linear"].get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["fc1.linear", "before the pass", "target"]
    ax = scaling_activity(run)
    (target,) = [gid for gid in lines(ax) if gid.endswith("target")]
    assert target == "fc1.linear, fc2.linear target"
    assert lines(ax)[target].get_color() not in {lines(ax)[layer].get_color() for layer in ("fc1.linear", "fc2.linear")}
    assert ax.get_legend().get_texts()[-1].get_text() == "target (grey: of several layers)"


def test_the_line_goes_through_before_and_after_in_turn(tmp_path, scaled_run):
    ax = scaling_activity(scaled_run(tmp_path / "run.h5"), ["fc1.linear"])
    np.testing.assert_allclose(lines(ax)["fc1.linear"].get_ydata()[:4], [0.1, 0.105, 0.11, 0.115])
    assert "fc2.linear" not in lines(ax)


def test_epochs_are_counted_where_every_pass_has_one(tmp_path, scaled_run):
    ax = scaling_activity(scaled_run(tmp_path / "run.h5", epochs=True))
    np.testing.assert_array_equal(lines(ax)["fc1.linear after"].get_xdata(), [1, 2, 3, 4])
    assert ax.get_xlabel() == "epoch of the pass"


def test_many_passes_have_no_markers(tmp_path, scaled_run):
    ax = scaling_activity(scaled_run(tmp_path / "run.h5", passes=80))
    assert "fc1.linear before" not in lines(ax)
    assert len(lines(ax)["fc1.linear"].get_xdata()) == 160


def test_passes_that_led_away_are_counted_and_rule_and_rows_stated(tmp_path, scaled_run):
    text = said(scaling_activity(scaled_run(tmp_path / "away.h5", away=[(1, 0), (2, 1)])))
    assert "2 of 8 passes over a layer moved it away from its target, beyond two standard errors." in text
    assert "Rule w2, gamma = 0.01." in text
    assert "on noise" in text
    text = said(scaling_activity(scaled_run(tmp_path / "none.h5", source="data")))
    assert "None of 8 passes" in text
    assert "on the layer's inputs in training" in text


def test_own_axes_are_drawn_into(tmp_path, scaled_run):
    mine = Figure(layout="constrained").subplots()
    assert scaling_activity(scaled_run(tmp_path / "run.h5"), ax=mine, title="mine", legend=False) is mine
    assert (mine.get_title(), mine.get_legend()) == ("mine", None)


def test_what_is_not_there_is_refused(tmp_path, scaled_run):
    run = scaled_run(tmp_path / "run.h5")
    with pytest.raises(InputError, match=r"no pass scaled 'fc1.linaer'; did you mean 'fc1.linear'"):
        scaling_activity(run, ["fc1.linaer"])
    with pytest.raises(InputError, match="layers is empty"):
        scaling_activity(run, [])
    with pytest.raises(InputError, match="no pass of synaptic scaling yet"):
        scaling_activity(scaled_run(tmp_path / "none.h5", passes=0))
    with pytest.raises(
        RunFileError, match=r"no passes of synaptic scaling were recorded; record\(\.\.\., scaling=scaling"
    ):
        scaling_activity(scaled_run(tmp_path / "without.h5", scaling=False))
