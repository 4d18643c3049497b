"""Bounds over training."""

import numpy as np
import pytest

from infoplane.errors import InputError
from infoplane.plots import COLUMN, bounds, theme
from infoplane.probes.probe_info import ProbeInfo


def bands(ax):
    return {c.get_gid(): c.get_paths()[0].vertices for c in ax.collections if (c.get_gid() or "").endswith("band")}


def height(vertices, x):
    at = vertices[np.isclose(vertices[:, 0], x), 1]
    return at.max() - at.min()


def test_two_panels_show_the_bounds_over_epochs(run_path, lines):
    rate, label = bounds(run_path)
    np.testing.assert_allclose(lines(rate)["hidden2"].get_xydata(), [(1 + k, 380 - 50 * k) for k in range(6)])
    np.testing.assert_allclose(lines(label)["hidden1"].get_xydata(), [(1 + k, 0.5 + 0.4 * k) for k in range(6)])
    assert label.get_xlabel() == "epoch"
    assert "upper bound" in rate.get_ylabel()
    assert "lower bound" in label.get_ylabel()
    assert "[bit]" in rate.get_ylabel()
    assert rate.get_yscale() == "log"
    assert set(lines(label)["h_y"].get_ydata()) == {3.2}
    assert lines(rate)["log2_n"].get_ydata()[0] == pytest.approx(np.log2(450))


def test_bands_of_one_run_are_one_standard_error_over_inputs(run_path, said):
    rate, label = bounds(run_path)
    assert height(bands(rate)["hidden1 band"], 3) == pytest.approx(4.0)
    assert height(bands(label)["hidden1 band"], 3) == pytest.approx(0.1)
    assert "Bands: one standard error over the inputs, without seeds" in said(label)


def test_bands_of_several_runs_are_one_standard_error_over_seeds(tmp_path, write_run, said):
    shifts = [(0.0, 0.0), (9.0, 0.3), (-3.0, 0.0)]
    runs = [write_run(tmp_path / f"{k}.h5", shift=shift, seed=k) for k, shift in enumerate(shifts)]
    rate, label = bounds(runs)
    expected = 2 * np.std(shifts, axis=0, ddof=1) / np.sqrt(3)
    assert height(bands(rate)["hidden1 band"], 2) == pytest.approx(expected[0])
    assert height(bands(label)["hidden1 band"], 2) == pytest.approx(expected[1])
    assert "one standard error over 3 seeds, without the inputs that they share" in said(label)


def test_the_sandwich_is_an_area_between_its_bounds_where_there_is_one(tmp_path, write_run, run_path, said):
    rate, label = bounds(run_path)
    (area,) = [c for c in rate.collections if c.get_gid() == "hidden1 sandwich"]
    values = area.get_paths()[0].vertices[:, 1]
    assert (values.min(), values.max()) == (5, 20)
    assert "Sandwich: bounds on I(Z;X) below and above, on 450 inputs." in said(label)
    without = bounds(write_run(tmp_path / "none.h5", sandwich=False))
    assert "andwich" not in said(without[1]) + str([text.get_text() for text in without[1].get_legend().get_texts()])


def test_other_betas_and_scale_twins_are_drawn_when_asked_for(tmp_path, write_run, lines, said):
    others = [
        ProbeInfo("hidden1@beta=0.1", "hidden1", "trained", 0.1, 64),
        ProbeInfo("hidden1@x10", "hidden1", "trained", 1e-3, 64, 10.0),
    ]
    path = write_run(tmp_path / "run.h5", others=others)
    plain, every = bounds(path), bounds(path, probes="all", sites=["hidden1"])
    assert "hidden1@x10" not in lines(plain[0])
    assert "Not drawn: 2 probes" in said(plain[1])
    assert {"hidden1@beta=0.1", "hidden1@x10"} < set(lines(every[0]))
    labels = [text.get_text() for text in every[1].get_legend().get_texts()]
    assert {"beta 0.1", "activation \u00d7 10"} < set(labels)
    assert "Not drawn" not in said(every[1])
    styles = {name: lines(every[0])[name]._unscaled_dash_pattern for name in ("hidden1", "hidden1@x10")}
    assert styles["hidden1"] != styles["hidden1@x10"]


def test_the_control_is_dotted_and_its_absence_is_said(tmp_path, write_run, run_path, lines, said):
    rate, _ = bounds(run_path)
    assert lines(rate)["hidden1"].get_linestyle() == "-"
    assert lines(rate)["hidden1@untrained"].get_linestyle() != "-"
    hidden = bounds(run_path, control=False)
    assert "hidden1@untrained" not in lines(hidden[0])
    assert "The control is not drawn." in said(hidden[1])
    alone = bounds(write_run(tmp_path / "alone.h5", control=False))
    assert "No control was recorded" in said(alone[1])


def test_regression_has_no_line_at_h_y_and_an_estimate(tmp_path, write_run, lines, said):
    _, label = bounds(write_run(tmp_path / "real.h5", real=True))
    assert "h_y" not in lines(label)
    assert "estimate" in label.get_ylabel()
    assert "No line at H(Y): the labels are real numbers" in said(label)


@pytest.mark.parametrize("name", ["paper", "slide"])
def test_no_label_covers_another(run_path, overlapping, name):
    with theme(name):
        axes = bounds(run_path)
        assert overlapping(axes[1]) == []
        assert axes[0].figure.get_figwidth() == pytest.approx(COLUMN if name == "paper" else 10)


def test_a_choice_that_there_is_not_is_refused(run_path):
    with pytest.raises(InputError, match="scale is 'logarithmic'"):
        bounds(run_path, scale="logarithmic")
    with pytest.raises(InputError, match="probes is 'some'"):
        bounds(run_path, probes="some")


def test_wide_labels_of_ticks_push_no_caption_out_of_the_figure(tmp_path, write_run, overlapping):
    axes = bounds(write_run(tmp_path / "run.h5", rate=20_000))
    assert overlapping(axes[1]) == []
    assert overlapping(axes[0]) == []
    assert max(ax.yaxis.get_tightbbox().width for ax in axes) > 0.15 * axes[0].figure.bbox.width


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_epochs_are_counted_in_whole_numbers(tmp_path, write_run, rows):
    _, label = bounds(write_run(tmp_path / "few.h5", rows=rows))
    low, high = label.get_xlim()
    ticks = [tick for tick in label.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == round(tick) for tick in ticks)


def test_the_axis_says_that_the_sandwich_is_on_it_where_it_is(tmp_path, write_run, run_path):
    assert "sandwich" in bounds(run_path)[0].get_ylabel()
    assert bounds(write_run(tmp_path / "none.h5", sandwich=False))[0].get_ylabel() == "upper bound\non I(Z;X) [bit]"
