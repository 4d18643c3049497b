"""Following a run: every committed row once and whole, to the end of its writer, and what the status says of that."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

POLL = 0.002
STREAMS = run_streams(probes=[ProbeInfo("a", "a", "trained", 1e-3, 8), ProbeInfo("b", "b", "trained", 1e-3, 8)])
WRITER = """
import sys, time
import numpy as np
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

path, rows, first, pause = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
probes = [ProbeInfo(name, name, "trained", 1e-3, 8) for name in ("a", "b")]
writer = RunWriter(path, resume=first > 0)
writer.start(run_streams(probes=probes), {"seed": 0}, **({"last_step": 10 * first - 1} if first else {}))
print("started", flush=True)
for row in range(first, first + rows):
    pairs = {name: np.full((2, 2), row, float) for name in ("covariance_i_zx", "covariance_i_zy")}
    values = np.full((2, len(PLANE_QUANTITIES)), row, float)
    writer.append("plane", 10 * row, epoch=row, n=row, n_sandwich=row, updates=row, values=values, **pairs)
    print(row + 1, flush=True)
    time.sleep(pause)
writer.close()
"""


@contextmanager
def writing(path, rows, *, first=0, pause=0.0):
    """Write in another process from row `first` on; it is killed at the end of the block, if it has not ended."""
    command = [sys.executable, "-c", WRITER, str(path), str(rows), str(first), str(pause)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"started\n"
            yield process
        finally:
            process.kill()


def append(writer, row):
    counts = dict.fromkeys(("n", "n_sandwich", "updates"), row)
    pairs = {name: np.full((2, 2), row, float) for name in ("covariance_i_zx", "covariance_i_zy")}
    values = np.full((2, len(PLANE_QUANTITIES)), row, float)
    writer.append("plane", 10 * row, epoch=row, values=values, **counts, **pairs)


def write(path, rows, status="finished"):
    writer = RunWriter(path)
    writer.start(STREAMS, {"seed": 0})
    for row in range(rows):
        append(writer, row)
    writer.close(status)
    return path


def assert_rows(rows, count):
    """All of the first `count` rows, each once, in order and with its own number everywhere."""
    assert [row["step"] for row in rows] == [10 * k for k in range(count)]
    for k, row in enumerate(rows):
        assert row["values"].shape == (2, len(PLANE_QUANTITIES))
        assert row["covariance_i_zx"].shape == (2, 2)
        assert all((np.asarray(value) == k).all() for name, value in row.items() if name != "step")


@pytest.mark.parametrize("status", ["finished", "interrupted"])
def test_a_run_that_has_ended_gives_all_its_rows_and_ends(tmp_path, status):
    with ip.open_run(write(tmp_path / "run.h5", 7, status)) as run:
        rows = list(run.follow())
        assert_rows(rows, 7)
        assert set(rows[0]) == set(run.plane().variables)
        assert run.status == status
        assert_rows(list(run.follow()), 7)  # each call begins with the first row


def test_a_run_without_rows_gives_none_and_ends(tmp_path):
    with ip.open_run(write(tmp_path / "run.h5", 0)) as run:
        assert list(run.follow()) == []


def test_rows_come_while_another_process_writes_them_until_it_finishes(tmp_path):
    path, came, rows = tmp_path / "run.h5", [], []
    with writing(path, 60, pause=0.02), ip.open_run(path) as run:
        assert run.status == "recording"
        for row in run.follow(poll=POLL):
            rows.append(row)
            came.append(run.status)
        assert run.status == "finished"
    assert_rows(rows, 60)
    assert came.count("recording") > 3  # it was followed while it grew


def test_text_and_numbers_of_another_stream_are_followed_too(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path) as writer:
        writer.start(STREAMS, {})
        for k in range(30):
            said = {"text": f"é{k}" * 20, "amount": k, "unit": "bit", "advice": "none"}
            writer.append("findings", None, step=10 * k, stream="plane", where="a", code="c", **said)
    with ip.open_run(path) as run:
        rows = list(run.follow("findings"))
    assert [row["text"] for row in rows] == [f"é{k}" * 20 for k in range(30)]
    assert [row["finding"] for row in rows] == list(range(30))
    assert [row["amount"] for row in rows] == list(range(30))


def test_after_a_kill_every_committed_row_has_come_and_it_ends_as_killed(tmp_path):
    path, after = tmp_path / "run.h5", 20
    with writing(path, 10**6) as process, ip.open_run(path) as run:
        rows = []
        for row in run.follow(poll=POLL):
            rows.append(row)
            if len(rows) == after:
                process.kill()
                process.wait()
        counted = len(process.stdout.read().split(b"\n")) - 1
        assert run.status == "killed"
        assert len(run.plane()) == len(rows)
        assert_looking_again_reads_hardly_anything(run)
    assert len(rows) >= max(after, counted)
    assert_rows(rows, len(rows))


def test_a_resumed_run_goes_on_in_a_new_file_and_the_old_one_ends_as_replaced(tmp_path):
    path = tmp_path / "run.h5"
    with writing(path, 10**6) as process:
        while process.stdout.readline() not in (b"20\n", b""):
            pass
        process.kill()
        process.wait()
    with ip.open_run(path) as old:
        committed = len(old.plane())
        followed = old.follow(poll=POLL)
        rows = [next(followed)]
        with writing(path, 10**6, first=10) as process, ip.open_run(path) as new:
            assert new.status == "recording"
            rows += followed  # ends, though the path is written again
            old.refresh()
            assert old.status == "replaced"
            assert_rows(rows, committed)
            again = []
            for row in new.follow(poll=POLL):
                again.append(row)
                if len(again) == 30:
                    process.kill()
            assert_rows(again, len(again))
            assert new.status == "killed"


@pytest.mark.parametrize(("status", "after"), [("recording", "replaced"), ("finished", "finished")])
def test_a_run_whose_path_another_file_has_taken_says_so_unless_it_was_ended(tmp_path, status, after):
    path = tmp_path / "run.h5"
    with writing(path, 10**6) as process:
        while process.stdout.readline() not in (b"20\n", b""):
            pass
        process.kill()
        process.wait()
    if status == "finished":
        path = write(tmp_path / "ended.h5", 3)
    with ip.open_run(path) as run:
        rows = len(run.plane())
        os.replace(write(tmp_path / "other.h5", 2), path)
        assert len(list(run.follow(poll=POLL))) == rows
        assert run.status == after
        with ip.open_run(path) as again:
            assert (again.status, len(again.plane())) == ("finished", 2)
        os.remove(path)
        run.refresh()
        assert run.status == ("killed" if after == "replaced" else after)


def test_a_run_that_is_written_on_under_another_name_is_recording(tmp_path):
    with RunWriter(tmp_path / "run.h5") as writer:
        writer.start(STREAMS, {})
        with ip.open_run(tmp_path / "run.h5") as run:
            os.replace(tmp_path / "run.h5", tmp_path / "moved.h5")
            write(tmp_path / "other.h5", 2)
            os.replace(tmp_path / "other.h5", tmp_path / "run.h5")
            run.refresh()
            assert run.status == "recording"


def test_a_run_in_this_process_is_recording_until_its_writer_lets_go(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path) as writer:
        writer.start(STREAMS, {})
        append(writer, 0)
        with ip.open_run(path) as run:
            followed = run.follow(poll=POLL)
            rows = [next(followed)]
            assert run.status == "recording"
            append(writer, 1)
            rows.append(next(followed))
            append(writer, 2)
            writer.close()
            rows += followed
    assert_rows(rows, 3)


def test_an_older_format_or_a_system_without_locks_cannot_tell_a_kill(tmp_path, monkeypatch):
    with RunWriter(tmp_path / "run.h5") as writer, monkeypatch.context() as patched:
        writer.start(STREAMS, {})
        patched.setattr("infoplane.runfile.stream_file.is_written", lambda descriptor: None)
        with ip.open_run(tmp_path / "run.h5") as run:
            assert run.status == "recording or killed"
    monkeypatch.setattr("infoplane.runfile.layout.FORMAT_VERSION", "1.2")
    with RunWriter(tmp_path / "old.h5") as writer:
        writer.start(STREAMS, {})
        with ip.open_run(tmp_path / "old.h5") as run:
            assert run.status == "recording or killed"


def test_an_interrupt_leaves_the_wait_and_the_run_open(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path) as writer:
        writer.start(STREAMS, {})
        append(writer, 0)
        with ip.open_run(path) as run:
            rows = []
            timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with pytest.raises(KeyboardInterrupt):
                rows.extend(run.follow(poll=30))
            timer.join()
            assert_rows(rows, 1)
            append(writer, 1)
            followed = run.follow(poll=POLL)
            assert_rows([next(followed), next(followed)], 2)


def assert_looking_again_reads_hardly_anything(run):
    """A status, a lock and a counter: no row is read twice."""
    read, looks = bytes_read(), 50
    for _ in range(looks):
        run.refresh()
    assert (bytes_read() - read) / looks < 2048


def bytes_read():
    if not os.path.exists("/proc/self/io"):
        return 0  # only Linux counts what a process reads
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])


def test_what_cannot_be_followed_is_refused_at_once(tmp_path):
    run = ip.open_run(write(tmp_path / "run.h5", 3))
    with pytest.raises(InputError, match="poll is 0, but it must be a finite number above 0"):
        run.follow(poll=0)
    with pytest.raises(RunFileError, match="no stream 'plain'; did you mean 'plane'"):
        run.follow("plain")
    followed = run.follow()
    assert next(followed)["step"] == 0
    run.close()
    with pytest.raises(RunFileError, match="this run is closed"):
        run.follow()
    with pytest.raises(RunFileError, match="this run is closed"):
        next(followed)
