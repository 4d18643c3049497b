"""The plane of one run, by what the artists hold."""

import math

import h5py
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.plots import COLUMN, PAGE, plane, theme
from infoplane.plots.path import time_text
from infoplane.plots.theme import site_styles
from infoplane.probes.probe_info import ProbeInfo

ROWS = 6
N = 450
H_Y = 3.2
BEYOND_LABEL = "beyond log$_2$ n (finding)"


def test_plane_draws_every_point_of_every_site_at_its_bounds(run_path, dots):
    ax = plane(run_path)
    assert set(dots(ax)) == {"hidden1", "hidden2"}
    rows = np.arange(ROWS)
    expected = np.column_stack([390 - 50 * rows, 0.5 + 0.4 * rows])
    np.testing.assert_allclose(dots(ax)["hidden1"].get_offsets(), expected)
    np.testing.assert_allclose(dots(ax)["hidden2"].get_offsets(), expected - [10, 0.1])


def test_plane_draws_the_control_apart_and_hollow(run_path, lines):
    control = lines(plane(run_path))["hidden2@untrained"]
    rows = np.arange(ROWS)
    np.testing.assert_allclose(control.get_xydata(), np.column_stack([360 - 50 * rows, 0.2 + 0.4 * rows]))
    assert to_hex(control.get_markerfacecolor()) == "#ffffff"
    assert "control" in control.get_label()
    assert control.get_color() == site_styles(["hidden1", "hidden2"])["hidden2"][0]


def test_plane_shades_from_light_to_dark_with_time(run_path, dots, lightness):
    ax = plane(run_path)
    ax.figure.canvas.draw()
    for points in dots(ax).values():
        assert np.all(np.diff(points.get_array()) > 0)
        assert np.all(np.diff([lightness(color[:3]) for color in points.get_facecolors()]) < 0)
    assert ax.get_legend().get_title().get_text() == "epoch 1 (light) to 6 (dark, black edge)"


def test_plane_counts_steps_where_there_are_no_epochs(tmp_path, write_run):
    ax = plane(write_run(tmp_path / "steps.h5", epochs=False))
    assert ax.get_legend().get_title().get_text().startswith("step 20 (light) to 120")


def test_sites_have_markers_of_their_own(run_path, dots):
    first, second = dots(plane(run_path)).values()
    assert len(first.get_paths()[0].vertices) != len(second.get_paths()[0].vertices)


def test_plane_draws_lines_at_h_y_and_log2_n(run_path, lines, said):
    ax = plane(run_path)
    assert set(lines(ax)["h_y"].get_ydata()) == {H_Y}
    assert lines(ax)["log2_n"].get_xdata()[0] == pytest.approx(math.log2(N))
    assert "H(Y) = 3.2 bit" in said(ax)
    assert "n = 8.81 bit" in said(ax)


def test_plane_names_axes_as_bounds_with_units(run_path):
    ax = plane(run_path)
    assert ax.get_xlabel().replace("\n", " ") == "rate of the probe's code, upper bound on I(Z;X) [bit]"
    assert ax.get_ylabel() == "lower bound on I(Z;Y) [bit]"
    assert ax.get_title() == "baseline"


def test_plane_states_n_latent_beta_steps_and_split(run_path, said):
    text = said(plane(run_path))
    for part in ("N = 64", "beta = 0.001", "60 steps", "test split", "n = 450", "mode observe", "12 draws"):
        assert part in text


def test_plane_without_a_control_says_so(tmp_path, write_run, said):
    ax = plane(write_run(tmp_path / "alone.h5", control=False), caption=False)
    assert "No control was recorded" in said(ax)
    assert "beta" not in said(ax)
    assert not any("control" in text.get_text() for text in ax.get_legend().get_texts())


def test_plane_says_when_a_recorded_control_is_not_drawn(run_path, lines, said):
    ax = plane(run_path, control=False)
    assert "The control is not drawn." in said(ax)
    assert set(lines(ax)) == {"hidden1 path", "hidden2 path", "h_y", "log2_n"}


def test_points_that_are_not_finite_are_left_out_and_counted(tmp_path, write_run, dots, said):
    ax = plane(write_run(tmp_path / "broken.h5", broken=[(1, 0), (2, 0), (5, 3)]))
    assert len(dots(ax)["hidden1"].get_offsets()) == ROWS - 2
    assert "3 points are not finite and left out." in said(ax)


def test_the_last_row_alone_has_a_black_edge(run_path, dots):
    ax = plane(run_path)
    edges = [to_hex(color) for color in dots(ax)["hidden1"].get_edgecolors()]
    assert [edge == "#000000" for edge in edges] == [False] * (ROWS - 1) + [True]


def test_error_bars_are_one_standard_error_long(run_path, said):
    ax = plane(run_path, errors=True)
    horizontal, vertical = ax.containers[0].lines[2]
    np.testing.assert_allclose([np.ptp(s[:, 0]) for s in horizontal.get_segments()], 4.0)
    np.testing.assert_allclose([np.ptp(s[:, 1]) for s in vertical.get_segments()], 0.1)
    assert "one standard error" in said(ax)


def test_plane_draws_on_given_axes_and_on_an_open_run(run_path):
    mine = Figure(layout="constrained").subplots()
    with ip.open_run(run_path) as run:
        assert plane(run, ax=mine, title="mine", legend=False) is mine
        assert len(run.plane()) == ROWS
    assert mine.get_title() == "mine"
    assert mine.get_legend() is None


LONG = [f"encoder.layers.{i}.attention.self.query[last_hidden_state]" for i in range(32)]


def heights(ax):
    """Heights in inches of axes and figure, once constrained layout has run."""
    ax.figure.draw(FigureCanvasAgg(ax.figure).get_renderer())
    return ax.get_window_extent().height / ax.figure.dpi, ax.figure.get_figheight()


@pytest.mark.parametrize("names", [[f"fc{i}" for i in range(32)], LONG], ids=["short", "long"])
def test_the_axes_keep_their_size_whatever_the_number_of_sites(tmp_path, names, write_run, overlapping):
    drawn = [plane(write_run(tmp_path / f"{count}.h5", sites=names[:count])) for count in (1, 2, 14, 32)]
    inside, outside = np.transpose([heights(ax) for ax in drawn])
    np.testing.assert_allclose(inside, 0.65 * COLUMN, atol=0.02)
    assert outside[2] > outside[1] + 0.3
    assert outside.max() < 2 * COLUMN
    widths = [ax.get_window_extent().width / ax.figure.dpi for ax in drawn]
    assert min(widths) > 0.78 * COLUMN
    for ax in drawn:
        assert overlapping(ax) == []


def test_a_legend_of_short_names_has_several_columns(tmp_path, write_run):
    ax = plane(write_run(tmp_path / "run.h5", sites=[f"fc{i}" for i in range(14)]))
    heights(ax)
    left = {round(text.get_window_extent().x0) for text in ax.get_legend().get_texts()}
    assert len(left) > 1


def test_labels_too_wide_for_the_axes_are_broken_and_lose_nothing(tmp_path, write_run):
    ax = plane(write_run(tmp_path / "run.h5", sites=LONG[:1]))
    label = ax.get_legend().get_texts()[0].get_text()
    assert "\n" in label
    assert label.replace("\n", "") == LONG[0]


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("sites", [("hidden1", "hidden2"), ("conv1.relu", "layer2.0.conv1", "layer3.5.relu", "fc")])
def test_no_label_covers_another_or_leaves_the_figure(tmp_path, width, sites, write_run, overlapping):
    path = write_run(tmp_path / "run.h5", sites=sites, broken=[(0, 0)])
    with theme():
        figure = Figure(figsize=(width, 1.2 * COLUMN), layout="constrained")
        ax = plane(path, ax=figure.subplots(), errors=True)
        assert overlapping(ax) == []


def test_no_dot_is_under_the_labels_of_the_lines(run_path, dots):
    ax = plane(run_path)
    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    ax.figure.draw(renderer)
    labels = [text for text in ax.texts if "bit" in text.get_text() and text.get_gid() is None]
    assert len(labels) == 2
    for points in dots(ax).values():
        for place in ax.transData.transform(points.get_offsets()):
            assert not any(text.get_window_extent(renderer).padded(2).contains(*place) for text in labels)


def test_the_side_beyond_log_n_is_shaded_from_the_line_on_and_counted(run_path, said):
    ax = plane(run_path)
    (shade,) = [patch for patch in ax.patches if patch.get_gid() == "beyond_log2_n"]
    assert shade.get_x() == pytest.approx(math.log2(N))
    assert shade.get_x() + shade.get_width() > ax.get_xlim()[1]
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == BEYOND_LABEL
    assert "Findings: rate above log n (24 of 24 points)." in said(ax)
    assert "rate above log n (12 of 12 points)" in said(plane(run_path, control=False))


def test_rates_beyond_log_n_that_the_file_holds_as_findings_are_said_once(tmp_path, write_run, said):
    found = [(row, "hidden1", "rate_above_log_n", 80.0) for row in range(ROWS)]
    ax = plane(write_run(tmp_path / "beyond.h5", found=found))
    assert said(ax).count("rate above log n") == 1
    assert "Findings: rate above log n (24 of 24 points)." in said(ax)


def test_a_plane_that_log_n_holds_is_not_shaded(tmp_path, write_run, said):
    ax = plane(write_run(tmp_path / "low.h5", rate=8))
    assert not [patch for patch in ax.patches if patch.get_gid() == "beyond_log2_n"]
    assert "Findings" not in said(ax)


def test_points_that_cannot_be_used_are_ringed_and_never_hidden(tmp_path, write_run, dots, lines, said, overlapping):
    found = [(2, "hidden1", "rate_below_label_bound", 0.4), (4, "hidden2@untrained", "odd", 1.0)]
    ax = plane(write_run(tmp_path / "odd.h5", rate=8, found=found, broken=[(4, 3)]))
    rings = {gid: line for gid, line in lines(ax).items() if gid.endswith(" findings")}
    assert list(rings) == ["hidden1 findings"]  # the other point is not finite, and said to be left out
    np.testing.assert_allclose(rings["hidden1 findings"].get_xydata(), [dots(ax)["hidden1"].get_offsets()[2]])
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == "finding"
    assert len(dots(ax)["hidden1"].get_offsets()) == ROWS
    assert "rate below label bound (hidden1: 1 of 6 rows, by 0.4 bit)" in said(ax)
    assert overlapping(ax) == []


def test_what_is_said_of_a_course_rings_no_point(tmp_path, write_run, lines, said):
    found = [(row, "hidden1@untrained", "rate_still_falling", 9.0) for row in range(3)]
    ax = plane(write_run(tmp_path / "falling.h5", rate=8, found=found))
    assert not [gid for gid in lines(ax) if gid.endswith(" findings")]
    assert "rate still falling (the control of hidden1: 3 of 6 rows, by up to 9 bit)" in said(ax)


def test_findings_about_probes_that_are_not_drawn_are_not_counted(tmp_path, write_run, said):
    others = [
        ProbeInfo("hidden1@beta=0.1", "hidden1", "trained", 0.1, 64),
        ProbeInfo("hidden1@x10", "hidden1", "trained", 1e-3, 64, 10.0),
        ProbeInfo("hidden1@refitted", "hidden1", "refitted", 1e-3, 64),
    ]
    found = [(row, other.name, "odd", 9.0) for row, other in enumerate(others)]
    found += [(4, "hidden1", "odd", 0.5), (5, "hidden1", "odd", 0.7)]
    found += [(5, "inputs", "duplicate_inputs", 1.0), (3, "hidden2@untrained", "odd", 2.0)]
    path = write_run(tmp_path / "odd.h5", rate=6, found=found, others=others)
    text = said(plane(path))
    assert "odd (hidden1 and the control of hidden2: 3 of 6 rows, by up to 2 bit); duplicate inputs (inputs" in text
    assert "Not drawn: 3 probes at other betas, on scaled activations, or refitted." in text
    assert "odd (hidden1: 2 of 6 rows, by up to 0.7 bit)" in said(plane(path, control=False))


def test_findings_name_probes_of_several_betas_as_the_legend_does(tmp_path, write_run, said):
    others = [ProbeInfo(f"fc1@beta={beta:g}", "fc1", "trained", beta, 64) for beta in (1e-3, 1e-2)]
    others += [ProbeInfo(f"{one.name}@untrained", "fc1", "untrained", one.beta, 64) for one in others]
    found = [(0, "fc1@beta=0.001", "odd", 1.0), (0, "fc1@beta=0.001@untrained", "odd", 1.0)]
    ax = plane(write_run(tmp_path / "betas.h5", sites=(), rate=6, found=found, others=others))
    assert ax.get_legend().get_texts()[0].get_text() == "fc1"
    assert "Findings: odd (fc1 and its control: 1 of 6 rows, by 1 bit)." in said(ax)


def test_one_step_and_one_probe_are_not_plural(tmp_path, write_run, said):
    others = [ProbeInfo("hidden1@x10", "hidden1", "trained", 1e-3, 64, 10.0)]
    text = said(plane(write_run(tmp_path / "one.h5", rows=1, updates=1, others=others)))
    assert "trained for 1 step." in text
    assert "Not drawn: 1 probe at another beta, on scaled activations, or refitted." in text


def test_a_pale_line_joins_the_dots_below_them(run_path, dots, lines):
    ax = plane(run_path)
    line, points = lines(ax)["hidden1 path"], dots(ax)["hidden1"]
    np.testing.assert_allclose(line.get_xydata(), points.get_offsets())
    assert line.get_color() == site_styles(["hidden1"])["hidden1"][0]
    assert line.get_alpha() < 0.5
    assert line.get_zorder() < points.get_zorder()


def test_plane_of_a_run_without_rows_is_refused(tmp_path, write_run):
    with pytest.raises(InputError, match="nothing has been measured yet"):
        plane(write_run(tmp_path / "empty.h5", rows=0))


def test_plane_of_another_file_is_refused(tmp_path):
    (tmp_path / "no.h5").write_text("no")
    with pytest.raises(RunFileError, match=r"no\.h5"):
        plane(tmp_path / "no.h5")


def test_trajectories_are_shaded_lines_with_marks_at_their_ends(run_path, lines):
    ax = plane(run_path, style="trajectories")
    (line,) = [c for c in ax.collections if c.get_gid() == "hidden1 path"]
    segments = np.array(line.get_segments())
    assert segments.shape == (ROWS - 1, 2, 2)
    np.testing.assert_array_equal(segments[:-1, 1], segments[1:, 0])
    assert np.all(np.diff(line.get_array()) > 0)
    assert to_hex(lines(ax)["hidden1 last"].get_markeredgecolor()) == "#000000"
    np.testing.assert_allclose(lines(ax)["hidden1 last"].get_xydata(), [[140, 2.5]])
    np.testing.assert_allclose(lines(ax)["hidden1 first"].get_xydata(), [[390, 0.5]])
    assert lines(ax)["hidden1@untrained"].get_marker() == "" or lines(ax)["hidden1@untrained"].get_marker() == "None"


def test_a_window_is_the_mean_of_its_rows_at_the_time_of_the_last(run_path, dots, said):
    ax = plane(run_path, window=4, errors=True)
    np.testing.assert_allclose(dots(ax)["hidden1"].get_offsets(), [[315, 1.1], [165, 2.3]])
    assert ax.get_legend().get_title().get_text().startswith("epoch 4 (light) to 6")
    assert (
        "Every point is the mean of 4 measured rows (the last point of 2 alone), at the time of its last row."
        in said(ax)
    )
    assert "Bars: at most one standard error" in said(ax)


def test_a_window_is_ringed_where_one_of_its_rows_cannot_be_used(tmp_path, write_run, lines):
    found = [(2, "hidden1", "rate_below_label_bound", 0.4)]
    ax = plane(write_run(tmp_path / "odd.h5", rate=8, found=found), window=2)
    ringed = lines(ax)["hidden1 findings"].get_xydata()
    np.testing.assert_allclose(ringed[:, 1], [0.5 + 0.4 * 2.5])


def test_epochs_are_told_in_three_digits(tmp_path, write_run):
    path = write_run(tmp_path / "parts.h5")
    with h5py.File(path, "r+") as file:
        file["entry/plane/epoch"][:] = np.array([7, 14, 21, 30, 42, 345]) / 14
    title = plane(path).get_legend().get_title().get_text()
    assert title == "epoch 0.5 (light) to 24.6 (dark, black edge)"
    assert [time_text(time) for time in (0, 3, 1200, 0.07142857, 99.96)] == ["0", "3", "1,200", "0.0714", "100"]


def test_rows_that_are_not_finite_are_left_out_of_a_window_and_counted(tmp_path, write_run, dots, said):
    ax = plane(write_run(tmp_path / "run.h5", broken=[(1, 0), (4, 0), (5, 0)]), window=2)
    np.testing.assert_allclose(dots(ax)["hidden1"].get_offsets(), [[390, 0.5], [265, 1.5]])
    assert "1 row that is not finite left out of the means." in said(ax)
    assert "1 point is not finite and left out." in said(ax)


def test_without_standard_errors_there_are_no_bars_and_that_is_said(run_path, said):
    with h5py.File(run_path, "r+") as file:
        names = file["entry/plane/quantity"]
        for k, name in enumerate(names.asstr()[:]):
            if name in ("se_i_zx", "se_i_zy", "h_y"):
                names[k] = f"x{name[1:]}"
    ax = plane(run_path, errors=True)
    assert not ax.containers
    assert "No bars: standard errors were not recorded." in said(ax)
    assert "No line at H(Y): it was not recorded." in said(ax)


def test_a_plane_without_a_bound_is_told_in_one_sentence(run_path):
    with h5py.File(run_path, "r+") as file:
        names = file["entry/plane/quantity"]
        names[list(names.asstr()[:]).index("i_zy")] = "x_zy"
    with pytest.raises(RunFileError, match="its plane has no i_zy, so that there is no point to draw"):
        plane(run_path)


def test_regression_is_an_estimate_without_a_line_at_h_y(tmp_path, write_run, lines, said, overlapping):
    ax = plane(write_run(tmp_path / "real.h5", real=True))
    assert ax.get_ylabel() == "estimate of I(Z;Y) [bit]"
    assert "h_y" not in lines(ax)
    assert "No line at H(Y): the labels are real numbers, whose entropy is no limit." in said(ax)
    assert overlapping(ax) == []


def test_a_style_or_window_that_cannot_be_used_is_refused(run_path):
    with pytest.raises(InputError, match="style is 'lines', but it must be one of 'dots', 'trajectories'"):
        plane(run_path, style="lines")
    with pytest.raises(InputError, match="window"):
        plane(run_path, window=0)


def test_a_window_of_all_rows_is_one_point_and_a_larger_one_is_refused(run_path, dots, said):
    ax = plane(run_path, window=6)
    assert len(dots(ax)["hidden1"].get_offsets()) == 1
    assert "Every point is the mean of 6 measured rows, at" in said(ax)
    with pytest.raises(InputError, match="window is 50, but baseline has 6 rows: at most 6 can be averaged"):
        plane(run_path, window=50)


def test_a_window_over_a_single_row_is_refused(tmp_path, write_run):
    with pytest.raises(InputError, match="window is 2, but one has one row"):
        plane(write_run(tmp_path / "one.h5", rows=1), window=2)


UNBROKEN = "hidden_" + "averylongsitename" * 6


def test_names_without_a_place_to_break_them_stay_inside_and_leave_the_axes_their_width(
    tmp_path, write_run, overlapping, said
):
    path = write_run(tmp_path / f"{'verylongname_' * 15}.h5", sites=(UNBROKEN, "fc"), found=[(1, UNBROKEN, "odd", 1.0)])
    ax = plane(path)
    assert overlapping(ax) == []
    assert UNBROKEN[:30] in "".join(text.get_text() for text in ax.texts).replace("\n", "")
    assert ax.get_window_extent().width > 0.78 * ax.figure.bbox.width
    assert "\u2026" in ax.get_title()


def test_twelve_sites_have_a_legend_in_columns_that_is_lower_than_the_axes(tmp_path, write_run, overlapping):
    ax = plane(write_run(tmp_path / "run.h5", sites=[f"hidden{i}" for i in range(1, 13)]))
    assert overlapping(ax) == []
    assert ax.get_legend().get_window_extent().height < ax.get_window_extent().height
    assert len({round(text.get_window_extent().x0) for text in ax.get_legend().get_texts()}) > 1


MANY = [f"encoder.layer{i // 3}.{i % 3}.conv2.relu" for i in range(30)]


def test_a_legend_of_thirty_sites_names_the_first_and_the_last_and_says_so(tmp_path, write_run, overlapping, said):
    ax = plane(write_run(tmp_path / "run.h5", sites=MANY))
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names[:13] == [*MANY[:6], "\u2026 18 more sites", *MANY[-6:]]
    assert "The legend names the first 6 and the last 6 of 30 sites; colours and markers of the 18 between" in said(ax)
    assert overlapping(ax) == []
    assert ax.get_legend().get_window_extent().height < 1.25 * ax.get_window_extent().height


def test_names_of_two_lines_leave_room_for_fewer_of_them(tmp_path, write_run, overlapping, said):
    long = [f"model.backbone.{site}.attention.output.activation" for site in MANY]
    ax = plane(write_run(tmp_path / "run.h5", sites=long))
    assert "The legend names the first 3 and the last 3 of 30 sites" in said(ax)
    assert overlapping(ax) == []
    assert ax.get_legend().get_window_extent().height < 1.25 * ax.get_window_extent().height


def test_thirty_short_names_are_all_in_the_legend(tmp_path, write_run, said):
    sites = [f"fc{i}" for i in range(30)]
    ax = plane(write_run(tmp_path / "run.h5", sites=sites))
    assert [text.get_text() for text in ax.get_legend().get_texts()][:30] == sites
    assert "The legend names" not in said(ax)


def test_chosen_sites_are_drawn_alone_and_the_others_counted(tmp_path, write_run, dots, lines, said):
    path = write_run(tmp_path / "run.h5", sites=MANY)
    ax = plane(path, sites=[MANY[0], MANY[29]])
    assert {gid for gid in dots(ax) if gid in MANY} == {MANY[0], MANY[29]}
    assert {gid for gid in lines(ax) if gid.endswith("@untrained")} == {f"{MANY[0]}@untrained", f"{MANY[29]}@untrained"}
    assert "Not drawn: 28 other sites." in said(ax)
    assert "Not drawn" not in said(plane(path))
    with pytest.raises(InputError, match="has no site 'conv9'"):
        plane(path, sites=["conv9"])
    with pytest.raises(InputError, match="sites is empty"):
        plane(path, sites=[])
