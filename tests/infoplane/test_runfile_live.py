"""A run file while it grows, after a kill, and cut off in the middle: every committed row is whole, or it is said."""

import random
import subprocess
import sys
import time
import warnings
from contextlib import contextmanager

import numpy as np
import pytest

import infoplane as ip
from infoplane.errors import RunFileError

WRITER = """
import os, sys
import numpy as np
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.writer import RunWriter

def filled(shape, row):
    return np.full(shape, row, float)

path, rows = sys.argv[1], int(sys.argv[2])
writer = RunWriter(path)
probes = [ProbeInfo(name, name, "trained", 1e-3, 8) for name in ("a", "b", "c")]
writer.start(run_streams(probes=probes, sites=["a", "b"]), {"seed": 0})
print("started", flush=True)
for row in range(rows):
    pairs = {"covariance_i_zx": filled((3, 3), row), "covariance_i_zy": filled((3, 3), row)}
    values = filled((3, len(PLANE_QUANTITIES)), row)
    writer.append("plane", row, epoch=row, n=row, n_sandwich=row, updates=row, values=values, **pairs)
    counts = np.arange(2 * 2 * 512).reshape(2, 2, 512) + row
    writer.append("activations", row, epoch=row, counts=counts, scalars=filled((2, 18), row))
    said = {"text": str(row) * 20, "amount": row, "unit": "bit", "advice": "none"}
    writer.append("findings", None, step=row, stream="plane", where="a", code="c", **said)
    os.write(1, f"{row + 1}\\n".encode())
writer.close()
"""


@contextmanager
def writing(path, rows):
    """Write in another process; it is killed at the end of the block, if it has not ended."""
    command = [sys.executable, "-c", WRITER, str(path), str(rows)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"started\n"
            yield process
        finally:
            process.kill()


def assert_whole(run, first=0):
    """Every committed row from `first` on holds its own number everywhere."""
    for name in ("plane", "activations"):
        view = run.stream(name)
        rows = np.arange(len(view))[first:]
        for variable in view.variables:
            values = view.read(variable, slice(first, None)).astype(float)
            if variable == "counts":
                values = values - np.arange(2 * 2 * 512).reshape(2, 2, 512)
            assert (values == rows.reshape(-1, *[1] * (values.ndim - 1))).all(), variable
    scatter = run.stream("plane_scatter")
    np.testing.assert_array_equal(scatter["step_of_point"], np.arange(len(scatter)) // 3)
    np.testing.assert_array_equal(scatter["i_zx"], np.arange(len(scatter)) // 3)
    assert run.findings()["text"].tolist() == [str(row) * 20 for row in range(len(run.findings()))]


@pytest.mark.parametrize("seed", range(5))
def test_after_a_kill_every_row_committed_is_read(tmp_path, seed):
    path = tmp_path / "run.h5"
    with writing(path, 10**6) as process:
        time.sleep(random.Random(seed).uniform(0.01, 0.4))
        process.kill()
        counted = process.stdout.read().split(b"\n")[:-1]
        process.wait()
    with ip.open_run(path) as run:
        assert run.status == "killed"
        assert run.end_time == ""
        assert len(run.plane()) >= len(counted)
        assert len(run.findings()) >= len(counted)
        assert_whole(run)
        assert all(committed == readable for committed, readable in run.check().values())
        assert run.plane().to_dataframe()["value"].max() == len(run.plane()) - 1


@pytest.fixture(scope="module", params=["killed", "finished"])
def whole_file(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "run.h5"
    with writing(path, 10**6 if request.param == "killed" else 60) as process:
        while process.stdout.readline() not in (b"60\n", b""):
            pass
        if request.param == "finished":
            process.wait()
    return path.read_bytes()


def test_a_file_cut_off_anywhere_is_refused_or_says_how_many_rows_can_be_read(tmp_path, whole_file):
    """What lies beyond the cut is never read as zeros, and no cut makes HDF5 wait."""
    path, partial, reasons = tmp_path / "run.h5", 0, set()
    began = time.monotonic()
    for size in [*range(0, len(whole_file), len(whole_file) // 60), len(whole_file) - 1]:
        path.write_bytes(whole_file[:size])
        try:
            with ip.open_run(path) as run, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = run.check()
                for name, (committed, readable) in found.items():
                    assert 0 <= readable <= committed
                    if readable < committed:
                        partial += 1
                        assert run.stream(name).readable == readable
                assert_whole(run)
        except RunFileError as error:
            reasons.add(str(error))
    assert partial > 10
    assert all(reason.startswith(f"{path}: ") for reason in reasons)
    assert time.monotonic() - began < 30


def test_a_cut_off_file_warns_where_its_rows_are_used(tmp_path, whole_file):
    path = tmp_path / "run.h5"
    path.write_bytes(whole_file[: len(whole_file) * 2 // 3])
    with ip.open_run(path) as run, pytest.warns(UserWarning, match="the file is cut off"):
        run.activations().to_dataframe()


def test_flipped_bits_read_or_raise_our_error_in_bounded_time(tmp_path, whole_file):
    rng, path = random.Random(0), tmp_path / "run.h5"
    began, refused = time.monotonic(), 0
    for _ in range(150):
        damaged = bytearray(whole_file)
        for _ in range(rng.choice((1, 3, 30))):
            damaged[rng.randrange(min(len(damaged), 90_000))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            with warnings.catch_warnings(action="ignore"), ip.open_run(path) as run:
                run.check()
                for name in run.streams:
                    run.stream(name).to_dataframe()
        except RunFileError:
            refused += 1
    assert refused > 20
    assert time.monotonic() - began < 60
