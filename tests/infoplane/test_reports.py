"""The divergence report: its numbers against closed forms and direct computation, and each form it is written in."""

import csv
import math

import numpy as np
import pytest

import infoplane as ip
from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.analysis.sketch import LogHistogram
from infoplane.analysis.sketch_pooling import pooled
from infoplane.errors import InputError, RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.reports import JSDReport, jsd
from infoplane.runfile.schema import run_streams
from infoplane.runfile.writer import RunWriter
from infoplane.text_table import aligned, markdown


def sketch_of(values):
    sketch = LogHistogram()
    sketch.update(values)
    return sketch.summary()


def write_run(path, rows, *, activations=None):
    """Write the sketches of dictionaries of values by name, a row per dictionary, at steps 10, 20, ..."""
    names = tuple(rows[0]) if rows else ("w",)
    probe = ProbeInfo("fc1", "fc1", "trained", 1e-3, 8)
    with RunWriter(path) as writer:
        streams = run_streams(probes=[probe], parameters=names, sites=tuple(activations or ()))
        writer.start(streams, {"seed": 0})
        for k, row in enumerate(rows):
            _append(writer, "weights", 10 * (k + 1), row)
        if activations:
            _append(writer, "activations", 10, activations)
    return path


def _append(writer, stream, step, values):
    sketches = [sketch_of(value) for value in values.values()]
    counts, scalars = (np.stack([getattr(s, name) for s in sketches]) for name in ("counts", "scalars"))
    writer.append(stream, step, epoch=float(step), counts=counts, scalars=scalars)


@pytest.fixture
def values():
    generator = np.random.default_rng(0)
    return {
        "uniform": generator.uniform(-3, 3, size=400_000),
        "normal": np.append(generator.normal(size=400_000), np.zeros(100_000)),
    }


@pytest.fixture
def run_path(tmp_path, values):
    activations = {"fc1": np.maximum(0, np.random.default_rng(1).normal(size=50_000))}
    return write_run(tmp_path / "baseline.h5", [{k: 2 * v for k, v in values.items()}, values], activations=activations)


def by_name(report):
    return {(row.run, row.stream, row.name): row for row in report.rows}


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_rows_are_layers_and_all_of_them_by_stream(run_path):
    report = jsd([run_path])
    assert [(row.stream, row.name) for row in report.rows] == [
        ("weights", "uniform"),
        ("weights", "normal"),
        ("weights", "(all)"),
        ("activations", "fc1"),
        ("activations", "(all)"),
    ]


def test_divergences_are_those_in_closed_form(run_path):
    rows = by_name(jsd([run_path]))
    uniform, normal = rows["baseline", "weights", "uniform"], rows["baseline", "weights", "normal"]
    assert uniform.divergence == pytest.approx(0.147027, abs=6e-4)
    assert normal.divergence == pytest.approx(0.053954, abs=6e-4)
    assert uniform.distance == pytest.approx(math.sqrt(uniform.divergence))
    assert (uniform.unit, uniform.step) == ("bit", 20)
    assert uniform.mu == pytest.approx(math.log(3) - 1, abs=0.01)
    assert normal.zero_fraction == pytest.approx(0.2)
    assert 0 < normal.floor < 1e-3


def test_base_and_row_are_respected(run_path):
    nats = by_name(jsd([run_path], base=math.e, row=0))["baseline", "activations", "fc1"]
    assert nats.unit == "nat"
    assert nats.divergence == pytest.approx(0.037398, abs=2e-3)
    first, last = (by_name(jsd(run_path, row=row))["baseline", "weights", "uniform"] for row in (0, -1))
    assert first.mu - last.mu == pytest.approx(math.log(2), abs=1e-6)
    assert (first.step, last.step) == (10, 20)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_pooled_sketch_is_the_sketch_of_all_values(order):
    generator = np.random.default_rng(2)
    parts = [
        np.concatenate([generator.normal(size=3_000), [0.0, np.nan, np.inf, 1e-20, 1e20]]),
        -generator.lognormal(3, 2, size=500),
        np.zeros(7),
    ]
    together, whole = pooled([sketch_of(parts[k]) for k in order]), sketch_of(np.concatenate(parts))
    np.testing.assert_array_equal(together.counts, whole.counts)
    np.testing.assert_allclose(together.scalars, whole.scalars, rtol=2e-4, atol=2e-4)
    # The counts and the extremes are exact; only the moments depend on how the bins were cut at the extremes.
    for name in ("n", "zeros", "nans", "infinities", "underflow_positive", "overflow_positive", "maximum_negative"):
        assert together[name] == whole[name]


def test_pooled_row_is_the_divergence_of_all_values(tmp_path, values):
    row = by_name(jsd([write_run(tmp_path / "run.h5", [values])]))["run", "weights", "(all)"]
    direct = lognormal_jsd(np.concatenate(list(values.values())))
    assert row.n == direct.n
    assert row.divergence == pytest.approx(direct.divergence, rel=0.02)
    assert row.sigma == pytest.approx(direct.sigma, rel=1e-3)
    assert row.zero_fraction == pytest.approx(direct.zero_fraction)


def test_findings_of_the_estimate_are_kept(tmp_path):
    values = {"w": np.append(np.random.default_rng(3).lognormal(size=300), [np.nan, np.inf])}
    row = jsd([write_run(tmp_path / "run.h5", [values])]).rows[0]
    assert [text.partition(":")[0] for text in row.findings] == ["nonfinite", "floor"]


# --- what is missing --------------------------------------------------------------------------------------------------


def test_a_missing_stream_has_a_row_that_says_so(tmp_path, values):
    report = jsd([write_run(tmp_path / "bare.h5", [values])])
    row = report.rows[-1]
    assert (row.stream, row.step, row.n) == ("activations", None, 0)
    assert math.isnan(row.divergence)
    for text in (str(report), report.to_markdown()):
        assert "this run recorded no activations" in text


def test_a_stream_without_rows_says_so(tmp_path):
    report = jsd([write_run(tmp_path / "early.h5", [])])
    assert "no weights have been measured yet" in str(report)


def test_bad_files_rows_and_bases_are_refused(tmp_path, run_path):
    with pytest.raises(RunFileError, match="none"):
        jsd([tmp_path / "none.h5"])
    with pytest.raises(InputError, match="no row 5"):
        jsd([run_path], row=5)
    with pytest.raises(InputError, match="base"):
        jsd([run_path], base=1)
    with pytest.raises(InputError, match="at least one"):
        jsd([])


# --- forms ------------------------------------------------------------------------------------------------------------


def test_one_path_an_open_run_and_the_public_name_do_too(run_path):
    with ip.open_run(run_path) as run:
        report = ip.reports.jsd(run)
        assert len(run.weights()) == 2
    assert report == jsd(str(run_path)) == jsd([run_path])


def test_runs_of_one_name_are_told_apart(tmp_path, values):
    paths = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        paths.append(write_run(tmp_path / folder / "run.h5", [values]))
    assert {row.run for row in jsd(paths).rows} == {str(path) for path in paths}


def test_table_fits_a_screen_of_100_columns(tmp_path, values):
    long = {f"backbone.layer{k}.0.some_very_long_module_name.weight": v for k, v in enumerate(values.values())}
    text = str(jsd([write_run(tmp_path / ("a_long_name_of_a_run_" * 3 + ".h5"), [long])]))
    assert max(map(len, text.splitlines())) <= 100
    assert "compare within your own runs only" in text
    assert "divergence in bit (0 to 1)" in text
    assert "400,000" not in text  # positive values are counted, not all
    assert "…" in text


def test_the_positive_values_are_named_with_their_share_of_all(tmp_path):
    draws = np.random.default_rng(5).lognormal(size=1000)
    signs = {
        "half": np.where(np.arange(1000) % 2, draws, -draws),
        "most": np.where(np.arange(1000) % 10, draws, -draws),
    }
    signs["half"][0] = np.nan  # is neither positive nor negative, and no part of the share
    report = jsd([write_run(tmp_path / "run.h5", [signs])])
    assert [row.positive_fraction for row in report.rows[:2]] == [pytest.approx(500 / 999), 0.9]
    assert "n positive values alone" in str(report)
    assert "positive are 50.1 to 90.0 % of weights" in str(report).replace("\n", " ")
    assert max(map(len, str(report).splitlines())) <= 100
    assert "| 500 | 50.1 % | 0.0 % |" in report.to_markdown()


def test_closing_line_knows_the_largest_value_of_the_base(run_path):
    assert "divergence in nat (0 to 0.693)" in str(jsd([run_path], base=math.e))
    assert " (0 to 0.301)" in str(jsd([run_path], base=10))


def test_csv_holds_every_number_unrounded(tmp_path, values):
    report = jsd([write_run(tmp_path / "run.h5", [values])])
    report.to_csv(tmp_path / "jsd.csv")
    with (tmp_path / "jsd.csv").open(newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == [
        *("run", "stream", "name", "step", "divergence", "distance", "floor"),
        *("mu", "sigma", "n", "zero_fraction", "positive_fraction", "unit", "findings"),
    ]
    for line, row in zip(read[:-1], report.rows[:-1], strict=True):
        assert [float(line[name]) for name in ("divergence", "floor", "mu")] == [row.divergence, row.floor, row.mu]
    assert (read[-1]["divergence"], read[-1]["step"]) == ("", "")
    assert read[-1]["findings"].startswith("missing:")


def test_dataframe_has_a_row_each_and_numbers_as_numbers(run_path):
    report = jsd([run_path])
    frame = report.to_dataframe()
    assert len(frame) == len(report.rows)
    assert frame["divergence"].tolist() == [row.divergence for row in report.rows]
    assert frame["step"].tolist() == [20, 20, 20, 10, 10]
    assert str(frame["n"].dtype) == "int64"


def test_markdown_is_a_table_written_as_returned(tmp_path, run_path):
    report = jsd([run_path])
    text = report.to_markdown(tmp_path / "jsd.md")
    assert (tmp_path / "jsd.md").read_text(encoding="utf-8") == text
    lines = text.splitlines()
    assert lines[0].startswith("| run | stream | name | step | divergence | distance | floor |")
    assert len({line.count("|") for line in lines[: 2 + len(report.rows)]}) == 1
    assert "0 to 1" in text


def test_markdown_escapes_what_would_break_the_table():
    text = markdown(["name", "n"], [["a|b\n<c> `d` *e*", "1"]], text_columns=1)
    assert text.splitlines()[2] == r"| a\|b \<c> \`d\` \*e\* | 1 |"


def test_aligned_cuts_names_and_never_numbers():
    text = aligned(["name", "value"], [["x" * 200, "1234567.5"]], text_columns=1, width=40)
    assert text.splitlines()[-1].endswith("  1234567.5")
    assert len(text.splitlines()[-1]) == 40


def test_report_is_a_value(run_path):
    assert isinstance(jsd([run_path]), JSDReport)
    assert jsd([run_path]) == jsd([run_path])
