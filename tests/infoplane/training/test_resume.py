"""A training that was stopped anywhere and goes on equals the one that was not stopped, bit for bit."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import infoplane as ip
from infoplane.errors import InputError, RunFileError
from infoplane.regularizers import RunningMethod
from infoplane.training import to_toml, train
from infoplane.training.checkpoint import write_checkpoint

NETWORK = """
import random
import numpy as np
import torch
from torch import nn

class Net(nn.Sequential):
    '''Batch norm, dropout, and draws from python's and numpy's random states.'''

    def __init__(self, classes):
        super().__init__(
            nn.Flatten(), nn.Linear(64, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, classes)
        )

    def forward(self, x):
        noise = random.random() + np.random.random() if self.training else 0
        return super().forward(x + 0.1 * noise)

def make(shape, classes):
    return Net(classes)
"""

EVERYTHING = {
    "method": "synscaw+dropout",
    "scaling.every": 3,
    "scaling.gamma_decay": True,
    "probes.mode": "joint",
    "probes.control": True,
    "probes.gradients": 1,
    "probes.sketch_at": 3,
    "training.epochs": 4,
    "optimizer.decay_every": 1,
}
CASES = {
    "dropout, joint probes and SynScaW every 3 steps": EVERYTHING,
    "batch norm, and a plateau": {
        "model.name": "frozen_net:make",
        "model.hidden": "none",
        "optimizer.name": "sgd",
        "optimizer.momentum": 0.9,
        "optimizer.learning_rate": 3.0,
        "optimizer.schedule": "plateau",
        "optimizer.decay": 0.5,
        "optimizer.decay_every": 1,
        "training.epochs": 4,
        "probes.sites": "1",
        "probes.refit": 2,
        "method": "synscal",
    },
    "scaling by the layers' real inputs": {"method": "synscaw", "scaling.source": "data", "scaling.every": "3 steps"},
    "a bottleneck": {"method": "vib", "probes.mode": "bottleneck", "probes.latent": 256, "probes.control": "none"},
    "regression": {
        "data.name": "diabetes",
        "data.train": 200,
        "method": "synscaw-stable+dropout",
        "scaling.rate": 0.1,
        "probes.averaging": 0.5,
    },
}


@pytest.fixture
def stopped(monkeypatch):
    """Return what trains and is stopped by Ctrl-C in the middle of a step."""

    def run(settings, path, step, **options):
        after_step = RunningMethod.after_step

        def stopping(self, at, **more):
            if at == step:
                raise KeyboardInterrupt
            return after_step(self, at, **more)

        with monkeypatch.context() as patched:
            patched.setattr(RunningMethod, "after_step", stopping)
            with pytest.raises(KeyboardInterrupt):
                train(settings, path, quiet=True, **options)
        np.random.seed(99), random.seed(99), torch.manual_seed(99)  # whoever goes on comes from elsewhere

    return run


@pytest.mark.parametrize("name", CASES)
def test_stopped_in_an_epoch_and_resumed_it_equals_the_training_that_was_not(
    small, stopped, assert_same_training, tmp_path, name, monkeypatch
):
    (tmp_path / "frozen_net.py").write_text(NETWORK)
    monkeypatch.chdir(tmp_path)
    settings = small(**CASES[name])
    whole, parts = tmp_path / "whole.h5", tmp_path / "parts.h5"
    rows = train(settings, whole, quiet=True)
    stopped(settings, parts, 6)
    resumed = train(settings, parts, quiet=True, resume=True)
    assert [row.step for row in rows][1:] == [row.step for row in resumed]
    assert_same_training(whole, parts)
    with ip.open_run(parts) as run:
        assert run.status == "finished"
        texts = run.events()["text"].tolist()
    assert "recording went on at step 4" in texts


@pytest.mark.parametrize("step", [1, 2, 4])
def test_stopped_before_anything_was_measured_it_begins_again(small, stopped, assert_same_training, tmp_path, step):
    settings = small(method="dropout")
    train(settings, tmp_path / "whole.h5", quiet=True)
    stopped(settings, tmp_path / "parts.h5", step)
    train(settings, tmp_path / "parts.h5", quiet=True, resume=True)
    assert_same_training(tmp_path / "whole.h5", tmp_path / "parts.h5")


def test_stopped_twice_and_with_rarer_checkpoints_it_is_the_same(small, stopped, assert_same_training, tmp_path):
    settings = small(**EVERYTHING | {"training.checkpoint_every": 2, "training.epochs": 6})
    train(settings, tmp_path / "whole.h5", quiet=True)
    stopped(settings, tmp_path / "parts.h5", 13)
    stopped(settings, tmp_path / "parts.h5", 22, resume=True)
    train(settings, tmp_path / "parts.h5", quiet=True, resume=True)
    assert_same_training(tmp_path / "whole.h5", tmp_path / "parts.h5")


def test_resume_begins_where_there_is_nothing(small, assert_same_training, tmp_path):
    train(small(), tmp_path / "whole.h5", quiet=True)
    train(small(), tmp_path / "new.h5", quiet=True, resume=True)
    assert_same_training(tmp_path / "whole.h5", tmp_path / "new.h5")


def test_a_file_that_was_killed_before_its_first_step_begins_again(small, assert_same_training, tmp_path):
    train(small(), tmp_path / "whole.h5", quiet=True)
    (tmp_path / "run.h5").touch()
    train(small(), tmp_path / "run.h5", resume=True, quiet=True)
    assert_same_training(tmp_path / "whole.h5", tmp_path / "run.h5")


def test_a_finished_training_says_so_and_more_epochs_continue_it(small, assert_same_training, tmp_path, caplog):
    path = tmp_path / "run.h5"
    options = {"method": "dropout", "probes.inputs": 0}  # which the last row keeps: here there are two last rows
    train(small(**options), path, quiet=True)
    before = path.read_bytes()
    assert train(small(**options), path, quiet=True, resume=True) == []
    assert "is finished, with 8 steps; nothing is to be done" in caplog.text
    assert path.read_bytes() == before
    longer = small(**options, training__epochs=4)
    assert [row.step for row in train(longer, path, quiet=True, resume=True)] == [12, 16]
    train(longer, tmp_path / "whole.h5", quiet=True)
    assert_same_training(tmp_path / "whole.h5", path)


def test_an_epoch_that_was_cut_off_is_trained_again_by_a_longer_training(small, assert_same_training, tmp_path):
    path = tmp_path / "run.h5"
    cut = small(method="dropout", training__epochs="none", training__iterations=6)
    assert [row.step for row in train(cut, path, quiet=True)] == [4, 6]
    assert train(cut, path, quiet=True, resume=True) == []
    longer = small(method="dropout", training__epochs=3)
    train(longer, path, quiet=True, resume=True)
    train(longer, tmp_path / "whole.h5", quiet=True)
    assert_same_training(tmp_path / "whole.h5", path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"optimizer.learning_rate": 0.1}, r"optimizer.learning_rate was 0.0005 and is 0.1"),
        (
            {"method": "synscaw", "scaling.rate": 0.5},
            r'method was "dropout" and is "synscaw"; scaling.rate was not set',
        ),
        ({"data.train": 100}, "data.train was 200 and is 100"),
        ({"model.hidden": (13,)}, r"model.hidden was \[12\] and is \[13\]"),
    ],
)
def test_other_settings_are_refused_with_the_difference(small, stopped, tmp_path, changed, said):
    path = tmp_path / "run.h5"
    stopped(small(method="dropout"), path, 6)
    before = path.read_bytes(), path.with_suffix(".ckpt").read_bytes()
    with pytest.raises(RunFileError, match=said):
        train(small(**{"method": "dropout"} | changed), path, quiet=True, resume=True)
    assert (path.read_bytes(), path.with_suffix(".ckpt").read_bytes()) == before


def test_other_data_of_the_same_name_are_refused(small, stopped, tmp_path):
    file = tmp_path / "mine.npz"

    def write(seed):
        draws = np.random.default_rng(seed)
        x, y = draws.normal(size=(200, 4)).astype("float32"), np.arange(200) % 3
        np.savez(file, train_inputs=x[:150], train_labels=y[:150], test_inputs=x[150:], test_labels=y[150:])

    settings = small(data__name="npz", data__root=str(file), data__train="none")
    write(0)
    stopped(settings, tmp_path / "run.h5", 4)
    write(1)
    with pytest.raises(RunFileError, match="the data of 'npz' are others"):
        train(settings, tmp_path / "run.h5", quiet=True, resume=True)


def test_what_does_not_belong_together_is_refused(small, stopped, tmp_path):
    path, kept = tmp_path / "run.h5", tmp_path / "run.ckpt"
    stopped(small(), path, 6)
    run, checkpoint = path.read_bytes(), kept.read_bytes()
    with pytest.raises(InputError, match="say one of the two"):
        train(small(), path, quiet=True, resume=True, overwrite=True)
    kept.unlink()
    with pytest.raises(RunFileError, match=r"there is no checkpoint run.ckpt"):
        train(small(), path, quiet=True, resume=True)
    kept.write_bytes(checkpoint)
    path.unlink()
    with pytest.raises(RunFileError, match="what it would go on with is lost"):
        train(small(), path, quiet=True, resume=True)
    with pytest.raises(RunFileError, match=r"run.ckpt exists already"):
        train(small(), path, quiet=True)
    stopped(small(), path, 2, overwrite=True)
    kept.write_bytes(checkpoint)
    with pytest.raises(RunFileError, match=r"has 0 rows up to step 4, but its checkpoint .* was written after 1"):
        train(small(), path, quiet=True, resume=True)
    path.write_bytes(run)
    kept.write_bytes(checkpoint[:1000])
    with pytest.raises(RunFileError, match="no checkpoint, or a damaged one"):
        train(small(), path, quiet=True, resume=True)
    torch.save({"model": {}}, kept)
    with pytest.raises(RunFileError, match="no checkpoint of version 1"):
        train(small(), path, quiet=True, resume=True)


def test_a_training_that_keeps_no_checkpoint_has_none_at_its_end_alone(small, stopped, tmp_path):
    path = tmp_path / "run.h5"
    settings = small(training__keep_checkpoint=False)
    stopped(settings, path, 6)
    assert path.with_suffix(".ckpt").exists()
    train(settings, path, quiet=True, resume=True)
    assert not path.with_suffix(".ckpt").exists()
    assert train(settings, path, quiet=True, resume=True) == []
    with pytest.raises(RunFileError, match="there is no checkpoint"):
        train(small(training__keep_checkpoint=False, training__epochs=3), path, quiet=True, resume=True)
    train(small(training__checkpoint_every=0), tmp_path / "none.h5", quiet=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["none.h5", "run.h5"]


def test_a_checkpoint_that_cannot_be_written_stops_the_training_and_leaves_the_one_before(small, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    replace, calls = os.replace, []

    def third_time(first, second):
        if str(second).endswith(".ckpt"):
            calls.append(second)
            if len(calls) == 3:
                full()
        replace(first, second)

    monkeypatch.setattr(os, "replace", third_time)
    with pytest.raises(RunFileError, match=r"cannot be written .No space left"):
        train(small(training__epochs=5), tmp_path / "run.h5", quiet=True)
    monkeypatch.undo()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.ckpt", "run.h5"]
    assert torch.load(tmp_path / "run.ckpt", weights_only=True)["epoch"] == 1
    train(small(training__epochs=5), tmp_path / "run.h5", quiet=True, resume=True)


def has_rows(path, least):
    try:
        with ip.open_run(path) as run:
            return "plane" in run.streams and len(run.plane()) >= least
    except ip.InfoplaneError:
        return False


@pytest.mark.parametrize("by", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_killed_at_any_moment_the_same_command_with_resume_ends_as_the_whole(small, assert_same_training, tmp_path, by):
    config, path = tmp_path / "config.toml", tmp_path / "run.h5"
    settings = small(**EVERYTHING | {"training.epochs": 14})
    config.write_text(to_toml(settings))
    code = "from infoplane.cli import main; main()"
    arguments = [sys.executable, "-c", code, "train", str(config), "--quiet", "--out", str(path)]
    process = subprocess.Popen(arguments, stdout=-1, stderr=-1)
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not has_rows(path, 2):
            time.sleep(0.02)
        time.sleep(random.random() / 4)
        process.send_signal(by)
        process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == (-9 if by == signal.SIGKILL else 143)
    train(settings, path, quiet=True, resume=True)
    train(settings, tmp_path / "whole.h5", quiet=True)
    assert_same_training(tmp_path / "whole.h5", path)


def test_ctrl_c_amid_a_checkpoint_is_no_failure_to_write_it(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    path.write_bytes(b"the one before")

    def save(*_):
        try:
            raise KeyboardInterrupt
        finally:  # as torch's writer does when it is closed amid a file
            raise RuntimeError("unexpected pos 1564224 vs 1564176")

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(path, {})
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"the one before"]
