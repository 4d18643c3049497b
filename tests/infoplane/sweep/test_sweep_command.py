"""The command: lists with commas, the list of points, exit codes, what goes to stdout and what to stderr."""

import pytest
import typer
from typer.testing import CliRunner

from infoplane.cli.sweep import split_values, sweep
from infoplane.errors import InputError, RunFileError

app = typer.Typer()
app.command()(sweep)


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0,0.03, 0.06", ["0", "0.03", "0.06"]),
        ("[64,64],[32]", ["[64,64]", "[32]"]),
        ("a", ["a"]),
        ("", []),
        ('"a,b",c', ['"a,b"', "c"]),
        ("{a = 1, b = 2},none", ["{a = 1, b = 2}", "none"]),
    ],
)
def test_values_are_parted_at_commas_outside_of_brackets(text, values):
    assert split_values(text) == values


def test_dry_run_lists_the_points_and_writes_nothing(small_file, tmp_path):
    words = [small_file, "--seeds", 2, "--grid", "scaling.rate=0,0.03", "--grid", "model.hidden=[8],[4,4]", "--dry-run"]
    found = run(*words, "--metric", "error", "--out", tmp_path / "runs")
    assert found.exit_code == 0, found.output
    lines = found.stdout.split("\n")
    assert lines[0] == f"{tmp_path}/runs/rate=0,hidden=8,seed=0.h5"
    assert lines[3] == f"{tmp_path}/runs/rate=0.03,hidden=4-4,seed=0.h5"
    assert len(lines) == 9
    assert list(tmp_path.iterdir()) == []


def test_a_table_on_stdout_and_exit_code_1_where_a_point_failed(small_file, tmp_path):
    words = [
        small_file,
        "--grid",
        "optimizer.learning_rate=0.001,1e30",
        "--set",
        "training.epochs=1",
        "--out",
        tmp_path,
    ]
    found = run(*words)
    assert found.exit_code == 1
    assert found.stdout.startswith("2 points: 1 finished, 1 failed\nsetting ")
    assert "infoplane: 2 points; 1 at a time, " in found.stderr
    assert "failed: learning_rate=1e+30,seed=0; why is in the .log" in found.stderr
    again = run(*words, "--dry-run")
    assert (
        again.stdout
        == f"{tmp_path}/learning_rate=0.001,seed=0.h5  finished\n{tmp_path}/learning_rate=1e+30,seed=0.h5\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "two"], "takes how many, or which"),
        (["--grid", "scaling.rate"], "takes NAME=VALUE,..."),
        (["--grid", "scaling.rate=1", "--grid", "scaling.rate=2"], "twice"),
        (["--set", "seed"], "takes NAME=VALUE"),
        (["--seeds", "1,1"], "each once"),
    ],
)
def test_wrong_calls_are_refused(small_file, tmp_path, words, message):
    found = run(small_file, *words, "--out", tmp_path)
    assert isinstance(found.exception, InputError)
    assert message in str(found.exception)


def test_files_of_other_trainings_are_refused_by_a_dry_run_too(small_file, tmp_path):
    (tmp_path / "seed=0.h5").write_text("x")
    assert isinstance(run(small_file, "--dry-run", "--out", tmp_path).exception, RunFileError)
