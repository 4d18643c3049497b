"""What `recover` makes of killed, cut-off, damaged and finished files: a normal one with every row that can be read."""

import re
import subprocess
import sys
import time
import tracemalloc
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.probes.probe_info import ProbeInfo
from infoplane.runfile.declared import declared_streams
from infoplane.runfile.layout import LIBVER, create_layout
from infoplane.runfile.rebuild import copy_rows
from infoplane.runfile.schema import PLANE_QUANTITIES, run_streams
from infoplane.runfile.stream import EPOCH, Companion, Coordinate, Stream, Variable
from infoplane.runfile.writer import RunWriter

PROVENANCE = {
    "seed": 3,
    "name": "süß",
    "ratio": 0.1,
    "nested": {"a": [1, None, True, "x"]},
    "huge": 2**70,
    "none": None,
}
SITES = ["a", "b"]
ROWS = 30
OLD = sorted((Path(__file__).parent / "versions").glob("*.h5"))


def streams():
    probes = [ProbeInfo(name, name, "trained", 1e-3, 8) for name in SITES]
    options = {"neurons": {"a": 2, "b": 3}, "raw": {"a": 2, "b": 1}, "raw_inputs": 4, "gradients": ["w"]}
    return run_streams(
        probes=probes, sites=SITES, parameters=["w"], in_steps=True, metrics={"loss": "bit"}, split="tést", **options
    )


def fill(writer, rows, first=0):
    """Append rows of random numbers, NaN and text of every length among them, which the step determines."""
    for step in range(first, first + rows):
        rng = np.random.default_rng(step)
        for stream in streams():
            if stream.derived_from:
                continue
            arrays = {}
            for variable in stream.variables:
                shape = stream.row_shape(variable)
                if variable.dtype.startswith("S"):
                    arrays[variable.name] = "aé\n\x1b[0m" * int(rng.integers(0, 3))
                elif variable.name == "step":
                    arrays["step"] = step
                else:
                    values = rng.integers(-9, 2**40, shape) if variable.dtype == "i8" else rng.normal(size=shape)
                    arrays[variable.name] = np.where(values > 1, np.nan, values) if variable.dtype != "i8" else values
            writer.append(stream.name, step if stream.row == "step" else None, **arrays)


@pytest.fixture
def finished(tmp_path):
    with RunWriter(tmp_path / "run.h5") as writer:
        writer.start(streams(), PROVENANCE)
        fill(writer, 5)
    return tmp_path / "run.h5"


def killed(path, rows=5):
    """A file that its writer did not close, as another process leaves it."""
    copy = path.with_name("killed.h5")
    with RunWriter(path) as writer:
        writer.start(streams(), PROVENANCE)
        fill(writer, rows)
        copy.write_bytes(path.read_bytes())
    return copy


def content(path):
    """Every data set, its type and storage, and every attribute of a file, by its place."""
    found = {}
    with h5py.File(path) as file:

        def visit(name, thing):
            references = ("DIMENSION_LIST", "REFERENCE_LIST")
            attrs = {k: v if k not in references else len(v) for k, v in thing.attrs.items()}
            value = [attrs, list(thing.attrs)]
            if isinstance(thing, h5py.Dataset):
                value += [thing[()], thing.dtype, thing.shape, thing.maxshape, thing.chunks, thing.compression]
            else:
                value += [list(thing)]
            found[name] = value

        visit("/", file["/"])
        file.visititems(visit)
    return found


def rows_of(path):
    with ip.open_run(path) as run:
        return {(name, v): run.stream(name)[v] for name in run.streams for v in run.stream(name).names}


def assert_same_rows(first, second, *, but=()):
    assert first.keys() == second.keys()
    for key in first:
        if key[0] not in but:
            assert first[key].dtype == second[key].dtype, key
            assert first[key].tolist() == second[key].tolist() or first[key].tobytes() == second[key].tobytes(), key


def assert_is_normal(path):
    """It opens without SWMR, for writing too, and a program that knows nothing of us finds its rows."""
    with h5py.File(path, "r+") as file:
        assert file["entry/plane/values"].shape[0] == file["entry/plane/committed"][()]


# The same file again


def test_streams_declared_by_a_file_lay_out_the_same_file_again(finished, tmp_path):
    again = tmp_path / "again.h5"
    with ip.open_run(finished) as run, h5py.File(again, "w", libver=LIBVER, track_order=True) as file:
        create_layout(file, declared_streams(run), run.provenance, run.start_time)
        copy_rows(run, file, declared_streams(run))
    first, second = content(finished), content(again)
    assert list(first) == list(second)
    for name in first.keys() - {"entry/status", "entry/end_time"}:
        np.testing.assert_equal(first[name], second[name], err_msg=name)


def test_streams_of_any_kind_are_declared_as_they_were_made(tmp_path):
    made = Stream(
        "odd",
        "turn",
        coordinates=(Coordinate("place", np.array([0.5, 1.5], "f4"), "m"), Coordinate("who", ["ä", ""], "", "names")),
        companions=(Companion("mark", "who", np.array([1, 2], "i2")), Companion("note", "place", ["x", "yy"])),
        variables=(
            Variable("small", ("turn", "who", "place"), "f4", "K", "long", {"valid_min": -1.0, "flags": np.arange(3)}),
            Variable("text", ("turn", "who"), "S7"),
            Variable("count", ("turn",), "u1", compress=True),
        ),
        title="Odd",
        attrs={"a": "b", "n": 3},
    )
    with RunWriter(tmp_path / "run.h5") as writer:
        writer.start([made], {})
    with ip.open_run(tmp_path / "run.h5") as run:
        (found,) = declared_streams(run)
    for name in ("name", "row", "signal", "axes", "table", "title", "attrs"):
        assert getattr(found, name) == getattr(made, name), name
    for kind in ("coordinates", "companions", "variables"):
        for a, b in zip(getattr(found, kind), getattr(made, kind), strict=True):
            np.testing.assert_equal(vars(a), vars(b))


def test_rows_after_a_step_are_left_out_of_every_stream(finished, tmp_path):
    """A sketch inside step 2 is there when three steps are done."""
    path = tmp_path / "cut.h5"
    with ip.open_run(finished) as run, h5py.File(path, "w", libver=LIBVER, track_order=True) as file:
        create_layout(file, streams(), run.provenance, run.start_time)
        copy_rows(run, file, streams(), last_step=2)
    with ip.open_run(path) as run:
        for name in run.streams:
            view = run.stream(name)
            steps = view["step_of_point" if name == "plane_scatter" else "step"].tolist()
            last = 1 if name.startswith("step_") else 2
            assert steps == [s for s in range(last + 1) for _ in range(2 if name == "plane_scatter" else 1)], name
            if view.row != "step":
                assert view.row_values.tolist() == list(range(len(steps)))


def test_points_that_a_kill_kept_from_following_their_row_are_made_anew(finished, tmp_path):
    with h5py.File(finished, "r+") as file:
        file["entry/plane_scatter/committed"][()] = 7
    path = tmp_path / "again.h5"
    with ip.open_run(finished) as run, h5py.File(path, "w", libver=LIBVER, track_order=True) as file:
        create_layout(file, streams(), run.provenance, run.start_time)
        copy_rows(run, file, streams())
    with ip.open_run(path) as run:
        plane, scatter = run.plane()["values"], run.stream("plane_scatter")
        assert scatter["step_of_point"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
        np.testing.assert_array_equal(scatter["i_zx"], plane[:, :, PLANE_QUANTITIES.index("i_zx")].ravel())


def test_memory_does_not_grow_with_the_rows(tmp_path):
    wide = Stream(
        "wide",
        "step",
        coordinates=(Coordinate("k", np.arange(4000)),),
        variables=(EPOCH, Variable("values", ("step", "k"), "f8")),
    )
    path, peaks = tmp_path / "run.h5", []
    for rows in (100, 800):
        path.unlink(missing_ok=True)
        with RunWriter(path) as writer:
            writer.start([wide], {})
            for step in range(rows):
                writer.append("wide", step, epoch=0.0, values=np.full(4000, float(step)))
        tracemalloc.start()
        ip.recover(path, tmp_path / "out.h5", overwrite=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert path.stat().st_size > 25e6
    assert max(peaks) < 10e6
    with ip.open_run(tmp_path / "out.h5") as run:
        np.testing.assert_array_equal(run.stream("wide")["values"][:, 7], np.arange(800.0))


# What is recovered


def test_a_killed_file_becomes_a_normal_one_with_every_row(tmp_path):
    path, out = killed(tmp_path / "run.h5"), tmp_path / "out.h5"
    before = path.read_bytes()
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(path)
    assert ip.recover(path, str(out)) == out
    assert path.read_bytes() == before
    assert_is_normal(out)
    assert_same_rows(rows_of(path), rows_of(out), but=("events",))
    with ip.open_run(path) as old, ip.open_run(out) as new:
        assert old.provenance == new.provenance == PROVENANCE
        assert (new.status, new.start_time, new.end_time) == ("interrupted", old.start_time, "")
        assert new.events()["text"].tolist()[:-1] == old.events()["text"].tolist()
        assert re.fullmatch(r"recovered from 'killed.h5' \(.*killed.*\): all committed rows", new.events()["text"][-1])
        assert new.events()["step"][-1] == 5  # a sketch inside step 4 is the last that is told
        assert abs(new.events()["time"][-1] - time.time()) < 3600


def test_a_finished_file_stays_finished(finished, tmp_path):
    out = ip.recover(finished, tmp_path / "out.h5")
    with ip.open_run(finished) as old, ip.open_run(out) as new:
        assert (new.status, new.end_time) == ("finished", old.end_time)
    assert_same_rows(rows_of(finished), rows_of(out), but=("events",))


def test_a_cut_off_file_gives_what_lies_before_the_cut_and_says_what_is_missing(tmp_path):
    path, out, lossy = killed(tmp_path / "run.h5", ROWS), tmp_path / "out.h5", 0
    whole = path.read_bytes()
    expected = rows_of(path)
    for size in range(len(whole) // 3, len(whole), len(whole) // 9):
        path.write_bytes(whole[:size])
        try:
            with ip.open_run(path) as run, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                readable = {name: len(run.stream(name)) if found[1] else 0 for name, found in run.check().items()}
        except RunFileError:
            continue
        ip.recover(path, out, overwrite=True)
        assert_is_normal(out)
        found, said = rows_of(out), []
        with ip.open_run(out) as run:
            said = [text for text in run.events()["text"].tolist() if text.startswith("not recovered: ")]
        for (name, variable), values in found.items():
            if name != "events" and name in readable:
                assert values.tobytes() == expected[name, variable][: len(values)].tobytes()
                if variable in ("step", "finding", "point"):
                    assert len(values) == readable[name]
        short = [name for name, count in readable.items() if count < (2 * ROWS if name == "plane_scatter" else ROWS)]
        assert len(said) == len(short) > 0
        lossy += 1
    assert lossy > 3


def test_rows_around_a_damaged_one_are_recovered(finished, tmp_path):
    with h5py.File(finished) as file:
        dset = file["entry/activations/counts"]
        at = {i.chunk_offset[0]: i.byte_offset for i in map(dset.id.get_chunk_info, range(5))}[2]
    raw = bytearray(finished.read_bytes())
    raw[at + 4 : at + 14] = b"\xff" * 10
    finished.write_bytes(raw)
    out = ip.recover(finished, tmp_path / "out.h5")
    with ip.open_run(finished) as old, ip.open_run(out) as new:
        with pytest.raises(RunFileError):
            old.activations()["counts"]
        assert new.activations()["step"].tolist() == [0, 1, 3, 4]
        for row, was in enumerate([0, 1, 3, 4]):
            np.testing.assert_array_equal(new.activations().read("counts", row), old.activations().read("counts", was))
        assert new.plane()["step"].tolist() == [0, 1, 2, 3, 4]
        assert new.events()["text"].tolist()[-1] == "not recovered: 1 of 5 rows of 'activations'"


def test_a_stream_that_cannot_be_read_at_all_is_named_and_the_others_are_recovered(finished, tmp_path):
    with h5py.File(finished, "r+") as file:
        del file["entry/neurons/values"].attrs["dimensions"]
        del file["entry/events/text"]
    out = ip.recover(finished, tmp_path / "out.h5")
    with ip.open_run(out) as run:
        assert "neurons" not in run.streams
        assert len(run.plane()) == 5
        texts = run.events()["text"].tolist()
    assert texts[0] == "recovered from 'run.h5' (finished): what could be read"
    assert texts[1].startswith("not recovered: stream 'neurons' (")
    assert any(text.startswith("not recovered") and "'events'" in text for text in texts)


@pytest.mark.parametrize("path", OLD, ids=[path.name for path in OLD])
def test_files_of_older_versions_are_recovered_with_all_they_have(path, tmp_path):
    out = ip.recover(path, tmp_path / "out.h5")
    assert_is_normal(out)
    assert_same_rows(rows_of(path), rows_of(out), but=("events",))
    with ip.open_run(path) as old, ip.open_run(out) as new:
        assert new.provenance == old.provenance
        assert len(new.events()) == len(old.events()) + 1
    ip.reports.jsd(out)


# What is refused


def test_a_file_that_is_written_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    with RunWriter(path) as writer:
        writer.start(streams(), PROVENANCE)
        fill(writer, 1)
        with pytest.raises(RunFileError, match=re.escape(f"{path}: is being written by a recording")):
            ip.recover(path, tmp_path / "out.h5")
        with pytest.raises(RunFileError, match="is being written by another recording; choose another name"):
            ip.recover(ip.recover(killed(tmp_path / "other.h5"), tmp_path / "good.h5"), path, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["good.h5", "killed.h5", "other.h5", "run.h5"]


def test_nothing_is_written_over_by_accident(finished, tmp_path):
    (tmp_path / "link.h5").symlink_to(finished)
    (tmp_path / "notes.h5").write_text("mine")
    (tmp_path / "out.h5").write_bytes(finished.read_bytes())
    before = finished.read_bytes()
    for out, options, reason in (
        ("run.h5", {"overwrite": True}, "is the file to recover itself"),
        ("link.h5", {"overwrite": True}, "is the file to recover itself"),
        ("out.h5", {}, "exists already; overwrite=True"),
        ("notes.h5", {"overwrite": True}, "is no HDF5 file, so it is not replaced"),
        ("missing/out.h5", {}, "cannot be created, because its folder does not exist"),
        ("notes.h5/out.h5", {}, "cannot be created, because .*/notes.h5 is no folder"),
    ):
        with pytest.raises(RunFileError, match=f"{out}: {reason}"):
            ip.recover(finished, tmp_path / out, **options)
    assert finished.read_bytes() == before
    assert (tmp_path / "notes.h5").read_text() == "mine"
    ip.recover(finished, tmp_path / "out.h5", overwrite=True)
    with pytest.raises(InputError, match="overwrite is 'no'"):
        ip.recover(finished, tmp_path / "out.h5", overwrite="no")


@pytest.mark.parametrize("text", ["", "no run file", None])
def test_what_is_no_run_file_is_refused_and_nothing_is_left(tmp_path, text):
    path = tmp_path / "run.h5"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RunFileError, match=re.escape(str(path))):
        ip.recover(path, tmp_path / "out.h5")
    assert [p.name for p in tmp_path.iterdir()] == ([] if text is None else ["run.h5"])


def test_a_recovery_that_is_killed_leaves_no_half_file(finished, tmp_path):
    """The name appears with the whole file: before, there is only what lies beside it, and the next one works."""
    script = """
import os, sys
import infoplane.runfile.recover as module
copy, count = module.copy_rows, [0]
def copy_some(*arguments, **options):
    count[0] += 1
    if count[0] == 4:
        os.kill(os.getpid(), 9)
    copy(*arguments, **options)
module.copy_rows = copy_some
module.recover(*sys.argv[1:])
"""
    out = tmp_path / "out.h5"
    done = subprocess.run([sys.executable, "-c", script, str(finished), str(out)], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert not out.exists()
    ip.recover(finished, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.h5", "run.h5"]
    assert_same_rows(rows_of(finished), rows_of(out), but=("events",))


def test_a_disk_that_refuses_leaves_no_half_file(tmp_path):
    """At every size, from the first byte to the last row; the process ends as it should."""
    path, out = killed(tmp_path / "run.h5", ROWS), tmp_path / "out.h5"
    script = """
import resource, sys
import infoplane as ip
path, out, *sizes = sys.argv[1:]
for size in map(int, sizes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        ip.recover(path, out)
    except ip.errors.RunFileError as error:
        print(error)
"""
    whole = ip.recover(path, out).stat().st_size
    out.unlink()
    sizes = [0, 20_000, *range(whole // 2, whole - 1, whole // 12), whole - 1]
    command = [sys.executable, "-c", script, str(path), str(out), *map(str, sizes)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{out}: cannot be written (File too large)"] * len(sizes)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["killed.h5", "run.h5"]
