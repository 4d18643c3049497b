"""The text and the numbers of a report, in every format, and the command that writes it."""

import csv
import io
import itertools
import json
import math
import os
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
import typer

import infoplane as ip
from infoplane.analysis.lognormal import lognormal_jsd
from infoplane.cli.report import report as report_command
from infoplane.errors import InputError, RunFileError
from infoplane.reports.page.run_data import run_data
from infoplane.reports.run_report import COLUMNS, run_report
from infoplane.reports.run_sentences import bits, duration
from infoplane.training import read_settings, train

KILLED = """
import importlib.util, os, signal, sys
spec = importlib.util.spec_from_file_location("made", sys.argv[1])
made = importlib.util.module_from_spec(spec)
spec.loader.exec_module(made)
made.write_run(sys.argv[2], rows=5, close=False)
os.kill(os.getpid(), signal.SIGKILL)
"""


def report(*arguments):
    """Run the command; what it refuses is raised."""
    app = typer.Typer()
    app.command()(report_command)
    return app(args=[str(one) for one in arguments], standalone_mode=False)


def text_of(section):
    return json.dumps(section, ensure_ascii=False)


def section(data, name):
    return next(one for one in data["sections"] if one["id"] == name)


def test_the_first_sentences_say_what_was_run_and_what_came_out(two_runs):
    said = run_report(two_runs[:1]).to_markdown()
    assert "A network (mlp (Sequential), 1,234 parameters) learned digits" in said
    assert "by the method baseline, for 12 epochs, seed 3, on cpu." in said
    assert re.search(r"The run finished at \d{4}-\d\d-\d\d \d\d:\d\d \(UTC\) after", said)
    assert "with 12 rows of the plane, the last at epoch 12 (step 120)" in said
    assert "The network's error at its last row is 4.17 % on the split test, n = 450 inputs" in said
    assert "N = 16, beta = 0.001, 120 probe steps" in said


def test_a_seed_of_the_probes_is_called_that(tmp_path, make_run):
    for name, configuration in (("own", {"seed": 3}), ("probes", {"rate": 0.1})):
        make_run(tmp_path / f"{name}.h5", rows=2, provenance={"seed": 3, "configuration": configuration})
    own, probes = (run_report([tmp_path / f"{name}.h5"]).to_markdown() for name in ("own", "probes"))
    assert ", seed 3" in own
    assert "probes' seed" not in own
    assert ", probes' seed 3" in probes
    assert "3 (probes')" in probes
    assert "the file does not say that of the training" in probes


def test_each_site_is_set_against_its_control_with_the_paired_error(two_runs):
    with ip.open_run(two_runs[0]) as run:
        view = run.plane()
        at = {str(q): k for k, q in enumerate(view["quantity"])}
        values, pairs = view.read("values", -1), view.read("covariance_i_zx", -1)
    k, control = 0, 2
    difference = values[k, at["i_zx"]] - values[control, at["i_zx"]]
    error = math.sqrt(pairs[k, k] + pairs[control, control] - 2 * pairs[k, control])
    site = run_data(two_runs[:1])["runs"][0]["last"]["sites"][0]
    assert site["rate_change"]["value"] == pytest.approx(difference)
    assert site["rate_change"]["error"] == pytest.approx(error)
    # The two share their inputs: paired, they differ more clearly than two measurements of their own would.
    assert error < 0.8 * math.hypot(values[k, at["se_i_zx"]], values[control, at["se_i_zx"]])
    label = values[k, at["i_zy"]] - values[control, at["i_zy"]]
    assert site["label_change"]["value"] == pytest.approx(label)
    assert site["control_label_bound"]["value"] == pytest.approx(values[control, at["i_zy"]])
    assert f"{abs(difference):.2f} ± {error:.2f} below its control's" in run_report(two_runs[:1]).to_markdown()


def test_a_run_without_control_says_what_that_leaves_open(tmp_path, make_run):
    make_run(tmp_path / "run.h5", rows=3, control=False)
    assert "No control was recorded" in run_report([tmp_path / "run.h5"]).to_markdown()


def test_a_rate_beyond_log_n_says_nothing_about_these_inputs(tmp_path, make_run):
    make_run(tmp_path / "far.h5", rows=3, shift=100.0)
    make_run(tmp_path / "near.h5", rows=12)
    assert "beyond log2 n = 8.81 bit, so it says nothing" in run_report([tmp_path / "far.h5"]).to_markdown()
    assert "so it says nothing" not in run_report([tmp_path / "near.h5"]).to_markdown()


def test_a_killed_run_is_read_up_to_its_last_row_and_said_to_be_killed(tmp_path):
    path, made = tmp_path / "killed.h5", os.path.join(os.path.dirname(__file__), "conftest.py")
    process = subprocess.run([sys.executable, "-c", KILLED, made, str(path)], capture_output=True, text=True)
    assert process.returncode == -9, process.stderr
    data = run_data([path])
    assert data["runs"][0]["status"] == "killed"
    assert data["runs"][0]["plane"]["step"] == [10, 20, 30, 40, 50]
    assert "The run was killed" in text_of(section(data, "summary"))


def test_a_run_that_is_being_written_is_read_as_far_as_it_is(tmp_path, make_run):
    writer = make_run(tmp_path / "run.h5", rows=4, close=False)
    try:
        data = run_data([tmp_path / "run.h5"])
    finally:
        writer.close()
    assert data["runs"][0]["status"] == "recording"
    assert data["runs"][0]["plane"]["of"] == 4
    assert "what it has measured so far" in text_of(section(data, "summary"))


def test_rows_that_are_left_out_are_said_and_the_last_one_stays(tmp_path, make_run):
    make_run(tmp_path / "run.h5", rows=50)
    plane = run_data([tmp_path / "run.h5"], rows=10)["runs"][0]["plane"]
    assert (plane["drawn"], plane["of"], plane["every"]) == (10, 50, 6)
    assert (plane["step"][0], plane["step"][-1]) == (10, 500)
    assert all(len(probe["i_zx"]) == plane["drawn"] for probe in plane["probes"])


def test_points_that_are_not_finite_are_null_and_never_nan(tmp_path, make_run):
    make_run(tmp_path / "run.h5", rows=3, shift=math.nan)
    text = run_report([tmp_path / "run.h5"]).to_json()
    data = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert data["runs"][0]["plane"]["probes"][0]["i_zx"] == [None, None, None]


def test_findings_stand_with_what_to_do_and_at_the_rows_they_are_about(two_runs):
    data = run_data(two_runs)
    assert "what to do: a larger beta gives less" in text_of(section(data, "findings"))
    hidden2 = next(p for p in data["runs"][0]["plane"]["probes"] if p["probe"] == "hidden2")
    assert hidden2["findings"] == {"lower_above_upper": list(range(12))}
    assert data["runs"][0]["plane"]["unusable"] == ["lower_above_upper"]
    assert data["runs"][1]["plane"]["unusable"] == []


def test_the_divergences_are_those_of_the_report_on_them(two_runs):
    found = run_data(two_runs[:1])["runs"][0]["divergence"]
    rows = ip.reports.jsd(two_runs[0]).rows
    assert [(one["stream"], one["name"], one["divergence"]) for one in found] == [
        (row.stream, row.name, pytest.approx(row.divergence)) for row in rows
    ]


def test_two_arms_are_judged_and_one_run_is_not(two_runs):
    data = run_data(two_runs)
    assert {one["metric"] for one in data["comparison"]} == {"error", "i_zx", "i_zy"}
    assert {one["verdict"] for one in data["comparison"]} == {"undecided"}
    assert "One seed never decides" in text_of(section(data, "comparison"))
    assert run_data(two_runs[:1])["comparison"] == []


def test_runs_that_have_not_ended_are_not_judged(tmp_path, make_run, two_runs):
    writer = make_run(tmp_path / "run.h5", rows=4, close=False)
    try:
        data = run_data([two_runs[0], tmp_path / "run.h5"])
    finally:
        writer.close()
    assert data["comparison"] == []
    assert "Nothing is judged before every run has ended" in text_of(section(data, "comparison"))


def test_a_comparison_of_one_seed_has_no_more_decimals_than_its_unit_is_read_by(two_runs):
    blocks = section(run_data(two_runs), "comparison")["blocks"]
    rows = next(block for block in blocks if block["kind"] == "table")["rows"]
    assert [row[0]["name"] for row in rows][:2] == ["error [%]", "i_zx hidden1 [bit]"]
    assert rows[0][2:5] == ["4.17", "4.17", "+0.00"]
    assert [len(cell.partition(".")[2]) for cell in rows[1][2:5]] == [3, 3, 3]
    assert rows[1][4] == "+2.000"


def test_of_many_runs_the_first_seed_of_each_setting_is_told_and_drawn(two_settings):
    data = run_data(two_settings)
    assert [run["setting"] for run in data["runs"]] == [0] * 4 + [1] * 4
    assert [run["name"] for run in data["runs"] if run["drawn"]] == [
        "a_name_that_is_much_longer_than_a_panel_is_wide,seed=0",
        "synscaw,seed=0",
    ]
    said = run_report(two_settings).to_markdown()
    assert "8 runs of 2 settings apart from their seeds: 8 finished." in said
    assert re.findall(r"### (.*)seed=0, the first of 4 runs of its setting", said) == [
        "a_name_that_is_much_longer_than_a_panel_is_wide,",
        "synscaw,",
    ]
    first, second = (said.index(text) for text in ("Method synscaw, 4 runs (", "### "))
    assert first < second
    assert "hidden1 i_zx 6.549 to 6.849, i_zy 3.079 bit" in said
    assert "The other 6 runs stand in the table of last rows. They are not drawn on the charts until ticked" in said


def test_what_is_said_of_the_other_runs_is_true_where_all_are_drawn(two_settings):
    data = run_data(two_settings[:5])
    assert all(run["drawn"] for run in data["runs"])
    assert "The other 3 runs stand in the table of last rows and on the charts." in text_of(section(data, "summary"))


@pytest.mark.parametrize(
    ("quantities", "said"),
    [
        ({"i_zx": 6.0, "i_zx_upper": 7038.9}, "between 5.500 and 7,038.9 bit, from above no narrower than the rate;"),
        ({"i_zx": 90.0, "i_zx_upper": 20.9}, "and 20.9 bit, from above no narrower than log2 n = 8.81 bit;"),
        ({"i_zx": 90.0, "i_zx_upper": 7.5}, "and 7.500 bit; I(Z;Y)"),
        (
            {"i_zy": -0.0993},
            "the lower bound on I(Z;Y), -0.099 ± 0.034 bit of H(Y) = 3.320 bit, is below 0 and says nothing",
        ),
        ({"i_zy": 0.5}, "I(Z;Y) at least 0.500 ± 0.034 bit (lower bound) of H(Y)"),
    ],
)
def test_a_bound_that_says_nothing_is_said_to_say_nothing(tmp_path, make_run, quantities, said):
    make_run(tmp_path / "run.h5", rows=2, quantities=quantities)
    text = run_report([tmp_path / "run.h5"]).to_markdown()
    assert said in text
    assert ("at least" in text) == (quantities.get("i_zy", 1) >= 0)


def test_one_step_and_one_draw_are_singular(tmp_path, make_run):
    make_run(tmp_path / "run.h5", rows=1, updates=1, attrs={"draws": 1})
    assert "1 probe step, 1 draw per input" in run_report([tmp_path / "run.h5"]).to_markdown()


def test_a_finding_stands_with_the_n_of_each_run(tmp_path, make_run):
    for n in (450, 90):
        make_run(tmp_path / f"of{n}.h5", rows=1, inputs=n)
    blocks = section(run_data([tmp_path / "of450.h5", tmp_path / "of90.h5"]), "findings")["blocks"]
    held = {text_of(a["text"]): text_of(b["items"]) for a, b in itertools.pairwise(blocks) if b["kind"] == "list"}
    assert len(held) == 2
    for text, runs in held.items():
        (n,) = re.findall(r"of the (\d+) inputs", text)
        assert re.findall(r"of(?:450|90)(?=\")", runs) == [f"of{n}"]


def test_rows_that_were_written_and_cannot_be_read_are_counted(tmp_path, make_run, capsys):
    make_run(tmp_path / "run.h5", rows=4)
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        for one in file["entry/plane"].values():
            if isinstance(one, h5py.Dataset) and one.maxshape[:1] == (None,):
                one.resize(0, axis=0)
    report(tmp_path / "run.h5", "--format", "md")
    out, err = capsys.readouterr()
    assert "4 rows of the plane were written, but none can be read." in out
    assert "has no row of the plane" not in out
    assert err == f"{tmp_path / 'run.h5'} is damaged; the report says what of it cannot be read\n"


def test_settings_that_runs_share_stand_once(two_runs):
    tables = [b for b in section(run_data(two_runs), "provenance")["blocks"] if b["kind"] == "table"]
    shared, *own = [{row[0]["name"]: row[1]["name"] for row in table["rows"]} for table in tables]
    assert shared["data.name"] == "digits"
    assert [one["configuration.method"] for one in own] == ["baseline", "synscaw"]
    assert not any("data.name" in one for one in own)


def test_names_of_files_stay_markup_free_in_markdown(tmp_path, make_run):
    make_run(tmp_path / "run.h5", rows=2, sites=("a|b*<i>[x](http://elsewhere)",))
    said = run_report([tmp_path / "run.h5"]).to_markdown()
    assert r"a\|b\*\<i>\[x](http://elsewhere)" in said


def test_csv_holds_every_number_with_unit_kind_and_error(tmp_path, make_run):
    make_run(tmp_path / "run.h5", rows=3, sites=("=cmd()",))
    lines = list(csv.DictReader(io.StringIO(run_report([tmp_path / "run.h5"]).to_csv())))
    assert tuple(lines[0]) == COLUMNS
    rate = next(one for one in lines if one["part"] == "plane" and one["name"] == "i_zx")
    assert rate["place"] == "'=cmd()"
    assert (rate["unit"], rate["kind"], rate["n"], rate["standard_error"]) == ("bit", "upper_bound", "450", "0.21")
    parts = {one["part"] for one in lines}
    assert {"run", "plane", "metrics", "divergence of weights", "findings of plane", "provenance"} <= parts


def test_json_has_the_same_keys_whatever_the_run_has(tmp_path, make_run, two_runs):
    make_run(tmp_path / "empty.h5", rows=0, control=False)
    full, empty = run_data(two_runs[:1]), run_data([tmp_path / "empty.h5"])
    assert list(full) == list(empty)
    assert list(full["runs"][0]) == list(empty["runs"][0])
    assert list(full["runs"][0]["plane"]) == list(empty["runs"][0]["plane"])
    assert [one["id"] for one in full["sections"]] == [one["id"] for one in empty["sections"]]
    assert (full["schema"], full["version"]) == ("infoplane.report", 1)


def test_two_runs_of_one_name_are_told_apart(tmp_path, make_run):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        make_run(tmp_path / folder / "run.h5", rows=2)
    names = [run["name"] for run in run_data([tmp_path / "a" / "run.h5", tmp_path / "b" / "run.h5"])["runs"]]
    assert len(set(names)) == 2


def test_a_run_twice_is_refused(two_runs):
    with pytest.raises(InputError, match="is there twice"):
        run_report([two_runs[0], two_runs[0]])


def test_a_file_that_is_no_run_is_refused_by_name(tmp_path):
    (tmp_path / "x.h5").write_text("no run")
    with pytest.raises(RunFileError, match=r"x\.h5"):
        run_report([tmp_path / "x.h5"])


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (93.117, 1.43, "93.1 ± 1.4"),
        (0.0541, 0.0329, "0.054 ± 0.033"),
        (3.3219, math.nan, "3.322"),
        (math.nan, 1.0, "not finite"),
    ],
)
def test_numbers_have_the_decimals_that_their_error_allows(value, error, text):
    assert bits(value, error) == text


@pytest.mark.parametrize(("seconds", "text"), [(57, "57 s"), (73, "1 min 13 s"), (3600, "1 h"), (90_061, "1 d 1 h")])
def test_times_are_said_in_their_two_largest_units(seconds, text):
    assert duration(seconds) == text


def test_the_command_writes_what_the_ending_says(tmp_path, two_runs):
    for ending, begin in (("md", "# infoplane"), ("csv", "run,part,"), ("json", "{")):
        report(*two_runs, "-o", tmp_path / f"report.{ending}")
        assert (tmp_path / f"report.{ending}").read_text(encoding="utf-8").startswith(begin)


def test_the_command_writes_a_page_that_holds_its_data(tmp_path, two_runs):
    pytest.importorskip("jinja2", reason="the extra html is not installed")
    pytest.importorskip("plotly", reason="the extra html is not installed")
    report(*two_runs, "-o", tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "What was run, and what came out" in text


def test_without_a_file_the_text_goes_to_the_screen_and_a_page_is_refused(two_runs, capsys):
    report(*two_runs, "--json")
    assert json.loads(capsys.readouterr().out)["schema"] == "infoplane.report"
    report(two_runs[0], "--format", "md")
    assert capsys.readouterr().out.startswith("# infoplane: baseline")
    with pytest.raises(InputError, match="a page needs a file"):
        report(two_runs[0])


def test_the_command_replaces_nothing_unasked_and_makes_no_folder(tmp_path, two_runs):
    target = tmp_path / "report.md"
    target.write_text("mine")
    with pytest.raises(InputError, match="--force replaces it"):
        report(two_runs[0], "-o", target)
    assert target.read_text() == "mine"
    report(two_runs[0], "-o", target, "--force")
    assert target.read_text().startswith("# infoplane")
    with pytest.raises(InputError, match="there is no folder"):
        report(two_runs[0], "-o", tmp_path / "nowhere" / "report.md")
    assert not (tmp_path / "nowhere").exists()


def test_the_command_never_writes_over_a_run(two_runs):
    before = two_runs[0].read_bytes()
    with pytest.raises(InputError, match="one of the run files"):
        report(*two_runs, "-o", two_runs[0], "--format", "json", "--force")
    assert two_runs[0].read_bytes() == before


def test_an_ending_that_says_no_format_is_refused(tmp_path, two_runs):
    with pytest.raises(InputError, match=r"does not end in \.html, \.md, \.csv or \.json"):
        report(two_runs[0], "-o", tmp_path / "report.txt")
    with pytest.raises(InputError, match="two formats"):
        report(two_runs[0], "--json", "--format", "md")


@pytest.mark.parametrize(
    ("options", "name", "said"),
    [
        (["--json"], "r.html", r"ends in \.html, but --json writes another format"),
        (["--json"], "r.md", r"ends in \.md, but --json"),
        (["--format", "json"], "r.markdown", r"ends in \.markdown, but --format json"),
        (["--format", "html"], "r.CSV", r"ends in \.csv, but --format html"),
    ],
)
def test_a_format_under_the_ending_of_another_is_refused(tmp_path, two_runs, options, name, said):
    with pytest.raises(InputError, match=said):
        report(two_runs[0], *options, "-o", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_ending_that_says_nothing_takes_any_format(tmp_path, two_runs):
    report(two_runs[0], "--format", "md", "-o", tmp_path / "r.txt")
    assert (tmp_path / "r.txt").read_text(encoding="utf-8").startswith("# infoplane")


@pytest.mark.parametrize("options", [(), ("--force",)])
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_no_place_for_a_report(tmp_path, two_runs, options):
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(InputError, match="is a device or a pipe"):
        report(two_runs[0], "-o", tmp_path / "pipe.md", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe.md"]


@pytest.mark.parametrize("there", [False, True])
def test_a_report_that_finds_no_room_leaves_what_was_there(tmp_path, two_runs, there):
    resource = pytest.importorskip("resource", reason="files have no limit here")
    target = tmp_path / "r.json"
    if there:
        target.write_text("mine")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(RunFileError, match=r"r\.json: cannot be written \(File too large\)"):
            report(two_runs[0], "-o", target, "--force")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.json", "mine")] * there


def test_an_interrupted_report_leaves_what_was_there(tmp_path, two_runs, monkeypatch):
    def interrupted(new):
        assert new.path.stat().st_size > 1000
        raise KeyboardInterrupt

    monkeypatch.setattr("infoplane.runfile.new_file.NewFile.replace", interrupted)
    target = tmp_path / "r.json"
    target.write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        report_command([two_runs[0]], out=target, force=True)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.json", "mine")]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="there is no folder in which nothing can be made")
def test_a_folder_that_takes_no_file_is_named(two_runs):
    with pytest.raises(RunFileError, match=r"/proc/x\.md: cannot be written \(nothing can be made in /proc\)"):
        report(two_runs[0], "-o", "/proc/x.md")


def test_of_real_labels_i_zy_is_an_estimate_and_no_entropy_its_limit(tmp_path):
    settings = read_settings(
        None,
        {
            "data.name": "diabetes",
            "model.hidden": (8,),
            "training.epochs": 1,
            "probes.latent": 2,
            "probes.control": False,
        },
    )
    train(settings, tmp_path / "run.h5", quiet=True)
    data = run_data([tmp_path / "run.h5"])
    summary, rows = (text_of(section(data, name)) for name in ("summary", "rows"))
    assert "bit (estimate)" in summary
    assert "H(Y)" not in summary
    assert "% (1 - R²)" in summary
    assert "i_zy: an estimate of I(Z;Y)" in rows
    assert "lower bound" not in rows
    assert data["runs"][0]["plane"]["h_y"] is None
    assert data["runs"][0]["plane"]["kinds"]["i_zy"] == "estimate"


def test_the_histograms_of_the_charts_have_area_one_and_the_fit_of_the_table(two_runs):
    with ip.open_run(two_runs[0]) as run:
        name = run.sketch_names("weights")[0]
        fit = lognormal_jsd(run.sketch("weights", name), bootstrap=0)
    (layer,) = (one for one in run_data(two_runs[:1])["runs"][0]["histograms"] if one["name"] == name)
    last = layer["rows"][-1]
    assert np.sum(np.diff(np.log(last["edges"])) * last["density"]) == pytest.approx(1)
    assert (last["mu"], last["sigma"]) == pytest.approx((fit.mu, fit.sigma), rel=1e-5)  # six digits are sent
    assert fit.mu != pytest.approx(fit.sigma)
