"""Small settings, and how two trainings are compared."""

import numpy as np
import pytest
import torch

import infoplane as ip
from infoplane.training import Settings

SMALL = {
    "model.hidden": (12,),
    "data.train": 200,
    "training.epochs": 2,
    "training.batch_size": 50,
    "probes.latent": 4,
    "probes.draws": 2,
    "probes.sandwich": 20,
    "probes.control": False,
}


@pytest.fixture(scope="session")
def small():
    """Settings of a training that takes a tenth of a second, with what else is said by dotted name."""
    return lambda **overrides: Settings().changed(SMALL | {k.replace("__", "."): v for k, v in overrides.items()})


def rows_of(path):
    """Every value of every stream of a run file but times and the events, which tell of stops."""
    with ip.open_run(path) as run:
        return {
            (name, variable): run.stream(name)[variable]
            for name in run.streams
            for variable in run.stream(name).names
            if variable != "time" and name != "events"
        }


def assert_same(first, second, where=""):
    """Two nested values are the same, bit for bit; NaN is NaN."""
    assert type(first) is type(second), where
    if isinstance(first, dict):
        assert list(first) == list(second), where
        for name in first:
            assert_same(first[name], second[name], f"{where}.{name}")
    elif isinstance(first, list):
        assert len(first) == len(second), where
        for k, (mine, theirs) in enumerate(zip(first, second, strict=True)):
            assert_same(mine, theirs, f"{where}[{k}]")
    elif isinstance(first, torch.Tensor):
        torch.testing.assert_close(first, second, rtol=0, atol=0, equal_nan=True)
    else:
        assert first == second, where


@pytest.fixture(scope="session")
def assert_same_training():
    """Compare two run files, rows and all, and the checkpoints beside them: every state there is at the end."""

    def compare(first, second):
        mine, theirs = rows_of(first), rows_of(second)
        assert mine.keys() == theirs.keys()
        assert len(mine["plane", "step"])
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=str(name))
        kept = [torch.load(path.with_suffix(".ckpt"), weights_only=True) for path in (first, second)]
        for state in kept:
            del state["settings"]  # with how many epochs were asked for
            for rank in state["ranks"]:
                del rank["recording"]["run"]  # which run it is
                rank["recording"]["rows"].pop("events", None)  # which tell of stops
        assert_same(*kept)

    return compare
