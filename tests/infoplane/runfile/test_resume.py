"""Going on with a run file: with a state as if it had never stopped, without one with probes that begin anew."""

import copy
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from io import BytesIO

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import infoplane as ip
from infoplane.errors import CaptureError, InputError, RunFileError
from infoplane.probes.schedule import never
from infoplane.runfile.declared import declared_streams
from infoplane.runfile.resume import calls_of, check_resumable, check_same_streams, steps_done
from infoplane.runfile.writer import RunWriter

SITES, CLASSES, STEPS = ["0", "2"], 3, 4
ANEW = "probes began anew at step {}: no state was given to load_state_dict()"
OPTIONS = {"sites": SITES, "classes": CLASSES, "latent": 4, "sketch_at": 2, "raw": 5, "sandwich": 20, "gradients": 1}


def network(width=6):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, width), nn.Tanh(), nn.Linear(width, CLASSES))


def batch(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(24, 6, generator=generator), torch.randint(CLASSES, (24,), generator=generator)


def train(path, last, *, kept=None, net=None, ends=None, **options):
    """Train to step `last`, measure at every `STEPS`-th, and return the last checkpoint."""
    net = net or network()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    with ip.record(net, path, **(OPTIONS | options)) as rec:
        if kept is not None:
            net.load_state_dict(kept["net"])
            optimizer.load_state_dict(kept["optimizer"])
            if "recording" in kept:
                rec.load_state_dict(kept["recording"])
        while rec.step < last:
            x, y = batch(rec.step)
            optimizer.zero_grad()
            (functional.cross_entropy(net(x), y) + rec.loss(y)).backward()
            optimizer.step()
            if rec.step % STEPS == 0:
                rec.measure([batch(10**6)], epoch=rec.step / STEPS)
        if ends is not None:
            raise ends
        kept = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "recording": rec.state_dict()}
        return pickled(kept)


def pickled(kept):
    """A checkpoint as it comes back from a disk."""
    file = BytesIO()
    torch.save(kept, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def rows_of(path, *, times=False):
    with ip.open_run(path) as run:
        assert all(committed == readable for committed, readable in run.check().values())
        return {
            (name, v): run.stream(name)[v]
            for name in run.streams
            for v in run.stream(name).names
            if times or (v != "time" and name != "events")
        }


def assert_same(first, second):
    assert first.keys() == second.keys()
    for key in first:
        assert first[key].shape == second[key].shape, key
        assert first[key].dtype == second[key].dtype, key
        assert first[key].tolist() == second[key].tolist() or first[key].tobytes() == second[key].tobytes(), key


def assert_begins_with(path, before):
    """The rows of before are there as they were, and steps increase."""
    after = rows_of(path, times=True)
    for (name, variable), values in before.items():
        assert after[name, variable][: len(values)].tobytes() == values.tobytes() or (
            after[name, variable][: len(values)].tolist() == values.tolist()
        ), (name, variable)
    with ip.open_run(path) as run:
        for name in run.streams:
            if run.stream(name).row == "step":
                assert (np.diff(run.stream(name).row_values) > 0).all()


def events(path):
    with ip.open_run(path) as run:
        return list(zip(run.events()["step"].tolist(), run.events()["text"].tolist(), strict=True))


# With a state


@pytest.mark.parametrize("control", [False, True])
def test_stopped_and_resumed_with_a_state_it_equals_the_run_that_never_stopped(tmp_path, control):
    whole, parts = tmp_path / "whole.h5", tmp_path / "parts.h5"
    train(whole, 16, control=control)
    kept = train(parts, 6, control=control)
    start = ip.open_run(parts).start_time
    kept = train(parts, 12, control=control, kept=kept, resume=True)
    train(parts, 16, control=control, kept=kept, resume=True)
    assert_same(rows_of(whole), rows_of(parts))
    assert events(parts) == [
        (0, "recording began"),
        (6, "finished"),
        (6, "recording went on at step 6"),
        (12, "finished"),
        (12, "recording went on at step 12"),
        (16, "finished"),
    ]
    with ip.open_run(whole) as one, ip.open_run(parts) as run:
        assert (run.status, run.start_time) == ("finished", start)
        continued = run.provenance.pop("resumed")
        assert run.provenance.keys() == one.provenance.keys()
    assert [entry["from_step"] for entry in continued] == [6, 12]
    keys = {"time", "from_step", "versions", "argv", "git_commit", "git_dirty", "hostname", "device"}
    assert all(entry.keys() == keys and entry["device"] == "cpu" for entry in continued)
    with h5py.File(parts, "r+") as file:
        assert file["entry/plane/step"][:].tolist() == [4, 8, 12, 16]


def test_rows_after_the_step_of_the_state_are_left_out_and_written_anew(tmp_path, caplog):
    whole, path = tmp_path / "whole.h5", tmp_path / "run.h5"
    kept = train(path, 8)
    train(path, 14, kept=copy.deepcopy(kept), resume=True)
    train(path, 16, kept=kept, resume=True)
    train(whole, 16)
    assert_same(rows_of(whole), rows_of(path))
    said = [text for _, text in events(path)]
    # one of each of six streams, three of each of two, three findings on the probes, and the event of the end
    assert said[-2] == "1 measurement and 16 other rows after step 8 were left out, for training goes on from there"
    assert said[-2] in caplog.messages


def test_a_state_without_a_file_begins_one_at_its_step(tmp_path):
    kept = train(tmp_path / "first.h5", 8)
    train(tmp_path / "second.h5", 12, kept=kept, resume=True)
    with ip.open_run(tmp_path / "second.h5") as run:
        assert run.plane()["step"].tolist() == [12]
        assert "resumed" not in run.provenance


@pytest.mark.parametrize("resume", [True, False])
def test_a_state_of_a_later_step_than_a_new_file_is_said(tmp_path, caplog, resume):
    kept = train(tmp_path / "first.h5", 8)
    text = "the state is of step 8, but this file begins here: it has no earlier rows"
    kept = train(tmp_path / "mistyped.h5", 12, kept=kept, resume=resume)
    assert text in caplog.messages
    assert events(tmp_path / "mistyped.h5")[1] == (8, text)
    caplog.clear()
    train(tmp_path / "mistyped.h5", 16, kept=kept, resume=True)
    assert not any("this file begins" in said or "missing" in said for said in caplog.messages)


def test_a_state_goes_with_its_own_run_wherever_the_file_is(tmp_path):
    path, other = tmp_path / "run.h5", tmp_path / "other.h5"
    kept = train(path, 8)
    train(other, 4)
    with ip.open_run(path) as run, ip.open_run(other) as another:
        begun = run.start_time, another.start_time
    assert begun[0] != begun[1]
    before = other.read_bytes()
    with pytest.raises(InputError) as caught:
        train(other, 12, kept=copy.deepcopy(kept), resume=True)
    assert str(caught.value).startswith(
        f"{other}: the state is of another run, begun at {begun[0]}, but this file was begun at {begun[1]}: "
    )
    assert other.read_bytes() == before
    (tmp_path / "copy.h5").write_bytes(path.read_bytes())
    ip.recover(path, tmp_path / "recovered.h5")
    (tmp_path / "away").mkdir()
    path.rename(tmp_path / "away" / "moved.h5")
    for name in ("copy.h5", "recovered.h5", "away/moved.h5"):
        again = train(tmp_path / name, 12, kept=copy.deepcopy(kept), resume=True)
        train(tmp_path / name, 16, kept=again, resume=True)
        with ip.open_run(tmp_path / name) as run:
            assert run.plane()["step"].tolist() == [4, 8, 12, 16]


def test_rows_that_the_state_counts_and_the_file_lacks_are_said(tmp_path, caplog):
    path = tmp_path / "run.h5"
    train(path, 5)
    older = path.read_bytes()
    kept = train(path, 12, kept=train(path, 5, resume=True), resume=True)
    path.write_bytes(older)
    with ip.open_run(path) as run:
        assert run.plane()["step"].tolist() == [4]
    caplog.clear()
    kept = train(path, 16, kept=kept, resume=True)
    (said,) = [text for text in caplog.messages if text.endswith("which the state counts, are missing from the file")]
    assert said.startswith("2 measurements and ")
    assert (12, said) in events(path)
    caplog.clear()
    train(path, 20, kept=kept, resume=True)
    assert not any("missing" in text for text in caplog.messages)


FLUSHED = """
import os, sys
sys.path.insert(0, sys.argv[1])
import torch
import test_resume as t
torch.set_num_threads(1)
net = t.network()
with t.ip.record(net, sys.argv[2], **t.OPTIONS, flush=5) as rec:
    x, y = t.batch(0)
    for step in range(1, 13):
        net(x)
        rec.loss(y)
        if step % t.STEPS == 0:
            rec.measure([t.batch(10**6)])
        if step == 9:
            torch.save({"net": net.state_dict(), "recording": rec.state_dict()}, sys.argv[3])
    os.kill(os.getpid(), 9)
"""


def test_no_row_before_a_state_is_lost_by_a_kill_however_rarely_rows_are_flushed(tmp_path, caplog):
    path, checkpoint = tmp_path / "run.h5", tmp_path / "run.pt"
    command = [sys.executable, "-c", FLUSHED, os.path.dirname(__file__), str(path), str(checkpoint)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    with ip.open_run(path) as run:
        assert run.status == "killed"
        assert run.plane()["step"].tolist() == [4, 8]
        assert run.stream("step_weights")["step"].tolist() == [0, 2, 4, 6, 8]
    net, kept = network(), torch.load(checkpoint, weights_only=True)
    with ip.record(net, path, **OPTIONS, resume=True) as rec:
        net.load_state_dict(kept["net"])
        rec.load_state_dict(kept["recording"])
        x, y = batch(0)
        net(x)
        rec.loss(y)
    assert not any("missing" in text for text in caplog.messages)


# Without one


def test_the_count_of_calls_goes_on_from_the_rows_that_were_measured(tmp_path):
    path = tmp_path / "run.h5"
    for last, expected in ((20, [4, 16]), (40, [4, 16, 32])):
        train(path, last, resume=True, measure_at=3)
        with ip.open_run(path) as run:
            assert run.plane()["step"].tolist() == expected
    assert [calls_of(ip.every(3), k, most=100) for k in (0, 1, 2, 3)] == [0, 1, 4, 7]
    assert calls_of(ip.log_spaced(), 40, most=50) == 50
    assert calls_of(never, 3, most=9) == 9


@pytest.mark.parametrize("how", ["finished", "interrupted"])
def test_without_a_state_old_rows_stay_and_new_ones_follow(tmp_path, how, caplog):
    path = tmp_path / "run.h5"
    if how == "finished":
        train(path, 9)
    else:
        with pytest.raises(KeyError):
            train(path, 9, ends=KeyError())
    before = rows_of(path, times=True)
    caplog.clear()
    train(path, 16, resume=True)
    assert_begins_with(path, before)
    with ip.open_run(path) as run:
        assert run.plane()["step"].tolist() == [4, 8, 12, 16]
        assert run.stream("step_weights")["step"].tolist() == list(range(0, 16, 2))
        assert run.stream("plane_scatter")["step_of_point"].tolist() == [4, 4, 8, 8, 12, 12, 16, 16]
    assert events(path)[2:] == [(9, "recording went on at step 9"), (9, ANEW.format(9)), (16, "finished")]
    assert ANEW.format(9) in caplog.messages


def test_a_control_is_not_resumed_without_a_state(tmp_path):
    path = tmp_path / "run.h5"
    train(path, 4, control=True)
    before = path.read_bytes()
    with pytest.raises(InputError, match="the untrained network cannot be had from a trained one"):
        train(path, 8, control=True, resume=True)
    assert path.read_bytes() == before


def test_raw_activations_stay_within_their_limit_over_all_continuations(tmp_path):
    path = tmp_path / "run.h5"
    row = 5 * (16 * 4 + 2 * 8)  # five inputs of 16 numbers, a position and a label each
    for last in (8, 16, 24):
        train(path, last, raw_bytes=3 * row, resume=True)
    with ip.open_run(path) as run:
        assert len(run.plane()) == 6
        assert run.stream("raw")["step"].tolist() == [4, 8, 12]


@pytest.mark.parametrize("there", ["nothing", "an empty file"])
def test_where_there_is_no_run_one_begins(tmp_path, there):
    path = tmp_path / "run.h5"
    if there == "an empty file":
        path.touch()
    train(path, 4, resume=True)
    assert events(path) == [(0, "recording began"), (4, "finished")]


def test_changed_settings_and_data_are_noted_and_said(tmp_path, caplog):
    path = tmp_path / "run.h5"
    train(path, 4, configuration={"rate": np.float32(1), "batch": 24}, data={"sha256": "a"})
    train(path, 8, configuration={"rate": 1.0, "batch": 24}, resume=True)
    train(path, 9, resume=True)
    assert not any("configuration" in text for _, text in events(path))
    train(path, 12, configuration={"rate": 2, "new": 1}, data={"sha256": "b"}, resume=True)
    for text in (
        "configuration is not that of the file: rate was 1.0 and is 2, batch was 24 and is not there, "
        "new was not there and is 1",
        'data is not that of the file: sha256 was "a" and is "b"',
    ):
        assert (9, text) in events(path)
        assert text in caplog.messages
    train(path, 16, configuration={f"setting_{k}": k for k in range(60)}, resume=True)
    (text,) = (text for text in caplog.messages if "setting_0" in text)
    assert text.endswith("setting_1 was not there and is 1, setting_2 was not there and is 2 and 57 more")
    assert any(step == 12 and text.startswith(cut) for step, cut in events(path) if "setting_0" in cut)
    with ip.open_run(path) as run:
        assert run.configuration == {"rate": 1.0, "batch": 24}


# After a kill


CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import torch
import test_resume as t
torch.set_num_threads(1)
path = sys.argv[2]
append = t.RunWriter.append
def told(self, stream, row, /, **arrays):
    append(self, stream, row, **arrays)
    os.write(1, f"{stream} {arrays.get('step', row)}\\n".encode())
t.RunWriter.append = told
t.train(path, 10**6, resume=True)
"""


def killed(path, rows):
    """Record in another process until that has appended so many rows, kill it, and return what it appended."""
    command = [sys.executable, "-c", CHILD, os.path.dirname(__file__), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline().split() for _ in range(rows)]
        process.kill()
        said += [line.split() for line in process.stdout.readlines() if line.endswith("\n")]
    return said


def test_a_recording_that_is_killed_again_and_again_goes_on_each_time(tmp_path):
    path, before = tmp_path / "run.h5", {}
    for seed in range(2):
        said = killed(path, random.Random(seed).randrange(30, 60))
        with ip.open_run(path) as run:
            assert "killed" in run.status
            for stream, step in said:
                assert int(step) in run.stream(stream)["step"], (stream, step)
            done = steps_done(run)
        if before:
            assert_begins_with(path, before)
        before = rows_of(path, times=True)
    ip.recover(path, tmp_path / "recovered.h5")
    for name in ("run.h5", "recovered.h5"):
        train(tmp_path / name, done + 2 * STEPS, resume=True)
        assert_begins_with(tmp_path / name, before)
        with ip.open_run(tmp_path / name) as run:
            assert run.status == "finished"
            assert run.plane()["step"][-1] > done
            assert len(run.stream("plane_scatter")) == 2 * len(run.plane())


def test_a_kill_while_the_file_is_rebuilt_leaves_the_old_one_whole(tmp_path):
    path = tmp_path / "run.h5"
    train(path, 8)
    before = path.read_bytes()
    script = f"""
import os, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import infoplane.runfile.rebuild as rebuild
import test_resume as t
put, count = rebuild.put_rows, [0]
def some(*arguments):
    count[0] += 1
    if count[0] == 6:
        os.kill(os.getpid(), 9)
    return put(*arguments)
rebuild.put_rows = some
t.train({str(path)!r}, 12, resume=True)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert path.read_bytes() == before
    train(path, 12, resume=True)
    with ip.open_run(path) as run:
        assert run.plane()["step"].tolist() == [4, 8, 12]
    assert [p.name for p in tmp_path.iterdir()] == ["run.h5"]


# What is refused


def test_what_is_measured_already_is_not_measured_again(tmp_path):
    path = tmp_path / "run.h5"
    kept = train(path, 8)
    net = network()
    with (
        pytest.raises(CaptureError, match="at step 8, at which the recording goes on"),
        ip.record(net, path, resume=True, **OPTIONS) as rec,
    ):
        rec.load_state_dict(kept["recording"])
        assert rec.step == 8
        rec.measure([batch(0)])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"latent": 5, "seed": 1}, "latent is 4 in the file and 5 now; seed is 0 in the file and 1 now"),
        ({"beta": (1e-3, 1e-2)}, "beta is 0.001 in the file and [0.001, 0.01] now"),
        ({"mode": "joint"}, "mode is 'observe' in the file and 'joint' now"),
        ({"classes": 4}, "classes is 3 in the file and 4 now"),
        ({"split": "valid"}, "split is 'test' in the file and 'valid' now"),
        ({"sites": ["0", "3"]}, "site '2' is in the file alone; site '3' is in this recording alone"),
        ({"sites": {"0": "first", "2": "2"}}, "site '0' is in the file alone; site 'first' is in this recording alone"),
        ({"neurons": False}, "stream 'neurons' is in the file alone"),
        ({"reduce": {"0": "gap"}}, "reduction of site '0' is 'flatten' in the file and 'gap' now"),
    ],
)
def test_another_recording_is_refused_with_what_differs(finished, options, reason):
    before = finished.read_bytes()
    expected = f"{finished}: cannot be resumed, because this recording is another: {reason}"
    with pytest.raises(RunFileError) as caught:
        train(finished, 8, resume=True, **options)
    assert str(caught.value) == expected
    assert finished.read_bytes() == before


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    path = tmp_path_factory.mktemp("finished") / "run.h5"
    train(path, 4)
    return path


def test_another_network_is_refused(finished):
    with pytest.raises(RunFileError) as caught:
        train(finished, 8, resume=True, net=network(width=7))
    assert "width of site '2' is 6 in the file and 7 now" in str(caught.value)
    assert str(caught.value).endswith("number of parameters is 157 in the file and 171 now")


def test_a_site_of_another_type_is_another_network(finished):
    net = network()
    net[0] = Doubled(6, 10)
    with pytest.raises(RunFileError, match="type of site '0' is 'Linear' in the file and 'Doubled' now"):
        train(finished, 8, resume=True, net=net)


class Doubled(nn.Linear):
    """As many parameters, another function."""

    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize("off", [0, 0.0, False, "", [], {}, None])
def test_an_option_that_the_file_does_not_know_and_that_is_off_is_no_difference(finished, off):
    with ip.open_run(finished) as run:
        header = {"probes": run.provenance["probes"], "seed": 0}
        check_resumable(run, header | {"probes": header["probes"] | {"later": off}})
        with pytest.raises(RunFileError, match="later is None in the file and 3 now"):
            check_resumable(run, header | {"probes": header["probes"] | {"later": 3}})
        with pytest.raises(RunFileError, match=r"beta is 0\.001 in the file and 0 now"):
            check_resumable(run, header | {"probes": header["probes"] | {"beta": 0}})


def test_a_file_is_compared_with_streams_by_their_labels_shapes_and_units(finished):
    with ip.open_run(finished) as run:
        same = declared_streams(run)
        check_same_streams(run, same)
        by_name = {stream.name: stream for stream in same}
        neurons, plane = by_name["neurons"], by_name["plane"]
        wider = replace(neurons.companions[0], values=[*neurons.companions[0].values[:-1], "0"])
        unit = replace(plane.variables[-1], units="nat")
        for changed, reason in (
            (replace(neurons, companions=(wider, neurons.companions[1])), "number of neurons of site '0' is 10 in the"),
            (replace(plane, variables=(*plane.variables[:-1], unit)), "units of variable 'covariance_i_zy' of stream"),
            (replace(plane, variables=plane.variables[:-1]), "variable 'covariance_i_zy' of stream 'plane' is in the"),
        ):
            streams = [changed if stream.name == changed.name else stream for stream in same]
            with pytest.raises(RunFileError, match=reason):
                check_same_streams(run, streams)
        with pytest.raises(RunFileError, match="the sites of stream 'activations' come in another order"):
            check_same_streams(run, [swapped(stream) for stream in same])


def swapped(stream):
    parts = [replace(c, values=list(c.values)[::-1]) if c.name == "site" else c for c in stream.coordinates]
    return replace(stream, coordinates=tuple(parts))


def test_a_file_of_another_version_or_with_unreadable_rows_is_refused(finished, tmp_path):
    path = tmp_path / "run.h5"
    path.write_bytes(finished.read_bytes())
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = np.bytes_("1.2")
    with pytest.raises(RunFileError, match=r"cannot be resumed, because it has the format version 1\.2"):
        train(path, 8, resume=True)
    path.write_bytes(finished.read_bytes())
    with h5py.File(path, "r+") as file:
        file["entry/plane/committed"][()] = 3
    before = path.read_bytes()
    with pytest.raises(RunFileError, match="2 of 3 rows of 'plane' cannot be read; save the others first"):
        train(path, 8, resume=True)
    assert path.read_bytes() == before


def test_a_run_that_is_still_written_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    with ip.record(network(), path, **OPTIONS) as rec:
        x, y = batch(0)
        rec.model(x)
        rec.loss(y)
        with pytest.raises(RunFileError, match=re.escape(f"{path}: is being written by another recording")):
            train(path, 8, resume=True)


def test_resume_goes_with_a_path_and_without_overwrite(tmp_path):
    for path, options, reason in (
        (tmp_path / "run.h5", {"overwrite": True}, "overwrite=True replaces it"),
        (None, {}, "without a path there is none"),
        (tmp_path / "run.h5", {"resume": 1}, "resume is 1, but it must be True or False"),
    ):
        with pytest.raises(InputError, match=reason):
            ip.record(network(), path, **(OPTIONS | {"resume": True} | options))


def test_steps_done_are_those_that_the_rows_tell_of(tmp_path):
    path = tmp_path / "run.h5"
    train(path, 7)
    with ip.open_run(path) as run:
        assert steps_done(run) == 7  # six and one: a sketch inside step 6, and the event at the end
    with RunWriter(tmp_path / "none.h5") as writer:
        writer.start([], {})
    with ip.open_run(tmp_path / "none.h5") as run:
        assert steps_done(run) == 0


def test_other_settings_of_the_scaling_are_refused(tmp_path):
    net = network()
    with ip.record(net, tmp_path / "run.h5", scaling=ip.SynScaW(net, gamma=1e-3), **OPTIONS) as rec:
        x, y = batch(0)
        functional.cross_entropy(net(x), y).backward()
        rec.loss(y)
    other = ip.SynScaW(net, gamma=5e-2, probe_shift=0.7)
    with (
        pytest.raises(RunFileError, match=r"gamma of scaling is 0\.001 in the file and 0\.05 now; probe_shift of scal"),
        ip.record(net, tmp_path / "run.h5", scaling=other, resume=True, **OPTIONS),
    ):
        pass
    with ip.record(net, tmp_path / "run.h5", scaling=ip.SynScaW(net, gamma=1e-3), resume=True, **OPTIONS):
        pass


@pytest.mark.parametrize("value", [float("nan"), {(1, 2): 3}, {np.int64(1): 2}, np.longdouble(1) / 3, [float("inf")]])
def test_a_setting_that_json_does_not_have_is_the_same_setting_when_resumed(tmp_path, value, caplog):
    for last in (STEPS, 2 * STEPS):
        caplog.clear()
        train(tmp_path / "run.h5", last, configuration={"given": value}, resume=True)
    assert not [text for text in caplog.messages if "configuration" in text]
    assert not [text for text in events(tmp_path / "run.h5") if "configuration" in text]
