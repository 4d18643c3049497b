"""Sweeps that are stopped, killed, or lose their workers, as processes of their own."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import infoplane as ip
from infoplane.training import train

SWEEP = """
import sys
from infoplane.sweep import sweep
from infoplane.training import read_settings
print(sweep(sys.argv[1], seeds=3, overrides={"training.epochs": "40"}, out=sys.argv[2], jobs=2, threads=1))
"""


def start(settings, out, environment):
    # Files rather than pipes: whoever else has a pipe open would have the test wait for its end.
    with (out.parent / "stdout").open("w") as output, (out.parent / "stderr").open("w") as messages:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SWEEP, str(settings), str(out)],
            env=environment,
            start_new_session=True,
            stdout=output,
            stderr=messages,
        )


def end_of(process, out):
    """Return exit code, stdout and stderr."""
    code = process.wait(timeout=180)
    return code, (out.parent / "stdout").read_text(), (out.parent / "stderr").read_text()


def wait_for_epochs(out, count, epoch=1):
    """Wait until `count` trainings have come so far."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        kept = [torch.load(path, weights_only=True)["epoch"] for path in out.glob("*.ckpt")]
        if sum(found >= epoch for found in kept) >= count:
            return
        time.sleep(0.05)
    raise TimeoutError(f"{out} has {sorted(p.name for p in out.glob('*'))}")


def wait_for_end(pids):
    until = time.monotonic() + 60
    while any(os.path.exists(f"/proc/{pid}") and not is_zombie(pid) for pid in pids):
        assert time.monotonic() < until
        time.sleep(0.05)


def is_zombie(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def states(out):
    found = {}
    for path in sorted(out.glob("*.h5")):
        with ip.open_run(path) as run:
            found[path.stem] = run.status
    return found


@pytest.mark.parametrize(
    ("number", "goes_on"),
    [
        (signal.SIGINT, False),
        pytest.param(signal.SIGINT, True, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, False, marks=pytest.mark.slow),
    ],
)
def test_a_signal_ends_running_points_cleanly_and_the_same_call_goes_on(
    small, small_file, tmp_path, environment, processes_below, number, goes_on, assert_same_rows
):
    out = tmp_path / "runs"
    process = start(small_file, out, environment)
    wait_for_epochs(out, 2)
    below = processes_below(process.pid)
    # As a terminal does for Ctrl-C: every process of the group gets it.
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    code, _, messages = end_of(process, out)
    assert code == {signal.SIGINT: -signal.SIGINT, signal.SIGTERM: 143}[number], messages
    assert "running points end after their step; once more ends them at once" in messages
    assert "stopped with 0 of 3 points finished; the same call goes on" in messages
    assert states(out) == {"seed=0": "interrupted", "seed=1": "interrupted"}
    assert not list(out.glob(".stop*"))
    wait_for_end(below)
    if not goes_on:
        return
    process = start(small_file, out, environment)
    code, output, messages = end_of(process, out)
    assert code == 0, messages
    assert output.startswith("3 points: 3 finished\n")
    assert set(states(out).values()) == {"finished"}
    train(small(method="synscaw", scaling__rate=0.02, training__epochs=40, seed=1), tmp_path / "whole.h5", quiet=True)
    assert_same_rows(out / "seed=1.h5", tmp_path / "whole.h5")


@pytest.mark.slow
def test_a_second_signal_ends_at_once(small_file, tmp_path, environment, trainings_below):
    out = tmp_path / "runs"
    process = start(small_file, out, environment)
    wait_for_epochs(out, 2)
    trainings = trainings_below(process.pid)
    for pid in trainings:  # they do not react
        os.kill(pid, signal.SIGSTOP)
    os.kill(process.pid, signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    assert end_of(process, out)[0] == -signal.SIGINT
    wait_for_end(trainings)


@pytest.mark.slow
def test_trainings_end_with_a_sweep_that_is_killed(small_file, tmp_path, environment, processes_below, trainings_below):
    out = tmp_path / "runs"
    process = start(small_file, out, environment)
    wait_for_epochs(out, 2)
    assert len(trainings_below(process.pid)) == 2
    below = processes_below(process.pid)
    process.kill()
    process.wait(timeout=60)
    wait_for_end(below)
    assert set(states(out).values()) == {"interrupted"}


@pytest.mark.slow
def test_a_lost_worker_costs_nothing_but_time(small_file, tmp_path, environment, trainings_below):
    out = tmp_path / "runs"
    process = start(small_file, out, environment)
    wait_for_epochs(out, 2)
    os.kill(next(iter(trainings_below(process.pid).values())), signal.SIGKILL)
    code, output, messages = end_of(process, out)
    assert code == 0, messages
    assert output.startswith("3 points: 3 finished\n")
    assert "the workers were lost (TerminatedWorkerError" in messages
    assert set(states(out).values()) == {"finished"}
