"""A reader in the process that writes, as a live plot in a notebook, is as any other: it hinders nobody."""

import subprocess
import sys

import h5py
import numpy as np

import infoplane as ip
from infoplane.runfile.stream import Stream, Variable
from infoplane.runfile.writer import RunWriter

STREAMS = (Stream("plane", "step", (Variable("x", ("step",), "f8"),)),)
PLAIN = "import h5py, sys; print(h5py.File(sys.argv[1])['entry/plane/step'][:])"
FAULTY = """
import logging, resource, sys
import torch
from torch import nn
import infoplane as ip

path = sys.argv[1]
model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
x, y = torch.randn(8, 4), torch.arange(8) % 2
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
with ip.record(model, path, classes=2, latent=2, sandwich=4, on_error="warn") as rec:
    for row in range(1, 31):
        model(x)
        rec.loss(y)
        rec.measure([(x, y)])
        if row == 3:
            reader = ip.open_run(path)
            assert (reader.status, len(reader.plane())) == ("recording", 3)
            resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    reader.refresh()
    rows = reader.plane()["step"].tolist()
    with ip.open_run(path) as again:
        same = again.plane()["step"].tolist() == rows == list(range(1, len(rows) + 1))
        print(same, 3 <= len(rows) < 30, again.status)
reader.close()
with ip.record(model, path, classes=2, latent=2, sandwich=4, resume=True) as rec:
    model(x)
    rec.loss(y)
with ip.open_run(path) as run:
    print(run.status, run.plane()["step"].tolist() == rows)
"""


def test_a_file_ends_for_others_while_a_reader_of_its_own_process_is_open(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path) as writer:
        writer.start(STREAMS, {})
        writer.append("plane", 0, x=0)
        reader = ip.open_run(path)
        assert (reader.status, reader.plane()["step"].tolist()) == ("recording", [0])
        writer.append("plane", 1, x=1)
    other = subprocess.run([sys.executable, "-c", PLAIN, str(path)], capture_output=True, text=True)
    assert (other.stdout, other.returncode) == ("[0 1]\n", 0), other.stderr
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["entry/plane/step"][:], [0, 1])
    reader.refresh()
    assert (reader.status, reader.plane()["step"].tolist()) == ("finished", [0, 1])
    reader.close()


def test_rows_before_a_fault_are_read_in_the_process_that_wrote_them(tmp_path):
    command = [sys.executable, "-c", FAULTY, str(tmp_path / "run.h5")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert (done.returncode, done.stdout) == (0, "True True killed\nfinished True\n"), done.stderr


def test_a_reader_writes_no_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with RunWriter(tmp_path / "run.h5") as writer:
        writer.start(STREAMS, {})
    with ip.open_run("run.h5") as run:
        assert len(run.plane()) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]
