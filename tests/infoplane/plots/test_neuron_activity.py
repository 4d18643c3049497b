"""Every neuron's activity at two rows, by what the artists hold."""

import numpy as np
import pytest

from infoplane.errors import InputError
from infoplane.plots import neuron_activity


def points(ax):
    return {c.get_gid(): np.asarray(c.get_offsets()) for c in ax.collections if c.get_gid()}


def lines(ax, gid):
    return [line for line in ax.lines if line.get_gid() == gid]


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_a_point_per_neuron_with_its_later_over_its_earlier_mean(tmp_path, scaled_run):
    ax = neuron_activity(scaled_run(tmp_path / "run.h5"))
    np.testing.assert_allclose(points(ax)["fc1"], [[0.1, 0.3], [0.2, 0.6]], rtol=1e-6)
    np.testing.assert_allclose(points(ax)["fc2"], [[1, 1], [2, 2]], rtol=1e-6)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mean activity at step 1", "mean activity at step 50")


def test_the_mean_over_a_sites_neurons_is_a_large_marker(tmp_path, scaled_run):
    (mean,) = lines(neuron_activity(scaled_run(tmp_path / "run.h5"), ["fc1"]), "fc1 mean")
    np.testing.assert_allclose(mean.get_xydata(), [[0.15, 0.45]], rtol=1e-6)


def test_targets_of_the_sites_layers_are_lines_both_ways(tmp_path, scaled_run):
    ax = neuron_activity(scaled_run(tmp_path / "run.h5"), ["fc1"])
    across, upright = lines(ax, "target")
    assert set(across.get_ydata()) == set(upright.get_xdata()) == {0.25}
    (line,) = lines(ax, "unchanged")
    assert line.get_slope() == 1


def test_passes_up_to_the_rows_are_counted(tmp_path, scaled_run):
    run = scaled_run(tmp_path / "run.h5", passes=6)  # at steps 5, 15, ... 55
    text = said(neuron_activity(run))
    assert "Means over 450 inputs of the test split." in text
    assert "Passes of scaling up to the first row: 0, between the two: 5; training too." in text
    other = neuron_activity(scaled_run(tmp_path / "without.h5", scaling=False))
    assert "No pass of scaling was recorded." in said(other)
    assert lines(other, "target") == []


def test_neurons_that_are_not_finite_are_left_out_and_counted(tmp_path, scaled_run):
    ax = neuron_activity(scaled_run(tmp_path / "run.h5"), caption=False)
    assert said(ax) == "1 neuron is not finite and left out."
    assert "fc2 (2 neurons)" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_other_rows_and_what_is_not_there(tmp_path, scaled_run):
    run = scaled_run(tmp_path / "run.h5")
    np.testing.assert_allclose(points(neuron_activity(run, rows=(0, 0)))["fc1"], [[0.1, 0.1], [0.2, 0.2]], rtol=1e-6)
    with pytest.raises(InputError, match="there is no row 7"):
        neuron_activity(run, rows=(0, 7))
    with pytest.raises(InputError, match="must be two rows"):
        neuron_activity(run, rows=(0,))
    with pytest.raises(InputError, match="no neurons of 'fc9'"):
        neuron_activity(run, ["fc9"])
