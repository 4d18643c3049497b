"""A reader in another process that polls without pause while 10,000 rows are written sees whole rows alone."""

import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

import infoplane as ip
from infoplane.errors import RunFileError
from infoplane.runfile.writer import RunWriter

ROWS, BINS = 10_000, 16
WRITER = """
import sys
import numpy as np
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.stream import EPOCH, Coordinate, Stream, Variable
from infoplane.runfile.writer import RunWriter

path, rows, flush, offset = sys.argv[1], *map(int, sys.argv[2:5])
probes = [ProbeInfo(name, name, "trained", 1e-3, 8) for name in ("a", "b", "c")]
counts = Variable("counts", ("step", "bin"), "i8", compress=True)
sketch = Stream("sketch", "step", (EPOCH, counts), (Coordinate("bin", np.arange(16.0)),))
writer = RunWriter(path, overwrite=True, flush=flush)
writer.start((*run_streams(probes=probes), sketch), {"first": offset})
print("started", flush=True)
for row in range(rows):
    value = float(row + offset)
    pairs = np.full((3, 3), value)
    values = np.full((3, len(PLANE_QUANTITIES)), value)
    writer.append("plane", row, epoch=value, n=row + offset, n_sandwich=row + offset, updates=row + offset,
                  values=values, covariance_i_zx=pairs, covariance_i_zy=pairs)
    writer.append("sketch", row, epoch=value, counts=np.arange(16) + row + offset)
    writer.append("events", None, step=row, time=value, text=str(row + offset) * 20)
writer.close()
"""


@contextmanager
def writing(path, rows, *, flush=1, offset=0):
    """Write rows that name themselves, from `offset` on, in another process."""
    command = [sys.executable, "-c", WRITER, str(path), str(rows), str(flush), str(offset)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"started\n"
            yield process
            assert process.wait(timeout=120) == 0
        finally:
            process.kill()


def assert_whole(run, seen, *, flush=1):
    """Every row after those `seen` names itself everywhere; returns how many there are now."""
    offset, found = run.provenance["first"], {}
    for name in ("plane", "sketch", "events"):
        view, first = run.stream(name), seen.get(name, 0)
        found[name] = len(view)
        assert len(view) == view.committed >= first
        assert len(view) % flush == 0 or len(view) == ROWS  # the last rows are committed at the close
        rows = np.arange(first, len(view))
        for variable in view.variables:
            values = view.read(variable, slice(first, None))
            expected = rows if variable in ("step", "event") else rows + offset
            if variable == "text":
                assert values.tolist() == [str(row) * 20 for row in expected]
                continue
            if variable == "counts":
                values = values - np.arange(BINS)
            assert (values == expected.reshape(-1, *[1] * (values.ndim - 1))).all(), variable
    scatter, first = run.stream("plane_scatter"), 3 * seen.get("plane", 0)
    assert len(scatter) % 3 == 0
    points = np.arange(first, len(scatter)) // 3
    np.testing.assert_array_equal(scatter.read("step_of_point", slice(first, None)), points)
    np.testing.assert_array_equal(scatter.read("i_zx", slice(first, None)), points + offset)
    return found


def test_a_reader_that_polls_without_pause_sees_whole_rows_only(tmp_path):
    path, seen, sizes = tmp_path / "run.h5", {}, set()
    with writing(path, ROWS), ip.open_run(path) as run:
        while run.status != "finished":
            run.refresh()
            with ip.open_run(path) as anew:  # shares the open file: it must not be ahead or behind of what is there
                assert_whole(anew, seen)
            seen = assert_whole(run, seen)
            sizes.add(seen["plane"])
    assert set(seen.values()) == {ROWS}
    assert len(sizes) > 50  # it was read while it grew


def test_a_reader_that_opens_by_path_without_pause_sees_whole_rows_only_and_every_seventh_flush(tmp_path):
    path, seen, sizes, status = tmp_path / "run.h5", {}, set(), ""
    with writing(path, ROWS, flush=7):
        while status != "finished":
            with ip.open_run(path) as run:
                status = run.status
                seen = assert_whole(run, seen, flush=7)
            sizes.add(seen["plane"])
    assert set(seen.values()) == {ROWS}
    assert len(sizes) > 50


def test_a_reader_sees_the_old_file_or_the_new_one_while_it_is_replaced(tmp_path):
    """An open reader keeps the old rows; by path there is one whole file or the other, at every moment."""
    path, firsts, new = tmp_path / "run.h5", [], 10**6
    with writing(path, 20):
        pass
    with ip.open_run(path) as old:
        command = [sys.executable, "-c", WRITER, str(path), "300", "1", str(new)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                with ip.open_run(path) as run:
                    firsts.append(run.provenance["first"])
                    found = assert_whole(run, {})
                    assert run.provenance["first"] == new or found["plane"] == 20
                old.refresh()
                assert assert_whole(old, {})["plane"] == 20
        assert process.returncode == 0
    assert firsts == sorted(firsts)
    assert set(firsts) == {0, new}
    with ip.open_run(path) as run:
        assert assert_whole(run, {})["plane"] == 300


def test_before_the_first_step_a_reader_is_told_so(tmp_path):
    with RunWriter(tmp_path / "run.h5"), pytest.raises(RunFileError, match="is empty"):
        ip.open_run(tmp_path / "run.h5")
