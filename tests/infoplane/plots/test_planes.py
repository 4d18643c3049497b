"""Planes side by side."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from infoplane.errors import InputError
from infoplane.plots import COLUMN, PAGE, planes

ROWS = 6
N = 450
H_Y = 3.2
BEYOND_LABEL = "beyond log$_2$ n (finding)"


LONG = [f"encoder.layers.{i}.attention.self.query[last_hidden_state]" for i in range(32)]


def heights(ax):
    """Heights in inches of axes and figure, once constrained layout has run."""
    ax.figure.draw(FigureCanvasAgg(ax.figure).get_renderer())
    return ax.get_window_extent().height / ax.figure.dpi, ax.figure.get_figheight()


def test_planes_have_one_entry_for_rings_and_the_codes_below_the_run_they_concern(tmp_path, write_run, said):
    first = write_run(tmp_path / "first.h5", rate=8)
    second = write_run(tmp_path / "second.h5", rate=8, found=[(1, "hidden2", "odd", 1.0)])
    axes = planes([first, second])
    assert [text.get_text() for text in axes[0].figure.legends[0].get_texts()][-1] == "finding"
    assert "odd" not in said(axes[0])
    assert "Findings: odd (hidden2: 1 of 6 rows, by 1 bit)." in said(axes[1])


def test_planes_share_axes_shades_and_one_legend(tmp_path, write_run, dots):
    long = write_run(tmp_path / "long.h5", rows=6)
    short = write_run(tmp_path / "short.h5", rows=3, sites=("hidden2", "hidden3"))
    axes = planes([long, short], titles=["without", "with"])
    assert axes.shape == (2,)
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert [ax.get_title() for ax in axes] == ["without", "with"]
    np.testing.assert_allclose(dots(axes[1])["hidden2"].get_array(), [0, 0.2, 0.4])
    figure = axes[0].figure
    assert len(figure.legends) == 1
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["hidden1", "hidden2", "hidden3", "frozen untrained network (control)", BEYOND_LABEL]
    figure.canvas.draw()
    colors = [to_hex(dots(ax)["hidden2"].get_edgecolors()[0]) for ax in axes]
    assert colors[0] == colors[1]


def test_planes_say_once_what_holds_for_all_and_below_each_what_does_not(tmp_path, write_run, said, overlapping):
    first = write_run(tmp_path / "first.h5")
    second = write_run(tmp_path / "second.h5", control=False)
    axes = planes([first, second])
    assert "beta = 0.001" in axes[0].figure.get_supxlabel().replace("\u00a0", " ")
    assert "No control" not in said(axes[0])
    assert "No control" in said(axes[1])
    assert overlapping(axes[1]) == []


def test_planes_stand_below_each_other_where_there_is_no_width(run_path):
    figure = Figure(figsize=(COLUMN, 2 * COLUMN))
    axes = planes([run_path, run_path], figure=figure)
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    assert axes[0].get_position().y0 > axes[1].get_position().y1
    assert axes[0].get_xlabel() == ""


def test_planes_refuse_one_path_and_wrong_titles(run_path):
    with pytest.raises(InputError, match="at least one run"):
        planes(str(run_path))
    with pytest.raises(InputError, match="at least one run"):
        planes([])
    with pytest.raises(InputError, match="2 titles for 1 runs"):
        planes([run_path], titles=["a", "b"])


@pytest.mark.parametrize(("runs", "count"), [(1, 2), (1, 32), (4, 2), (4, 14)])
def test_panels_keep_their_height_whatever_the_number_of_sites(tmp_path, runs, count, write_run):
    axes = planes([write_run(tmp_path / "run.h5", sites=LONG[:count])] * runs)
    np.testing.assert_allclose([heights(axes[0])[0], heights(axes[-1])[0]], 0.36 * PAGE, atol=0.02)


def test_each_panel_says_what_its_ordinate_is_where_they_differ(tmp_path, write_run, run_path, overlapping):
    axes = planes([run_path, write_run(tmp_path / "real.h5", real=True)])
    assert [ax.get_ylabel().split(" ")[0] for ax in axes] == ["lower", "estimate"]
    assert overlapping(axes[1]) == []
    alike = planes([run_path, run_path])
    assert [bool(ax.get_ylabel()) for ax in alike] == [True, False]


def test_the_ground_beyond_log_n_reaches_to_the_limit_of_the_shared_axis(tmp_path, write_run, run_path):
    axes = planes([run_path, write_run(tmp_path / "low.h5", rate=12)])
    for ax in axes:
        (shade,) = [patch for patch in ax.patches if patch.get_gid() == "beyond_log2_n"]
        assert shade.get_x() + shade.get_width() > ax.get_xlim()[1]


def test_long_names_of_files_are_shortened_to_their_panels(tmp_path, write_run):
    runs = [write_run(tmp_path / f"{'verylongname_' * 12}{k}.h5") for k in range(2)]
    axes = planes(runs)
    heights(axes[0])
    first, second = (ax.title.get_window_extent() for ax in axes)
    assert first.x1 < second.x0
    assert axes[1].get_title().endswith("1")
    assert "\u2026" in axes[1].get_title()
