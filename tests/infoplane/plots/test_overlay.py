"""Planes of several arms on the same axes."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from infoplane.errors import InputError
from infoplane.plots import overlay
from infoplane.plots.overlay import ARM_STYLES
from infoplane.site_marks import COLORS


@pytest.fixture
def arms(tmp_path, write_run):
    return {
        "baseline": write_run(tmp_path / "a.h5"),
        "scaled": [write_run(tmp_path / f"b{k}.h5", shift=(10.0 + k, 0.05 * k), seed=k) for k in range(3)],
    }


def paths(ax):
    return [line for line in ax.lines if (line.get_gid() or "").endswith(" path")]


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_sites_have_colours_and_arms_have_lines_and_markers(arms):
    ax = overlay(arms, control=False)
    ax.figure.canvas.draw()
    assert [line.get_gid() for line in paths(ax)] == ["hidden1 path", "hidden2 path"] * 2
    dashes = [line._unscaled_dash_pattern for line in paths(ax)]  # there is no public way to it
    assert dashes[0] == dashes[1] != dashes[2] == dashes[3]
    marks = [c for c in ax.collections if c.get_gid() in ("hidden1", "hidden2")]
    shapes = [len(c.get_paths()[0].vertices) for c in marks]
    assert shapes[0] == shapes[1] != shapes[2] == shapes[3]
    for collection, color in zip(marks, [*COLORS[:2]] * 2, strict=True):
        edges = [to_hex(edge).upper() for edge in collection.get_edgecolors()]
        assert edges == [color] * 5 + ["#000000"]


def test_arms_of_equal_numbers_are_seen_as_two(tmp_path, write_run):
    ax = overlay({name: write_run(tmp_path / f"{name}.h5") for name in "ab"}, control=False)
    first, second = paths(ax)[0], paths(ax)[2]
    np.testing.assert_array_equal(first.get_xydata(), second.get_xydata())
    assert first.get_zorder() < second.get_zorder()
    assert first.get_linewidth() > 2 * second.get_linewidth()


def test_an_arm_of_several_runs_is_their_mean_and_says_so(arms, said):
    ax = overlay(arms, region="mean")
    np.testing.assert_allclose(paths(ax)[4].get_xdata(), 390 - 50 * np.arange(6) + 11)
    assert labels(ax)[:4] == ["hidden1", "hidden2", "baseline", "scaled, mean of 3 runs"]
    assert "scaled: Means of 3 runs." in said(ax)
    assert "scaled: Ellipses at the last points: 95 % region of the mean over seeds" in said(ax)
    assert "baseline: Ellipses" not in said(ax)


def test_the_control_is_hollow_and_thin(arms):
    ax = overlay(arms)
    control = next(c for c in ax.collections if c.get_gid() == "hidden1@untrained")
    assert to_hex(control.get_facecolors()[0]) == "#ffffff"
    assert len(control.get_offsets()) == 1
    widths = {line.get_gid(): line.get_linewidth() for line in paths(ax)[:4]}
    assert widths["hidden1@untrained path"] < widths["hidden1 path"]


def test_markers_stand_at_equal_times_of_all_arms(tmp_path, write_run, said):
    long, short = write_run(tmp_path / "a.h5", rows=41, rate=4000), write_run(tmp_path / "b.h5", rows=21, rate=4000)
    ax = overlay({"long": long, "short": short}, sites=["hidden1"], control=False)
    first, second = [c.get_offsets()[:, 1] for c in ax.collections if c.get_gid() == "hidden1"]
    np.testing.assert_allclose(first, 0.5 + 0.4 * np.array([0, 8, 16, 24, 32, 40]))
    np.testing.assert_allclose(second, 0.5 + 0.4 * np.array([0, 8, 16, 20]))
    assert "Markers at epoch 1, 9, 17, 25, 33, 41" in said(ax)


def test_sites_can_be_chosen_and_slips_are_told(arms):
    assert labels(overlay(arms, sites=["hidden2"]))[0] == "hidden2"
    with pytest.raises(InputError, match="did you mean 'hidden2'"):
        overlay(arms, sites=["hiden2"])


def test_more_sites_than_colours_and_more_arms_than_lines_are_refused(tmp_path, write_run, arms):
    many = write_run(tmp_path / "many.h5", sites=[f"fc{k}" for k in range(8)])
    with pytest.raises(InputError, match="8 sites"):
        overlay({"many": many})
    with pytest.raises(InputError, match="7 arms"):
        overlay({str(k): arms["baseline"] for k in range(len(ARM_STYLES) + 1)})
    with pytest.raises(InputError, match="takes a mapping"):
        overlay([arms["baseline"]])


def test_no_label_covers_another(arms, overlapping):
    assert overlapping(overlay(arms, region="mean")) == []
