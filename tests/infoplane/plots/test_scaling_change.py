"""Predicted and found change of each pass, by what the artists hold."""

import numpy as np
import pytest

from infoplane.errors import InputError
from infoplane.plots import scaling_change


def lines(ax):
    return {line.get_gid(): line for line in ax.lines}


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_a_point_per_pass_and_layer_with_the_found_over_the_predicted_change(tmp_path, scaled_run):
    ax = scaling_change(scaled_run(tmp_path / "run.h5"))
    for layer in ("fc1.linear", "fc2.linear"):
        np.testing.assert_allclose(lines(ax)[layer].get_xydata(), [[0.004, 0.005]] * 4)
    assert ax.get_xlabel() == "predicted change of mean activity"
    assert ax.get_ylabel() == "change found of mean activity"


def test_bars_are_one_standard_error_long_on_either_side(tmp_path, scaled_run):
    ax = scaling_change(scaled_run(tmp_path / "run.h5"), ["fc1.linear"])
    (bars,) = ax.containers[0].lines[2]
    np.testing.assert_allclose([np.ptp(segment[:, 1]) for segment in bars.get_segments()], 0.002)
    assert "one standard error over rows" in said(ax)


def test_the_diagonal_is_where_the_prediction_held(tmp_path, scaled_run):
    line = lines(scaling_change(scaled_run(tmp_path / "run.h5")))["as predicted"]
    assert (line.get_xy1(), line.get_slope()) == ((0, 0), 1)


def test_both_axes_have_the_limits_of_the_changes_and_not_of_zero(tmp_path, scaled_run):
    ax = scaling_change(scaled_run(tmp_path / "run.h5"))
    assert ax.get_xlim() == ax.get_ylim()
    assert 0.0035 < ax.get_xlim()[0] < 0.004 < 0.006 < ax.get_xlim()[1] < 0.0065


def test_passes_that_led_away_are_ringed_and_never_hidden(tmp_path, scaled_run):
    ax = scaling_change(scaled_run(tmp_path / "run.h5", away=[(1, 0), (2, 1)]))
    assert len(lines(ax)["away"].get_xdata()) == 2
    assert len(lines(ax)["fc1.linear"].get_xdata()) == 4
    assert "away from its target" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert "away" not in lines(scaling_change(scaled_run(tmp_path / "none.h5")))


def test_points_that_are_not_finite_are_left_out_and_counted(tmp_path, scaled_run):
    ax = scaling_change(scaled_run(tmp_path / "run.h5", broken=[(0, 0), (3, 0)]), caption=False)
    assert len(lines(ax)["fc1.linear"].get_xdata()) == 2
    assert said(ax) == "2 points are not finite and left out."
    with pytest.raises(InputError, match="no pass has a finite change"):
        scaling_change(scaled_run(tmp_path / "nan.h5", passes=1, broken=[(0, 0), (0, 1)]))


def test_a_long_name_of_a_file_is_a_title_no_wider_than_the_axes(tmp_path, scaled_run):
    ax = scaling_change(scaled_run(tmp_path / f"{'very_long_name_' * 8}seed=1.h5"))
    ax.figure.draw_without_rendering()
    assert ax.title.get_window_extent().width < 1.1 * ax.bbox.width
    assert ax.get_title().startswith("very_long")
    assert ax.get_title().endswith("seed=1")


def test_the_title_stands_in_the_middle(tmp_path, scaled_run):
    assert scaling_change(scaled_run(tmp_path / "digits.h5")).get_title() == "digits"
