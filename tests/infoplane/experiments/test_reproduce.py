"""Experiments as a user runs them: smoke scale, folders, refusals, the command."""

import json
from datetime import datetime

import matplotlib as mpl
import pytest
import typer
from typer.testing import CliRunner

from infoplane.cli.reproduce import reproduce as command
from infoplane.errors import DatasetError, InputError
from infoplane.experiments.reproduce import EXPERIMENTS, PaperClaim, reproduce
from infoplane.experiments.reproduce.arms import Arm, train_arms
from infoplane.experiments.reproduce.experiment import Request
from infoplane.experiments.reproduce.judging import judged
from infoplane.runfile.reader import open_run
from infoplane.training import TrainingError


@pytest.fixture(autouse=True)
def no_screen():
    mpl.use("Agg")


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Tables I to III of one set of trainings."""
    mpl.use("Agg")
    out = tmp_path_factory.mktemp("reproduce") / "tables"
    first = reproduce("table1", scale="smoke", out=out, quiet=True)
    before = {path: path.stat().st_mtime_ns for path in out.glob("runs/**/*.h5")}
    rest = [reproduce(name, scale="smoke", out=out, quiet=True) for name in ("table2", "table3")]
    assert {path: path.stat().st_mtime_ns for path in out.glob("runs/**/*.h5")} == before  # nothing is trained again
    return out, (first, *rest)


def test_tables_are_of_one_set_of_runs(tables):
    out, (first, second, third) = tables
    runs = sorted(path.relative_to(out / "runs") for path in out.glob("runs/**/*.h5"))
    assert len(runs) == 12
    assert str(runs[0]) == "mlp-digits/baseline,seed=0.h5"
    assert [len(result.statements) for result in (first, second, third)] == [5, 5, 5]
    for result in (first, second, third):
        table, *_ = result.tables
        assert [row[0] for row in table.cells] == [
            "baseline", "dropout", "vib", "synscaw", "synscaw-stable", "synscal+confidence-penalty"
        ]  # fmt: skip
        assert all(row[-1] == "2" for row in table.cells)
        assert "smoke" in result.notes[0]
    assert [row[1] for row in first.tables[0].cells] == ["1.21", "1.27", "1.17", "1.14", "1.14", "1.05"]


def test_numbers_of_a_table_are_those_of_its_run_files(tables):
    out, (first, *_) = tables
    errors = []
    for seed in (0, 1):
        with open_run(out / "runs" / "mlp-digits" / f"vib,seed={seed}.h5") as run:
            metrics = run.metrics()
            errors.append(100 * metrics["values"][-1, metrics["quantity"].tolist().index("error")])
            plan = run.configuration["plan"]
            assert plan == {"metric": "error", "epoch": "last", "seeds": [0, 1]}  # fixed before the run
    mean = sum(errors) / 2
    sd = abs(errors[0] - errors[1]) / 2**0.5
    shown, spread = (float(part) for part in first.tables[0].cells[2][2].split(" ± "))
    assert shown == pytest.approx(mean, abs=1)
    statement = next(one for one in first.statements if one.claim.startswith("vib"))
    assert float(statement.found.split(" -> ")[1].removesuffix(" %")) == pytest.approx(mean, abs=1)
    baseline = float(first.tables[0].cells[0][2].split(" ± ")[0])
    difference = float(statement.why.partition("B - A = ")[2].partition(" points")[0])
    assert difference == pytest.approx(mean - baseline, abs=2)
    assert spread == pytest.approx(sd, rel=0.1)


def test_all_claims_of_a_call_are_one_family(tables):
    _, (first, *_) = tables
    named = [one for one in first.statements if "Holm" in one.why]
    assert named
    assert all("for 5 claims" in one.why for one in named)
    by_text = {one.claim: one for one in first.statements}
    vib = by_text["vib lowers the classification error (mlp/digits)"]
    assert vib.printed == "1.21 -> 1.17 %"
    assert "Claimed: -0.04 points" in vib.why
    assert "2 paired seeds, 450 images" in vib.why


def test_divergences_have_a_direction_and_no_claimed_size(tables):
    _, (_, second, third) = tables
    for statement in (*second.statements, *third.statements):
        assert "Claimed:" not in statement.why
        assert statement.found.endswith("bit")
    assert second.tables[0].head == ["arm", "paper", "JSD [bit]", "distance", "zeros [%]", "seeds"]
    for row in third.tables[0].cells:
        divergence, distance = (float(cell.split(" ")[0]) for cell in row[2:4])
        assert distance == pytest.approx(divergence**0.5, rel=0.05)
        assert float(row[4].split(" ")[0]) > 1  # rectified activations have zeros


def test_page_and_record_say_the_same(tables):
    out, (first, *_) = tables
    page, record = (out / "table1.md").read_text(), json.loads((out / "table1.json").read_text())
    assert record["experiment"] == "table1"
    assert record["seconds"] > 0
    assert set(record["versions"]) >= {"infoplane", "torch", "numpy"}
    assert [one["verdict"] for one in record["statements"]] == [one.verdict for one in first.statements]
    assert page.count("- **") == 5
    assert "digits is not the paper's mnist" in page
    assert "10.1109/TNNLS.2021.3050422" in page


def test_the_page_says_how_it_was_made(tables):
    out, (first, *_) = tables
    record = json.loads((out / "table1.json").read_text())
    assert record["seeds"] == [0, 1]
    spans = 0.0
    for path in first.files:
        if path.suffix == ".h5":
            with open_run(path) as run:
                spans += (datetime.fromisoformat(run.end_time) - datetime.fromisoformat(run.start_time)).total_seconds()
    assert record["training_seconds"] == round(spans) > 0
    (line,) = (line for line in (out / "table1.md").read_text().splitlines() if line.startswith("Made by"))
    assert f"`{record['command']}`" in line
    assert f"seeds 0, 1. The trainings took {round(spans):,} s" in line
    assert f"torch {record['versions']['torch']}" in line


def test_what_scaling_did_is_that_of_the_run_files(tables):
    out, (first, second, _) = tables
    _, scaled = first.tables
    assert len(second.tables) == 1
    assert [row[0] for row in scaled.cells] == ["synscaw mlp/digits"] * 3 + ["synscaw-stable mlp/digits"] * 3
    before, change, share = [], [], []
    for seed in (0, 1):
        with open_run(out / "runs" / "mlp-digits" / f"synscaw-stable,seed={seed}.h5") as run:
            passes = run.scaling()
            its = dict(zip(passes["quantity"], passes["values"][:, 1].T, strict=True))
            assert passes["layer"][1] == scaled.cells[4][1]
            assert float(scaled.cells[4][2]) == its["target"][0]
        before.append(its["zbar_before"][-1])
        change += list(its["zbar_after"] - its["zbar_before"])
        share += list(100 * its["mean_abs_change"] / its["mean_abs_weight"])
    assert float(scaled.cells[4][3].split(" ± ")[0]) == pytest.approx(sum(before) / 2, rel=0.02)
    assert float(scaled.cells[4][4]) == pytest.approx(sum(change) / 4, rel=0.05)
    assert float(scaled.cells[4][5]) == pytest.approx(sum(share) / 4, rel=0.05)
    assert scaled.cells[4][6] == "2"


def test_arms_and_modes_may_be_chosen(tmp_path):
    result = reproduce(
        "mnist-mi", scale="smoke", out=tmp_path, seeds=1, columns="bottleneck", arms="baseline", quiet=True
    )
    runs = [str(path.relative_to(tmp_path / "runs")) for path in result.files if path.suffix == ".h5"]
    assert runs == ["bottleneck/baseline,seed=0.h5"]
    assert not result.statements
    (table,) = result.tables
    assert [row[0] for row in table.cells] == ["baseline"]
    assert any(note.startswith("Only these arms were run: baseline.") for note in result.notes)
    more = reproduce("mnist-mi", scale="smoke", out=tmp_path, seeds=1, columns="bottleneck", quiet=True)
    assert [row[0] for row in more.tables[0].cells] == ["baseline", "synscaw"]
    assert len(more.statements) == 2  # one seed decides nothing, and is judged all the same
    assert {one.verdict for one in more.statements} == {"undecided"}


def test_a_folder_of_something_else_is_refused(tables, tmp_path):
    out, _ = tables
    with pytest.raises(InputError, match="holds another experiment or scale"):
        reproduce("table1", scale="small", out=out)
    with pytest.raises(InputError, match="holds another experiment or scale"):
        reproduce("fig4", scale="smoke", out=out)
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(InputError, match="has files in it that are of no experiment"):
        reproduce("fig4", out=tmp_path)
    with pytest.raises(InputError, match="is a file"):
        reproduce("fig4", out=tmp_path / "mine.txt")


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("fig8", {}, "the experiment is 'fig8'.*fig3"),
        ("fig4", {"scale": "smal"}, "did you mean 'small'"),
        ("fig7", {"scale": "small"}, "fig7 has no scale 'small'; it has smoke, full"),
        ("fig4", {"seeds": 3}, "fig4 takes no seeds; its options are: none"),
        ("fig6", {"columns": ("mlp/mnist",)}, "fig6 takes no columns"),
        ("table1", {"colums": "a"}, "did you mean 'columns'"),
        ("table1", {"columns": "mlp/mnst"}, "did you mean 'mlp/mnist'"),
        ("table1", {"columns": ("mlp/digits",)}, "has no scale 'small'; it has smoke"),
        ("table5", {"columns": ("irs",)}, "did you mean 'iris'"),
        ("mnist-mi", {"columns": "botleneck"}, "did you mean 'bottleneck'"),
        ("fig6", {"arms": "basline"}, "arm is 'basline'.*did you mean 'baseline'"),
        ("fig4", {"arms": "baseline"}, "fig4 takes no arms"),
        ("table1", {"seeds": 0}, "seeds is 0"),
        ("table1", {"jobs": 0}, "jobs is 0"),
        ("table1", {"seed": -1}, "seed is -1"),
        ("table1", {"quiet": 1}, "quiet is 1"),
        ("table1", {"download": "no"}, "download is 'no'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(tmp_path, name, options, match):
    with pytest.raises(InputError, match=match):
        reproduce(name, **{"out": tmp_path / "new", **options})


def test_absent_data_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("INFOPLANE_DATA", str(tmp_path / "nothing"))
    with pytest.raises(DatasetError, match="MNIST is not in"):
        reproduce("table1", scale="small", out=tmp_path / "a", quiet=True)
    with pytest.raises(DatasetError, match="uci-abalone"):
        reproduce("table5", scale="small", columns="uci-abalone", out=tmp_path / "b", quiet=True)


def test_a_training_that_fails_is_left_out_and_said(tmp_path):
    small = {"data.name": "digits", "data.train": 100, "model.hidden": (8,), "training.epochs": 3}
    good = Arm(name="good", settings=small)
    wild = Arm(name="wild", settings={**small, "optimizer.name": "sgd", "optimizer.learning_rate": 1e30})
    request = Request(scale="smoke", out=tmp_path, quiet=True)
    trained = train_arms((good, wild), (4,), request, metric="error")
    assert [path.name for path in trained.paths["good"]] == ["good,seed=4.h5"]
    assert trained.paths["wild"] == ()
    (said,) = trained.failed
    assert said.startswith("wild,seed=4 failed and is left out: ")
    claim = PaperClaim(text="a", where="b", first="good", second="wild", metric="error", direction="lower")
    assert judged((claim,), trained.paths) == ()
    with pytest.raises(TrainingError, match=r"no training of .* came to its end"):
        train_arms((wild,), (4,), request, metric="error", folder="other")


@pytest.fixture
def run():
    """Return the command as a function of its words."""
    app = typer.Typer()
    app.command()(command)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_lists_what_there_is(run):
    listed = run().stdout
    assert all(f"{name}: " in listed for name in EXPERIMENTS)
    assert "needs MNIST" in listed
    assert "the trainings of table1" in listed
    described = json.loads(run("--json").stdout)
    assert set(described) == set(EXPERIMENTS)
    claim = described["fig7"]["claims"][0]
    assert claim["printed"] == "24.76 -> 24.01 %"


def test_the_command_prints_page_paths_or_json(run, tmp_path):
    result = run("fig4", "--out", tmp_path / "a")
    assert result.exit_code == 0
    assert "transposed, x = 1 " in result.stdout
    assert str(tmp_path / "a" / "fig4.png") in result.stdout
    quiet = run("fig4", "--out", tmp_path / "a", "--quiet").stdout.splitlines()
    assert quiet == [str(tmp_path / "a" / name) for name in ("fig4.png", "fig4.md", "fig4.json")]
    record = json.loads(run("fig4", "--out", tmp_path / "a", "--json").stdout)
    assert [row["RMSE [bit]"] for row in record["tables"][0]["rows"]][2] == "0.0045"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fig3", "fig5", "fig6", "fig7", "mnist-mi", "table5"])
def test_every_other_experiment_runs_at_scale_smoke(tmp_path, name):
    result = reproduce(name, scale="smoke", out=tmp_path / "new", quiet=True)
    assert result.statements
    assert result.tables
    for path in result.files:
        assert path.stat().st_size > 100
    again = reproduce(name, scale="smoke", out=tmp_path / "new", quiet=True)
    assert [one.found for one in again.statements] == [one.found for one in result.statements]
    if name == "mnist-mi":
        bottleneck = [one for one in result.statements if "(bottleneck)" in one.claim and "I(Z;X)" in one.claim]
        joint = [one for one in result.statements if "(joint)" in one.claim and "I(Z;X)" in one.claim]
        assert len(bottleneck) == 1
        assert len(joint) == 2
        assert "scale twin" not in bottleneck[0].why
        assert all("rate of the scale twin x0.1" in one.why for one in joint)
        assert all("sandwich" in one.why for one in (*bottleneck, *joint))
