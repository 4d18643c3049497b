"""Histograms, by what the artists hold: never by pixels."""

import math
import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import lognorm

from infoplane.analysis.joined_bins import joined_bins
from infoplane.analysis.sketch import LogHistogram
from infoplane.demo import SIZES
from infoplane.errors import InputError, RunFileError
from infoplane.plots import COLUMN, PAGE, histogram, histograms, theme
from infoplane.plots.histogram import joined_linear
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import run_streams
from infoplane.runfile.writer import RunWriter

ONE = ProbeInfo("fc1", "fc1", "trained", 1e-3, 4)


def sketch_of(values):
    sketch = LogHistogram()
    sketch.update(values)
    return sketch.summary()


def write_run(path, *, weights):
    """A run with sketches of 500 normal weights each, at steps 20 to 120."""
    generator = np.random.default_rng(0)
    with RunWriter(path) as writer:
        writer.start(run_streams(probes=[ONE], parameters=weights, metrics={"error": "1"}, attrs={}), {"seed": 0})
        for row in range(6):
            sketches = [sketch_of(generator.normal(size=500)) for _ in weights]
            counts, scalars = (np.stack([getattr(s, name) for s in sketches]) for name in ("counts", "scalars"))
            writer.append("weights", 20 * (row + 1), epoch=row + 1.0, counts=counts, scalars=scalars)
    return path


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def overlapping(ax):
    """Pairs of texts on or beside the axes whose boxes overlap."""
    renderer = FigureCanvasAgg(ax.figure).get_renderer()
    ax.figure.draw(renderer)
    texts = [text for text in (*ax.texts, ax.xaxis.label, ax.yaxis.label, ax.title) if text.get_text()]
    boxes = [text.get_window_extent(renderer).shrunk(0.98, 0.9) for text in texts]
    return [
        (texts[i].get_text(), texts[j].get_text())
        for i in range(len(texts))
        for j in range(i)
        if boxes[i].overlaps(boxes[j])
    ]


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
    cuts, density = joined_bins(edges, counts)
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


def test_a_key_names_bars_and_line_and_can_be_left_out():
    values = np.random.default_rng(6).lognormal(size=500)
    labels = [text.get_text() for text in histogram(values, label="weights").get_legend().get_texts()]
    assert labels == ["weights", "log-normal, maximum likelihood"]
    assert histogram(values).get_legend().get_texts()[0].get_text() == "values"
    assert [text.get_text() for text in histogram(np.full(10, 3.0)).get_legend().get_texts()] == ["values"]
    assert histogram(values, legend=False).get_legend() is None


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


def test_long_names_stand_above_their_own_panels_and_two_of_them_can_be_told_apart(tmp_path):
    parts = [f"model.encoder.layers.{k}.attention.self.{which}.weight" for k in (0, 1) for which in ("query", "key")]
    long = [f"{'x' * 110}{letter * 60}" for letter in "ab"]
    grid = histograms([write_run(tmp_path / "a.h5", weights=(*parts, *long))])
    figure = grid[0, 0].figure
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    titles = [ax.title for ax in grid.flat]
    assert len({title.get_text() for title in titles}) == 6
    assert [title.get_text().replace("\n", "") for title in titles[:4]] == parts
    for ax in grid.flat:
        assert ax.title.get_window_extent().width <= 1.02 * ax.bbox.width
        assert ax.bbox.height / figure.dpi > 1.2
        assert overlapping(ax) == []


def test_a_run_without_rows_is_refused_by_name(tmp_path):
    path = tmp_path / "empty.h5"
    with RunWriter(path) as writer:
        writer.start(run_streams(probes=[ONE], parameters=("fc1.weight",)), {"seed": 0})
    with pytest.raises(InputError, match=r"empty\.h5: has no row of weights yet"):
        histograms([path])


def test_histograms_take_some_layers_and_an_earlier_row(tmp_path):
    run = write_run(tmp_path / "a.h5", weights=("fc1.weight", "fc2.weight"))
    grid = histograms([run], ["fc2.weight"], row=0, titles=["baseline"])
    assert grid.shape == (1, 1)
    assert grid[0, 0].get_ylabel() == "baseline, step 20"


def test_many_layers_stand_in_rows_within_the_width_of_a_page(tmp_path):
    names = tuple(f"fc{i}.weight" for i in range(7))
    grid = histograms([write_run(tmp_path / f"{name}.h5", weights=names) for name in "ab"])
    assert grid.shape == (2, 7)
    figure = grid[0, 0].figure
    assert figure.get_figwidth() == pytest.approx(PAGE)
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    assert len({round(ax.get_position().y0, 2) for ax in grid.flat}) == 4
    assert [ax.get_title() for ax in grid[1]] == list(names)
    assert len({ax.get_xlim() for ax in grid.flat}) == 1
    for ax in grid.flat:
        assert overlapping(ax) == []


def test_two_runs_of_three_layers_are_two_rows_without_a_gap_in_the_demo_s_picture(tmp_path):
    names = ("hidden1.linear.weight", "hidden2.linear.weight", "output.weight")
    runs = [write_run(tmp_path / f"{name}.h5", weights=names) for name in ("baseline", "synscaw")]
    with theme():
        figure = Figure(figsize=SIZES["weights"], layout="constrained")
        canvas = FigureCanvasAgg(figure)
        grid = histograms(runs, figure=figure)
        figure.draw(canvas.get_renderer())
    assert len(figure.axes) == 6
    assert len({round(ax.get_position().y0, 2) for ax in grid.flat}) == 2
    assert min(ax.bbox.height for ax in grid.flat) / figure.dpi > 1
    labels = [ax.yaxis.label for ax in grid[:, 0]]
    assert [label.get_text() for label in labels] == ["baseline, step 120", "synscaw, step 120"]
    above, below = (label.get_window_extent() for label in labels)
    assert above.y0 > below.y1
    assert figure.get_supylabel() == "density of ln x"
    for ax in grid.flat:
        assert overlapping(ax) == []


@pytest.mark.parametrize("name", ["a_run_of_the_last_week_with_a_rate", "y" * 120])
def test_a_run_s_name_takes_two_lines_and_its_step_is_always_whole(tmp_path, name):
    grid = histograms(
        [write_run(tmp_path / f"{name}.h5", weights=("w",)), write_run(tmp_path / "b.h5", weights=("w",))]
    )
    figure = grid[0, 0].figure
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    *shown, step = grid[0, 0].get_ylabel().split("\n")
    assert step == "step 120"
    assert 1 <= len(shown) <= 2
    start, _, end = "".join(shown).removesuffix(",").partition("\u2026")
    assert name.startswith(start)
    assert name.endswith(end)
    assert len(start) + len(end) > 25
    long, short = (ax.yaxis.label.get_window_extent() for ax in grid[:, 0])
    assert long.y0 > short.y1
    assert long.height <= 1.05 * grid[0, 0].bbox.height


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


# --- linear axes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", ["linear", "semilogy"])
def test_on_a_linear_axis_bars_and_line_are_densities_of_x_of_area_one(scale):
    values = np.random.default_rng(10).lognormal(-1, 0.7, size=20_000)
    ax = histogram(values, scale=scale)
    density, edges, _ = bars(ax)
    assert np.sum(density * np.diff(edges)) == pytest.approx(1, abs=1e-9)
    x, y = ax.lines[0].get_data()
    assert np.trapezoid(y, x) == pytest.approx(1, abs=2e-3)
    np.testing.assert_allclose(y, lognorm.pdf(x, np.log(values).std(), scale=np.exp(np.log(values).mean())), rtol=0.02)
    assert ax.get_xscale() == "linear"
    assert ax.get_ylabel() == "density of x [1 / unit of x]"


def test_a_uniform_law_is_flat_in_x_and_rises_in_ln_x():
    values = np.random.default_rng(11).uniform(size=500_000)
    flat, _, _ = bars(histogram(values, scale="linear"))
    np.testing.assert_allclose(flat[1:], 1, atol=0.05)
    rising, edges, _ = bars(histogram(values, scale="log"))
    assert np.all(np.diff(rising[edges[:-1] > 0.1]) > 0)


def test_the_numbers_beside_are_the_same_on_every_axis():
    values = np.random.default_rng(12).lognormal(size=5_000)
    logarithmic, linear = (said(histogram(values, scale=scale)) for scale in ("log", "linear"))
    assert linear.startswith(logarithmic)
    assert re.search(r"law beyond the largest [\d.]+ %", linear)


def test_semilogy_shows_a_single_value_in_the_last_bar():
    ax = histogram(np.append(np.random.default_rng(13).uniform(0.1, 1, size=3_000), 3.0), scale="semilogy")
    density, _, _ = bars(ax)
    assert ax.get_yscale() == "log"
    assert 0 < ax.get_ylim()[0] < density[density > 0].min()


def test_a_needle_of_the_law_near_zero_does_not_squeeze_the_bars():
    ax = histogram(np.random.default_rng(14).lognormal(0, 3, size=4_000), scale="linear")
    density, _, _ = bars(ax)
    assert ax.get_ylim()[1] < 6 * density.max()


def test_bins_joined_in_x_keep_every_value():
    edges, counts = sketch_of(np.random.default_rng(15).normal(size=5_000)).histogram(1)
    cuts, density = joined_linear(edges, counts)
    assert np.isin(cuts, edges).all()
    assert (cuts[0], cuts[-1]) == (edges[0], edges[-1])
    assert np.sum(density * np.diff(cuts)) == pytest.approx(1)


def test_histograms_share_linear_axes(tmp_path):
    run = write_run(tmp_path / "a.h5", weights=("fc1.weight", "fc2.weight"))
    grid = histograms([run], scale="semilogy")
    assert {ax.get_yscale() for ax in grid.flat} == {"log"}
    assert len({ax.get_ylim() for ax in grid.flat}) == 1
    assert grid[0, 0].figure.get_supylabel() == "density of x [1 / unit of x]"


def test_an_unknown_scale_is_refused():
    with pytest.raises(InputError, match="scale is 'logarithmic', but it must be one of 'log', 'linear', 'semilogy'"):
        histogram(np.ones(3), scale="logarithmic")
