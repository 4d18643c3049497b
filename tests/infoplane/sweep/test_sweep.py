"""Points run, are kept, fail alone, and go on; what a run file has is what one training writes."""

import json
import signal
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.recording import Recording
from infoplane.runfile.lock import WriterLock
from infoplane.sweep import Engine, child, plan, run_plan, sweep
from infoplane.sweep.ledger import read_plans
from infoplane.sweep.standing import standing
from infoplane.training import train


def status_of(path):
    with ip.open_run(path) as run:
        return run.status


def test_points_are_what_single_trainings_write(small, tmp_path, assert_same_rows):
    base = small(method="synscaw")
    found = sweep(base, seeds=2, grid={"scaling.rate": [0.01, 0.03]}, out=tmp_path / "runs", threads=1)
    assert [o.status for o in found.outcomes] == ["finished"] * 4
    assert all(o.seconds > 0 for o in found.outcomes)
    assert list(found.paths) == [tmp_path / "runs" / f"{point.name}.h5" for point in found.plan.points]
    alone = tmp_path / "alone.h5"
    train(base.changed({"scaling.rate": 0.03, "seed": 1}), alone, quiet=True)
    assert_same_rows(tmp_path / "runs" / "rate=0.03,seed=1.h5", alone)
    with ip.open_run(found.paths[0]) as run:
        assert run.configuration["plan"] == {"metric": "error", "epoch": "last", "seeds": [0, 1]}
    assert not list((tmp_path / "runs").glob(".stop*"))

    table = found.to_dataframe()
    assert table["setting"].tolist() == ["rate=0.01", "rate=0.03"]
    for setting, row in zip(("rate=0.01", "rate=0.03"), table.itertuples(), strict=True):
        errors = []
        for seed in (0, 1):
            with ip.open_run(tmp_path / "runs" / f"{setting},seed={seed}.h5") as run:
                metrics = run.metrics()
                errors.append(100 * metrics["values"][-1, metrics["quantity"].tolist().index("error")])
        assert (row.mean, row.n, row.points, row.unit) == (pytest.approx(np.mean(errors)), 2, 2, "%")
        assert row.sd == pytest.approx(abs(errors[0] - errors[1]) / 2**0.5)
    assert str(found).startswith("4 points: 4 finished\nsetting    error [%]")


def test_finished_points_are_kept_and_a_longer_sweep_adds_to_them(small, tmp_path):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    first = sweep(small(), out=tmp_path)
    assert {number: signal.getsignal(number) for number in handlers} == handlers
    (path,) = first.paths
    before = path.stat().st_mtime_ns, path.read_bytes()
    again = sweep(small(data__root=None), seeds=2, out=tmp_path)
    assert [o.status for o in again.outcomes] == ["kept", "finished"]
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert str(again).startswith("2 points: 1 finished, 1 finished before\n")
    # Each file has the plan that it began with, and the ledger has both.
    plans = [json.loads(json.dumps(ip.open_run(p).configuration["plan"]["seeds"])) for p in again.paths]
    assert plans == [[0], [0, 1]]
    assert [entry["seeds"] for entry in read_plans(tmp_path / "sweep.json")] == [[0], [0, 1]]
    sweep(small(), seeds=2, out=tmp_path)
    assert len(read_plans(tmp_path / "sweep.json")) == 2


def test_a_point_that_fails_is_reported_and_does_not_stop_the_rest(small, tmp_path, caplog):
    found = sweep(small(), grid={"optimizer.learning_rate": [1e30, 1e-3]}, out=tmp_path)
    assert [o.status for o in found.outcomes] == ["failed", "finished"]
    (failed,) = found.failed
    assert "the loss is" in failed.reason
    assert "the loss is" in (tmp_path / "learning_rate=1e+30,seed=0.log").read_text()
    assert not (tmp_path / "learning_rate=0.001,seed=0.log").exists()
    assert "learning_rate=1e+30,seed=0 failed: the loss is" in caplog.text
    assert found.to_dataframe()["n"].tolist() == [0, 1]
    assert "0 of 1" in str(found)


def test_an_error_in_a_users_code_is_a_failure_with_its_traceback(small, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "import os, sys\nfrom torch import nn\n"
        "def build(shape, classes, how):\n"
        "    print('printed')\n"
        "    if how == 'raise': return {}[0]\n"
        "    if how == 'leave': sys.exit(3)\n"
        "    if how == 'die': os.kill(os.getpid(), 9)\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, classes))\n"
    )
    monkeypatch.chdir(tmp_path)
    base = small(model__name="mine:build", model__hidden=None, probes__sites=("1",))
    found = sweep(
        base, grid={"model.how": ["raise", "leave", "die", "work"]}, out=tmp_path / "runs", threads=2, quiet=True
    )
    assert [o.status for o in found.outcomes] == ["failed", "failed", "failed", "finished"]
    raised, left, died, _ = (o.reason for o in found.outcomes)
    assert "KeyError" in raised
    assert "told to end" in left
    assert died == "its process was ended by SIGKILL (out of memory?): printed"
    assert "printed" in (tmp_path / "runs" / "how=raise,seed=0.log").read_text()
    assert (tmp_path / "runs" / "how=work,seed=0.log").read_text() == "printed\n"
    with ip.open_run(found.paths[0]) as run:
        assert run.provenance["threads"] == 2
        assert run.provenance["argv"] == sys.argv


def test_another_training_under_the_same_name_is_refused_with_the_difference(small, tmp_path):
    sweep(small(), out=tmp_path)
    before = (tmp_path / "seed=0.h5").read_bytes()
    for change, difference in (
        ({"optimizer__learning_rate": 0.01}, "optimizer.learning_rate was 0.0005 and is 0.01"),
        ({"training__epochs": 3}, "training.epochs was 2 and is 3"),
        ({"training__epochs": 1}, "training.epochs was 2 and is 1"),
        ({"method": "synscaw"}, 'method was "baseline" and is "synscaw"'),
    ):
        with pytest.raises(RunFileError, match=f"seed=0.h5: is of another training: .*{difference}"):
            sweep(small(**change), out=tmp_path)
    assert (tmp_path / "seed=0.h5").read_bytes() == before
    assert len(read_plans(tmp_path / "sweep.json")) == 1


def test_where_a_training_runs_makes_no_other_of_it(small, tmp_path):
    path = tmp_path / "run.h5"
    train(small(), path, quiet=True)
    assert standing(path, small(data__root="/elsewhere", training__keep_checkpoint=False)).is_finished
    (tmp_path / "run.ckpt").unlink()
    assert standing(path, small()).is_finished


@pytest.fixture
def stopped(small, tmp_path):
    """A run file and its checkpoint of a training that ended after its first epoch, and the settings."""

    class StopError(Exception):
        pass

    settings, path = small(method="synscaw"), tmp_path / "seed=0.h5"
    measure, calls = Recording.measure, []

    def once(*arguments, **options):
        if calls:
            raise StopError
        calls.append(1)
        return measure(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recording, "measure", once)
        with pytest.raises(StopError):
            train(settings, path, quiet=True)
    assert status_of(path) == "interrupted"
    return settings, path


def test_a_stopped_point_goes_on_with_its_plan_and_ends_as_one_that_was_not(small, stopped, tmp_path, assert_same_rows):
    settings, path = stopped
    found = standing(path, settings)
    assert (found.is_finished, found.is_resumed) == (False, True)
    (outcome,) = sweep(settings, out=tmp_path, threads=1).outcomes
    assert outcome.status == "finished"
    with ip.open_run(path) as run:
        assert "plan" not in run.configuration  # it began without one
        assert any(text.startswith("recording went on at step 4") for text in run.events()["text"])
    train(settings, tmp_path / "whole.h5", quiet=True)
    assert_same_rows(path, tmp_path / "whole.h5")


@pytest.mark.parametrize("left", ["no checkpoint", "empty file", "empty file and checkpoint", "checkpoint alone"])
def test_what_a_kill_leaves_is_begun_anew(small, tmp_path, left, assert_same_rows):
    settings, path, kept = small(training__epochs=1), tmp_path / "seed=0.h5", tmp_path / "seed=0.ckpt"
    train(settings, tmp_path / "whole.h5", quiet=True)
    if left == "no checkpoint":
        train(settings.changed({"training.checkpoint_every": 0}), path, quiet=True)
        # Its status as a killed process leaves it: neither finished nor interrupted.
        with h5py.File(path, "r+") as file:
            (name,) = [n for n in file["entry"] if n == "status"]
            file["entry"][name][...] = 0
        assert status_of(path) == "killed"
    else:
        if "empty" in left:
            path.touch()
        if "checkpoint" in left:
            (tmp_path / "whole.ckpt").rename(kept)
            content = torch.load(kept, weights_only=True)
            torch.save({**content, "epoch": 0, "step": 0, "rows": 0}, kept)
    (outcome,) = sweep(settings, out=tmp_path, threads=1, quiet=True).outcomes
    assert outcome.status == "finished", outcome.reason
    assert_same_rows(path, tmp_path / "whole.h5")


def test_a_file_that_is_no_run_file_is_left_alone(small, tmp_path):
    (tmp_path / "seed=0.h5").write_text("a diary")
    with pytest.raises(RunFileError, match="no HDF5 file"):
        sweep(small(), out=tmp_path)
    assert (tmp_path / "seed=0.h5").read_text() == "a diary"


def test_a_run_file_that_is_being_written_is_waited_for(stopped, monkeypatch):
    settings, path = stopped
    lock = WriterLock(path)
    monkeypatch.setattr(child, "_PATIENCE", 0.2)
    with pytest.raises(RunFileError, match="is being written by another process"):
        child._train(path, settings)
    monkeypatch.undo()
    timer = threading.Timer(0.5, lock.release)
    timer.start()
    child._train(path, settings)
    timer.join()
    assert status_of(path) == "finished"


def test_a_pool_that_breaks_is_begun_again_and_gives_up_in_the_end(small, tmp_path, caplog, monkeypatch):
    made = plan(small(), seeds=3)
    begun = []

    def run(self, tasks):
        tasks = list(tasks)
        begun.append([task["name"] for task in tasks])
        yield {"name": tasks[0]["name"], "status": "failed", "reason": "as told", "seconds": 0.0}
        if len(begun) < 3:
            raise RuntimeError("a worker died")

    monkeypatch.setattr(Engine, "run", run)
    found = run_plan(made, tmp_path, engine=Engine())
    assert begun == [["seed=0", "seed=1", "seed=2"], ["seed=1", "seed=2"], ["seed=2"]]
    assert [o.reason for o in found.outcomes] == ["as told"] * 3
    assert "the workers were lost (RuntimeError: a worker died); 2 points are begun again" in caplog.text

    def never(self, tasks):
        raise RuntimeError("no worker")
        yield

    monkeypatch.setattr(Engine, "run", never)
    found = run_plan(made, tmp_path / "other", engine=Engine())
    assert {o.reason for o in found.failed} == {"the workers were lost (RuntimeError: no worker)"}
    assert len(found.failed) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "locy"}, "'loky'"),
        ({"jobs": 0}, "at least 1"),
        ({"threads": 0}, "at least 1"),
        ({"address": "tcp://127.0.0.1:1"}, "is this machine"),
        ({"engine": "dask"}, "needs the address"),
        ({"engine": "dask", "address": "tcp://127.0.0.1:1", "jobs": 2}, "leave it out"),
        ({"quiet": "no"}, "True or False"),
    ],
)
def test_engines_that_cannot_be_are_refused(small, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        sweep(small(), out=tmp_path / "runs", **options)
    assert not (tmp_path / "runs").exists()


def test_threads_are_those_of_the_machine_shared_out(monkeypatch):
    import joblib

    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [Engine(jobs=jobs).threads_each for jobs in (None, 3, 8, 20)] == [8, 2, 1, 1]
    assert str(Engine(jobs=3)) == "3 at a time, 2 threads each"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert Engine(jobs=3).threads_each == 1
    assert Engine(jobs=3, threads=4).threads_each == 4
    assert Engine("dask", address="tcp://x:1").threads_each is None


def test_ledger_that_is_none_is_refused(small, tmp_path):
    for content, reason in (("{", "cannot be read"), ('{"format": "x"}', "is no plan"), ("[]", "is no plan")):
        (tmp_path / "sweep.json").write_text(content)
        with pytest.raises(RunFileError, match=reason):
            sweep(small(), out=tmp_path)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["sweep.json"]


def test_out_that_is_a_file_is_refused(small, tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(RunFileError, match="cannot be made"):
        sweep(small(), out=tmp_path / "runs")
