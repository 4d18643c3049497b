"""Pictures, by what the artists hold: never by pixels."""

import math
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

import infoplane as ip
from infoplane.analysis.sketch import LogHistogram
from infoplane.errors import InputError, RunFileError
from infoplane.plots import COLUMN, PAGE, histogram, histograms, plane, planes, surface, theme
from infoplane.plots.caption import wrapped
from infoplane.plots.histogram import joined
from infoplane.plots.theme import shades, site_styles
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

ROWS = 6
N = 450
H_Y = 3.2
BEYOND_LABEL = "beyond log$_2$ n (finding)"


@pytest.fixture(autouse=True)
def unchanged_settings():
    """Every test draws without a screen, and leaves matplotlib's settings and pyplot's figures as they were."""
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
    plt.close("all")


def sketch_of(values):
    sketch = LogHistogram()
    sketch.update(values)
    return sketch.summary()


def write_run(
    path,
    *,
    sites=("hidden1", "hidden2"),
    control=True,
    rows=ROWS,
    broken=(),
    epochs=True,
    weights=("w",),
    rate=390,
    found=(),
    others=(),
    updates=10,
):
    """A run with rates falling from 390 bit, and bounds rising from 0.5 bit; the control lags by 0.1 bit.

    `found` are findings about the plane: (row, probe, code, amount in bit); `others` are more probes; `updates` are the
    steps of their training per row.
    """
    generator = np.random.default_rng(0)
    hosts = ("trained", "untrained")[: 1 + control]
    probes = [
        ProbeInfo(site if host == "trained" else f"{site}@{host}", site, host, 1e-3, 64)
        for host in hosts
        for site in sites
    ]
    probes += others
    count = len(probes)
    with RunWriter(path) as writer:
        attrs = {"draws": 12, "probe_mode": "observe"}
        streams = run_streams(probes=probes, parameters=weights, metrics={"error": "1"}, attrs=attrs)
        writer.start(streams, {"seed": 0})
        for row in range(rows):
            values = np.zeros((count, len(PLANE_QUANTITIES)))
            for k in range(count):
                bound = 0.5 + 0.4 * row - 0.1 * k
                shown = rate - (50 * row + 10 * k) * rate / 390, bound, H_Y, H_Y - bound, 0.1, 2.0, 0.05
                values[k, : len(shown)] = shown
            for at, probe in broken:
                if at == row:
                    values[probe, 0] = np.nan
            step, epoch = 20 * (row + 1), float(row + 1) if epochs else math.nan
            zeros = np.zeros((count, count))
            pairs = {"covariance_i_zx": zeros, "covariance_i_zy": zeros}
            counts = {"n": N, "n_sandwich": N, "updates": updates * (row + 1)}
            writer.append("plane", step, epoch=epoch, values=values, **counts, **pairs)
            writer.append("metrics", step, epoch=epoch, time=0.0, values=[0.1])
            for at, probe, code, amount in found:
                if at == row:
                    said = {"text": "so it is", "amount": amount, "unit": "bit", "advice": "look"}
                    writer.append("findings", None, step=step, stream="plane", where=probe, code=code, **said)
            if weights:
                sketches = [sketch_of(generator.normal(size=500)) for _ in weights]
                counts, scalars = (np.stack([getattr(s, name) for s in sketches]) for name in ("counts", "scalars"))
                writer.append("weights", step, epoch=epoch, counts=counts, scalars=scalars)
    return path


@pytest.fixture
def run_path(tmp_path):
    return write_run(tmp_path / "baseline.h5")


def dots(ax):
    return {c.get_gid(): c for c in ax.collections if c.get_gid()}


def lines(ax):
    return {line.get_gid(): line for line in ax.lines if line.get_gid()}


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def overlapping(ax, but=()):
    """Pairs of visible texts on or beside the axes whose boxes overlap."""
    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    ax.figure.draw(renderer)
    legend = ax.get_legend()
    ticks = [
        tick.label1
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim()))
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high
    ]
    texts = [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax.title, *ticks]
    texts += [] if legend is None else [legend.get_title(), *legend.get_texts()]
    texts = [text for text in texts if text.get_visible() and text.get_text() and text not in but]
    boxes = [text.get_window_extent(renderer).shrunk(0.98, 0.9) for text in texts]
    outside = [
        text.get_text()
        for text, box in zip(texts, boxes, strict=True)
        if box.x0 < 0 or box.y0 < 0 or box.x1 > ax.figure.bbox.x1 or box.y1 > ax.figure.bbox.y1
    ]
    pairs = [
        (texts[i].get_text(), texts[j].get_text())
        for i in range(len(texts))
        for j in range(i)
        if boxes[i].overlaps(boxes[j])
    ]
    return pairs + outside


# --- theme ------------------------------------------------------------------------------------------------------------


def test_theme_ends_with_its_block_and_keeps_text_as_text():
    before = dict(mpl.rcParams)
    with theme():
        assert mpl.rcParams["font.size"] == 8
        assert (mpl.rcParams["pdf.fonttype"], mpl.rcParams["svg.fonttype"]) == (42, "none")
        assert not mpl.rcParams["axes.spines.top"]
    assert dict(mpl.rcParams) == before


def test_theme_ends_after_an_exception_too():
    before = dict(mpl.rcParams)
    with pytest.raises(ValueError, match="mine"), theme():
        raise ValueError("mine")
    assert dict(mpl.rcParams) == before


def test_columns_are_85_and_180_millimetres():
    assert pytest.approx(85) == 25.4 * COLUMN
    assert pytest.approx(180) == 25.4 * PAGE


def test_sites_differ_in_colour_and_marker():
    styles = list(site_styles([f"site{i}" for i in range(56)]).values())
    assert len(set(styles)) == 56
    assert len({color for color, _ in styles[:7]}) == len({marker for _, marker in styles[:7]}) == 7


def lightness(rgb):
    linear = np.where(np.asarray(rgb) <= 0.04045, np.asarray(rgb) / 12.92, ((np.asarray(rgb) + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("color", [color for color, _ in site_styles([str(i) for i in range(7)]).values()])
def test_shades_darken_all_the_way(color):
    values = [lightness(shades(color)(share)[:3]) for share in np.linspace(0, 1, 21)]
    assert np.all(np.diff(values) < 0)


# Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB.
DEFICIENCIES = {
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
}


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_first_four_sites_differ_to_colour_blind_eyes(deficiency):
    colors = [mpl.colors.to_rgb(color) for color, _ in site_styles(["a", "b", "c", "d"]).values()]
    linear = np.where(
        np.array(colors) <= 0.04045, np.array(colors) / 12.92, ((np.array(colors) + 0.055) / 1.055) ** 2.4
    )
    seen = np.clip(linear @ np.array(DEFICIENCIES[deficiency]).T, 0, 1)
    srgb = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    gaps = np.linalg.norm(srgb[:, None] - srgb[None], axis=-1)[np.triu_indices(4, 1)]
    assert gaps.min() > 0.15


# --- plane ------------------------------------------------------------------------------------------------------------


def test_plane_draws_every_point_of_every_site_at_its_bounds(run_path):
    ax = plane(run_path)
    assert set(dots(ax)) == {"hidden1", "hidden2"}
    rows = np.arange(ROWS)
    expected = np.column_stack([390 - 50 * rows, 0.5 + 0.4 * rows])
    np.testing.assert_allclose(dots(ax)["hidden1"].get_offsets(), expected)
    np.testing.assert_allclose(dots(ax)["hidden2"].get_offsets(), expected - [10, 0.1])


def test_plane_draws_the_control_apart_and_hollow(run_path):
    control = lines(plane(run_path))["hidden2@untrained"]
    rows = np.arange(ROWS)
    np.testing.assert_allclose(control.get_xydata(), np.column_stack([360 - 50 * rows, 0.2 + 0.4 * rows]))
    assert to_hex(control.get_markerfacecolor()) == "#ffffff"
    assert "control" in control.get_label()
    assert control.get_color() == site_styles(["hidden1", "hidden2"])["hidden2"][0]


def test_plane_shades_from_light_to_dark_with_time(run_path):
    ax = plane(run_path)
    ax.figure.canvas.draw()
    for points in dots(ax).values():
        assert np.all(np.diff(points.get_array()) > 0)
        assert np.all(np.diff([lightness(color[:3]) for color in points.get_facecolors()]) < 0)
    assert ax.get_legend().get_title().get_text() == "epoch 1 (light) to 6 (dark, black edge)"


def test_plane_counts_steps_where_there_are_no_epochs(tmp_path):
    ax = plane(write_run(tmp_path / "steps.h5", epochs=False))
    assert ax.get_legend().get_title().get_text().startswith("step 20 (light) to 120")


def test_sites_have_markers_of_their_own(run_path):
    first, second = dots(plane(run_path)).values()
    assert len(first.get_paths()[0].vertices) != len(second.get_paths()[0].vertices)


def test_plane_draws_lines_at_h_y_and_log2_n(run_path):
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


def test_plane_states_n_latent_beta_steps_and_split(run_path):
    text = said(plane(run_path))
    for part in ("N = 64", "beta = 0.001", "60 steps", "test split", "n = 450", "mode observe", "12 draws"):
        assert part in text


def test_plane_without_a_control_says_so(tmp_path):
    ax = plane(write_run(tmp_path / "alone.h5", control=False), caption=False)
    assert "No control was recorded" in said(ax)
    assert "beta" not in said(ax)
    assert not any("control" in text.get_text() for text in ax.get_legend().get_texts())


def test_plane_says_when_a_recorded_control_is_not_drawn(run_path):
    ax = plane(run_path, control=False)
    assert "The control is not drawn." in said(ax)
    assert set(lines(ax)) == {"hidden1 path", "hidden2 path", "h_y", "log2_n"}


def test_points_that_are_not_finite_are_left_out_and_counted(tmp_path):
    ax = plane(write_run(tmp_path / "broken.h5", broken=[(1, 0), (2, 0), (5, 3)]))
    assert len(dots(ax)["hidden1"].get_offsets()) == ROWS - 2
    assert "3 points are not finite and left out." in said(ax)


def test_the_last_row_alone_has_a_black_edge(run_path):
    ax = plane(run_path)
    edges = [to_hex(color) for color in dots(ax)["hidden1"].get_edgecolors()]
    assert [edge == "#000000" for edge in edges] == [False] * (ROWS - 1) + [True]


def test_error_bars_are_one_standard_error_long(run_path):
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
def test_the_axes_keep_their_size_whatever_the_number_of_sites(tmp_path, names):
    drawn = [plane(write_run(tmp_path / f"{count}.h5", sites=names[:count])) for count in (1, 2, 14, 32)]
    inside, outside = np.transpose([heights(ax) for ax in drawn])
    np.testing.assert_allclose(inside, 0.65 * COLUMN, atol=0.02)
    assert np.all(np.diff(outside[1:]) > 0.3)
    widths = [ax.get_window_extent().width / ax.figure.dpi for ax in drawn]
    assert min(widths) > 0.78 * COLUMN
    for ax in drawn:
        assert overlapping(ax) == []


def test_a_legend_of_short_names_has_several_columns(tmp_path):
    ax = plane(write_run(tmp_path / "run.h5", sites=[f"fc{i}" for i in range(14)]))
    heights(ax)
    left = {round(text.get_window_extent().x0) for text in ax.get_legend().get_texts()}
    assert len(left) > 1


def test_labels_too_wide_for_the_axes_are_broken_and_lose_nothing(tmp_path):
    ax = plane(write_run(tmp_path / "run.h5", sites=LONG[:1]))
    label = ax.get_legend().get_texts()[0].get_text()
    assert "\n" in label
    assert label.replace("\n", "") == LONG[0]


@pytest.mark.parametrize(("runs", "count"), [(1, 2), (1, 32), (4, 2), (4, 14)])
def test_panels_keep_their_height_whatever_the_number_of_sites(tmp_path, runs, count):
    axes = planes([write_run(tmp_path / "run.h5", sites=LONG[:count])] * runs)
    np.testing.assert_allclose([heights(axes[0])[0], heights(axes[-1])[0]], 0.36 * PAGE, atol=0.02)


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("sites", [("hidden1", "hidden2"), ("conv1.relu", "layer2.0.conv1", "layer3.5.relu", "fc")])
def test_no_label_covers_another_or_leaves_the_figure(tmp_path, width, sites):
    path = write_run(tmp_path / "run.h5", sites=sites, broken=[(0, 0)])
    with theme():
        figure = Figure(figsize=(width, 1.2 * COLUMN), layout="constrained")
        ax = plane(path, ax=figure.subplots(), errors=True)
        assert overlapping(ax) == []


def test_no_dot_is_under_the_labels_of_the_lines(run_path):
    ax = plane(run_path)
    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    ax.figure.draw(renderer)
    labels = [text for text in ax.texts if "bit" in text.get_text() and text.get_gid() is None]
    assert len(labels) == 2
    for points in dots(ax).values():
        for place in ax.transData.transform(points.get_offsets()):
            assert not any(text.get_window_extent(renderer).padded(2).contains(*place) for text in labels)


def test_the_side_beyond_log_n_is_shaded_from_the_line_on_and_counted(run_path):
    ax = plane(run_path)
    (shade,) = [patch for patch in ax.patches if patch.get_gid() == "beyond_log2_n"]
    assert shade.get_x() == pytest.approx(math.log2(N))
    assert shade.get_x() + shade.get_width() > ax.get_xlim()[1]
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == BEYOND_LABEL
    assert "Findings: rate_above_log_n (24 of 24 points)." in said(ax)
    assert "rate_above_log_n (12 of 12 points)" in said(plane(run_path, control=False))


def test_rates_beyond_log_n_that_the_file_holds_as_findings_are_said_once(tmp_path):
    found = [(row, "hidden1", "rate_above_log_n", 80.0) for row in range(ROWS)]
    ax = plane(write_run(tmp_path / "beyond.h5", found=found))
    assert said(ax).count("rate_above_log_n") == 1
    assert "Findings: rate_above_log_n (24 of 24 points)." in said(ax)


def test_a_plane_that_log_n_holds_is_not_shaded(tmp_path):
    ax = plane(write_run(tmp_path / "low.h5", rate=8))
    assert not [patch for patch in ax.patches if patch.get_gid() == "beyond_log2_n"]
    assert "Findings" not in said(ax)


def test_points_that_cannot_be_used_are_ringed_and_never_hidden(tmp_path):
    found = [(2, "hidden1", "rate_below_label_bound", 0.4), (4, "hidden2@untrained", "odd", 1.0)]
    ax = plane(write_run(tmp_path / "odd.h5", rate=8, found=found, broken=[(4, 3)]))
    rings = {gid: line for gid, line in lines(ax).items() if gid.endswith(" findings")}
    assert list(rings) == ["hidden1 findings"]  # the other point is not finite, and said to be left out
    np.testing.assert_allclose(rings["hidden1 findings"].get_xydata(), [dots(ax)["hidden1"].get_offsets()[2]])
    assert [text.get_text() for text in ax.get_legend().get_texts()][-1] == "finding"
    assert len(dots(ax)["hidden1"].get_offsets()) == ROWS
    assert "rate_below_label_bound (hidden1: 1 of 6 rows, by 0.4 bit)" in said(ax)
    assert overlapping(ax) == []


def test_what_is_said_of_a_course_rings_no_point(tmp_path):
    found = [(row, "hidden1@untrained", "rate_still_falling", 9.0) for row in range(3)]
    ax = plane(write_run(tmp_path / "falling.h5", rate=8, found=found))
    assert not [gid for gid in lines(ax) if gid.endswith(" findings")]
    assert "rate_still_falling (the control of hidden1: 3 of 6 rows, by up to 9 bit)" in said(ax)


def test_findings_about_probes_that_are_not_drawn_are_not_counted(tmp_path):
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
    assert "odd (hidden1 and the control of hidden2: 3 of 6 rows, by up to 2 bit); duplicate_inputs (inputs" in text
    assert "Not drawn: 3 probes at other betas, on scaled activations, or refitted." in text
    assert "odd (hidden1: 2 of 6 rows, by up to 0.7 bit)" in said(plane(path, control=False))


def test_findings_name_probes_of_several_betas_as_the_legend_does(tmp_path):
    others = [ProbeInfo(f"fc1@beta={beta:g}", "fc1", "trained", beta, 64) for beta in (1e-3, 1e-2)]
    others += [ProbeInfo(f"{one.name}@untrained", "fc1", "untrained", one.beta, 64) for one in others]
    found = [(0, "fc1@beta=0.001", "odd", 1.0), (0, "fc1@beta=0.001@untrained", "odd", 1.0)]
    ax = plane(write_run(tmp_path / "betas.h5", sites=(), rate=6, found=found, others=others))
    assert ax.get_legend().get_texts()[0].get_text() == "fc1"
    assert "Findings: odd (fc1 and its control: 1 of 6 rows, by 1 bit)." in said(ax)


def test_one_step_and_one_probe_are_not_plural(tmp_path):
    others = [ProbeInfo("hidden1@x10", "hidden1", "trained", 1e-3, 64, 10.0)]
    text = said(plane(write_run(tmp_path / "one.h5", rows=1, updates=1, others=others)))
    assert "trained for 1 step." in text
    assert "Not drawn: 1 probe at another beta, on scaled activations, or refitted." in text


def test_a_pale_line_joins_the_dots_below_them(run_path):
    ax = plane(run_path)
    line, points = lines(ax)["hidden1 path"], dots(ax)["hidden1"]
    np.testing.assert_allclose(line.get_xydata(), points.get_offsets())
    assert line.get_color() == site_styles(["hidden1"])["hidden1"][0]
    assert line.get_alpha() < 0.5
    assert line.get_zorder() < points.get_zorder()


def test_planes_have_one_entry_for_rings_and_the_codes_below_the_run_they_concern(tmp_path):
    first = write_run(tmp_path / "first.h5", rate=8)
    second = write_run(tmp_path / "second.h5", rate=8, found=[(1, "hidden2", "odd", 1.0)])
    axes = planes([first, second])
    assert [text.get_text() for text in axes[0].figure.legends[0].get_texts()][-1] == "finding"
    assert "odd" not in said(axes[0])
    assert "Findings: odd (hidden2: 1 of 6 rows, by 1 bit)." in said(axes[1])


def test_plane_of_a_run_without_rows_is_refused(tmp_path):
    with pytest.raises(InputError, match="nothing has been measured yet"):
        plane(write_run(tmp_path / "empty.h5", rows=0))


def test_plane_of_another_file_is_refused(tmp_path):
    (tmp_path / "no.h5").write_text("no")
    with pytest.raises(RunFileError, match=r"no\.h5"):
        plane(tmp_path / "no.h5")


def test_planes_share_axes_shades_and_one_legend(tmp_path):
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


def test_planes_say_once_what_holds_for_all_and_below_each_what_does_not(tmp_path):
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


# --- surface ----------------------------------------------------------------------------------------------------------


def mesh_of(ax):
    (mesh,) = [c for c in ax.collections if isinstance(c, QuadMesh)]
    return mesh


def colorbars(ax):
    return [other for other in ax.figure.axes if other is not ax]


def test_surface_has_weights_along_x_and_activity_along_y():
    grid = ip.delta_information_surface()
    ax = surface(grid)
    np.testing.assert_array_equal(mesh_of(ax).get_array(), grid.values)
    coordinates = mesh_of(ax).get_coordinates()
    np.testing.assert_allclose(coordinates[0, :, 0], np.linspace(-1, 1, 100))
    np.testing.assert_allclose(coordinates[:, 0, 1], np.linspace(0, 1, 100))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight w", "mean activity")
    assert set(lines(ax)["target"].get_ydata()) == {0.5}
    assert "Transposed" not in said(ax)


def test_the_right_way_up_activity_below_the_target_gains_whatever_the_sign_of_the_weight():
    values = mesh_of(surface()).get_array()
    below = np.linspace(0, 1, 100) < 0.5
    assert np.all(values[below] > 0)
    assert np.all(values[~below] < 0)


def test_as_printed_transposes_the_array_and_says_so():
    grid = ip.delta_information_surface()
    ax = surface(grid, as_printed=True, caption=False)
    values = mesh_of(ax).get_array()
    np.testing.assert_array_equal(values, grid.values.T)
    # The printed figure is darkest at the lower left, and palest at the lower right.
    assert (values[0, 0], values[0, -1]) == pytest.approx((0.48934, -0.55998), abs=1e-5)
    assert "Transposed, as printed in the paper's Fig. 4" in said(ax)
    assert "as labelled in print" in ax.get_xlabel()
    assert "target" not in lines(ax)


def test_surface_is_white_at_zero_with_a_colour_bar_in_its_unit():
    ax = surface()
    norm = mesh_of(ax).norm
    assert norm.vmin == -norm.vmax == pytest.approx(-0.559984, abs=1e-6)
    assert norm(0.0) == 0.5
    assert min(mesh_of(ax).get_cmap()(0.5)[:3]) > 0.95
    assert [bar.get_ylabel() for bar in colorbars(ax)] == ["ΔI [bit]"]
    nats = surface(ip.delta_information_surface(base=math.e))
    assert [bar.get_ylabel() for bar in colorbars(nats)] == ["ΔI [nat]"]
    assert colorbars(surface(colorbar=False)) == []


def test_contours_are_labelled_and_dashed_below_zero():
    ax = surface()
    (contours,) = [c for c in ax.collections if isinstance(c, ContourSet)]
    np.testing.assert_allclose(contours.levels, [-0.5, -0.4, -0.3, -0.2, -0.1, 0.1, 0.2, 0.3, 0.4], atol=1e-12)
    assert {text.get_text() for text in contours.labelTexts} >= {"−0.2", "−0.1", "+0.1", "+0.2"}
    styles = [style[1] is None for style in contours.get_linestyle()]
    assert styles == [False] * 5 + [True] * 4


def test_caption_names_equation_and_parameters():
    text = said(surface())
    assert "Eq. 22 with p(x|z) = 1, gamma = 1, b = 0" in text
    assert "change of log p(z = 1|x), not of a mutual information" in text
    exact = said(surface(ip.delta_information_surface(variant="exact", x=0.5)))
    assert "mutual information of the neuron, X uniform on (-0.5, 0.5)" in exact
    assert "Eq." not in said(surface(caption=False))


@pytest.mark.parametrize("variant", ["eq22", "eq25", "eq24", "appendix_delta", "exact"])
@pytest.mark.parametrize("as_printed", [False, True])
def test_every_variant_is_drawn_without_overlaps(variant, as_printed):
    ax = surface(ip.delta_information_surface(40, variant=variant, b=0.5), as_printed=as_printed)
    (contours,) = [c for c in ax.collections if isinstance(c, ContourSet)]
    labels = list(contours.labelTexts)
    assert labels
    assert overlapping(ax, but=labels) == []
    places = ax.transData.transform([label.get_position() for label in labels]) * 72 / ax.figure.dpi
    gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)[np.triu_indices(len(labels), 1)]
    assert np.all(gaps > 8)  # their letters are 6.5 points high, and they lie along their contours


def test_a_surface_of_zeros_has_no_contours():
    ax = surface(ip.delta_information_surface(gamma=0.0))
    assert not [c for c in ax.collections if isinstance(c, ContourSet)]


def test_surface_draws_on_given_axes():
    mine = Figure(layout="constrained").subplots()
    assert surface(ax=mine) is mine


# --- histogram --------------------------------------------------------------------------------------------------------


def bars(ax):
    (patch,) = ax.patches
    return patch.get_data()


@pytest.mark.parametrize("n", [10, 200, 100_000])
def test_bars_and_line_have_area_one(n):
    ax = histogram(np.random.default_rng(1).lognormal(0.3, 0.8, size=n))
    density, edges, _ = bars(ax)
    assert np.sum(density * np.diff(np.log(edges))) == pytest.approx(1, abs=1e-9)
    x, y = ax.lines[0].get_data()
    assert np.trapezoid(y, np.log(x)) == pytest.approx(1, abs=1e-3)


def test_density_of_a_uniform_law_is_x_up_to_its_hard_edge():
    # For U(0, 1) the density of ln x is x; the sketch's bins are unequally wide in ln x.
    values = np.random.default_rng(2).uniform(size=2_000_000)
    density, edges, _ = bars(histogram(values))
    wide = edges[1:] > 0.05
    expected = np.diff(edges) / np.diff(np.log(edges))
    np.testing.assert_allclose(density[wide], expected[wide], rtol=0.03)
    assert edges[-1] == pytest.approx(values.max(), rel=1e-6)


def test_one_value_alone_in_an_outer_sliver_makes_no_spike():
    values = np.append(np.random.default_rng(3).uniform(0.5, 0.999, size=20_000), 1.0000001)
    density, _, _ = bars(histogram(values))
    assert density[-1] < 3


def test_joined_bins_keep_every_value():
    sketch = sketch_of(np.random.default_rng(4).normal(size=5_000))
    edges, counts = sketch.histogram(1)
    cuts, density = joined(edges, counts)
    assert cuts.size < edges.size
    assert np.isin(cuts, edges).all()
    assert np.sum(density * np.diff(np.log(cuts))) * counts.sum() == pytest.approx(counts.sum())


def test_line_is_the_maximum_likelihood_law():
    values = np.random.default_rng(5).lognormal(-2, 0.5, size=50_000)
    x, y = histogram(values).lines[0].get_data()
    assert math.log(x[np.argmax(y)]) == pytest.approx(np.log(values).mean(), abs=0.02)
    assert y.max() == pytest.approx(1 / (np.log(values).std() * math.sqrt(2 * math.pi)), rel=1e-3)


def test_histogram_states_divergence_distance_floor_n_and_zeros():
    values = np.concatenate([np.random.default_rng(6).uniform(size=60_000), np.zeros(20_000), [np.nan]])
    ax = histogram(values, title="uniform", label="weights")
    facts = said(ax)
    assert float(re.search(r"JSD ([\d.]+) bit", facts)[1]) == pytest.approx(0.147027, abs=0.002)
    assert "distance 0.38" in facts
    assert "floor 0.000" in facts
    assert "n = 60,000" in facts
    assert "zeros 25 %" in facts
    assert "1 not finite" in facts
    assert ax.get_xscale() == "log"
    assert ax.get_title() == "uniform"
    assert ax.patches[0].get_label() == "weights"


@pytest.mark.parametrize(("sign", "count"), [(1, 3_000), (-1, 2_000), (0, 5_000)])
def test_sign_chooses_the_values(sign, count):
    generator = np.random.default_rng(7)
    values = np.concatenate([generator.lognormal(size=3_000), -generator.lognormal(3, 1, size=2_000)])
    ax = histogram(values, sign=sign)
    assert f"n = {count:,}" in said(ax)
    mode = math.log(ax.lines[0].get_xdata()[np.argmax(ax.lines[0].get_ydata())])
    assert mode == pytest.approx({1: 0, -1: 3, 0: 1.2}[sign], abs=0.1)


def test_array_sketch_and_summary_give_one_picture():
    values = np.random.default_rng(8).normal(size=(40, 50)).astype(np.float32)
    sketch = LogHistogram()
    sketch.update(values)
    pictures = [bars(histogram(given)) for given in (values, sketch, sketch.summary())]
    for density, edges, _ in pictures[1:]:
        np.testing.assert_array_equal(density, pictures[0][0])
        np.testing.assert_array_equal(edges, pictures[0][1])


def test_facts_stand_above_the_bars():
    with theme():
        figure = Figure(figsize=(COLUMN, 0.7 * COLUMN), layout="constrained")
        ax = histogram(np.random.default_rng(9).lognormal(size=3_000), ax=figure.subplots())
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
    density, _, _ = bars(ax)
    highest = max(density.max(), ax.lines[0].get_ydata().max())
    assert ax.texts[0].get_window_extent(renderer).y0 > ax.transData.transform((1, highest))[1]
    assert overlapping(ax) == []


def test_equal_values_are_drawn_as_a_line():
    ax = histogram(np.full(10, 3.0))
    assert set(ax.lines[0].get_xdata()) == {3.0}
    assert "constant" in said(ax)
    assert "nan" not in said(ax)


def test_histogram_of_nothing_is_refused():
    with pytest.raises(InputError, match="3 values none is finite and above 0"):
        histogram(np.array([-1.0, 0.0, np.nan]))
    with pytest.raises(InputError, match="sign=2"):
        histogram(np.ones(3), sign=2)
    with pytest.raises(InputError, match="dtype"):
        histogram(["a"])


def test_histograms_are_a_row_per_run_and_a_column_per_layer(tmp_path):
    runs = [write_run(tmp_path / f"{name}.h5", weights=("fc1.weight", "fc2.weight")) for name in ("a", "b")]
    grid = histograms(runs)
    assert grid.shape == (2, 2)
    assert [ax.get_title() for ax in grid[0]] == ["fc1.weight", "fc2.weight"]
    assert [ax.get_ylabel().split(",")[0] for ax in grid[:, 0]] == ["a", "b"]
    assert len({ax.get_xlim() for ax in grid.flat}) == len({ax.get_ylim() for ax in grid.flat}) == 1
    assert "positive weights" in grid[0, 0].figure.get_supxlabel()
    for ax in grid.flat:
        assert overlapping(ax) == []


def test_histograms_take_some_layers_and_an_earlier_row(tmp_path):
    run = write_run(tmp_path / "a.h5", weights=("fc1.weight", "fc2.weight"))
    grid = histograms([run], ["fc2.weight"], row=0, titles=["baseline"])
    assert grid.shape == (1, 1)
    assert grid[0, 0].get_ylabel().startswith("baseline, step 20")


def test_a_layer_that_a_run_lacks_is_an_empty_panel_that_says_so(tmp_path):
    runs = [write_run(tmp_path / "a.h5", weights=("x", "y")), write_run(tmp_path / "b.h5", weights=("x",))]
    grid = histograms(runs)
    assert said(grid[1, 1]) == "not recorded"


def test_histograms_refuse_unknown_layers_streams_and_rows(tmp_path):
    run = write_run(tmp_path / "a.h5", weights=("fc1.weight",))
    with pytest.raises(InputError, match=r"fc1\.weight"):
        histograms([run], ["fc1.wieght"])
    with pytest.raises(RunFileError, match="activations"):
        histograms([run], stream="activations")
    with pytest.raises(InputError, match="no row 99"):
        histograms([run], row=99)
    with pytest.raises(InputError, match="at least one run"):
        histograms([])


# --- text -------------------------------------------------------------------------------------------------------------


def test_wrapped_breaks_at_the_width_and_keeps_protected_spaces():
    assert wrapped("one two three", 1e6) == "one two three"
    assert wrapped("one two three", 1) == "one\ntwo\nthree"
    assert wrapped("n = 3 rest", 1) == wrapped("n\u00a0=\u00a03 rest", 1) == "n\u00a0=\u00a03\nrest"


def test_the_library_chooses_no_backend():
    for path in Path(ip.plots.__file__).parent.glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "matplotlib.use(" not in source
        assert "mpl.use(" not in source
        assert ".show()" not in source.replace("plt.show()`", "")


def test_save_writes_the_whole_figure_and_closes_it(tmp_path):
    import matplotlib.pyplot as plt

    from infoplane.plots import save

    before, settings = plt.get_fignums(), dict(mpl.rcParams)
    save(surface(), tmp_path / "surface.svg")
    save(planes([write_run(tmp_path / "first.h5")]), tmp_path / "planes.png")
    assert plt.get_fignums() == before
    assert dict(mpl.rcParams) == settings
    assert "<text" in (tmp_path / "surface.svg").read_text()
    assert (tmp_path / "planes.png").read_bytes().startswith(b"\x89PNG")
