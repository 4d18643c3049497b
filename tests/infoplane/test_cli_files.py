"""The commands that take run files apart: info, export, diff, recover."""

import json
import os
import shlex
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest

import infoplane as ip
from infoplane.cli import run as cli
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

ROWS = 4
KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from test_cli_files import begun
writer = begun(sys.argv[2])
os.kill(os.getpid(), signal.SIGKILL)
"""


def begun(path, rate=0.1):
    """A writer that has written its rows and was not closed."""
    writer = RunWriter(path)
    probes = [ProbeInfo("fc", "fc", "trained", 1e-3, 4)]
    provenance = {"seed": 1, "configuration": {"rate": rate, "path": "/long/path" * 30 + f"/{rate}"}}
    writer.start(run_streams(probes=probes, metrics={"error": "1"}), provenance)
    for step in range(ROWS):
        values = np.full((1, len(PLANE_QUANTITIES)), step / 3)
        pairs = {f"covariance_{name}": np.zeros((1, 1)) for name in ("i_zx", "i_zy")}
        writer.append("plane", step, epoch=step, n=9, n_sandwich=9, updates=step, values=values, **pairs)
    writer.append("metrics", 0, epoch=0, time=0.0, values=[0.5])
    return writer


@pytest.fixture
def finished(tmp_path):
    begun(tmp_path / "run.h5").close()
    return tmp_path / "run.h5"


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    path = tmp_path_factory.mktemp("killed folder") / "run.h5"
    folder = os.path.dirname(__file__)
    process = subprocess.run([sys.executable, "-c", KILLED, folder, str(path)], capture_output=True, text=True)
    assert process.returncode == -9, process.stderr
    return path


def said(capfd, *arguments, code=0):
    assert cli([str(a) for a in arguments]) == code
    return capfd.readouterr()


# --- info -------------------------------------------------------------------------------------------------------------


def test_info_of_a_finished_run_says_when_and_how_large(finished, capfd):
    lines = said(capfd, "info", finished).out.splitlines()
    size = finished.stat().st_size
    assert lines[0].startswith(f"{finished}  (")
    assert f"{size:,} bytes, format " in lines[0]
    assert lines[1].startswith("status: finished (begun 2")
    assert ", ended 2" in lines[1]
    assert lines[2] == "rows:"
    assert "recover" not in "\n".join(lines)


def test_info_of_a_killed_run_says_what_to_do(killed, capfd):
    lines = said(capfd, "info", killed).out.splitlines()
    assert lines[1].startswith("status: killed (begun 2")
    assert "ended" not in lines[1]
    # The path has a space, and the line is there to be copied.
    assert lines[2].startswith(f"infoplane recover '{killed}' makes")
    assert "record(..., resume=True)" in lines[2]
    assert json.loads(said(capfd, "info", "--json", killed).out)["status"] == "killed"


def test_info_of_a_run_that_is_being_written_gives_no_such_advice(tmp_path, capfd):
    with begun(tmp_path / "run.h5"):
        lines = said(capfd, "info", tmp_path / "run.h5").out.splitlines()
    assert lines[1].startswith("status: recording (begun 2")
    assert lines[2] == "rows:"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("killed", "infoplane recover run.h5 makes a normal file of it; record(..., resume=True) goes on"),
        ("recording or killed", "if it was killed: infoplane recover run.h5 makes a normal file of it; record("),
        ("recording", None),
        ("finished", None),
        ("interrupted", None),
    ],
)
def test_every_status_has_its_page(finished, capfd, monkeypatch, status, text):
    from infoplane.runfile.reader import Run

    monkeypatch.chdir(finished.parent)
    refresh = Run.refresh

    def altered(run):
        refresh(run)
        run.status = status

    monkeypatch.setattr(Run, "refresh", altered)
    page = said(capfd, "info", "run.h5").out
    assert f"status: {status} (begun" in page
    assert text in page if text else "recover" not in page


def test_info_of_a_damaged_run_shows_what_can_be_read(finished, capfd):
    whole = finished.read_bytes()
    pages = []
    for percent in range(98, 30, -3):
        finished.write_bytes(whole[: len(whole) * percent // 100])
        if cli(["info", str(finished)]) == 0:
            captured = capfd.readouterr()
            assert captured.err == ""
            pages.append(captured.out)
        else:
            assert capfd.readouterr().err.count("\n") == 1
    damaged = [page for page in pages if "can be read)" in page]
    assert damaged
    for page in damaged:
        assert f"infoplane recover {finished} saves what can still be read" in page
        assert page.count("recover") == 1


# --- export -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".csv", ".json", ".npz"])
def test_export_writes_by_the_ending_and_prints_the_path_to_stderr(finished, capfd, ending):
    out = finished.with_name(f"plane{ending}")
    captured = said(capfd, "export", finished, "-o", out)
    assert captured.out == ""
    assert captured.err == f"{out}\n"
    expected = {s / 3 for s in range(ROWS)}
    if ending == ".npz":
        with np.load(out, allow_pickle=False) as arrays:
            assert set(arrays["values"].ravel()) == expected
    else:
        table = pd.read_csv(out) if ending == ".csv" else pd.DataFrame(map(json.loads, out.read_text().splitlines()))
        assert set(table["value"]) == expected


def test_export_takes_a_stream_and_replaces_only_when_forced(finished, capfd):
    out = finished.with_name("metrics.csv")
    said(capfd, "export", finished, "--out", out, "--stream", "metrics")
    assert pd.read_csv(out)["value"].tolist() == [0.5]
    out.write_text("mine")
    assert "--force) replaces it" in said(capfd, "export", finished, "-o", out, code=2).err
    assert out.read_text() == "mine"
    said(capfd, "export", finished, "-o", out, "--stream", "metrics", "--force")
    assert pd.read_csv(out)["value"].tolist() == [0.5]


def test_export_of_a_killed_run_has_every_row(killed, tmp_path, capfd):
    said(capfd, "export", killed, "-o", tmp_path / "plane.csv")
    assert set(pd.read_csv(tmp_path / "plane.csv")["step"]) == set(range(ROWS))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-o", "plane.txt"], "does not end in .csv, .parquet, .json or .npz"),
        (["-o", "none/plane.csv"], "there is no folder none"),
        (["-o", "plane.csv", "--stream", "metric"], "did you mean 'metrics'"),
        ([], "--out"),
    ],
)
def test_wrong_exports_get_one_sentence_and_leave_nothing(finished, capfd, monkeypatch, arguments, text):
    monkeypatch.chdir(finished.parent)
    captured = said(capfd, "export", finished, *arguments, code=2)
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert text in captured.err
    assert [path.name for path in finished.parent.iterdir()] == ["run.h5"]


# --- diff -------------------------------------------------------------------------------------------------------------


def test_diff_is_a_table_that_fits_the_screen_and_exits_with_0(finished, capfd):
    other = finished.with_name("other.h5")
    begun(other, rate=0.2).close("interrupted")
    captured = said(capfd, "diff", finished, other)
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[:2] == [f"A: {finished}", f"B: {other}"]
    assert max(len(line) for line in lines[2:]) <= 100
    rows = {line.split()[0]: line.split()[1:] for line in lines[4:] if "time" not in line}
    assert rows["configuration.rate"] == ["0.1", "0.2"]
    assert rows["file.status"] == ['"finished"', '"interrupted"']
    assert set(rows) == {"configuration.rate", "configuration.path", "file.status"}


def test_diff_as_json_is_uncut(finished, capfd):
    other = finished.with_name("other.h5")
    begun(other, rate=0.2).close()
    rows = [json.loads(line) for line in said(capfd, "diff", "--json", finished, other).out.splitlines()]
    by_key = {row["key"]: row for row in rows}
    assert by_key["path"]["a"] == "/long/path" * 30 + "/0.1"
    assert by_key["rate"] == {"part": "configuration", "key": "rate", "a": 0.1, "b": 0.2}


def test_diff_of_a_run_with_itself_says_so(finished, capfd):
    assert "no difference in configuration, provenance" in said(capfd, "diff", finished, finished).out
    assert said(capfd, "diff", "--json", finished, finished).out == ""


def test_diff_with_a_missing_file_is_refused(finished, capfd):
    assert "none.h5: there is no such file" in said(capfd, "diff", finished, "none.h5", code=2).err


# --- recover ----------------------------------------------------------------------------------------------------------


def test_recover_makes_a_normal_file_beside_the_killed_one(killed, capfd):
    before = killed.read_bytes()
    out = killed.with_name("run.recovered.h5")
    out.unlink(missing_ok=True)
    captured = said(capfd, "recover", killed)
    assert captured.err == f"{out}\n"
    rows = {line.split()[0]: line.split()[1:] for line in captured.out.splitlines()[1:]}
    assert rows["plane"] == [str(ROWS), "of", str(ROWS)]
    assert rows["metrics"] == ["1", "of", "1"]
    assert rows["events"] == ["0", "of", "0"]
    assert killed.read_bytes() == before
    with ip.open_run(out) as run:
        assert run.status == "interrupted"
        assert run.plane()["step"].tolist() == list(range(ROWS))
    assert "exists already" in said(capfd, "recover", killed, code=2).err
    said(capfd, "recover", killed, "--force")


def test_recover_of_a_cut_off_file_says_how_many_rows_it_saved(finished, capfd):
    whole = finished.read_bytes()
    out = finished.with_name("saved.h5")
    found = []
    for percent in range(98, 30, -3):
        finished.write_bytes(whole[: len(whole) * percent // 100])
        if cli(["recover", str(finished), "-o", str(out), "--force"]) == 0:
            captured = capfd.readouterr()
            assert captured.err == f"{out}\n"
            for line in captured.out.splitlines()[1:]:
                name, count, of, committed = line.split()
                assert of == "of"
                found.append((name, int(count), int(committed)))
                with ip.open_run(out) as run:
                    assert int(count) <= len(run.stream(name)) if name in run.streams else int(count) == 0
        else:
            *written, text = capfd.readouterr().err.splitlines()
            assert text.startswith("infoplane: ")
            assert written in ([], [str(out)])  # labels and provenance, where no row could be saved
    assert any(count < committed for _, count, committed in found)


def test_recover_that_saves_not_one_row_says_so_and_fails(finished, capfd):
    whole = finished.read_bytes()
    with h5py.File(finished) as file:
        streams = [file["entry"][name] for name in ("plane", "plane_scatter", "metrics", "events", "findings")]
        chunks = [d.id.get_chunk_info(0) for s in streams for d in s.values() if d.chunks and d.id.get_num_chunks()]
    # Of every data set of a row the chunks lie behind the labels, so that a cut takes them all.
    finished.write_bytes(whole[: min(chunk.byte_offset for chunk in chunks)])
    captured = said(capfd, "recover", finished, code=1)
    assert all(line.split()[1] == "0" for line in captured.out.splitlines()[1:])
    assert captured.err.splitlines()[-1] == "infoplane: nothing could be recovered: none of 9 rows can be read"


def test_recover_refuses_the_file_itself_and_one_being_written(finished, killed, tmp_path, capfd):
    assert "choose another name" in said(capfd, "recover", finished, "-o", finished, "--force", code=2).err
    with begun(tmp_path / "live.h5"):
        assert "is being written" in said(capfd, "recover", tmp_path / "live.h5", code=2).err


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["export", "diff", "recover", "info"])
def test_the_example_in_each_help_works(name, finished, capfd, monkeypatch):
    """On files of the names that the example uses."""
    page = said(capfd, name, "--help").out
    (example,) = (line.strip() for line in page.splitlines() if "Example: infoplane" in line)
    words = shlex.split(example.removeprefix("Example: infoplane "))
    assert words[0] == name
    monkeypatch.chdir(finished.parent)
    for word in words:
        if word.endswith(".h5") and word != "run.h5":
            begun(word).close()
    said(capfd, *words)


def test_diff_says_in_its_help_that_the_exit_code_is_0(capfd):
    assert "exit code is 0 also where they differ" in " ".join(said(capfd, "diff", "--help").out.split())


def test_a_terminal_without_the_letters_of_a_name_shows_their_numbers(tmp_path):
    probes = [ProbeInfo("fc→\x1b", "fc", "trained", 1e-3, 4)]
    with RunWriter(tmp_path / "run.h5") as writer:
        writer.start(run_streams(probes=probes), {})
    done = subprocess.run(
        [sys.executable, "-c", "from infoplane.cli import main; main()", "info", str(tmp_path / "run.h5")],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr
    assert rb"probes: fc\u2192\x1b" in done.stdout
