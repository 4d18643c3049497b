"""Several processes under torchrun record what one process does: two real ones here, over gloo."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import infoplane as ip

SCRIPT = Path(__file__).with_name("training.py")
RUNS = ("observe-0.0", "observe-0.1", "joint-0.1")
pytestmark = pytest.mark.skipif(
    not torch.distributed.is_gloo_available(), reason="this torch has no gloo, over which the processes talk here"
)


def launch(folder, name, *, ranks=0, options=()):
    """Run the script alone, or under torchrun with so many processes; returns the finished process."""
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"] if ranks else []
    command = [sys.executable, *several, str(SCRIPT), str(folder), name, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What one process found, what both of two found, and the folder of their files."""
    folder = tmp_path_factory.mktemp("ranks")
    for name, ranks in (("one", 0), ("two", 2)):
        done = launch(folder, name, ranks=ranks)
        assert done.returncode == 0, done.stderr[-3000:]
    one, *two = [pickle.loads((folder / f"{n}.pickle").read_bytes()) for n in ("one-0", "two-0", "two-1")]
    assert [found["distributed"] for found in two] == [(0, 2), (1, 2)]
    return one, two, folder


@pytest.mark.parametrize("run", RUNS)
def test_bounds_of_two_processes_equal_those_of_one(results, run):
    one, two, _ = results
    for of_rank in two:
        for single, several in zip(one[run], of_rank[run], strict=True):
            assert several.bounds.n == single.bounds.n == 101  # the input that the sampler repeats counts once
            assert several.n_sandwich == single.n_sandwich == 40
            for name in ("i_zx", "i_zy", "ce", "h_y", "error", "se_i_zx", "se_i_zy", "i_zx_given_y"):
                first, second = getattr(single.bounds, name), getattr(several.bounds, name)
                np.testing.assert_allclose(second, first, rtol=1e-5, atol=1e-5, err_msg=name)
            for name in ("i_zx_lower", "i_zx_upper", "i_ty_chain"):
                np.testing.assert_allclose(getattr(several, name), getattr(single, name), rtol=1e-5, err_msg=name)
            np.testing.assert_array_equal(several.input_keys, single.input_keys)
            assert several.loss == pytest.approx(single.loss, rel=1e-5)
            assert several.error == single.error


def test_counts_of_two_processes_equal_those_of_one_exactly(results):
    """With a learning rate of 0 both have the same network, so that every value must be in the same bin."""
    folder = results[2]
    with ip.open_run(folder / "one-observe-0.0.h5") as one, ip.open_run(folder / "two-observe-0.0.h5") as two:
        assert one.streams == two.streams
        for stream in ("activations", "weights", "step_activations", "step_weights"):
            assert len(one.stream(stream)) == len(two.stream(stream)) > 1
            np.testing.assert_array_equal(one.stream(stream)["counts"], two.stream(stream)["counts"], err_msg=stream)
        np.testing.assert_array_equal(one.stream("raw")["position"], two.stream("raw")["position"])
        for name, tolerance in (("position", 0), ("error", 0), ("loss", 1e-5), ("rate", 1e-4), ("ce", 1e-4)):
            np.testing.assert_allclose(one.inputs()[name], two.inputs()[name], rtol=tolerance, equal_nan=True)
        np.testing.assert_array_equal(one.raw("hidden2")[1], two.raw("hidden2")[1])
        np.testing.assert_allclose(one.raw("hidden2")[0], two.raw("hidden2")[0], rtol=1e-6)
        np.testing.assert_allclose(one.neurons()["values"], two.neurons()["values"], rtol=1e-5, atol=1e-7)


def test_gradients_of_two_processes_equal_those_of_one(results):
    folder = results[2]
    with ip.open_run(folder / "one-observe-0.1.h5") as one, ip.open_run(folder / "two-observe-0.1.h5") as two:
        np.testing.assert_allclose(one.gradients()["values"], two.gradients()["values"], rtol=1e-3)


def test_one_process_writes_one_file(results):
    folder = results[2]
    assert sorted(path.name for path in folder.glob("two*.h5")) == sorted(f"two-{run}.h5" for run in RUNS)
    with ip.open_run(folder / "two-joint-0.1.h5") as run:
        assert run.status == "finished"
        assert run.provenance["ranks"] == 2
        assert len(run.plane()) == 3


def test_a_process_that_dies_is_an_error_and_no_hang(tmp_path):
    done = launch(tmp_path, "dead", ranks=2, options=["die"])
    assert done.returncode != 0
    assert "exitcode  : 7" in done.stderr
    assert not (tmp_path / "dead-0.pickle").exists()
    with ip.open_run(tmp_path / "dead-observe-0.0.h5") as run:
        assert run.status != "finished"
