"""Error and divergence over epochs and over a setting, by what the artists hold."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import t as student

import infoplane as ip
from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.sketch import LogHistogram
from infoplane.errors import InputError
from infoplane.plots import error_and_jsd
from infoplane.plots.setting_words import settings_in_words
from infoplane.plots.ticks import whole_numbers
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import run_streams
from infoplane.runfile.writer import RunWriter

ONE = ProbeInfo("fc1", "fc1", "trained", 1e-3, 4)


def weights_of(seed):
    return np.random.default_rng(seed).normal(size=400)


def write_run(path, *, seed, rate=None, error=0.05, rows=3, sketches=True, epochs=True):
    """Errors fall by a hundredth per epoch from `error` plus a thousandth per seed; weights change in the last row."""
    configuration = {"scaling": {} if rate is None else {"rate": rate}, "seed": seed}
    names = ["w"] if sketches else []
    with RunWriter(path) as writer:
        writer.start(
            run_streams(probes=[ONE], parameters=names, metrics={"loss": "bit", "error": "1"}),
            {"seed": seed, "configuration": configuration, "model": "net"},
        )
        for row in range(rows):
            writer.append(
                "metrics",
                row + 1,
                epoch=row + 1.0 if epochs else np.nan,
                time=0.0,
                values=[1.0, error + seed / 1000 - row / 100],
            )
            if sketches:
                sketch = LogHistogram()
                sketch.update(weights_of(seed) if row < rows - 1 else np.exp(weights_of(seed)))
                summary = sketch.summary()
                counts, scalars = summary.counts[None], summary.scalars[None]
                writer.append("weights", row + 1, epoch=row + 1.0 if epochs else np.nan, counts=counts, scalars=scalars)
    return path


@pytest.fixture
def seeds(tmp_path):
    return [write_run(tmp_path / f"baseline{seed}.h5", seed=seed) for seed in range(3)]


def curves(ax):
    return {line.get_gid(): line for axes in ax.figure.axes for line in axes.lines if line.get_gid()}


def said(ax):
    return " ".join(text.get_text() for text in ax.texts).replace("\n", " ").replace("\u00a0", " ")


def test_the_error_is_on_the_left_in_per_cent_and_the_divergence_on_the_right_in_bit(seeds):
    ax = error_and_jsd(seeds)
    left, right = ax.figure.axes
    assert left is ax
    assert [line.get_gid() for line in left.lines] == ["error"]
    assert [line.get_gid() for line in right.lines] == ["jsd_weights"]
    assert left.get_ylabel() == "test error [%]"
    assert right.get_ylabel() == "JS divergence from log-normal [bit]"
    assert right.spines["right"].get_visible()
    assert left.get_ylabel() != right.get_ylabel()
    assert left.yaxis.label.get_color() == curves(ax)["error"].get_color() != curves(ax)["jsd_weights"].get_color()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["error (left)", "JS divergence of weights (right)"]


def test_curves_are_means_over_seeds_and_bands_students_limits(seeds):
    ax = error_and_jsd(seeds, level=0.9)
    np.testing.assert_allclose(curves(ax)["error"].get_xydata(), [[1, 5.1], [2, 4.1], [3, 3.1]])
    (band,) = [c for c in ax.collections if c.get_gid() == "error band"]
    corners = band.get_paths()[0].vertices
    half = student.ppf(0.95, 2) * 0.1 / np.sqrt(3)
    first = corners[corners[:, 0] == 1][:, 1]
    assert (first.min(), first.max()) == pytest.approx((5.1 - half, 5.1 + half))
    assert "Means of 3 runs; bands: 90 % limits of the mean" in said(ax)


def test_divergences_are_those_of_the_values(seeds):
    first, _, last = curves(error_and_jsd(seeds))["jsd_weights"].get_ydata()
    expected = [
        np.mean([lognormal_jsd(change(weights_of(s)), bootstrap=0).divergence for s in range(3)])
        for change in (np.array, np.exp)
    ]
    assert (first, last) == pytest.approx(expected, rel=0.2)
    rooted = curves(error_and_jsd(seeds[:1], measure="distance"))["jsd_weights"].get_ydata()
    np.testing.assert_allclose(rooted**2, curves(error_and_jsd(seeds[:1]))["jsd_weights"].get_ydata())


def test_one_run_has_no_band_and_says_so(seeds):
    ax = error_and_jsd(seeds[0])
    assert not [c for axes in ax.figure.axes for c in axes.collections]
    assert "One run at each point: no bands." in said(ax)


def test_over_a_setting_the_last_rows_stand_at_its_values(tmp_path, seeds):
    scaled = [
        write_run(tmp_path / f"{rate}-{seed}.h5", seed=seed, rate=rate, error=0.05 + rate)
        for rate in (0.1, 0.2)
        for seed in (0, 1)
    ]
    ax = error_and_jsd([*seeds, *scaled], over="scaling.rate", absent=0)
    np.testing.assert_allclose(curves(ax)["error"].get_xydata(), [[0, 3.1], [0.1, 13.05], [0.2, 23.05]])
    assert ax.get_xlabel() == "scaling rate"
    assert "Means of 2 to 3 runs" in said(ax)
    assert "Last row of each run: epoch 3." in said(ax)
    left_out = error_and_jsd([*seeds, *scaled], over="configuration.scaling.rate")
    np.testing.assert_allclose(curves(left_out)["error"].get_xdata(), [0.1, 0.2])
    assert "Not drawn: 3 runs without this setting." in said(left_out)


def test_groups_have_curves_of_their_own_and_are_told_apart(tmp_path, seeds):
    scaled = [write_run(tmp_path / f"s{seed}.h5", seed=seed, rate=0.5, error=0.04) for seed in (0, 1)]
    ax = error_and_jsd([*seeds, *scaled], by="scaling.rate")
    assert set(curves(ax)) == {"error no rate", "jsd_weights no rate", "error rate 0.5", "jsd_weights rate 0.5"}
    first, second = curves(ax)["error no rate"], curves(ax)["error rate 0.5"]
    assert first.get_color() == second.get_color()
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_markerfacecolor() != second.get_markerfacecolor() == "white"
    np.testing.assert_allclose(second.get_ydata(), [4.05, 3.05, 2.05])


def test_runs_of_different_settings_are_not_averaged_unasked(tmp_path, seeds):
    other = write_run(tmp_path / "other.h5", seed=0, rate=0.5)
    with pytest.raises(InputError, match=r"differ in configuration\.scaling"):
        error_and_jsd([*seeds, other])


def test_what_averaged_runs_also_differ_in_is_said(tmp_path, seeds):
    other = write_run(tmp_path / "other.h5", seed=0, rate=0.5)
    assert "Averaged runs also differ in scaling rate." in said(error_and_jsd([*seeds, other], by="model"))


def test_settings_are_told_in_words_and_what_a_method_stands_for_is_not():
    chosen = ["configuration.method", "configuration.scaling", "configuration.scaling.rate"]
    of_method = [f"configuration.method_configuration.scaling.{name}" for name in ("gamma", "rule", "clip")]
    assert settings_in_words([*chosen, *of_method]) == "method and scaling rate"
    assert settings_in_words(of_method[:1]) == "method configuration scaling gamma"
    assert settings_in_words(["data.a", "data.b", "data.c", "data.d"]) == "data a, data b, data c and 1 more setting"


def test_each_axis_has_the_colour_of_its_curves(seeds):
    ax = error_and_jsd(seeds)
    right = ax.figure.axes[-1]
    assert ax.yaxis.label.get_color() == curves(ax)["error"].get_color()
    assert right.yaxis.label.get_color() == curves(ax)["jsd_weights"].get_color()
    assert ax.yaxis.label.get_color() != right.yaxis.label.get_color()


def test_epochs_are_whole_numbers_but_for_less_than_one_epoch(tmp_path, seeds):
    def ticks(ax):
        low, high = ax.get_xlim()
        return [tick for tick in ax.get_xticks() if low <= tick <= high]

    assert all(tick == round(tick) for tick in ticks(error_and_jsd(seeds)))
    ax = Figure().subplots()
    whole_numbers(ax.xaxis)
    ax.set_xlim(0.945, 1.055)
    assert ticks(ax) == [1]
    ax.set_xlim(0.1, 0.9)
    assert len(ticks(ax)) > 1


def test_runs_without_sketches_are_drawn_without_them_and_it_is_said(tmp_path):
    ax = error_and_jsd(write_run(tmp_path / "plain.h5", seed=0, sketches=False))
    assert list(curves(ax)) == ["error"]
    assert "Not recorded in all runs: JS of weights, JS of activations." in said(ax)


def test_studies_patterns_open_runs_and_own_axes_are_taken(tmp_path, seeds):
    by_study, by_pattern = (error_and_jsd(given) for given in (ip.open_study(seeds), str(tmp_path / "base*.h5")))
    for ax in (by_study, by_pattern):
        assert curves(ax)["error"].get_ydata() == pytest.approx([5.1, 4.1, 3.1])
    mine = Figure(layout="constrained").subplots()
    with ip.open_run(seeds[0]) as run:
        assert error_and_jsd(run, ax=mine, legend=False, caption=False, title="mine") is mine
        assert len(run.metrics()) == 3
    assert (mine.get_title(), mine.get_legend(), said(mine)) == ("mine", None, "")


def test_what_cannot_be_drawn_is_refused(tmp_path, seeds):
    with pytest.raises(InputError, match="no run to draw"):
        error_and_jsd([])
    with pytest.raises(InputError, match=r"no run has a setting 'scaling\.rat'"):
        error_and_jsd(seeds, over="scaling.rat")
    with pytest.raises(InputError, match="measure is 'root'"):
        error_and_jsd(seeds, measure="root")
    with pytest.raises(InputError, match="level is 1"):
        error_and_jsd(seeds, level=1)
    text = write_run(tmp_path / "text.h5", seed=0, rate="high")
    with pytest.raises(InputError, match=r"'high' in .*, but an axis needs finite numbers"):
        error_and_jsd(text, over="scaling.rate")
    many = [write_run(tmp_path / f"m{k}.h5", seed=0, rate=0.1 * k) for k in range(5)]
    with pytest.raises(InputError, match="5 values, but at most 4 groups"):
        error_and_jsd(many, by="scaling.rate")
    with pytest.raises(InputError, match="has no row of"):
        error_and_jsd(write_run(tmp_path / "empty.h5", seed=0, rows=0))


def test_dollars_and_hidden_characters_of_a_setting_are_drawn_as_text(tmp_path):
    run = write_run(tmp_path / "odd.h5", seed=0, rate="$x^2$\u202e")
    ax = error_and_jsd(run, by="scaling.rate")
    ax.figure.canvas.draw()
    assert r"\$x^2\$" in ax.get_legend().get_texts()[0].get_text()
    assert "\u202e" not in ax.get_legend().get_texts()[0].get_text()


def test_rows_without_epochs_are_no_course_over_epochs(tmp_path):
    write_run(tmp_path / "run.h5", seed=0, rate=0.1, epochs=False)
    with pytest.raises(InputError, match=r"run\.h5: its rows have no epochs, which rec\.measure"):
        error_and_jsd(tmp_path / "run.h5", ax=Figure().add_subplot())
    error_and_jsd(tmp_path / "run.h5", over="scaling.rate", ax=Figure().add_subplot())


@pytest.mark.parametrize("rows", [1, 2])
def test_epochs_have_ticks_at_whole_numbers_alone(tmp_path, rows):
    ax = error_and_jsd(write_run(tmp_path / "few.h5", seed=0, rows=rows))
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == round(tick) for tick in ticks)
