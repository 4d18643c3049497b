"""The command line as a user meets it: exit codes, one sentence on stderr, data on stdout."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

import infoplane as ip
from infoplane.cli import run as cli
from infoplane.cli.app import app


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A short demo, made once, in a process of its own."""
    out = tmp_path_factory.mktemp("demo") / "out"
    result = command("demo", "--out", out, "--epochs", 3, "--seed", 1)
    assert result.returncode == 0, result.stderr
    return out, result


def command(*arguments, **options):
    code = "from infoplane.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | {"COLUMNS": "100"},
        **options,
    )


def refused(capfd, *arguments, code=2):
    """Run in this process; return the one sentence on stderr."""
    assert cli([str(a) for a in arguments]) == code
    captured = capfd.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("infoplane: ")
    return lines[0]


def test_demo_writes_what_it_says(demo):
    out, result = demo
    names = {"baseline.h5", "synscaw.h5", "plane.png", "surface.png", "weights.png", "jsd.csv", "jsd.md"}
    assert {path.name for path in out.iterdir()} == names
    assert all(str(out / name) in result.stdout for name in names)
    for name in names:
        assert (out / name).stat().st_size > 200
    for word in (
        "baseline",
        "synscaw less baseline: error",
        "hidden1",
        "hidden2",
        "error",
        "control",
        "JSD all weights",
    ):
        assert word in result.stdout
    *foretold, last = result.stderr.split("\n\n")
    assert [line.split(" about ")[0] for line in foretold[0].splitlines()] == [
        "baseline.h5 grows by",
        "synscaw.h5 grows by",
    ]
    assert last.strip() == "written:"


def test_demo_runs_differ_only_by_the_scaling(demo):
    out, _ = demo
    with ip.open_run(out / "baseline.h5") as first, ip.open_run(out / "synscaw.h5") as second:
        differing = {k for k in first.configuration if first.configuration[k] != second.configuration[k]}
        tables = [
            run.plane().to_dataframe().set_index(["step", "probe", "quantity"])["value"] for run in (first, second)
        ]
    assert differing == {"method", "method_configuration"}
    rates = [t.xs("i_zx", level="quantity").unstack("probe") for t in tables]
    # The untrained host is the same in both runs, and so is its control, bit for bit.
    assert (rates[0]["hidden1@untrained"] == rates[1]["hidden1@untrained"]).all()
    assert (rates[0]["hidden1"] != rates[1]["hidden1"]).any()


def test_demo_refuses_to_overwrite_without_force(demo, capfd):
    out, _ = demo
    assert "baseline.h5 exists already; --force" in refused(capfd, "demo", "--out", out, "--epochs", 1)


def test_quiet_demo_prints_only_the_paths(tmp_path):
    result = command("demo", "--out", tmp_path, "--epochs", 1, "--quiet")
    assert result.returncode == 0
    assert result.stderr == ""
    assert len(result.stdout.splitlines()) == 7


def test_train_plane_jsd_and_info_follow_each_other(tmp_path, capfd):
    run = tmp_path / "run.h5"
    assert (
        cli(
            [
                "train",
                "--epochs",
                "2",
                "--hidden",
                "16,8",
                "--latent",
                "4",
                "--method",
                "synscal",
                "--out",
                str(run),
            ]
        )
        == 0
    )
    assert "hidden2" in capfd.readouterr().out
    assert cli(["plane", str(run), "-o", str(tmp_path / "plane.svg"), "--json"]) == 0
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert {row["quantity"] for row in rows} >= {"i_zx", "i_zy", "h_y"}
    assert (tmp_path / "plane.svg").read_text().startswith("<?xml")
    assert cli(["jsd", str(run), "--csv", str(tmp_path / "jsd.csv"), "--markdown", str(tmp_path / "jsd.md")]) == 0
    assert "divergence" in capfd.readouterr().out
    assert "|" in (tmp_path / "jsd.md").read_text()
    assert cli(["info", str(run), "--json"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["status"] == "finished"
    assert facts["streams"]["plane"] == {"committed": 2, "readable": 2}
    assert facts["configuration"]["method"] == "synscal"
    assert cli(["info", str(run)]) == 0
    assert "status: finished" in capfd.readouterr().out


def test_surface_prints_the_range_of_fig4_beside_the_papers(capfd):
    assert cli(["surface", "--json"]) == 0
    numbers = json.loads(capfd.readouterr().out)
    assert numbers["min"] == pytest.approx(-0.559984, abs=5e-7)
    assert numbers["max"] == pytest.approx(0.489340, abs=5e-7)
    assert numbers["mean"] == pytest.approx(-0.00267, abs=5e-6)
    assert numbers["paper_fig4_colour_bar"] == [-0.5600, 0.4894]


def test_surface_writes_a_picture_and_does_not_replace_one(tmp_path, capfd):
    picture = tmp_path / "fig4.png"
    assert cli(["surface", "-o", str(picture), "--as-printed"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    capfd.readouterr()
    assert "exists already" in refused(capfd, "surface", "-o", picture)
    assert cli(["surface", "-o", str(picture), "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["train", "--out", "x.h5", "--data", "digit"], "did you mean 'digits'"),
        (["train", "--out", "x.h5", "--method", "synscav"], "did you mean 'synscaw'"),
        (["train", "--out", "x.h5", "--set", "training.epoch=3"], "did you mean 'training.epochs'"),
        (["train", "missing.toml", "--out", "x.h5"], "missing.toml: cannot be read"),
        (
            ["train", "--out", "x.ckpt"],
            "x.ckpt does not end in .h5, .hdf5 or .nxs, as a run file does; call it x.ckpt.h5",
        ),
        (["train", "--out", "x.txt"], "does not end in .h5, .hdf5 or .nxs"),
        (["train", "--out", "x"], "call it x.h5"),
        (["train", "--out", "x.h5", "--resume", "--force"], "say one of the two"),
        (["train", "--out", "x.h5", "--model", "mlpp"], "did you mean 'mlp'"),
        (["train", "--out", "x.h5", "--hidden", "a,b"], "model.hidden is 'a,b'"),
        (["train", "--out", "x.h5", "--rate", "0.1"], "baseline"),
        (["train", "--out", "x.h5", "--device", "cudda"], "device 'cudda'"),
        (["train", "--out", "x.h5", "--epochs", "0"], "epochs"),
        (["train"], "--out"),
        (["train", "--out", "x.h5", "--learning-rate", "-1"], "learning_rate is -1.0"),
        (["train", "--out", "x.h5", "--seed", "9" * 25], "seed is 9999"),
        (["train", "--out", "x.h5", "--device", "meta"], "device 'meta'"),
        (["surface", "--points", "200000"], "points is 200000"),
        (["surface", "--x", "nan"], "x is nan"),
        (["surface", "--variant", "eq52"], "did you mean 'eq25'"),
        (["surface", "-o", "picture.docx"], "does not end in"),
        (["plane", "missing.h5", "-o", "x.png"], "missing.h5"),
        (["info", "missing.h5"], "missing.h5"),
        (["jsd", "missing.h5"], "missing.h5"),
        (["demo", "--sed", "3"], "--sed"),
        (["dmeo"], "dmeo"),
    ],
)
def test_wrong_calls_get_one_sentence_and_code_2(tmp_path, monkeypatch, capfd, arguments, text):
    monkeypatch.chdir(tmp_path)
    assert text in refused(capfd, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_plane_without_anything_to_do_says_so(demo, capfd):
    assert "-o plane.png, or --json" in refused(capfd, "plane", demo[0] / "baseline.h5")


def test_plane_makes_no_folder(demo, tmp_path, capfd):
    picture = tmp_path / "none" / "plane.png"
    text = refused(capfd, "plane", demo[0] / "baseline.h5", "--json", "-o", picture)
    assert text == f"infoplane: {picture} cannot be written: there is no folder {picture.parent}"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:.*rows of .* can be read")
def test_a_plane_of_which_no_row_is_left_is_cut_off_and_not_unmeasured(demo, tmp_path, capfd):
    """The file shrinks until no row of the plane is left; it still opens then."""
    whole = (demo[0] / "baseline.h5").read_bytes()
    path, picture = tmp_path / "cut.h5", tmp_path / "plane.png"
    for percent in range(99, 0, -1):
        path.write_bytes(whole[: len(whole) * percent // 100])
        with ip.open_run(path) as run:
            committed, readable = run.check()["plane"]
        if not readable:
            break
    assert (committed, readable) == (3, 0)
    said = f"infoplane: {path}: 3 rows of its plane were committed, but none can be read: the file is cut off"
    for asked in (["-o", str(picture)], ["--json"]):
        assert cli(["plane", str(path), *asked]) == 2
        captured = capfd.readouterr()
        assert captured.err.splitlines()[-1].startswith(said)
        assert captured.out == ""
    assert not picture.exists()


def test_info_is_aligned_and_leaves_out_what_is_not_known(demo, tmp_path, capfd):
    path = tmp_path / "run.h5"
    shutil.copy(demo[0] / "baseline.h5", path)
    with h5py.File(path, "r+") as file:
        group = file["entry/provenance"]
        for name, value in (("configuration", b"{}"), ("git_commit", b"null"), ("git_dirty", b"null"), ("data", b"{}")):
            del group[name]
            group.create_dataset(name, data=np.bytes_(value)).attrs["media_type"] = np.bytes_(b"application/json")
    assert cli(["info", str(path)]) == 0
    lines = capfd.readouterr().out.splitlines()
    probes = next(k for k, line in enumerate(lines) if line.startswith("probes: "))
    rows = lines[lines.index("rows:") + 1 : probes]
    assert any(row.startswith("  step_activations ") for row in rows)
    assert len({len(row) for row in rows}) == 1
    assert not [line for line in lines if line.startswith(("configuration", "  git_", "  data"))]
    assert '"sketch_at": "every 100"}' in " ".join(" ".join(lines).split())  # the last of the probes' settings
    assert max(len(line) for line in lines if str(tmp_path) not in line and len(line.split()) > 1) <= 100


def test_info_refuses_a_file_that_is_no_run_file(tmp_path, capfd):
    path = tmp_path / "notes.txt"
    path.write_text("not a run")
    assert "notes.txt" in refused(capfd, "info", path)


def test_info_says_what_can_be_read_of_a_file_cut_off_in_the_middle(demo, tmp_path, capfd):
    """Cut at every tenth: each either says what is left, or is refused in one sentence naming the file."""
    whole = (demo[0] / "baseline.h5").read_bytes()
    read = []
    for tenth in range(1, 10):
        path = tmp_path / f"cut{tenth}.h5"
        path.write_bytes(whole[: len(whole) * tenth // 10])
        code = cli(["info", str(path)])
        captured = capfd.readouterr()
        if code == 0:
            read.append(tenth)
            assert "cut off" in captured.out
        else:
            assert code == 2
            assert captured.err.count("\n") == 1
            assert path.name in captured.err
    assert 9 in read


def test_an_existing_run_file_is_not_replaced(demo, tmp_path, capfd):
    path = tmp_path / "run.h5"
    shutil.copy(demo[0] / "baseline.h5", path)
    before = path.read_bytes()
    said = refused(capfd, "train", "--out", path, "--epochs", 1)
    assert "run.h5 exists already; --resume goes on with its training, --force replaces it" in said
    assert path.read_bytes() == before


def test_version():
    result = command("--version")
    assert result.stdout.strip() == f"infoplane {ip.__version__}"


@pytest.mark.parametrize("name", [command.callback.__name__ for command in app.registered_commands])
def test_every_command_has_help_with_an_example(name, capfd):
    assert cli([name, "--help"]) == 0
    assert f"Example: infoplane {name}" in capfd.readouterr().out


def test_ctrl_c_says_so_and_leaves_a_readable_run_file(tmp_path):
    path = tmp_path / "run.h5"
    code = "from infoplane.cli import main; main()"
    arguments = ["train", "--epochs", "100000", "--hidden", "4", "--latent", "2", "--quiet", "--out", str(path)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=-1,
        stderr=-1,
        text=True,
        # Background jobs of a shell, of which this may be one, ignore the signal, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not has_rows(path):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=180)
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == ""
    assert err == (
        f"infoplane: {path} has what was measured; the same command with --resume goes on\n"
        "infoplane: interrupted; every row that was written is kept in its run file\n"
    )
    with ip.open_run(path) as run:
        assert run.status == "interrupted"
        assert len(run.plane()) >= 1


@pytest.mark.parametrize("is_replaced", [False, True])
def test_ctrl_c_before_the_first_row_does_not_say_that_anything_was_kept(tmp_path, capfd, monkeypatch, is_replaced):
    path = tmp_path / "run.h5"
    if is_replaced:
        path.write_bytes(b"an older file")

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("infoplane.training.train", interrupted)
    assert cli(["train", "--quiet", "--out", path, *(["--force"] if is_replaced else [])]) == 130
    said = capfd.readouterr().err
    left = f"{path} is the file that was there before" if is_replaced else f"nothing was kept: there is no {path}"
    assert f"before the first row{':' if is_replaced else ', so that'} {left}" in said
    assert "what was written so far is kept" not in said
    assert "--resume" not in said


def has_rows(path):
    try:
        with ip.open_run(path) as run:
            return len(run.plane()) > 0
    except ip.InfoplaneError:
        return False


def test_no_command_prints_the_help(capfd):
    assert cli([]) == 0
    assert "Commands:" in capfd.readouterr().out


def test_a_table_is_not_written_over_the_run_it_reports_on(demo, tmp_path, capfd):
    path = tmp_path / "run.h5"
    shutil.copy(demo[0] / "baseline.h5", path)
    before = path.read_bytes()
    assert "one of the run files" in refused(capfd, "jsd", path, "--csv", path, "--force")
    assert "file of its own" in refused(capfd, "jsd", path, "--csv", tmp_path / "a", "--markdown", tmp_path / "a")
    assert path.read_bytes() == before


def test_force_replaces_run_files_alone(tmp_path, capfd):
    path = tmp_path / "thesis.h5"
    path.write_text("years of work")
    assert "is no HDF5 file" in refused(capfd, "train", "--out", path, "--epochs", 1, "--force")
    assert path.read_text() == "years of work"


def test_the_error_of_real_labels_is_named_in_the_table_after_training(tmp_path, capfd):
    said = ["--data", "diabetes", "--hidden", "4", "--latent", "2", "--epochs", "1", "--no-control"]
    assert cli(["train", *said, "--out", str(tmp_path / "run.h5")]) == 0
    assert "% (1 - R²)" in capfd.readouterr().out.splitlines()[2]


def test_a_training_that_goes_wrong_gets_one_sentence_and_code_1(tmp_path, capfd):
    wild = ["--set", "optimizer.name=sgd", "--learning-rate", "1e30", "--hidden", "4", "--latent", "2", "--quiet"]
    text = refused(capfd, "train", "--out", tmp_path / "run.h5", *wild, code=1)
    assert "the loss is" in text
    assert "run.h5 is readable up to there" in text


def test_the_same_command_with_resume_goes_on_and_then_has_nothing_to_do(tmp_path, capfd):
    run = tmp_path / "run.h5"
    said = ["train", "--hidden", "4", "--latent", "2", "--no-control", "--quiet", "--out", str(run)]
    assert cli([*said, "--epochs", "1"]) == 0
    assert (tmp_path / "run.ckpt").exists()
    assert cli([*said, "--epochs", "2", "--resume"]) == 0
    with ip.open_run(run) as opened:
        assert opened.plane()["epoch"].tolist() == [1, 2]
    assert "learning_rate was 0.0005 and is 0.1" in refused(capfd, *said, "--resume", "--learning-rate", "0.1")
    assert cli([*said, "--epochs", "2", "--resume"]) == 0


def test_work_that_fails_gets_one_sentence_and_code_1(tmp_path, capfd, monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("the machine is on fire\nand more lines")

    monkeypatch.delenv("INFOPLANE_TRACEBACK", raising=False)
    monkeypatch.setattr("infoplane.training.train", broken)
    text = refused(capfd, "train", "--out", tmp_path / "run.h5", code=1)
    assert "RuntimeError: the machine is on fire (INFOPLANE_TRACEBACK=1 shows where)" in text


def test_json_of_a_training_holds_the_numbers_of_its_table(tmp_path, capfd):
    path = tmp_path / "run.h5"
    said = ["train", "--hidden", "4,4", "--latent", "2", "--epochs", "1", "--json", "--out", str(path)]
    assert cli(said) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["site"] for line in lines] == ["hidden1", "hidden2"]
    with ip.open_run(path) as run:
        plane, metrics = run.plane(), run.metrics()
        at = plane["quantity"].tolist().index("i_zx"), plane["probe"].tolist().index("hidden2@untrained")
        assert lines[1]["i_zx_control"] == plane.read("values", -1)[at[1], at[0]]
        error = metrics.read("values", -1)[metrics["quantity"].tolist().index("error")]
    assert lines[0]["error"] == 100 * error
    assert lines[0]["error_unit"] == "%"
