"""One writer a run file: whoever else wants to write it is refused, until the first has ended, however that was."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.runfile.lock import WriterLock, has_writer
from infoplane.runfile.stream import Stream, Variable
from infoplane.runfile.writer import RunWriter

STREAMS = (Stream("plane", "step", (Variable("x", ("step",), "f8"),)),)
REFUSED = r"run\.h5: is being written by another recording; choose another name"
OTHER = """
import sys
from infoplane.runfile.stream import Stream, Variable
from infoplane.runfile.writer import RunWriter
writer = RunWriter(sys.argv[1], overwrite=True)
if sys.argv[2] == "started":
    writer.start((Stream("plane", "step", (Variable("x", ("step",), "f8"),)),), {})
    for step in range(5):
        writer.append("plane", step, x=step)
print("ready", flush=True)
sys.stdin.read()
writer.close()
"""
FORKING = """
import os, sys
from infoplane.errors import RunFileError
from infoplane.runfile.stream import Stream, Variable
from infoplane.runfile.writer import RunWriter
writer = RunWriter(sys.argv[1])
writer.start((Stream("plane", "step", (Variable("x", ("step",), "f8"),)),), {})
for step in range(100):
    writer.append("plane", step, x=step)
child, code = os.fork(), 1
if not child:
    try:
        writer.append("plane", 100, x=0)
    except RunFileError as error:
        code = 0
        print(error, flush=True)
    writer.close()
"""
AFTERWARDS = """
for step in range(100, 200):
    writer.append("plane", step, x=step)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
for step in range(200, 300):
    writer.append("plane", step, x=step)
os._exit(0)
"""

pytestmark = pytest.mark.skipif(has_writer(os.devnull) is None, reason="the system has no such locks")


@pytest.fixture
def path(tmp_path):
    """A finished run of two rows."""
    with RunWriter(tmp_path / "run.h5") as writer:
        writer.start(STREAMS, {})
        writer.append("plane", 0, x=0)
        writer.append("plane", 1, x=1)
    return tmp_path / "run.h5"


@pytest.mark.parametrize("option", ["overwrite", "resume"])
@pytest.mark.parametrize("is_started", [False, True])
def test_a_second_writer_in_the_same_process_is_refused_until_the_first_has_closed(path, option, is_started):
    with RunWriter(path, overwrite=True) as writer:
        if is_started:
            writer.start(STREAMS, {})
            writer.append("plane", 5, x=5)
        with pytest.raises(RunFileError, match=REFUSED):
            RunWriter(path, **{option: True})
        assert has_writer(path)
    assert not has_writer(path)
    with ip.open_run(path) as run:
        assert run.plane()["step"].tolist() == ([5] if is_started else [0, 1])
    with RunWriter(path, **{option: True}) as writer:
        writer.start(STREAMS, {})


@pytest.mark.parametrize("state", ["reserved", "started"])
def test_a_second_writer_is_refused_while_another_process_lives_and_allowed_after_its_death(path, state):
    command = [sys.executable, "-c", OTHER, str(path), state]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout.readline() == b"ready\n"
            for option in ("overwrite", "resume"):
                with pytest.raises(RunFileError, match=REFUSED):
                    RunWriter(path, **{option: True})
            with ip.open_run(path) as run:
                assert run.status == ("recording" if state == "started" else "finished")
        finally:
            other.send_signal(signal.SIGKILL)
    with ip.open_run(path) as run:
        assert run.status == ("killed" if state == "started" else "finished")
        assert len(run.plane()) == (5 if state == "started" else 2)
    with RunWriter(path, resume=True) as writer:
        writer.start(STREAMS, {})
        writer.append("plane", 10, x=10)
    assert ip.open_run(path).plane()["step"].tolist()[-2:] == ([4, 10] if state == "started" else [1, 10])


@pytest.mark.parametrize("end", ["sys.exit(code)", "os._exit(code)"])
def test_a_fork_of_the_writer_cannot_append_and_its_end_leaves_the_file_alone(tmp_path, end):
    path = tmp_path / "run.h5"
    done = subprocess.run(
        [sys.executable, "-c", FORKING + end.join(("\n    ", "\n")) + AFTERWARDS, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{path}: is written by the process that this one was forked from\n"
    with ip.open_run(path) as run:
        assert run.status == "killed"
        np.testing.assert_array_equal(run.plane()["x"], np.arange(300))


def test_a_fork_that_outlives_the_writer_does_not_keep_the_file(path):
    receive, send = os.pipe()
    with RunWriter(path, overwrite=True) as writer:
        writer.start(STREAMS, {})
        child = os.fork()
        if not child:
            os.close(send)
            os.read(receive, 1)
            os._exit(0)
    assert not has_writer(path)
    RunWriter(path, resume=True).close()
    os.close(send)
    os.close(receive)
    os.waitpid(child, 0)


def test_a_lock_on_a_file_that_was_replaced_meanwhile_is_no_lock(path, tmp_path, monkeypatch):
    """Another writer may put its file in place between our opening of the old one and our locking of it."""
    monkeypatch.setattr("infoplane.runfile.lock._fcntl", lambda *arguments: path.unlink())
    with pytest.raises(RunFileError, match=REFUSED):
        WriterLock(path)


def test_a_file_made_by_another_program_before_the_start_is_kept(tmp_path):
    path = tmp_path / "run.h5"
    writer = RunWriter(path)
    path.rename(tmp_path / "elsewhere")
    path.write_text("another's")
    with pytest.raises(RunFileError, match="was made by another program meanwhile, so it is not replaced"):
        writer.start(STREAMS, {})
    assert path.read_text() == "another's"
    assert writer.is_over


def test_overwriting_and_resuming_at_once_is_refused(path):
    with pytest.raises(InputError, match="either replaced or resumed"):
        RunWriter(path, overwrite=True, resume=True)
    assert not has_writer(path)


def test_a_file_that_cannot_be_resumed_is_left_unlocked(tmp_path):
    path = tmp_path / "run.h5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(RunFileError, match=r"run\.h5: cannot be read"):
        RunWriter(path, resume=True)
    assert not has_writer(path)
