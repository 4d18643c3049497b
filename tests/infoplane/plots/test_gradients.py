"""Mean and deviation of gradients, by what the artists hold."""

import numpy as np
import pytest

from infoplane.errors import InputError
from infoplane.plots import gradients
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.recorder_streams import GRADIENT_QUANTITIES
from infoplane.runfile.schema import run_streams
from infoplane.runfile.writer import RunWriter

STEPS = (10, 20, 40, 80)


def write_run(path, snr, *, weight=2.0, n=9):
    """Weights by name, each with deviation 3 and the ratios `snr` of mean to deviation."""
    with RunWriter(path) as writer:
        probes = [ProbeInfo("fc1", "fc1", "trained", 1e-3, 4)]
        writer.start(run_streams(probes=probes, gradients=list(snr)), {"seed": 0})
        for row, step in enumerate(STEPS):
            values = np.zeros((len(snr), len(GRADIENT_QUANTITIES)))
            for k, ratios in enumerate(snr.values()):
                its = {"steps": n, "mean_norm": 3 * ratios[row], "sd_norm": 3.0, "weight_norm": weight}
                for name, value in its.items():
                    values[k, GRADIENT_QUANTITIES.index(name)] = value
            writer.append("gradients", step, epoch=np.nan, values=values)
    return path


def lines(ax):
    return {line.get_gid(): line for line in ax.lines if line.get_gid()}


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_mean_deviation_and_noise_floor_are_over_the_norm_of_the_weight(tmp_path):
    ax = gradients(write_run(tmp_path / "run.h5", {"w": [4, 2, 0.5, 0.25]}))
    np.testing.assert_allclose(lines(ax)["w mean"].get_xydata(), np.column_stack([STEPS, [6, 3, 0.75, 0.375]]))
    np.testing.assert_allclose(lines(ax)["w deviation"].get_ydata(), 1.5)
    np.testing.assert_allclose(lines(ax)["w floor"].get_ydata(), 1.5 / 3)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("training step", "norm over that of the weight")
    styles = {lines(ax)[f"w {what}"].get_linestyle() for what in ("mean", "deviation", "floor")}
    assert len(styles) == 3


def test_the_phase_change_stands_at_the_first_row_below_one_and_is_said_to_be_a_crossing(tmp_path):
    ax = gradients(write_run(tmp_path / "run.h5", {"w": [4, 2, 0.5, 0.25]}), caption=False)
    assert set(lines(ax)["w change"].get_xdata()) == {40}
    assert said(ax) == "Mean over deviation falls below 1 between steps 20 and 40: w."
    assert "phase change (ratio below 1)" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_ratio_that_comes_back_is_marked_where_it_falls_for_good_and_counted(tmp_path):
    ax = gradients(write_run(tmp_path / "run.h5", {"w": [2, 0.5, 2, 0.5]}))
    assert set(lines(ax)["w change"].get_xdata()) == {80}
    assert "between steps 40 and 80: w (3 crossings in all)" in said(ax)


def test_equal_steps_of_several_weights_are_one_grey_line(tmp_path):
    falling = [3.0, 1.5, 0.8, 0.4]
    ax = gradients(write_run(tmp_path / "run.h5", {"a": falling, "b": falling}))
    (line,) = [line for gid, line in lines(ax).items() if gid.endswith("change")]
    assert line.get_gid() == "a, b change"
    assert line.get_color() not in {lines(ax)[f"{name} mean"].get_color() for name in "ab"}


@pytest.mark.parametrize(
    ("ratios", "text"),
    [([0.9, 0.5, 0.5, 0.2], "below 1 from the first row on"), ([2, 0.5, 3, 2], "not below 1 at the end")],
)
def test_where_there_is_no_phase_change_none_is_marked(tmp_path, ratios, text):
    ax = gradients(write_run(tmp_path / "run.h5", {"w": ratios}))
    assert "w change" not in lines(ax)
    assert text in said(ax)


def test_each_weight_has_its_own_change_and_some_can_be_chosen(tmp_path):
    run = write_run(tmp_path / "run.h5", {"a": [2, 0.5, 0.5, 0.5], "b": [2, 2, 2, 0.5]})
    ax = gradients(run)
    assert {k: line.get_xdata()[0] for k, line in lines(ax).items() if k.endswith("change")} == {
        "a change": 20,
        "b change": 80,
    }
    assert "a mean" not in lines(gradients(run, ["b"]))
    with pytest.raises(InputError, match="no gradients of 'c'"):
        gradients(run, ["c"])


def test_values_without_a_place_on_the_axis_are_left_out_and_counted(tmp_path):
    ax = gradients(write_run(tmp_path / "run.h5", {"w": [np.nan, 2, 0, 0.5]}))
    np.testing.assert_array_equal(lines(ax)["w mean"].get_xdata(), [20, 80])
    assert "2 values not finite or 0, left out." in said(ax)
    assert "between steps 20 and 80" in said(ax)
    with pytest.raises(InputError, match="no row has gradients"):
        gradients(write_run(tmp_path / "nan.h5", {"w": [np.nan] * 4}))
