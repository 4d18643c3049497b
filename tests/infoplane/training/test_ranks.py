"""Two processes under torchrun train what one does: the same batches, shared out."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import infoplane as ip
from infoplane.training import to_toml, train

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_gloo_available(), reason="this torch has no gloo, over which the processes talk here"
)


def launch(settings, path, *options):
    config = path.with_suffix(".toml")
    config.write_text(to_toml(settings))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--no-python"]
    command = [sys.executable, "-c", "from infoplane.cli import main; main()", "train", str(config), "--out", str(path)]
    return subprocess.run([*torchrun, *command, *options], capture_output=True, text=True, timeout=300)


NAMED = {"method": "synscaw-stable", "scaling.rate": 0.1, "probes.mode": "joint", "optimizer.learning_rate": 1e-3}


def test_two_processes_train_what_one_does(small, tmp_path):
    done = launch(small(**NAMED), tmp_path / "two.h5")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("two.h5") == 1  # one of them speaks
    rows = train(small(**NAMED), tmp_path / "one.h5", quiet=True)
    one, two = (torch.load(tmp_path / f"{name}.ckpt", weights_only=True) for name in ("one", "two"))
    for name, value in one["model"].items():
        torch.testing.assert_close(two["model"][name], value, rtol=1e-4, atol=1e-5)
    assert (one["world"], two["world"], len(two["ranks"])) == (1, 2, 2)
    with ip.open_run(tmp_path / "one.h5") as single, ip.open_run(tmp_path / "two.h5") as several:
        assert several.provenance["ranks"] == 2
        assert several.status == "finished"
        assert several.plane()["step"].tolist() == single.plane()["step"].tolist() == [row.step for row in rows]
        np.testing.assert_allclose(several.plane()["values"], single.plane()["values"], rtol=2e-3, atol=1e-3)
    with pytest.raises(ip.InfoplaneError, match="was written by 2 processes, but there are 1 now"):
        train(small(**NAMED, training__epochs=4), tmp_path / "two.h5", quiet=True, resume=True)


@pytest.mark.slow
def test_two_processes_that_go_on_end_as_two_that_did_not_stop(small, assert_same_training, tmp_path):
    named = {"method": "dropout", "probes.mode": "joint", "probes.inputs": 0}
    for path, epochs, options in (("a.h5", 4, ()), ("b.h5", 2, ()), ("b.h5", 4, ("--resume",))):
        done = launch(small(**named, training__epochs=epochs), tmp_path / path, *options)
        assert done.returncode == 0, done.stderr[-2000:]
    assert_same_training(tmp_path / "a.h5", tmp_path / "b.h5")


@pytest.mark.slow
def test_a_wrong_call_ends_both(small, tmp_path):
    done = launch(small(training__batch_size=51), tmp_path / "run.h5")
    assert done.returncode != 0
    assert "2 processes cannot share it evenly" in done.stderr
