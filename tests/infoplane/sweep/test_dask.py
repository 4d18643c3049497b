"""A real scheduler with two workers on loopback, one of which is killed in the middle."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

import infoplane as ip
from infoplane.errors import InputError
from infoplane.sweep import engine, sweep

pytest.importorskip("distributed")

SCHEDULER = """
from distributed import LocalCluster
import sys
if __name__ == "__main__":
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def cluster(tmp_path, environment):
    path = tmp_path / "cluster.py"
    path.write_text(SCHEDULER)
    process = subprocess.Popen(
        [sys.executable, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    yield process.stdout.readline().strip(), process.pid
    process.communicate("", timeout=60)


def _held_by(process):
    """The checkpoints of the run files that a process has open: it may be at its first epoch, and have none."""
    for link in Path(f"/proc/{process}/fd").glob("*"):
        with suppress(OSError):
            if (checkpoint := link.readlink().with_suffix(".ckpt")).is_file():
                yield checkpoint


def _epoch_of(checkpoint):
    return torch.load(checkpoint, weights_only=True)["epoch"]


def test_every_point_is_done_although_a_worker_is_killed(small, tmp_path, cluster, trainings_below):
    address, pid = cluster
    out, killed = tmp_path / "runs", []

    def kill_one():
        until = time.monotonic() + 120
        while time.monotonic() < until and not killed:
            for training, worker in trainings_below(pid).items():
                if not killed and any(_epoch_of(path) >= 2 for path in _held_by(training)):
                    killed.append(worker)
                    os.kill(worker, signal.SIGKILL)
            time.sleep(0.05)

    thread = threading.Thread(target=kill_one)
    thread.start()
    settings = small(method="synscaw", training__epochs=25)
    found = sweep(settings, seeds=3, out=out, engine="dask", address=address, quiet=True)
    thread.join()
    assert killed
    assert [o.status for o in found.outcomes] == ["finished"] * 3, [o.reason for o in found.outcomes]
    events = []
    for path in found.paths:
        with ip.open_run(path) as run:
            assert run.status == "finished"
            assert run.metrics()["epoch"].tolist() == list(range(1, 26))
            events += run.events()["text"].tolist()
    assert any(text.startswith("recording went on at step") for text in events)


def test_a_scheduler_that_does_not_answer_is_said(small, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "_TIMEOUT", 1)
    with pytest.raises(InputError, match=r"no dask scheduler answers at 'tcp://127.0.0.1:9'"):
        sweep(small(), out=tmp_path, engine="dask", address="tcp://127.0.0.1:9")
